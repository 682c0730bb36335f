"""postfix-log doctor: what is well, what is not, and the command that mends it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from check_postfix.command import cli, users
from check_postfix.command.doctor import doctor as doctor_module
from check_postfix.command.doctor import installation, monitoring
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import refusal
from check_postfix.maillog.source.refusal import UnreadableNow
from check_postfix.maillog.store.schema import ASIDE
from check_postfix.plugin.run import outcome_of
from tests.support.builders import NOON
from tests.support.definitions import checks
from tests.support.package import ROOT

pytestmark = pytest.mark.usefixtures("utc")
ME = users.me().name
DAY = 86400


@pytest.fixture
def doctor(capsys):
    def run(*arguments: object) -> tuple[int, list[tuple[str, str]], str]:
        """Return exit code, (finding, fix) pairs, and standard error."""
        with pytest.raises(SystemExit) as end:
            cli.main(["doctor", *map(str, arguments)])
        printed = capsys.readouterr()
        found: list[tuple[str, str]] = []
        for line in printed.out.splitlines():
            if line.startswith(("ok    ", "mend  ")):
                found.append((line, ""))
            elif line.startswith("      "):
                found[-1] = found[-1][0], line.strip()
        return int(end.value.code or 0), found, printed.err

    return run


def line(ago: float, text: str = "postfix/qmgr[9]: 4A00000001: removed") -> str:
    stamp = datetime.fromtimestamp(int(time.time() - ago), UTC).isoformat()
    return f"{stamp} mx1 {text}\n"


def program(directory, name: str, script: str) -> None:
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)


def check_of(name: str):
    return next(one for one in checks() if one.executable == f"check_postfix_{name}")


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A mail server on which all is well: its options."""
    bin = tmp_path / "bin"
    bin.mkdir()
    program(bin, "postqueue", "exit 0")
    program(bin, "postconf", "echo mail_version = 3.7.11")
    monkeypatch.setenv("PATH", f"{bin}:/usr/bin:/bin")
    monkeypatch.setattr("check_postfix.maillog.source.journalctl.has_journal", lambda: False)
    monkeypatch.setattr(installation, "PLACES", ())
    monkeypatch.setattr(installation, "PLUGINS", ())
    for name, days in (("mail.log", 0), *((f"mail.log.{n}", n) for n in range(1, 9))):
        path = tmp_path / name
        path.write_text("".join(line(days * DAY + n) for n in range(50, 10, -1)))
        os.utime(path, (time.time() - days * DAY,) * 2)
    state = tmp_path / "state" / "counts"
    state.parent.mkdir(mode=0o700)
    options = ["--log", str(tmp_path / "mail.log"), "--state", str(state)]
    outcome_of(check_of("deferred"), options)
    return options


def fixes(found) -> list[tuple[str, str]]:
    return [(text, fix) for text, fix in found if text.startswith("mend")]


def test_where_all_is_well_that_is_said(doctor, server):
    status, found, _ = doctor(*server, "--user", ME)

    assert fixes(found) == []
    assert status == 0
    said = "\n".join(text for text, _ in found)
    for words in (
        "8 rotated generations, 0 of them compressed",
        "known frame; ",
        "its stamps name their zone",
        "sums are kept for 30 d, clients and domains for 2 d",
        # One run by hand leaves the same mark as a monitoring.
        "ok    monitoring: deferred asked in the last 20 min, by the monitoring or by hand as"
        f" {ME}; not asked: bounces, auth, rejects, volume, delay, senders, recipients, log",
        "version 3.7.11",
        "the main instance answers; 0 messages in its queue",
        f"{ME} may read it and 8 older files",
    ):
        assert words in said


def test_of_one_rotated_generation_the_words_say_one(doctor, server, tmp_path):
    for number in range(2, 9):
        (tmp_path / f"mail.log.{number}").unlink()

    _, found, _ = doctor(*server, "--user", ME)

    assert any("log: 1 rotated generation, 0 of them compressed" in text for text, _ in found)
    # One is all that there can be of a log that has just begun to be rotated.
    assert fixes(found) == []


