"""The program journalctl: every way in which it can fail, and what the administrator is told."""

from __future__ import annotations

import os
import pwd
import re
import time

import pytest

from check_postfix import user
from check_postfix.deferred import CHECK
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives, journalctl
from check_postfix.maillog.source.journalctl import (
    Journalctl,
    TimeUpError,
    has_journal,
    see_that_all_is_readable,
)
from check_postfix.plugin.run import outcome_of
from tests.support.journal_model import Machine, fields_of

MACHINE = "fedcba9876543210fedcba9876543210"


class Fake:
    """A machine's journal directories, and a journalctl that is a shell script."""

    def __init__(self, root):
        self.root = root
        self.programs = root / "bin"
        self.programs.mkdir()
        self.machine_id = root / "machine-id"
        self.machine_id.write_text(MACHINE + "\n")
        self.persistent = root / "var" / MACHINE
        self.volatile = root / "run" / MACHINE

    def with_files(self, *names):
        """Make empty journal files."""
        self.persistent.mkdir(parents=True, exist_ok=True)
        for name in names or ("system.journal",):
            (self.persistent / name).write_bytes(b"")
        return self

    def with_script(self, script):
        """Let journalctl do this."""
        program = self.programs / "journalctl"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return self

    def printing(self, *messages, and_then=""):
        """Let journalctl print these entries."""
        (self.root / "printed").write_bytes(b"".join(map(fields_of, messages)))
        return self.with_script(f"cat {self.root}/printed\n{and_then}")


@pytest.fixture
def fake(tmp_path, monkeypatch):
    made = Fake(tmp_path)
    monkeypatch.setenv("PATH", str(made.programs))
    monkeypatch.setattr(journalctl, "USUAL_PLACES", ("/no/bin",))
    monkeypatch.setattr(journalctl, "MACHINE_ID", str(made.machine_id))
    monkeypatch.setattr(journalctl, "DIRECTORIES", (f"{tmp_path}/var", f"{tmp_path}/run"))
    return made


def read(*arguments, seconds=10.0):
    with Journalctl(arguments, time.monotonic() + seconds) as running:
        return list(running.entries())


def told(*arguments, seconds=10.0):
    """Return what the administrator is told."""
    with pytest.raises(LogError) as raised:
        read(*arguments, seconds=seconds)
    return str(raised.value)


def without_access(monkeypatch, *refused):
    """Let this user be anybody but root."""
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: str(path) not in map(str, refused) and real(path, mode)
    )


# -- how it is called


def test_it_is_called_with_a_clean_environment_and_the_arguments(fake, monkeypatch):
    monkeypatch.setenv("SYSTEMD_COLORS", "1")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    fake.with_script('printf "A=%s\\nB=%s\\n\\n" "$*" "$(env | grep -v ^_ | sort | tr "\\n" " ")"')

    (entry,) = read("--reverse", "X=1")

    assert entry[b"A"] == b"--no-pager --quiet --output=export --reverse X=1"
    assert b"LC_ALL=C PATH=/usr/bin:/bin" in entry[b"B"]
    assert b"SYSTEMD" not in entry[b"B"]
    assert b"LANG" not in entry[b"B"]


def test_a_journalctl_in_a_relative_directory_is_not_called(fake, monkeypatch):
    fake.with_script("echo A=1; echo")
    monkeypatch.chdir(fake.root)
    monkeypatch.setenv("PATH", "bin:.")

    assert told().startswith("journalctl: not found in PATH")


def test_it_and_its_children_end_when_nobody_reads_on(fake):
    fake.with_script(
        f"echo $$ > {fake.root}/pid; sleep 1000 & echo $! > {fake.root}/child;"
        " while :; do echo A=1; echo; done"
    )
    with Journalctl([], time.monotonic() + 10) as running:
        next(running.entries())

    for name in ("pid", "child"):
        pid = int((fake.root / name).read_text())
        for _ in range(100):
            if not is_running(pid):
                break
            time.sleep(0.02)
        assert not is_running(pid)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# -- how it fails


@pytest.mark.usefixtures("fake")
def test_a_machine_without_journalctl():
    assert told() == (
        "journalctl: not found in PATH or /no/bin; install systemd, or name the mail log with --log"
    )


