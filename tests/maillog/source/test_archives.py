"""Which log is read when none is named, and what is said where there is none."""

from __future__ import annotations

import pytest

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives, syslog_daemon


@pytest.fixture
def no_log(tmp_path, monkeypatch):
    """A machine without a mail log, with one process whose name a test writes."""
    monkeypatch.setattr(archives, "USUAL_PLACES", ("/no/log",))
    monkeypatch.setattr(archives, "MAIN_CF", str(tmp_path / "main.cf"))
    monkeypatch.setattr(syslog_daemon, "PROCESSES", str(tmp_path))
    monkeypatch.setattr(syslog_daemon, "PLACES", (str(tmp_path),))
    monkeypatch.setattr(syslog_daemon, "CONFIGURATION", (str(tmp_path / "*.conf"),))
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


def said() -> str:
    with pytest.raises(LogError) as raised:
        archives.usual_log()
    return str(raised.value).removeprefix("no mail log in the usual places (/no/log)")


@pytest.mark.parametrize(
    ("program", "service"), [("rsyslogd", "rsyslog"), ("syslog-ng", "syslog-ng")]
)
def test_one_that_is_installed_and_does_not_run_is_to_be_started(
    no_log, tmp_path, program, service
):
    no_log.write_text("cron\n")
    (tmp_path / program).touch(0o755)

    assert said() == (
        f": {program} is installed and does not run; start it: systemctl enable --now {service}"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "mail.* -{path}",
        "mail.info\t\t{path}",
        "auth,mail.*  {path};RSYSLOG_TraditionalFileFormat",
        "*.info;mail.none /x\nmail.*  {path}",
        'mail.* action(type="omfile" file="{path}" fileGroup="adm")',
    ],
)
def test_rsyslog_that_writes_mail_elsewhere_names_the_log(no_log, tmp_path, rule):
    no_log.write_text("rsyslogd\n")
    path = tmp_path / "mail" / "all"
    (tmp_path / "50-default.conf").write_text(rule.format(path=path) + "\n")

    assert said() == (
        f", though rsyslogd runs and is to write mail to {path}; see that Postfix runs and has"
        " logged anything (postfix status), then: systemctl restart rsyslog"
    )
    path.parent.mkdir()
    path.touch()
    assert said() == f", though rsyslogd writes mail to {path}; name it: --log {path}"


@pytest.mark.parametrize(
    "rules",
    ["*.*;auth,mail.none -/var/log/syslog", "#mail.* -/var/log/mail.log", "mail.* @central"],
)
def test_rsyslog_that_writes_no_mail_is_told_to(no_log, tmp_path, rules):
    no_log.write_text("rsyslogd\n")
    (tmp_path / "rsyslog.conf").write_text(f"{rules}\n")

    assert said() == (
        ", though rsyslogd runs: it is told to write mail to no file; as root: echo"
        " 'mail.* -/var/log/mail.log' > /etc/rsyslog.d/mail.conf && systemctl restart rsyslog"
    )


@pytest.mark.usefixtures("no_log")
def test_a_file_that_postfix_is_to_write_itself_is_one_of_the_places(monkeypatch):
    monkeypatch.setattr(archives, "_maillog_file", lambda: "/no/postfix.log")

    with pytest.raises(LogError) as raised:
        archives.usual_log()

    assert str(raised.value) == (
        "no mail log in the usual places (/no/postfix.log (maillog_file of Postfix), /no/log);"
        " see that Postfix runs and has logged anything (postfix status); name it with --log,"
        " or install rsyslog"
    )


@pytest.mark.usefixtures("no_log")
def test_without_a_list_of_processes_nothing_is_known_of_them(monkeypatch):
    monkeypatch.setattr(syslog_daemon, "PROCESSES", "/no/proc")

    with pytest.raises(LogError, match="or install rsyslog"):
        archives.usual_log()