def test_a_log_that_is_not_there(doctor, server):
    status, found, _ = doctor(*server[2:], "--log", "/nowhere/mail.log", "--user", ME)

    assert status == 3
    assert fixes(found)[0][0] == "mend  log: /nowhere/mail.log: no such file"
    assert "--log" in fixes(found)[0][1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_what_the_checks_user_may_not_read_and_the_group_that_may(doctor, server, tmp_path):
    log = tmp_path / "mail.log"
    for above in (tmp_path, *list(tmp_path.parents)[:-2]):
        above.chmod(0o755)
    os.chown(log, 0, 4)
    log.chmod(0o640)

    _, found, _ = doctor(*server, "--user", "nobody")

    text, fix = next(pair for pair in fixes(found) if "may not read" in pair[0])
    assert text == f"mend  log: nobody may not read {log}"
    assert fix == "adduser nobody adm, then restart what runs the checks"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_a_closed_directory_above_is_what_is_opened(doctor, server, tmp_path):
    for above in list(tmp_path.parents)[:-2]:
        above.chmod(0o755)
    tmp_path.chmod(0o700)

    _, found, _ = doctor(*server, "--user", "nobody")

    fix = next(fix for text, fix in fixes(found) if "may not read" in text)
    assert fix == f"setfacl -m u:nobody:rx {tmp_path}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_the_command_for_the_state_s_directory_mends_it(doctor, server, tmp_path):
    for above in (tmp_path, *list(tmp_path.parents)[:-2]):
        above.chmod(0o755)

    def finding():
        found = doctor(*server, "--user", "nobody")[1]
        return [fix for text, fix in fixes(found) if "may not write" in text]

    (fix,) = finding()
    subprocess.run(["/bin/sh", "-c", fix], check=True)

    assert finding() == []


def test_lines_that_nobody_understands(doctor, server, tmp_path):
    (tmp_path / "mail.log").write_text("one\ntwo\nthree\n")

    _, found, _ = doctor(*server, "--user", ME)

    text, fix = fixes(found)[0]
    assert text.startswith("mend  log: 0 of ")
    assert "--log" in fix


def test_stamps_without_a_zone_are_told_with_the_one_they_are_read_by(doctor, server, tmp_path):
    stamp = time.strftime("%b %e %H:%M:%S", time.gmtime())
    (tmp_path / "mail.log").write_text(f"{stamp} mx1 postfix/qmgr[9]: 4A00000001: removed\n" * 3)

    _, found, _ = doctor(*server, "--user", ME, "--timezone", "Europe/Berlin")

    assert any("name no zone, and are read as Europe/Berlin" in text for text, _ in found)


def test_what_is_not_read_yet(doctor, server, monkeypatch):
    monkeypatch.setattr(
        "check_postfix.maillog.store.read_files.unread", lambda *_: [(None, 12_345)]
    )

    _, found, _ = doctor(*server, "--user", ME)

    assert fixes(found) == [
        ("mend  state: about 12345 bytes of log are not read yet", "postfix-log ingest")
    ]


def test_a_monitoring_that_asks_no_more(doctor, server, monkeypatch):
    now = time.time()
    monkeypatch.setattr("check_postfix.command.doctor.monitoring.time.time", lambda: now + 7200)

    _, found, _ = doctor(*server, "--user", ME)

    ((text, fix),) = [pair for pair in fixes(found) if "monitoring" in pair[0]]
    assert re.search(r"no check was asked in the last 30 min; the last one (1 h 5\d|2 h)", text)
    assert "step 3 of README.md" in fix
    assert "systemctl status" in fix


@pytest.mark.parametrize(("minutes", "is_late"), [(21, False), (30, False), (31, True)])
def test_checks_that_come_every_half_an_hour_are_not_late(server, minutes, is_late):
    now = int(time.time()) // 60
    asked = SimpleNamespace(
        last=now - minutes, words=lambda since: f"deferred since {since}", missing=lambda _: ""
    )

    found = monitoring._finding(asked, server[-1])

    assert bool(found.fix) is is_late
    said = f"deferred since {now - minutes} asked in the last {minutes} min"
    assert (said in found.text) is not is_late


@pytest.mark.parametrize(
    ("unnamed", "said"),
    [(0, "; not asked: senders, log"), (1, "; not asked: 1 or more of senders, log"), (2, "")],
)
def test_checks_that_cannot_be_named_may_be_those_that_seem_not_asked(unnamed, said):
    asked = object.__new__(monitoring.Asked)
    asked.names = {name: 5 for name in monitoring._names() if name not in ("senders", "log")}
    asked.others = [5] * unnamed

    assert asked.missing(since=5) == said


def test_a_state_that_no_check_has_asked_of(doctor, server, tmp_path):
    (tmp_path / "state/counts").unlink()
    with pytest.raises(SystemExit):
        cli.main(["ingest", *server])

    _, found, _ = doctor(*server, "--user", ME)

    ((text, fix),) = fixes(found)
    assert text == "mend  monitoring: no check has been asked yet"
    assert fix == "configure it: step 3 of README.md"


def test_which_checks_were_asked_is_told_by_name_as_far_as_their_options_are_known(doctor, server):
    for name in ("bounces", "auth", "rejects", "volume", "delay"):
        outcome_of(check_of(name), server)
    outcome_of(check_of("auth"), [*server, "-w", "3"])

    _, found, _ = doctor(*server, "--user", ME)

    assert (
        "ok    monitoring: deferred, bounces, auth, rejects, 2 more checks and 1 more that cannot"
        " be named, since it has options of its own, asked in the last 20 min, by the monitoring"
        f" or by hand as {ME}; not asked: 2 or more of senders, recipients, log"
    ) in [text for text, _ in found]


@pytest.fixture
def closed_journal(server, tmp_path, monkeypatch):
    """The same server with a journal that this user may not read."""
    directory = tmp_path / "journal"
    directory.mkdir()
    (directory / "system.journal").write_bytes(b"")
    refused = LogError(
        f"cannot read {directory}: permission denied;"
        " add user nagios to group systemd-journal, and restart what runs this check"
    )

    def refuse() -> None:
        raise refused

    of_journal = "check_postfix.maillog.source.journalctl"
    monkeypatch.setattr(f"{of_journal}.has_journal", lambda: True)
    monkeypatch.setattr(f"{of_journal}.directories", lambda: [str(directory)])
    monkeypatch.setattr(f"{of_journal}.see_that_all_is_readable", refuse)
    return server


def test_a_closed_journal_is_to_be_mended_where_it_is_the_log(
    doctor, closed_journal, tmp_path
):  # fmt: skip
    status, found, _ = doctor("--journal", *closed_journal[2:], "--user", ME)

    assert status == 3
    assert (
        f"mend  journal: cannot read {tmp_path}/journal: permission denied",
        "add user nagios to group systemd-journal, and restart what runs this check",
    ) in fixes(found)


def test_a_closed_journal_is_well_beside_a_log_file(doctor, closed_journal):
    status, found, _ = doctor(*closed_journal, "--user", ME)

    assert status == 0
    assert any("it is not needed where there is a log file" in text for text, _ in found)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_a_journal_that_the_checks_user_may_not_read_and_the_group_that_may(
    doctor, closed_journal, tmp_path, monkeypatch
):
    file = tmp_path / "journal/system.journal"
    for above in list(file.parents)[:-2]:
        above.chmod(0o755)
    os.chown(file, 0, 4)
    file.chmod(0o640)
    of_journal = "check_postfix.maillog.source.journalctl"
    monkeypatch.setattr(f"{of_journal}.see_that_all_is_readable", lambda: None)

    status, found, _ = doctor("--journal", *closed_journal[2:], "--user", "nobody")

    assert status == 3
    assert (
        "mend  journal: nobody may not read it",
        "adduser nobody adm, then restart what runs the checks",
    ) in fixes(found)


def test_two_installations_are_told(doctor, server, tmp_path, monkeypatch):
    for name in ("local", "packaged"):
        (tmp_path / name).mkdir()
        program(tmp_path / name, "postfix-log", "exit 0")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/postfix-log").symlink_to(tmp_path / "local/postfix-log")
    places = tuple(str(tmp_path / name) for name in ("linked", "local", "packaged"))
    monkeypatch.setattr(installation, "PLACES", places)
    # This machine may have an installation of its own.
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    status, found, _ = doctor(*server, "--user", ME)

    assert status == 3
    ((text, fix),) = fixes(found)
    assert text == (
        f"mend  installation: 2 of them: {tmp_path}/linked/postfix-log,"
        f" {tmp_path}/packaged/postfix-log"
    )
    # By hand an installation goes in more ways than one; what was kept may have lost its links.
    assert "apt remove check-postfix, or of pip what README.md says under" in fix
    section = re.search("under '(.*)'", fix)
    assert section
    assert f"\n### {section[1]}\n" in (ROOT / "README.md").read_text()
    assert fix.endswith("; install what is kept again")


def test_checks_that_the_monitoring_does_not_find(doctor, server, tmp_path, monkeypatch):
    plugins, scripts = tmp_path / "plugins", tmp_path / "opt/bin"
    plugins.mkdir()
    scripts.mkdir(parents=True)
    names = installation.executables()
    for name in names:
        program(scripts, name, "exit 0")
    monkeypatch.setattr(installation, "PLUGINS", (str(plugins), "/nowhere"))
    monkeypatch.setattr(installation.sys, "prefix", str(tmp_path / "opt"))
    monkeypatch.setattr("check_postfix.command.users.of_monitoring", users.me)

    ((text, fix),) = fixes(doctor(*server)[1])
    assert text.startswith(f"mend  installation: none of the checks are in {plugins}, such as ")

    subprocess.run(["sh", "-c", fix], check=True)
    found = doctor(*server)[1]
    assert fixes(found) == []
    assert (f"ok    installation: the checks are in {plugins}", "") in found

    (plugins / names[0]).unlink()
    ((text, _),) = fixes(doctor(*server)[1])
    assert text == (
        f"mend  installation: not all of the checks are in {plugins}, such as {names[0]}"
    )


def test_the_executables_that_are_looked_for_are_those_that_are_installed():
    with (ROOT / "pyproject.toml").open("rb") as file:
        scripts = tomllib.load(file)["project"]["scripts"]

    assert sorted([*installation.executables(), "postfix-log"]) == sorted(scripts)


@pytest.fixture
def without_postfix(tmp_path, monkeypatch):
    """Let no Postfix be installed on this machine, which is called as the log's host is or not."""
    for name in ("postconf", "postqueue"):
        (tmp_path / "bin" / name).unlink()
    monkeypatch.setattr("check_postfix.child.find", lambda *_: None)

    def called(name: str) -> None:
        monkeypatch.setattr("check_postfix.command.doctor.postfix._own_name", lambda: name)

    return called


def test_on_a_server_of_logs_alone_nothing_is_to_be_mended(doctor, server, without_postfix):
    without_postfix("logs.example.com")

    status, found, _ = doctor(*server, "--user", ME)

    assert (status, fixes(found)) == (0, [])
    assert (
        "ok    Postfix: none is found here, and the log is of other hosts (mx1): leave"
        " check_postfix_queue out, or run it on them",
        "",
    ) in found


def test_of_many_hosts_of_a_server_of_logs_some_are_named(
    doctor, server, without_postfix, tmp_path
):
    without_postfix("logs")
    with (tmp_path / "mail.log").open("a") as log:
        for number in range(2, 7):
            log.write(line(5).replace("mx1", f"mx{number}.example.com"))

    _, found, _ = doctor(*server, "--user", ME)

    assert "(mx1, mx2.example.com, mx3.example.com and 3 more)" in found[-2][0]


@pytest.mark.parametrize("name", ["mx1", "mx1.example.com", "MX1"])
def test_a_postfix_that_writes_here_and_is_not_found_is_to_be_mended(
    doctor, server, without_postfix, name
):
    without_postfix(name)

    status, found, _ = doctor(*server, "--user", ME)

    assert status == 3
    ((text, fix),) = fixes(found)
    assert text.startswith("mend  Postfix: none is found here (postqueue: not found in PATH")
    assert text.endswith("), though it writes to the log as mx1: check_postfix_queue is UNKNOWN")
    assert fix.startswith("run check_postfix_queue where Postfix runs: --postqueue ")


def test_a_postqueue_that_is_there_and_cannot_be_run_is_to_be_mended_whoever_writes(
    doctor, server, tmp_path, monkeypatch
):
    (tmp_path / "bin/postconf").unlink()
    program(tmp_path / "bin", "postqueue", "echo 'postqueue: fatal: no main.cf' >&2; exit 75")
    monkeypatch.setattr("check_postfix.command.postconf._USUAL_PLACES", ())
    monkeypatch.setattr("check_postfix.command.doctor.postfix._own_name", lambda: "logs")

    ((text, _),) = fixes(doctor(*server, "--user", ME)[1])

    assert text.startswith("mend  Postfix: postqueue: ")
    assert "no main.cf" in text


def test_without_a_line_and_without_a_postfix_all_is_not_well(
    doctor, server, without_postfix, tmp_path
):
    without_postfix("logs")
    for log in tmp_path.glob("mail.log.*"):
        log.unlink()
    (tmp_path / "mail.log").write_text("")

    status, found, _ = doctor(*server, "--user", ME)

    assert status == 3
    assert [text for text, _ in fixes(found)] == ["mend  log: no whole line in it"]


def test_a_state_that_is_damaged(doctor, server, tmp_path):
    with (tmp_path / "state/counts").open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"x" * 20_000)

    _, found, _ = doctor(*server, "--user", ME)

    assert any("state/counts" in text for text, _ in fixes(found))