def test_a_journalctl_that_is_no_program(fake):
    fake.with_script("")
    (fake.programs / "journalctl").write_bytes(b"\0\0\0\0")

    assert told() == (
        f"journalctl: cannot run {fake.programs}/journalctl: exec format error;"
        f" run it by hand as {user.me()}"
    )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo 'Failed to seek to cursor: Invalid argument' >&2; exit 1",
            "journalctl: Failed to seek to cursor: Invalid argument;"
            f" run it by hand as {user.me()}",
        ),
        (
            "echo \"journalctl: unrecognized option '--output-fields=X'\" >&2; exit 1",
            "journalctl: journalctl: unrecognized option '--output-fields=X';"
            " systemd 236 or later is needed",
        ),
        ("exit 7", f"journalctl: ended with exit code 7; run it by hand as {user.me()}"),
        (
            "kill -SEGV $$",
            "journalctl: was killed by signal 11; see the kernel's messages,"
            " and try journalctl --verify",
        ),
        (
            "printf 'A=1\\n\\nB=2\\n'",
            "journalctl: its output ends in the middle of an entry;"
            f" run journalctl -o export by hand as {user.me()}",
        ),
        (
            "echo '-- No entries --'",
            "journalctl: its output ends in the middle of an entry;"
            f" run journalctl -o export by hand as {user.me()}",
        ),
    ],
)
def test_a_journalctl_that_fails(fake, script, message):
    fake.with_script(script)

    assert told() == message


def test_entries_before_a_failure_do_not_hide_it(fake):
    fake.with_script("printf 'A=1\\n\\n'; echo 'Input/output error' >&2; exit 1")

    assert told() == f"journalctl: Input/output error; run it by hand as {user.me()}"


def test_a_journalctl_that_was_refused_says_which_group_to_join(fake):
    fake.with_script(
        "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1"
    )
    user = pwd.getpwuid(os.geteuid()).pw_name

    assert told() == (
        f"cannot read {fake.root}/var: permission denied; add user {user} to group systemd-journal,"
        " and restart what runs this check"
    )


@pytest.mark.parametrize("script", ["sleep 1000", "echo A=1; sleep 1000", "exec 1>&-; sleep 1000"])
def test_a_journalctl_that_hangs_is_not_waited_for(fake, script):
    fake.with_script(script)
    begun = time.monotonic()

    with pytest.raises(TimeUpError):
        read(seconds=0.3)

    assert time.monotonic() - begun < 2


def test_very_much_on_standard_error_is_read_and_left_out(fake):
    fake.with_script("head -c 3000000 /dev/zero | tr '\\0' e >&2; printf 'A=1\\n\\n'")

    assert read() == [{b"A": b"1"}]


def test_files_that_journalctl_left_out_are_noted(fake):
    words = "Journal file /var/log/journal/x/system@1.journal is truncated, ignoring file."
    fake.with_script(f"echo '{words}' >&2; printf 'A=1\\n\\n'")

    with Journalctl([], time.monotonic() + 10) as running:
        list(running.entries())
        assert running.notes() == [words]


# -- what may be read


def test_a_journal_that_may_be_read_is_in_order(fake):
    fake.with_files("system.journal", "system@1-2-3.journal", "user-1000.journal", "fss")

    see_that_all_is_readable()


def test_a_single_file_that_may_not_be_read_is_refused(fake, monkeypatch):
    fake.with_files("system.journal", "system@1-2-3.journal", "user-1000.journal")
    archive = fake.persistent / "system@1-2-3.journal"
    without_access(monkeypatch, archive)

    with pytest.raises(LogError) as raised:
        see_that_all_is_readable()

    assert str(raised.value).startswith(f"cannot read {archive}: permission denied; add user ")


def test_a_directory_that_is_none_is_told_of(fake):
    fake.persistent.parent.mkdir()
    fake.persistent.touch()

    with pytest.raises(LogError) as raised:
        see_that_all_is_readable()

    assert str(raised.value) == (
        f"cannot read {fake.persistent}: not a directory; see that its file system is in order"
    )


