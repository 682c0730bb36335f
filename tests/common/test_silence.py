"""Silence: what the first line says when nothing is logged any more."""

from __future__ import annotations

import time

import pytest

from check_postfix.common.log_remarks import local_time
from check_postfix.deferred import CHECK
from check_postfix.maillog.ingest import journal
from check_postfix.maillog.source import archives, journalctl
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.window.coverage import Coverage
from check_postfix.plugin.run import outcome_of
from tests.support import journal_model, mail_log
from tests.support.journal_model import Machine
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("utc")

DAY = 1440
CONNECT = "smtpd[2300]: connect from unknown[203.0.113.9]"
POSTQUEUE = (
    "postqueue[77]: fatal: Queue report unavailable - mail system is down",
    "postqueue[77]: warning: Mail system is down -- accessing queue directly",
)


def written(tmp_path, *parts):
    return str(mail_log.write(tmp_path / "mail.log", *parts))


def said(log, *arguments):
    """Return exit code and first line, without perfdata."""
    state = ["--no-state"] if "--state" not in arguments else []
    text, code = outcome_of(CHECK, [*(["--log", log] if log else []), *state, *arguments])
    line = text.partition("\n")[0].partition(" | ")[0]
    return code, line.replace(" d 2 min", " d 1 min")  # a minute may have passed meanwhile


def sent(days, **more):
    return mail_log.lines([mail_log.SENT], minutes_ago=days * DAY, **more)


@pytest.mark.parametrize("days", [0.2, 2.9])
def test_a_log_silent_for_a_weekend_is_said_to_be(tmp_path, days):
    code, line = said(written(tmp_path, sent(days)))

    assert code == 0
    assert "(no log line for " in line


def test_a_log_silent_for_longer_is_unknown_and_says_since_when_and_the_fix(tmp_path):
    log = written(tmp_path, sent(90))
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(time.time() - 90 * 86400))

    code, line = said(log)

    assert code == 3
    assert line == (
        "POSTFIX DEFERRED UNKNOWN - no delivery attempts in 15 min (no log line for 90 d 1 min,"
        f" since {since}; see where mail is logged now and name that with --log, or raise"
        " --max-silence)"
    )


def test_how_long_it_may_be_silent_can_be_chosen(tmp_path):
    log = written(tmp_path, sent(90))

    assert said(log, "--max-silence", "100d")[0] == 0
    assert said(written(tmp_path, sent(0.5)), "--max-silence", "1h")[0] == 3


def test_an_alarm_of_a_silent_log_stays_one(tmp_path):
    log = written(tmp_path, mail_log.lines([mail_log.DEFERRED] * 99, minutes_ago=4 * DAY))

    code, line = said(log, "--window", "5d")

    assert code == 2
    assert "no log line for 4 d" in line


def test_silence_is_measured_to_the_windows_end(tmp_path):
    at = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() - 90 * 86400 + 300))

    code, line = said(written(tmp_path, sent(90)), "--at", at)

    assert (code, line.count("no log line")) == (0, 0)


@pytest.mark.parametrize("complaint", POSTQUEUE)
def test_what_postqueue_complains_of_at_each_run_breaks_no_silence(tmp_path, complaint):
    log = written(tmp_path, sent(4), mail_log.lines([complaint] * 9))

    code, line = said(log)

    assert code == 3
    assert "no log line for 4 d" in line


def test_lines_of_other_programs_break_no_silence(tmp_path):
    cron = mail_log.lines(["cron[1]: (root) CMD (x)"] * 9).replace("postfix/", "")

    assert said(written(tmp_path, sent(4), cron))[0] == 3


def test_a_night_without_mail_is_no_silence(tmp_path):
    log = written(tmp_path, sent(4), mail_log.lines([CONNECT]))

    code, line = said(log)

    assert (code, line) == (0, "POSTFIX DEFERRED OK - no delivery attempts in 15 min")