def test_no_state_yet(doctor, server, tmp_path):
    (tmp_path / "state/counts").unlink()

    _, found, _ = doctor(*server, "--user", ME)

    assert fixes(found) == [
        (f"mend  state: {tmp_path}/state/counts: nothing is kept yet", "postfix-log ingest")
    ]


def test_a_postfix_that_is_down(doctor, server, tmp_path):
    program(
        tmp_path / "bin", "postqueue",
        "echo 'postqueue: fatal: Queue report unavailable - mail system is down' >&2; exit 69",
    )  # fmt: skip

    status, found, _ = doctor(*server, "--user", ME)

    assert status == 3
    assert any("postfix" in fix and "start" in fix for _, fix in fixes(found))


def test_a_user_that_is_not_there_is_wrong_usage(doctor):
    status, _, error = doctor("--user", "no-such-user")

    assert status == 2
    assert "--user no-such-user: no such user; see: getent passwd\n" in error


def test_the_last_line_says_what_was_looked_at_and_where_to_see_how_mail_is(server, capsys):
    with pytest.raises(SystemExit):
        cli.main(["doctor", *server, "--user", ME])

    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "the checks can work; how mail is: postfix-log now"


@pytest.mark.parametrize("lines", [1, 2])
def test_a_short_log_is_looked_at_from_its_first_line_on(doctor, server, tmp_path, lines):
    (tmp_path / "mail.log").write_text(line(20) * lines)

    _, found, _ = doctor(*server, "--user", ME)

    said = f"{lines} of {lines} line{'s'[: lines - 1]} looked at have a known frame"
    assert any(said in text for text, _ in found)


