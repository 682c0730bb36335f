"""Which log is read when none is named, and what is said where there is none."""

from __future__ import annotations

import pytest

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives


@pytest.fixture
def no_log(tmp_path, monkeypatch):
    """A machine without a mail log, with one process whose name a test writes."""
    monkeypatch.setattr(archives, "USUAL_PLACES", ("/no/log",))
    monkeypatch.setattr(archives, "MAIN_CF", str(tmp_path / "main.cf"))
    monkeypatch.setattr(archives, "PROCESSES", str(tmp_path))
    process = tmp_path / "77"
    process.mkdir()
    return process / "comm"


@pytest.mark.parametrize("name", [b"cron\n", b"\xff\xfe\n", None])
def test_without_a_syslog_daemon_one_is_advised(no_log, name):
    if name is not None:
        no_log.write_bytes(name)

    with pytest.raises(LogError) as raised:
        archives.usual_log()

    assert str(raised.value) == (
        "no mail log in the usual places (/no/log); name it with --log, or install rsyslog"
    )


@pytest.mark.parametrize("name", ["rsyslogd", "syslog-ng"])
def test_where_a_syslog_daemon_runs_none_is_advised(no_log, name):
    no_log.write_text(f"{name}\n")

    with pytest.raises(LogError) as raised:
        archives.usual_log()

    assert str(raised.value) == (
        f"no mail log in the usual places (/no/log), though {name} runs; see that it writes mail.*"
        " to a file and that Postfix has logged anything, or name the log with --log"
    )


@pytest.mark.usefixtures("no_log")
def test_without_a_list_of_processes_nothing_is_known_of_them(monkeypatch):
    monkeypatch.setattr(archives, "PROCESSES", "/no/proc")

    with pytest.raises(LogError, match="or install rsyslog"):
        archives.usual_log()