def test_the_files_of_other_users_need_not_be_read(fake, monkeypatch):
    fake.with_files("system.journal", "user-1000.journal")
    without_access(monkeypatch, fake.persistent / "user-1000.journal")

    see_that_all_is_readable()


@pytest.mark.parametrize("text", [None, "", "1234\n"])
def test_a_machine_without_a_journal(fake, text):
    if text is None:
        fake.machine_id.unlink()
    else:
        fake.with_files()
        fake.machine_id.write_text(text)

    with pytest.raises(LogError) as raised:
        see_that_all_is_readable()

    assert str(raised.value) == (
        f"no journal of this machine in {fake.root}/var or {fake.root}/run;"
        " see that systemd-journald runs, or name the mail log with --log"
    )


def test_an_unknown_user_is_named_by_number(fake, monkeypatch):
    fake.with_files()
    without_access(monkeypatch, fake.persistent / "system.journal")
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(LogError, match="add user 54321 to group systemd-journal"):
        see_that_all_is_readable()


# -- the whole check


ONE_DEFERRED = "POSTFIX DEFERRED OK - 100 % of 1 delivery attempt deferred in 15 min"


def check(fake, *options):
    return outcome_of(CHECK, ["--state", str(fake.root / "state"), *options])


def words(outcome):
    """Return exit code and first line of what a check printed, without the perfdata."""
    printed, code = outcome
    return code, printed.partition("\n")[0].partition(" | ")[0]


def recent(minutes_ago=3):
    """Return a message of a machine whose clock is right."""
    machine = Machine()
    machine.minute = int(time.time()) // 60 - minutes_ago
    return machine.log(
        b"4F5A6B7C8D: to=<u@example.test>, relay=mx1.example.test[192.0.2.1]:25, delay=1,"
        b" delays=0/0/0/1, dsn=4.4.1, status=deferred (connect timed out)",
        b"postfix/smtp",
    )


def test_the_journal_is_read_when_it_is_asked_for(fake):
    fake.with_files().printing(recent())

    assert words(check(fake, "--journal"))[1].startswith(ONE_DEFERRED)


def test_the_journal_is_read_when_there_is_no_log_file(fake, monkeypatch):
    monkeypatch.setattr(archives, "USUAL_PLACES", ("/no/log",))
    monkeypatch.setattr(archives, "MAIN_CF", "/no/main.cf")
    fake.with_files().printing(recent())

    assert words(check(fake))[1].startswith(ONE_DEFERRED)


def test_without_log_file_and_journal_the_log_is_asked_for(fake, monkeypatch):
    monkeypatch.setattr(archives, "USUAL_PLACES", ("/no/log",))
    monkeypatch.setattr(archives, "MAIN_CF", "/no/main.cf")
    fake.printing()

    assert not has_journal()
    code, said = words(check(fake))
    assert code == 3
    assert said.startswith("POSTFIX DEFERRED UNKNOWN - no mail log in the usual places (/no/log)")


def test_a_log_file_and_the_journal_are_read_together(fake):
    fake.with_files().printing(recent())
    log = fake.root / "mail.log"
    stamp = time.strftime("%Y-%m-%dT%H:%M:00+00:00", time.gmtime(time.time() - 180))
    log.write_text(
        f"{stamp} mx postfix/smtp[1]: 4F5A6B7C8D: to=<u@example.test>,"
        " relay=mx1.example.test[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0,"
        " status=sent (250 Ok)\n"
    )

    assert words(check(fake, "--journal", "--log", str(log)))[1].startswith(
        "POSTFIX DEFERRED OK - 50 % of 2 delivery attempts deferred in 15 min"
    )


def test_a_journal_that_may_not_be_read_is_unknown(fake, monkeypatch):
    fake.with_files().printing(recent())
    without_access(monkeypatch, fake.persistent / "system.journal")
    user = pwd.getpwuid(os.geteuid()).pw_name

    assert words(check(fake, "--journal")) == (
        3,
        f"POSTFIX DEFERRED UNKNOWN - cannot read {fake.persistent}/system.journal: permission"
        f" denied; add user {user} to group systemd-journal, and restart what runs this check",
    )