@pytest.mark.parametrize(("strange", "is_right"), [(2, True), (3, False)])
def test_a_log_is_the_right_one_if_half_of_its_lines_have_a_known_frame(
    doctor, server, tmp_path, strange, is_right
):
    (tmp_path / "mail.log").write_text(line(20) * 2 + "what is this?\n" * strange)

    found = fixes(doctor(*server, "--user", ME)[1])

    assert any("name the right log with --log" in fix for _, fix in found) is not is_right


def test_a_log_without_lines_of_postfix_is_hardly_the_mail_log(doctor, server, tmp_path):
    (tmp_path / "mail.log").write_text(line(20, "cron[1]: nothing to do") * 3)

    found = fixes(doctor(*server, "--user", ME)[1])

    said = "mend  log: nothing of Postfix or Dovecot in it"
    assert (said, "name the mail log with --log") in found


def test_a_log_without_a_whole_line(doctor, server, tmp_path):
    for log in tmp_path.glob("mail.log*"):
        log.write_text("")

    found = fixes(doctor(*server, "--user", ME)[1])

    said = "mend  log: no whole line in it"
    assert (said, "see where mail is logged: postconf maillog_file") in found


def test_stamps_without_a_zone_are_read_by_the_machine_s(doctor, server, tmp_path, monkeypatch):
    localtime = tmp_path / "localtime"
    localtime.symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    monkeypatch.setattr("check_postfix.maillog.store.log_zone.LOCALTIME", str(localtime))
    stamp = datetime.fromtimestamp(time.time() - DAY, UTC).strftime("%b %e %H:%M:%S")
    (tmp_path / "mail.log").write_text(f"{stamp} mx1 postfix/qmgr[9]: 4A00000001: removed\n")

    _, found, _ = doctor(*server, "--user", ME)

    said = "its stamps name no zone, and are read as this machine's zone, Europe/Berlin"
    assert (f"ok    log: {said}", "") in found


