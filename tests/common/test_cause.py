"""The last line of -v is the command that shows what is behind the number, and it does."""

from __future__ import annotations

import pathlib
import re
import shlex
import time

import pytest

from check_postfix import auth, deferred, rejects
from check_postfix import log as log_itself
from check_postfix.command import cli
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log
from tests.support.definitions import log_checks
from tests.support.package import ROOT

RECORDED = str(ROOT / "tests/recorded/mail.iso.log")
OF_THEN = ["--at", "2026-11-24T18:16Z", "-v"]
AT = ["--no-state", "--log", RECORDED, *OF_THEN]
CHECKS = pytest.mark.parametrize("check", log_checks(), ids=lambda check: check.name)
pytestmark = pytest.mark.usefixtures("utc")
FOUND = {
    "postfix deferred": r" status=deferred \(",
    "postfix bounces": r" status=bounced \(",
    "postfix auth": r"SASL \S+ authentication failed|auth failed",
    "postfix rejects": r"reject: ",
    "postfix delay": r" delay=30, .* status=sent \(",
    "postfix senders": r"sasl_username=alice",
    "postfix log": r"warning: SASL: Connect to ",
}
# Of numbers that are of nobody's messages there is none to be shown.
WITHOUT = ["postfix volume", "postfix recipients"]
WITH_A_CAUSE = pytest.mark.parametrize(
    "check",
    [check for check in log_checks() if check.name not in WITHOUT],
    ids=lambda check: check.name,
)


@pytest.fixture
def where(check, tmp_path):
    """A log in which something is behind the number of this check."""
    if check.name != "postfix delay":
        return RECORDED
    log = tmp_path / "slow.log"
    log.write_text(f"2026-11-24T18:15:36+00:00 mx1 postfix/{mail_log.SLOW}\n" * 20)
    return str(log)


def last_line(check, arguments: list[str]) -> str:
    return outcome_of(check, arguments)[0].splitlines()[-1]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@WITH_A_CAUSE
def test_the_last_line_of_v_is_a_command_that_shows_the_cause(
    check, zone, where, capsys, monkeypatch
):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    see, *command = shlex.split(last_line(check, ["--no-state", "--log", where, *OF_THEN]))

    assert [see, *command[:2]] == ["see:", "postfix-log", "trace"]
    with pytest.raises(SystemExit) as end:
        cli.main([*command[1:], "--no-queue"])
    shown = capsys.readouterr().out
    assert not end.value.code
    assert re.search(FOUND[check.name], shown)


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (auth.CHECK, r"^  (\d+)  203\.0\.113\.77 "),
        (rejects.CHECK, r"^  (\d+)  203\.0\.113\.5 "),
    ],
)
def test_of_a_client_the_command_shows_what_was_counted_and_nothing_else(check, told, capsys):
    said = outcome_of(check, AT)[0]
    command = shlex.split(said.splitlines()[-1])
    with pytest.raises(SystemExit):
        cli.main([*command[2:], "--no-queue"])
    alone = [line for line in capsys.readouterr().out.splitlines() if re.match(r"\S+ mx1 ", line)]

    counted = re.search(told, said, re.MULTILINE)
    assert counted
    times = [int(found) for found in re.findall(r"auth failed, (\d+) attempts", "\n".join(alone))]
    shown = len(alone) - len(times) + sum(times)
    in_messages = 1 if check is rejects.CHECK else 0  # a message that was refused at DATA
    assert shown + in_messages == int(counted[1])


@WITH_A_CAUSE
def test_the_command_reads_what_the_check_has_read(check, where, tmp_path):
    at = ["--no-state", "--log", where, *OF_THEN]
    line = last_line(check, [*at, "--timezone", "Europe/Berlin", "--archives", str(tmp_path)])

    assert f"--log {where} --archives {tmp_path} --timezone Europe/Berlin --since" in line
    assert "--since 2026-11-24T18:01+0000 --until 2026-11-24T18:16+0000" in line


@CHECKS
def test_no_command_names_whom_nobody_is_to_name(check, where):
    said = last_line(check, ["--no-state", "--log", where, *OF_THEN, "--anonymise"])

    assert not said.startswith("see: ")


def test_the_worst_of_the_troubles_of_postfix_is_shown(tmp_path):
    log = tmp_path / "mail.log"
    trouble = [*mail_log.TROUBLE, *mail_log.TROUBLE[3:4] * 9]

    def shown() -> str:
        log.write_text("".join(f"2026-11-24T18:15:36+00:00 mx1 postfix/{t}\n" for t in trouble))
        return last_line(log_itself.CHECK, ["--no-state", "--log", str(log), *OF_THEN])

    assert shown().endswith(" panic:")
    trouble.pop(1)
    assert shown().endswith(" 'a daemon died'")
    trouble.pop(0)
    assert shown().endswith(" 'a milter does not answer: inet:127.0.0.1:8891'")


def failures(domains: list[str]) -> str:
    return "".join(
        f"2026-11-24T18:15:36+00:00 mx1 postfix/smtp[7]: 4ABCDEF0{number:02}: to=<ann@{domain}>,"
        " relay=none, delay=1, delays=0/0/1/0, dsn=4.4.3, status=deferred (Host or domain name not"
        f" found. Name service error for name={domain} type=MX: Host not found, try again)\n"
        for number, domain in enumerate(domains)
    )


@pytest.mark.parametrize(
    ("domains", "patterns"),
    [
        ([f"dom{number}.example" for number in range(40)], ["status=deferred"]),
        (["a.example"] * 21 + ["b.example"] * 19, ["a.example", "status=deferred"]),
        (["a.example"] * 20 + ["b.example"] * 20, ["status=deferred"]),
    ],
)
def test_one_domain_is_shown_if_most_is_of_it_and_else_all(tmp_path, domains, patterns):
    log = tmp_path / "mail.log"
    log.write_text(failures(domains))

    said = last_line(deferred.CHECK, ["--no-state", "--log", str(log), *OF_THEN])

    assert shlex.split(said)[-len(patterns) - 1 :] == ["2026-11-24T18:16+0000", *patterns]


@CHECKS
def test_there_is_no_command_where_nothing_is_to_be_found(check, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text("2026-11-24T18:15:36+00:00 mx1 postfix/qmgr[1]: 4ABCDEF012: removed\n")

    said = last_line(check, ["--no-state", "--log", str(log), *AT[3:]])

    assert not said.startswith("see: ")


@CHECKS
def test_a_command_that_is_too_long_is_not_cut(check, where, tmp_path):
    log = tmp_path / ("x" * 200) / ("y" * 200)
    log.parent.mkdir()
    log.write_bytes(pathlib.Path(where).read_bytes())

    said = last_line(check, ["--no-state", "--log", str(log), *AT[3:]])

    assert not said.startswith("see: ")