def test_a_journalctl_that_hangs_is_unknown_in_time(fake):
    fake.with_files().with_script("sleep 1000")
    begun = time.monotonic()

    said = words(check(fake, "--journal", "--timeout", "1"))

    assert time.monotonic() - begun < 1.5
    code, line = said
    assert code == 3
    # of the second, as much as a busy machine has left
    assert re.fullmatch(
        r"POSTFIX DEFERRED UNKNOWN - journalctl: silent for 0\.[5-8] s;"
        " see whether the disk hangs, or raise --timeout",
        line,
    )


def test_a_journalctl_that_hangs_half_way_leaves_the_rest_for_the_next_run(fake):
    fake.with_files().printing(recent(), and_then="sleep 1000")

    code, said = words(check(fake, "--journal", "--timeout", "4"))

    assert code == 3
    assert said.endswith(
        "min read yet, goes on next run; fewer than 20 delivery attempts, not judged)"
    )


def test_a_damaged_journal_file_is_mentioned_in_the_details(fake):
    said = "Journal file /x/system@1.journal corrupted, ignoring file."
    fake.with_files().printing(recent(), and_then=f"echo '{said}' >&2")

    printed, _ = check(fake, "--journal", "-vv")

    assert f"\n{said}\n" in printed


# -- a journal without a line of ours


ABSENT = (
    "POSTFIX DEFERRED UNKNOWN - no delivery attempts in 15 min"
    " (the journal has no line of Postfix or Dovecot"
)


def without_ours(fake, *options):
    code, said = words(check(fake, "--journal", *options))
    assert code == 3
    return said


def test_a_journal_without_a_line_of_ours_says_so(fake):
    fake.with_files().printing()

    assert without_ours(fake) == (
        f"{ABSENT}; see that they run on this machine, or name the mail log with --log)"
    )


def test_a_journal_with_lines_of_others_with_our_facility_alone_says_so(fake):
    machine = Machine()
    machine.minute = int(time.time()) // 60 - 3
    message = machine.log(b"something", b"exim")
    fake.with_files().with_script(
        f"""case "$*" in *--field=*) ;; *) cat {fake.root}/printed; esac"""
    )
    (fake.root / "printed").write_bytes(fields_of(message))

    assert without_ours(fake).startswith(f"{ABSENT}; see that they run")


def test_a_journal_whose_file_is_left_out_names_it(fake):
    said = "Journal file /x/system.journal is truncated, ignoring file."
    fake.with_files().printing(and_then=f"echo '{said}' >&2")

    assert without_ours(fake) == (
        f"{ABSENT}: journal file /x/system.journal is truncated, ignoring file; move that file"
        " away and restart systemd-journald)"
    )


def test_a_journal_with_a_namespace_names_it(fake):
    fake.with_files().printing()
    (fake.root / "var" / f"{MACHINE}.mail").mkdir()

    assert without_ours(fake) == (
        f"{ABSENT}, and its namespace mail is not read; take LogNamespace= out of their units, or"
        " let them write a file and name it with --log)"
    )


def test_a_journal_of_containers_names_them(fake):
    fake.with_files().with_script(
        """case "$*" in *--field=CONTAINER_NAME) printf 'web\\nmail\\n';; esac"""
    )

    assert without_ours(fake) == (
        f"{ABSENT}, and what containers write is not read (mail, web); name the one that Postfix is"
        " in: --journal-match CONTAINER_NAME=NAME)"
    )


def test_a_journal_with_a_line_of_ours_is_not_asked_for_more(fake):
    fake.with_files().printing(recent(), and_then=f'echo "$*" >> {fake.root}/asked')

    check(fake, "--journal")

    assert "--field" not in (fake.root / "asked").read_text()


# -- what containers write


SAID = (
    b"4F5A6B7C8D: to=<u@example.test>, relay=mx1.example.test[192.0.2.1]:25, delay=1,"
    b" delays=0/0/0/1, dsn=4.4.1, status=deferred (connect timed out)"
)