def test_a_night_without_mail_is_no_silence_where_it_is_read_bit_by_bit(tmp_path):
    state = str(tmp_path / "state")
    log = written(tmp_path, sent(4))
    assert said(log, "--state", state)[0] == 3
    written(tmp_path, sent(4), mail_log.lines([CONNECT]))

    assert said(log, "--state", state)[0] == 0
    assert said(log, "--state", state)[0] == 0


@pytest.mark.parametrize(
    "tag", ["postfix/smtpd[1]:", "postfix-out/smtpd[1]:", "dovecot:", "dovecot[7]:"]
)
def test_only_lines_of_its_own_instance_break_the_silence_of_an_origin(tmp_path, tag):
    login = "imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, session=<x>"
    dovecot = mail_log.lines(["x: " + login], minutes_ago=4 * DAY).replace("postfix/x", "dovecot")
    said_now = mail_log.lines(["x: connect from a[192.0.2.7]"]).replace("postfix/x:", tag)
    log = written(tmp_path, sent(4), sent(4, instance="postfix-out"), dovecot, said_now)

    for instance in ("postfix", "postfix-out", "dovecot"):
        is_alive = tag.startswith((f"{instance}/", f"{instance}:", f"{instance}["))
        assert said(log, "--instance", instance)[0] == (0 if is_alive else 3)


def test_a_chosen_host_that_fell_silent_is_unknown(tmp_path):
    log = written(tmp_path, sent(4, host="mx2"), sent(0, host="mx1"))

    code, line = said(log, "--host", "mx2")

    assert code == 3
    assert "(no log line of host mx2 for 4 d" in line
    assert "; see that its lines still reach this log, or raise --max-silence)" in line
    assert said(log, "--host", "mx1")[0] == 0


def test_a_chosen_instance_that_fell_silent_is_unknown(tmp_path):
    log = written(tmp_path, sent(4, instance="postfix-out"), sent(0))

    code, line = said(log, "--instance", "postfix-out")

    assert code == 3
    assert "(no log line of instance postfix-out for 4 d" in line


def test_a_chosen_host_that_is_silent_since_before_the_window_is_said_to_be(tmp_path):
    log = written(tmp_path, sent(1, host="mx2"), sent(0, host="mx1"))

    code, line = said(log, "--host", "mx2", "--instance", "postfix")

    assert code == 0
    assert "(no log line of host mx2, instance postfix for 1 d" in line


def test_a_host_that_fell_silent_while_others_did_not_is_a_remark(tmp_path):
    log = written(tmp_path, sent(4, host="mx2"), sent(2, host="mx3"), sent(0, host="mx1"))

    code, line = said(log)

    assert code == 0
    assert "(mx2 silent for 4 d" in line
    assert "mx3" not in line


def test_many_silent_hosts_are_not_all_named(tmp_path):
    hosts = [sent(4 + n / 10, host=f"mx{n}") for n in range(9, 1, -1)]
    log = written(tmp_path, *hosts, sent(0, host="mx1"))

    assert "; 5 more silent" in said(log)[1]


def test_a_host_whose_counts_are_forgotten_is_not_missed(tmp_path):
    log = written(tmp_path, sent(31, host="mx2"), sent(0, host="mx1"))

    assert "mx2" not in said(log)[1]


def test_a_strangers_text_does_not_break_the_silence_of_a_host(tmp_path):
    forged = "cleanup[9]: 4XJ2Vw0dHbz9sK1: message-id=<a mx2 postfix/smtpd[1]: connect from b>"
    log = written(tmp_path, sent(4, host="mx2"), mail_log.lines([forged], host="mx1"))

    assert said(log, "--host", "mx2")[0] == 3


# -- a silence that is no news: now it is Tuesday, 16:00


@pytest.mark.parametrize(
    ("minutes", "asked", "code", "said"),
    [
        (14, [], 0, ""),
        (15, [], 0, " (no log line for 16 min)"),
        (59, ["--max-silence", "1h"], 0, " (no log line for 1 h)"),
        (60, ["--max-silence", "1h"], 3, " (no log line for 1 h 1 min, since 15:00; see where mail"
         " is logged now and name that with --log, or raise --max-silence)"),
    ],
)  # fmt: skip
def test_the_first_minute_of_the_window_breaks_it_and_the_longest_one_is_not_too_long(
    minutes, asked, code, said, tmp_path
):
    server = Server(tmp_path)
    server.goes_to(-minutes)
    server.writes([CONNECT])
    server.goes_to(0)

    told = server.says("deferred", *asked)

    assert told.exit_code == code
    assert told.line.partition("in 15 min")[2] == said