def test_a_damaged_state_that_was_set_aside_is_told(doctor, server):
    aside = server[-1] + ASIDE
    Path(aside).write_text("damaged")

    _, found, _ = doctor(*server, "--user", ME)

    said = f"ok    state: a damaged one was set aside: {aside}; it goes by itself"
    assert (said, "") in found


def test_lines_that_were_lost_are_told_with_what_loses_them(doctor, server, monkeypatch):
    lost = SimpleNamespace(gaps=SimpleNamespace(number=2, last=NOON))
    monkeypatch.setattr("check_postfix.maillog.store.contents.of", lambda _: lost)

    _, found, _ = doctor(*server, "--user", ME)

    said = (
        "ok    state: 2 times whose lines were destroyed unread, the last 2026-11-24 16:00;"
        " logrotate should rename, and not copytruncate"
    )
    assert (said, "") in found


def test_a_journal_that_may_be_read_is_told_with_its_place(
    doctor, closed_journal, tmp_path, monkeypatch
):  # fmt: skip
    of_journal = "check_postfix.maillog.source.journalctl"
    monkeypatch.setattr(f"{of_journal}.see_that_all_is_readable", lambda: None)

    _, found, _ = doctor(*closed_journal, "--user", ME)

    assert (f"ok    journal: readable, in {tmp_path}/journal", "") in found