def of_container(text, name=b"postfix", tag=b"0123456789ab"):
    """Return what docker's driver makes of a line that a container prints."""
    machine = Machine()
    machine.minute = int(time.time()) // 60 - 3
    return machine.log(text, tag, CONTAINER_NAME=name, CONTAINER_ID=b"0123456789ab")


@pytest.mark.parametrize("tag", [b"0123456789ab", b"mail/postfix", b"dockerd", b"a b"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"Nov 24 17:44:04 mx postfix/smtp[9]: " + SAID, id="RFC 3164"),
        pytest.param(b"2026-11-24T17:44:04.5+01:00 mx postfix/smtp[9]: " + SAID, id="RFC 3339"),
        pytest.param(b"postfix/smtp[9]: " + SAID, id="without a stamp"),
        pytest.param(b"postfix/smtp[9]: " + SAID + b"\r", id="of a terminal"),
    ],
)
def test_a_line_that_a_container_prints_is_read_whatever_its_tag(text, tag, fake):
    fake.with_files().printing(of_container(text, tag=tag))

    assert words(check(fake, "--journal-match", "CONTAINER_NAME=postfix"))[1].startswith(
        ONE_DEFERRED
    )


def test_journalctl_is_told_the_matches_and_what_tells_of_losses(fake):
    fake.with_files().printing(recent(), and_then=f'echo "$*" >> {fake.root}/asked')

    check(fake, "--journal-match", "CONTAINER_NAME=in", "--journal-match", "CONTAINER_NAME=out")

    asked = (fake.root / "asked").read_text()
    losses = "+ MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e"
    assert f"CONTAINER_NAME=in CONTAINER_NAME=out {losses}\n" in asked
    assert "SYSLOG_FACILITY" not in asked


def test_each_choice_of_entries_is_a_log_of_its_own(fake):
    name = "--journal-match", "CONTAINER_NAME=postfix"
    fake.with_files().printing(of_container(b"postfix/smtp[9]: " + SAID))
    for _ in range(2):
        assert words(check(fake, *name))[1].startswith(ONE_DEFERRED)
    fake.printing(recent())

    assert words(check(fake, "--journal"))[1].startswith(ONE_DEFERRED)


def test_the_order_of_matches_makes_no_other_log(fake):
    first, second = "CONTAINER_NAME=a", "CONTAINER_NAME=b"
    fake.with_files().printing(of_container(b"postfix/smtp[9]: " + SAID))
    check(fake, "--journal-match", first, "--journal-match", second)
    fake.printing()

    said = words(check(fake, "--journal-match", second, "--journal-match", first))

    assert said[1].startswith(ONE_DEFERRED)


def test_a_container_that_has_no_line_of_ours_names_those_that_log(fake):
    fake.with_files().with_script(
        """case "$*" in *--field=CONTAINER_NAME) printf 'web\nmail\n';; esac"""
    )

    assert words(check(fake, "--journal-match", "CONTAINER_NAME=postfix")) == (
        3,
        f"{ABSENT} with CONTAINER_NAME=postfix; see which containers log there (mail, web), and"
        " name one with --journal-match CONTAINER_NAME=NAME)",
    )


def test_lines_that_journald_dropped_of_docker_are_a_gap(fake):
    machine = Machine()
    machine.minute = int(time.time()) // 60 - 5
    dropped = machine.log(
        b"Suppressed 500 messages from docker.service", b"systemd-journald", _TRANSPORT=b"driver"
    )
    fake.with_files().printing(
        of_container(b"postfix/smtp[9]: " + SAID), dropped, of_container(b"x")
    )

    assert "log lines lost" in words(check(fake, "--journal-match", "CONTAINER_NAME=postfix"))[1]


@pytest.mark.parametrize("wrong", ["postfix", "=x", "name=x", "CONTAINER_NAME=", "-u=postfix", "+"])
def test_what_is_no_match_is_refused(wrong, fake):
    fake.with_files().printing()

    code, said = words(check(fake, f"--journal-match={wrong}"))

    assert code == 3
    assert said.startswith(
        f"POSTFIX DEFERRED UNKNOWN - --journal-match {wrong}: not FIELD=VALUE; use for example"
        " CONTAINER_NAME=postfix"
    )