def test_a_log_whose_newest_line_is_the_first_of_a_window_as_long_as_a_silence_may_be_is_not_silent(
    tmp_path,
):
    server = Server(tmp_path)
    server.goes_to(-59)
    server.writes([CONNECT])
    server.goes_to(0)

    told = server.says("deferred", "--max-silence", "1h", "--window", "1h")

    assert told.line.partition("in 1 h")[2] == ""


def test_a_host_is_missed_while_the_others_are_silent_for_as_long_as_they_may(tmp_path):
    server = Server(tmp_path)
    server.goes_to(-300)
    server.writes([CONNECT], host="mx2")
    server.goes_to(-59)
    server.writes([CONNECT])
    server.goes_to(0)

    told = server.says("deferred", "--max-silence", "1h")

    assert "mx2" in told.line


@pytest.mark.parametrize(("minutes", "is_said"), [(59, False), (60, True)])
def test_a_host_is_silent_when_it_is_so_for_longer_than_it_may(minutes, is_said, tmp_path):
    server = Server(tmp_path)
    server.goes_to(-minutes)
    server.writes([CONNECT], host="mx2")
    server.goes_to(0)
    server.writes([CONNECT])

    told = server.says("deferred", "--max-silence", "1h")

    assert ("mx2 silent for 1 h 1 min" in told.line) == is_said


def days_with_lines_at(server, *times, days=range(8, 0, -1), today=("09:00",), host="mx1"):
    """Write a line at these times of earlier days, and at others of today."""
    for day, of_day in [*((day, times) for day in days), (0, today)]:
        for of in of_day:
            hours, minutes = map(int, of.split(":"))
            server.goes_to(60 * (hours - 16) + minutes - day * DAY)
            server.writes([mail_log.SENT], host=host)
    server.has_been_checked()
    server.goes_to(0)


def test_a_silence_as_long_as_on_an_earlier_day_at_this_time_is_told_with_vv_only(tmp_path):
    server = Server(tmp_path)
    days_with_lines_at(server, "09:00", "20:00")

    said = server.says("deferred", "-vv")

    assert (said.exit_code, said.line) == (
        0,
        "POSTFIX DEFERRED OK - no delivery attempts in 15 min",
    )
    assert "newest line 09:00, 7 h before the window's end" in said.lines
    assert "a silence as long as on an earlier day at this time" in said.lines


@pytest.mark.parametrize(
    "earlier", [["09:00", "15:50"], ["09:00", "15:30", "20:00"]], ids=["none", "a shorter one"]
)
def test_a_silence_that_no_earlier_day_had_is_said(tmp_path, earlier):
    server = Server(tmp_path)
    days_with_lines_at(server, *earlier)

    said = server.says("deferred")

    assert said.line.endswith("(no log line for 7 h 1 min)")


def test_silent_weekends_do_not_make_the_silence_of_a_working_day_no_news(tmp_path):
    server = Server(tmp_path)
    weekend = (3, 2)
    days_with_lines_at(
        server, "09:00", "15:50", days=[n for n in range(8, 0, -1) if n not in weekend]
    )

    assert "no log line for 7 h" in server.says("deferred").line


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_silence_of_a_time_whose_lines_were_lost_proves_nothing(tmp_path, is_lost):
    server = Server(tmp_path)
    server.goes_to(-DAY - 420)
    server.writes([mail_log.SENT])
    server.has_been_checked()
    server.goes_to(-DAY - 10)
    if is_lost:
        server.writes([mail_log.SENT])
        server.log.write_bytes(b"")
    for at in (240 - DAY, -420):
        server.goes_to(at)
        server.writes([mail_log.SENT])
        server.has_been_checked()
    server.goes_to(0)

    assert ("no log line" in server.says("deferred").line) == is_lost