def test_of_a_long_log_what_is_cut_off_is_no_line(doctor, server, tmp_path):
    (tmp_path / "mail.log").write_text(line(20) * 10_000)

    _, found, _ = doctor(*server, "--user", ME)

    (text,) = [text for text, _ in found if "looked at have a known frame" in text]
    known, whole = re.findall(r"log: (\d+) of (\d+) lines", text)[0]
    assert known == whole


def test_few_older_logs_are_told_with_what_is_needed(doctor, server, tmp_path):
    for number in range(6, 9):
        (tmp_path / f"mail.log.{number}").unlink()

    ((_, fix),) = fixes(doctor(*server, "--user", ME)[1])

    assert fix == (
        "keep more: a new state file learns from them what is usual, and that needs 7 days,"
        " better 28; see 'rotate' in /etc/logrotate.d"
    )


def test_where_there_are_no_older_logs_none_are_said_to_be_readable(doctor, server, tmp_path):
    for number in range(1, 9):
        (tmp_path / f"mail.log.{number}").unlink()

    _, found, _ = doctor(*server, "--user", ME)

    assert (f"ok    log: {ME} may read it", "") in found
    none = "no rotated generations yet; where they lie elsewhere, say so: --archives DIR"
    assert (f"ok    log: {none}", "") in found


