"""The last line of -v is the command that shows what is behind the number, and it does."""

from __future__ import annotations

import pathlib
import re
import shlex
import time

import pytest

from check_postfix.command import cli
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import log_checks
from tests.support.package import ROOT

RECORDED = str(ROOT / "tests/recorded/mail.iso.log")
AT = ["--no-state", "--log", RECORDED, "--at", "2026-11-24T18:16Z", "-v"]
CHECKS = pytest.mark.parametrize("check", log_checks(), ids=lambda check: check.name)
pytestmark = pytest.mark.usefixtures("utc")
FOUND = {
    "postfix deferred": r" status=deferred \(",
    "postfix bounces": r" status=bounced \(",
    "postfix auth": r"SASL \S+ authentication failed|auth failed",
    "postfix rejects": r": reject: ",
}


def last_line(check, arguments: list[str]) -> str:
    return outcome_of(check, arguments)[0].splitlines()[-1]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@CHECKS
def test_the_last_line_of_v_is_a_command_that_shows_the_cause(check, zone, capsys, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    see, *command = shlex.split(last_line(check, AT))

    assert [see, *command[:2]] == ["see:", "postfix-log", "trace"]
    with pytest.raises(SystemExit) as end:
        cli.main([*command[1:], "--no-queue"])
    shown = capsys.readouterr().out
    assert not end.value.code
    assert re.search(FOUND[check.name], shown)


@CHECKS
def test_the_command_reads_what_the_check_has_read(check, tmp_path):
    line = last_line(check, [*AT, "--timezone", "Europe/Berlin", "--archives", str(tmp_path)])

    assert f"--log {RECORDED} --archives {tmp_path} --timezone Europe/Berlin --since" in line
    assert "--since 2026-11-24T18:01+0000 --until 2026-11-24T18:16+0000" in line


@CHECKS
def test_no_command_names_whom_nobody_is_to_name(check):
    assert not last_line(check, [*AT, "--anonymise"]).startswith("see: ")


@CHECKS
def test_there_is_no_command_where_nothing_is_to_be_found(check, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text("2026-11-24T18:15:36+00:00 mx1 postfix/qmgr[1]: 4ABCDEF012: removed\n")

    said = last_line(check, ["--no-state", "--log", str(log), *AT[3:]])

    assert not said.startswith("see: ")


@CHECKS
def test_a_command_that_is_too_long_is_not_cut(check, tmp_path):
    log = tmp_path / ("x" * 200) / ("y" * 200)
    log.parent.mkdir()
    log.write_bytes(pathlib.Path(RECORDED).read_bytes())

    said = last_line(check, ["--no-state", "--log", str(log), *AT[3:]])

    assert not said.startswith("see: ")