def test_the_silence_of_a_chosen_host_is_held_against_its_own(tmp_path):
    server = Server(tmp_path)
    days_with_lines_at(server, "09:00", "20:00", host="mx2")
    server.writes([mail_log.SENT])

    assert "no log line" not in server.says("deferred", "--host", "mx2").line
    # Nobody knows how silent mx1 was before its first line.
    server.goes_to(DAY)
    assert "no log line of host mx1 for 1 d" in server.says("deferred", "--host", "mx1").line


def test_a_silence_that_lasts_too_long_is_unknown_however_often_there_was_one(tmp_path):
    server = Server(tmp_path)
    days_with_lines_at(server, "09:00", "20:00")

    said = server.says("deferred", "--max-silence", "6h")

    assert said.exit_code == 3
    assert "no log line for 7 h 1 min, since 09:00; see where" in said.line


# -- one of several logs


def test_one_of_two_logs_that_fell_silent_is_a_remark(tmp_path):
    old = str(mail_log.write(tmp_path / "out.log", sent(4, host="mx1")))
    log = written(tmp_path, sent(0, host="mx1"))

    code, line = said(log, "--log", old)

    assert code == 0
    assert f"; {old} silent for 4 d" in line


def test_one_of_two_logs_that_is_empty_is_named(tmp_path):
    empty = str(mail_log.write(tmp_path / "out.log"))
    log = written(tmp_path, sent(0))

    code, line = said(log, "--log", empty)

    assert code == 3
    assert f"{empty} is empty; send a test mail; if it stays empty, see where mail is" in line


@pytest.mark.parametrize("junk", [b"no line", b"some junk\nmore\n", b"\0" * 100_000, b"x" * 10**6])
def test_a_file_without_a_whole_log_line_is_not_said_to_be_empty(tmp_path, junk):
    path = tmp_path / "mail.log"
    path.write_bytes(junk)

    code, line = said(str(path))

    assert code == 3
    assert f"({path} has {len(junk)} bytes, but no whole log line; see where" in line


def test_a_log_that_is_not_read_to_its_end_is_not_said_to_be_silent(tmp_path, monkeypatch):
    log = written(tmp_path, sent(4, host="mx2"), sent(0))
    monkeypatch.setattr(
        "check_postfix.common.opened_store.OpenedStore._read_file",
        lambda *_: Coverage(end=0, last=7, line_counts=LineCounts(9, 9, 9)),
    )

    code, line = said(log)

    assert (code, line.count("no log line"), line.count("silent")) == (3, 0, 0)


# -- a file that is left over beside a live journal


@pytest.fixture
def machine(monkeypatch):
    """A machine with a journal, and with a log file that nobody has named."""
    machine = Machine()
    machine.minute = int(time.time()) // 60 - 10
    journal_model.Journalctl.machine = machine
    journal_model.Journalctl.left = None
    journal_model.Journalctl.started = []
    for module in (journal, journalctl):
        monkeypatch.setattr(module, "Journalctl", journal_model.Journalctl)
        monkeypatch.setattr(module, "see_that_all_is_readable", lambda: None)
    monkeypatch.setattr(journalctl, "has_journal", lambda: True)
    return machine


@pytest.fixture
def usual(tmp_path, monkeypatch):
    log = str(tmp_path / "mail.log")
    monkeypatch.setattr(archives, "usual_log", lambda: log)
    return log


def test_beside_a_live_journal_a_log_left_over_is_not_what_is_read(tmp_path, machine, usual):
    written(tmp_path, sent(90))
    for _ in range(5):
        machine.mail()

    code, line = said("", "--state", str(tmp_path / "state"))

    assert code == 0
    assert line == (
        f"POSTFIX DEFERRED OK - no delivery attempts in 15 min ({usual} silent for 90 d 1 min,"
        " read the journal instead; remove it or name it with --log; log begins "
        f"{local_time(machine.minute - 4, int(time.time()) // 60)})"
    )
    # and so it stays, without a question
    journal_model.Journalctl.started.clear()
    machine.mail()
    assert said("", "--state", str(tmp_path / "state"))[1] == line
    assert len(journal_model.Journalctl.started) == 1