# -- as somebody who may not look


@pytest.fixture
def alice(monkeypatch):
    """Let this process be one of alice, who is in no group and may not become anybody."""
    monkeypatch.setattr(users, "me", lambda: users.User("alice", os.geteuid(), os.getegid()))
    monkeypatch.setattr(users.User, "groups", lambda _: [])
    may_not = lambda self, paths, _=0: [False if self.is_me else None] * len(paths)  # noqa: E731
    monkeypatch.setattr(users.User, "may", may_not)


@pytest.fixture
def closed_log(server, tmp_path, monkeypatch):
    """The same server with a log of root and group adm that this process may not read."""
    path = server[1]
    for number in range(1, 9):
        (tmp_path / f"mail.log.{number}").unlink()
    refused = UnreadableNow(
        f"cannot read {path}: permission denied; add user alice to group adm, and {refusal.RESTART}"
    )

    def refuse(_: object) -> bytes:
        raise refused

    monkeypatch.setattr("check_postfix.command.logs.File.head", refuse)
    return path


@pytest.mark.usefixtures("alice")
def test_a_log_that_may_not_be_read_is_said_to_be_closed_and_not_to_be_empty(
    doctor, server, closed_log
):
    status, found, _ = doctor(*server, "--user", "nobody")

    assert status == 3
    assert (
        f"mend  log: cannot read {closed_log}: permission denied",
        "as root: postfix-log doctor; or add user alice to group adm, and log in again",
    ) in fixes(found)
    assert not any("no whole line" in text for text, _ in found)


def test_who_may_not_tell_is_told_to_be_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4242)

    assert list(doctor_module._of_user(users.named("nobody"))) == [
        ("looking as 4242; what nobody may read, only root can tell", "as root: postfix-log doctor")
    ]


@pytest.mark.usefixtures("alice")
def test_a_log_that_one_may_not_read_oneself_is_told_once(doctor, server, closed_log, monkeypatch):
    monkeypatch.setattr(users, "of_monitoring", lambda: None)

    _, found, _ = doctor(*server)

    assert [text for text, _ in fixes(found) if "mend  log" in text] == [
        f"mend  log: alice may not read {closed_log}"
    ]


def test_a_log_that_one_may_read_and_cannot_is_told_with_the_reason(doctor, server, monkeypatch):
    def refuse(_: object) -> bytes:
        raise UnreadableNow(f"cannot read {server[1]}: input/output error; see the kernel's log")

    monkeypatch.setattr("check_postfix.command.logs.File.head", refuse)

    status, found, _ = doctor(*server, "--user", ME)

    assert status == 3
    assert (
        f"mend  log: cannot read {server[1]}: input/output error",
        "see the kernel's log",
    ) in fixes(found)


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """Where the directory that all checks share would be; it is not there."""
    there = tmp_path / "var/check_postfix"
    there.parent.mkdir()
    monkeypatch.setattr("check_postfix.maillog.store.location.SHARED", str(there))
    return there


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_without_the_shared_directory_it_is_advised_and_not_one_in_root_s_home(
    doctor, server, shared
):
    for above in list(shared.parents)[:-2]:
        above.chmod(0o755)
    text, fix = fixes(doctor(*server[:2], "--user", "nobody")[1])[0]

    assert text == f"mend  state: there is no {shared}"
    assert fix.startswith("install -d -o nobody -g ")
    assert fix.endswith(f" -m 0700 {shared}")
    subprocess.run(shlex.split(fix), check=True)
    assert fixes(doctor(*server[:2], "--user", "nobody")[1]) == [
        (
            f"mend  state: {shared}/maillog.sqlite3: nothing is kept yet",
            "runuser -u nobody -- postfix-log ingest",
        )
    ]


