"""From an alarm to its cause, as the README tells it: the line, -v, and what -v ends with."""

from __future__ import annotations

import re
import shlex

import pytest

from check_postfix.command import cli
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import log_checks
from tests.support.package import ROOT

RECORDED = ROOT / "tests/recorded/mail.iso.log"
AT = ("--log", str(RECORDED), "--no-state", "--at", "2026-11-24T18:16Z")
README = (ROOT / "README.md").read_text()
# What stands in a line of a fault of this machine, which the check of the log names by its class
IN_LINES = {"no SASL server": "warning: SASL: Connect to Dovecot auth socket"}
pytestmark = pytest.mark.usefixtures("utc")


def ran(capsys, words: list[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    return int(end.value.code or 0), capsys.readouterr().out


@pytest.mark.parametrize("check", log_checks(), ids=lambda check: check.executable)
def test_the_command_that_v_ends_with_finds_the_cause(check, capsys):
    text, _ = outcome_of(check, [*AT, "-v"])
    see = [line for line in text.splitlines() if line.startswith("see: postfix-log trace ")]
    if not see and "postfix-log top" in text:  # which says what is not kept
        return
    if not see:  # nothing to be found of it in this log
        assert not re.search(r"^ +\d+  \S", text, re.MULTILINE)
        return
    program, *words = shlex.split(see[0].removeprefix("see: "))

    status, out = ran(capsys, [*words, "--no-queue"])

    assert program == "postfix-log"
    assert status == 0
    assert IN_LINES.get(words[-1], words[-1]) in out


def test_what_top_shows_of_the_alarm_leads_to_the_same_messages(capsys):
    _, table = ran(capsys, ["top", *AT, "--by", "recipient", "--rows", "1"])
    first = re.search(r"by recipient\n +(?P<deferred>\d+) +\d+ +\d+  (?P<address>\S+)", table)
    assert first

    status, out = ran(
        capsys, ["trace", "--log", str(RECORDED), "--no-queue", f"to=<{first['address']}>"]
    )

    assert status == 0
    assert out.count("status=deferred") >= int(first["deferred"])


def test_the_readme_shows_the_way():
    way = README.partition("## From an alarm to its cause")[2].partition("\n## ")[0]
    shown = re.findall(r"^\$ postfix-log (\w+)", way, re.MULTILINE)

    assert shown == ["trace", "top", "queue"]
    assert all(f"`postfix-log {name}`" in way for name in cli.SUBCOMMANDS)