def test_beside_a_live_journal_an_empty_log_is_not_what_is_read(tmp_path, machine, usual):
    written(tmp_path)
    machine.mail()

    code, line = said("")

    assert code == 0
    assert f"({usual} is empty, read the journal instead;" in line


@pytest.mark.usefixtures("usual")
def test_a_log_whose_newest_lines_are_not_read_yet_is_not_left_over(tmp_path, machine, monkeypatch):
    written(tmp_path, sent(0))
    machine.mail()
    state = str(tmp_path / "state")
    assert said("", "--state", state)[0] == 0
    later = time.time() + 90 * 86400
    monkeypatch.setattr("check_postfix.common.log_source.time.time", lambda: later)
    monkeypatch.setattr(
        "check_postfix.common.opened_store.OpenedStore._read_file",
        lambda *_: Coverage(end=7, last=7, line_counts=LineCounts(9, 9, 9)),
    )

    code, line = said("", "--state", state)

    assert (code, line.count("journal"), journal_model.Journalctl.started) == (3, 0, [])


@pytest.mark.usefixtures("usual")
def test_a_log_that_is_named_is_read_whatever_the_journal_has(tmp_path, machine):
    log = written(tmp_path, sent(90))
    machine.mail()

    code, line = said(log)

    assert code == 3
    assert "journal" not in line


@pytest.mark.usefixtures("usual")
def test_a_journal_without_newer_mail_is_asked_every_ten_minutes_at_most(
    tmp_path, machine, monkeypatch
):
    written(tmp_path, sent(90))
    machine.other()
    state = str(tmp_path / "state")

    asked = []
    begin = int(time.time())
    for seconds in (0, 0, 599, 600):
        at = begin + seconds
        monkeypatch.setattr("check_postfix.common.log_source.time.time", lambda at=at: at)
        assert said("", "--state", state)[0] == 3
        asked.append(len(journal_model.Journalctl.started))
    assert asked == [1, 1, 1, 2]


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize(("minutes", "asked"), [(3 * DAY - 1, 0), (3 * DAY, 1)])
def test_a_log_is_left_over_when_it_is_silent_for_longer_than_it_may_be(
    tmp_path, machine, monkeypatch, minutes, asked
):
    now = time.time()
    monkeypatch.setattr("check_postfix.common.log_source.time.time", lambda: now)
    # The minute that is running counts: the line is a minute older than it was written ago.
    written(tmp_path, sent(minutes / DAY, now=now))
    machine.other()

    said("")

    assert len(journal_model.Journalctl.started) == asked


@pytest.mark.usefixtures("usual")
def test_a_log_that_is_silent_for_a_weekend_asks_no_journal(tmp_path, machine):
    written(tmp_path, sent(2))
    machine.mail()

    assert said("")[0] == 0
    assert not journal_model.Journalctl.started


# -- the journal


def test_a_journal_that_fell_silent_is_unknown(machine):
    machine.minute -= 4 * DAY
    machine.mail()

    code, line = said("", "--journal")

    assert code == 3
    assert "no log line for 4 d" in line


def test_a_night_without_mail_is_no_silence_in_the_journal(machine):
    machine.minute -= 4 * DAY
    machine.mail()
    machine.minute += 4 * DAY
    machine.log(b"connect from unknown[203.0.113.9]")

    code, line = said("", "--journal")

    assert (code, line) == (0, "POSTFIX DEFERRED OK - no delivery attempts in 15 min")


def test_what_postqueue_complains_of_breaks_no_silence_of_the_journal(machine):
    machine.minute -= 4 * DAY
    machine.mail()
    machine.minute += 4 * DAY
    machine.log(b"fatal: Queue report unavailable - mail system is down", b"postfix/postqueue")

    code, line = said("", "--journal")

    assert code == 3
    assert "no log line for 4 d" in line