@pytest.fixture
def of_root(doctor, server, shared):
    """The shared directory, as a run of root has left it before it was given to anybody."""
    for above in list(shared.parents)[:-2]:
        above.chmod(0o755)
    shared.mkdir(mode=0o700)
    outcome_of(check_of("deferred"), [*server[:2], "--state", str(shared / "maillog.sqlite3")])
    (shared / "queue").write_text("")
    assert (shared / "maillog.sqlite3").stat().st_uid == 0

    def findings() -> list[tuple[str, str]]:
        return [
            pair
            for pair in fixes(doctor(*server[:2], "--user", "nobody")[1])
            if "mend  state" in pair[0]
        ]

    return shared, findings


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_what_root_has_left_in_the_shared_directory_is_given_away_as_well(of_root):
    shared, findings = of_root

    ((text, fix),) = findings()

    assert text == f"mend  state: nobody may not write {shared}"
    group = users.group_name(users.named("nobody").gid)
    assert fix == (
        f"install -d -o nobody -g {group} -m 0700 {shared} && chown -R nobody:{group} {shared}"
    )
    subprocess.run(["/bin/sh", "-c", fix], check=True)
    assert findings() == []
    assert {path.owner() for path in shared.iterdir()} == {"nobody"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_a_state_of_somebody_else_in_a_directory_of_one_s_own_is_a_finding(of_root):
    shared, findings = of_root
    nobody = users.named("nobody")
    os.chown(shared, nobody.uid, nobody.gid)

    ((text, fix),) = findings()

    assert text == f"mend  state: nobody may not write {shared}/maillog.sqlite3, which is root's"
    assert fix == f"chown -R nobody:{users.group_name(nobody.gid)} {shared}"
    subprocess.run(["/bin/sh", "-c", fix], check=True)
    assert findings() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees with another user's eyes")
def test_of_a_state_elsewhere_its_own_files_alone_are_given_away(doctor, server, tmp_path):
    for above in (tmp_path, *list(tmp_path.parents)[:-2]):
        above.chmod(0o755)
    state = server[server.index("--state") + 1]
    nobody = users.named("nobody")
    os.chown(os.path.dirname(state), nobody.uid, nobody.gid)

    found = [pair for pair in fixes(doctor(*server, "--user", "nobody")[1]) if state in pair[0]]

    assert [fix for _, fix in found] == [f"chown nobody:{users.group_name(nobody.gid)} {state}"]


@pytest.mark.usefixtures("shared")
def test_a_state_in_the_home_of_the_checks_user_is_found_where_nothing_is_shared(
    doctor, server, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    state = home / ".local/state/check_postfix/maillog.sqlite3"
    state.parent.mkdir(parents=True, mode=0o700)
    outcome_of(check_of("deferred"), [*server[:2], "--state", str(state)])
    monkeypatch.setattr(users.User, "home", str(home))
    monkeypatch.setattr(users.User, "is_me", False)
    monkeypatch.setattr(users.User, "may", lambda _, paths, __=0: [True] * len(paths))

    _, found, _ = doctor(*server[:2], "--user", ME)

    assert any(f"state: {state}, " in text for text, _ in found)


@pytest.mark.usefixtures("alice")
def test_a_state_of_others_is_said_to_be_closed(doctor, server, shared, monkeypatch):
    shared.mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(shared) and access(path, mode))

    _, found, _ = doctor(*server[:2], "--user", "nobody")

    assert (
        f"mend  state: {shared} is open to nobody alone; root can look into it",
        "as root: postfix-log doctor",
    ) in fixes(found)


def test_nothing_is_changed(doctor, server, tmp_path):
    before = (tmp_path / "state/counts").read_bytes()

    doctor(*server, "--user", ME)

    assert (tmp_path / "state/counts").read_bytes() == before
