"""What administrators have met, played as they met it: blind, and what only looks so."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from tests.support import mail_log
from tests.support.server import CRITICAL, DAY, HOUR, MINUTE, OK, UNKNOWN, Said, Server

from .faults import AHEAD, BEHIND, ordinary_days
from .trouble import MUCH, ORDINARY, in_an_unknown_frame, of_others

pytestmark = pytest.mark.usefixtures("utc")
with_and_without_state = pytest.mark.parametrize(
    "stateful", [True, False], ids=["with state", "without state"]
)


# -- lines that were seen and not understood

TRUNCATED = mail_log.DEFERRED[:90]
AMBIGUOUS = (
    "smtp[2211]: 64D05240007: to=<x (y@z>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0,"
    " status=sent (ok@example.com>, relay=127.0.0.1[127.0.0.1]:10080, delay=0.03,"
    " delays=0.01/0.01/0/0.01, dsn=2.0.0, status=sent (250 ok)"
)


@with_and_without_state
def test_deferrals_in_an_unknown_frame_behind_good_lines_of_before_are_unknown(stateful, tmp_path):
    server = Server(tmp_path, stateful)
    server.goes_to(-120)
    server.writes([mail_log.SENT] * 60)
    server.has_been_checked()
    for minute in range(46, 60):
        server.goes_to(minute - 60)
        server.appends(in_an_unknown_frame(mail_log.DEFERRED, minute, 22))
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == UNKNOWN
    assert "308 lines about mail not understood" in said.line
    assert said.labels["not_understood"].value == 308


def _of_minutes_ago(directory: Path, check: str, *lines: str) -> Said:
    """Return what a check says of a log with these lines."""
    server = Server(directory)
    server.goes_to(-5)
    server.writes(list(lines))
    server.goes_to(0)
    return server.says(check)


@pytest.mark.parametrize("check", ["deferred", "bounces"])
def test_deliveries_cut_off_or_ambiguous_are_told_beside_the_one_that_is_neither(check, tmp_path):
    said = _of_minutes_ago(tmp_path, check, *[TRUNCATED] * 50, *[AMBIGUOUS] * 50, mail_log.SENT)

    assert said.exit_code in (OK, UNKNOWN)
    assert "100 lines about mail not understood" in said.line
    assert said.labels["not_understood"].value == 100


@pytest.mark.parametrize("check", ["deferred", "bounces"])
def test_ambiguous_deliveries_which_strangers_can_make_are_told_and_do_not_decide(check, tmp_path):
    said = _of_minutes_ago(tmp_path, check, *[AMBIGUOUS] * 50, mail_log.SENT)

    assert said.exit_code == OK
    assert "50 lines about mail not understood" in said.line


@pytest.mark.parametrize("check", ["deferred", "bounces"])
@pytest.mark.parametrize(
    ("was", "became"),
    [
        pytest.param(", dsn=", ", quux=<yes>, dsn=", id="one more field"),
        pytest.param("to=<ann@example.net>", "to=ann@example.net", id="no angle brackets"),
        pytest.param("delays=", "waits=", id="another name of a field"),
        pytest.param("4XJ2Vw0dHbz9sK1: ", "4XJ2-Vw0d-Hbz9: ", id="another queue ID"),
        pytest.param("4XJ2Vw0dHbz9sK1: ", "a4xj2vw0: ", id="a queue ID in small letters"),
    ],
)
def test_deliveries_of_another_version_of_postfix_are_never_silently_none(
    was, became, check, tmp_path
):
    trouble = mail_log.DEFERRED if check == "deferred" else mail_log.BOUNCED_550
    assert was in trouble
    server = Server(tmp_path)
    server.goes_to(-5)
    server.writes([trouble.replace(was, became)] * MUCH)
    server.goes_to(0)

    said = server.says(check)

    assert said.exit_code in (CRITICAL, UNKNOWN)
    assert said.exit_code == CRITICAL or f"{MUCH} lines about mail not understood" in said.line


@pytest.mark.parametrize(
    "text",
    [
        "cleanup[9]: 4XJ2Vw0dHbz9sK1: message-id=<a, status=deferred@x>",
        "cleanup[9]: 4XJ2Vw0dHbz9sK1: message-id=<b: to=<x>, relay=none, status=bounced@x>",
        "cleanup[9]: 4XJ2Vw0dHbz9sK1: warning: header Subject: NOQUEUE: reject: RCPT from x[203.0"
        ".113.5]: 554 5.7.1 no from mx.example.org[203.0.113.5]; from=<a@example.org>"
        " to=<ann@example.net> proto=ESMTP helo=<x>",
        "smtpd[9]: warning: SASL authentication failure: Password verification failed",
        "smtpd[9]: warning: SASL authentication problem: unable to open Berkeley db",
        "smtpd[9]: lost connection after AUTH from unknown[203.0.113.77]",
        "smtp[9]: 4XJ2Vw0dHbz9sK1: host mail.example.net[192.0.2.25] said: 451 4.3.0 later"
        " status=deferred (in reply to RCPT TO command)",
        "smtp[9]: connect to mail.example.net[192.0.2.25]:25: Connection timed out",
        "smtpd[9]: 4XJ2Vw0dHbz9sK1: filter: RCPT from x[203.0.113.5]: <x>: Sender address triggers"
        " FILTER smtp:reject; from=<a@example.org> to=<ann@example.net> proto=ESMTP helo=<x>",
        "smtpd[9]: NOQUEUE: client=unknown[203.0.113.5]",
        "smtpd[9]: warning: hostname a.example does not resolve to address 203.0.113.5",
    ],
)
@pytest.mark.parametrize("check", ["deferred", "auth", "rejects"])
def test_no_stranger_and_no_companion_line_makes_a_check_doubtful(check, text, tmp_path):
    server = Server(tmp_path, stateful=False)
    ordinary_days(server)
    server.goes_to(-5)
    server.writes(ORDINARY)
    server.goes_to(0)
    without = server.says(check)
    server.goes_to(-1)
    server.writes([text] * MUCH)
    server.goes_to(0)

    said = server.says(check)

    assert said.line == without.line
    assert said.exit_code == OK


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("smtpd[9]: fatal: open database /etc/aliases.db: No such file or directory",
         "daemons died 5 times"),
        ("smtpd[9]: warning: SASL: Connect to private/auth failed: No such file",
         "5 local faults: no SASL server"),
        ("master[1]: warning: /usr/lib/postfix/sbin/smtp: bad command startup -- throttling",
         "5 local faults: a service is throttled"),
        ("smtpd[9]: warning: Connection rate limit exceeded: 61 from x[203.0.113.5] for service"
         " smtp", "5 times clients over a rate limit"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("check", ["deferred", "bounces", "auth", "rejects"])
def test_what_explains_an_empty_window_is_remarked(check, text, remark, tmp_path):
    said = _of_minutes_ago(tmp_path, check, *[text] * 5)

    assert said.exit_code == OK
    assert remark in said.line


@pytest.mark.parametrize("check", ["deferred", "auth"])
def test_it_is_no_news_beside_mail_that_goes_through(check, tmp_path):
    fault = "smtpd[9]: warning: SASL: Connect to private/auth failed: No such file"

    said = _of_minutes_ago(tmp_path, check, *[fault] * 5, *[mail_log.SENT] * 25)

    assert said.exit_code == OK
    assert "fault" not in said.line


# -- silence


@with_and_without_state
@pytest.mark.parametrize("check", ["deferred", "bounces", "auth", "rejects"])
def test_a_log_whose_newest_line_is_90_days_old_is_unknown(check, stateful, tmp_path):
    server = Server(tmp_path, stateful)
    server.goes_to(-90 * 1440)
    server.writes(ORDINARY)
    server.goes_to(-10)
    server.has_been_checked()
    server.goes_to(0)

    said = server.says(check)

    assert said.exit_code == UNKNOWN
    assert "since 2026-08-26 16:00" in said.line


@with_and_without_state
def test_a_weekend_of_a_small_server_is_no_silence(stateful, tmp_path):
    server = Server(tmp_path, stateful)
    server.goes_to(-(2 * 1440 + 15 * 60))
    server.writes(ORDINARY)
    server.has_been_checked()
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == OK
    assert "no log line for 2 d 15 h" in said.line


def central_log(server: Server) -> None:
    """Write what mx1 says until now; mx2 and an instance of mx1 are silent since 4 days ago."""
    for minutes in range(-5 * 1440, 0, 360):
        server.goes_to(minutes)
        server.writes(ORDINARY)
        if minutes < -4 * 1440:
            server.writes(ORDINARY, host="mx2")
            server.writes(ORDINARY, instance="postfix-out")
        server.has_been_checked()
    server.goes_to(-5)
    server.writes(ORDINARY)
    server.goes_to(0)


@with_and_without_state
@pytest.mark.parametrize("chosen", [("--host", "mx2"), ("--instance", "postfix-out")])
@pytest.mark.parametrize("check", ["deferred", "auth"])
def test_the_silence_of_what_was_chosen_of_a_central_log_is_its_own(
    check, chosen, stateful, tmp_path
):
    server = Server(tmp_path, stateful)
    central_log(server)

    said = server.says(check, *chosen)

    assert said.exit_code == UNKNOWN
    assert "since 2026-11-20 10:00" in said.line


@with_and_without_state
def test_a_host_of_a_central_log_that_fell_silent_is_remarked(stateful, tmp_path):
    server = Server(tmp_path, stateful)
    central_log(server)

    said = server.says("deferred")

    assert said.exit_code == OK
    assert "mx2 silent for 4 d 6 h" in said.line


# -- two clocks


def test_stamps_that_our_own_runs_prove_to_be_five_hours_behind_are_unknown(tmp_path):
    server = Server(tmp_path, zone=BEHIND, form="bsd")
    for minutes in range(-30, 0, 5):
        server.goes_to(minutes)
        server.writes([mail_log.DEFERRED] * 20)
        server.goes_to(minutes + 1)
        server.has_been_checked()
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == UNKNOWN
    assert "stamps run 5 h behind this machine's clock; name their zone with" in said.line


@with_and_without_state
def test_stamps_one_hour_ahead_are_unknown(stateful, tmp_path):
    server = Server(tmp_path, stateful, zone=AHEAD, form="bsd")
    server.goes_to(-300)
    server.writes([mail_log.SENT] * 20)
    server.has_been_checked()
    server.goes_to(-5)
    server.writes([mail_log.DEFERRED] * MUCH)
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == UNKNOWN
    assert "stamps run 1 h ahead of this machine's clock; name their zone with" in said.line


@with_and_without_state
def test_an_explicit_timezone_lets_the_stamps_be_understood(stateful, tmp_path):
    server = Server(tmp_path, stateful, zone=BEHIND, form="bsd")
    for minutes in range(-30, 0, 5):
        server.goes_to(minutes)
        server.writes([mail_log.DEFERRED] * 20)
        server.goes_to(minutes + 1)
        server.has_been_checked("--timezone", "Etc/GMT+5")
    server.goes_to(0)

    said = server.says("deferred", "--timezone", "Etc/GMT+5")

    assert said.exit_code == CRITICAL
    assert said.labels["deferred"].value == 40


def _says_nothing_of_clocks(server: Server) -> bool:
    said = server.says("deferred")
    return said.exit_code == OK and not re.search("behind|--timezone", said.line)


def test_a_run_by_hand_in_another_zone_changes_nothing(tmp_path):
    server = Server(tmp_path, zone=BEHIND, form="bsd")
    for minutes in range(-30, 0, 5):
        server.goes_to(minutes)
        server.writes([mail_log.DEFERRED] * 20)
        server.goes_to(minutes + 1)
        server.has_been_checked("--timezone", "Etc/GMT+5")
    server.goes_to(-1)
    server.writes([mail_log.DEFERRED] * 20)

    server.says("deferred", zone="Asia/Tokyo")
    server.goes_to(0)
    said = server.says("deferred")

    assert said.exit_code == CRITICAL
    assert said.labels["deferred"].value == 60


@pytest.mark.parametrize(
    "delays",
    [
        [300] * 2,  # two that agree are no proof
        [300, 295, 240, 180, 120, 60, 2],  # a queue that empties itself
        [7, 130, 44, 300, 12, 222, 91],  # forwarded when there is time
        [300, 0, 300, 0, 300, 0],  # one of two hosts was cut off
    ],
    ids=["twice", "catching up", "at random", "by turns"],
)
def test_lines_that_come_late_prove_nothing_about_the_clock(delays, tmp_path):
    server = Server(tmp_path, form="bsd")
    ordinary_days(server)
    for number, delay in enumerate(delays):
        server.goes_to(5 * (number - len(delays)))
        server.writes([mail_log.SENT] * 20, minutes_ago=delay)
        server.has_been_checked()
    server.goes_to(-1)
    server.writes([mail_log.SENT] * 20)
    server.goes_to(0)

    assert _says_nothing_of_clocks(server)


def test_a_log_that_is_touched_proves_nothing_about_the_clock(tmp_path):
    server = Server(tmp_path, form="bsd")
    ordinary_days(server, until=-300)
    for minutes in range(-30, 0, 5):
        server.goes_to(minutes)
        server.appends("")
        server.has_been_checked()
    server.goes_to(0)

    assert _says_nothing_of_clocks(server)


def test_a_log_that_was_copied_here_is_not_unknown_at_its_first_run(tmp_path):
    server = Server(tmp_path, form="bsd")
    server.goes_to(-300)
    server.writes(ORDINARY)
    server.goes_to(0)
    server.appends("")

    said = server.says("deferred")

    assert said.exit_code == OK
    assert "stamped 5 h before the file was written; if that is the log's zone, name" in said.line


def test_a_log_that_was_copied_here_and_whose_age_is_no_zone_s_is_not_doubted(tmp_path):
    server = Server(tmp_path, form="bsd")
    server.goes_to(-292)
    server.writes(ORDINARY)
    server.goes_to(0)
    server.appends("")

    assert _says_nothing_of_clocks(server)


def test_a_clock_of_this_machine_that_is_behind_for_a_run_is_no_zone_of_the_log(tmp_path):
    server = Server(tmp_path, form="bsd")
    ordinary_days(server)
    server.goes_to(-5)
    server.writes(ORDINARY)
    server.clocks.wall -= HOUR

    while_behind = server.says("deferred")
    server.clocks.wall += HOUR
    server.goes_to(0)
    after = server.says("deferred")

    assert "newest line is 1 h ahead of this machine's clock" in while_behind.line
    assert "--timezone" not in while_behind.line
    assert after.exit_code == OK
    assert "(" not in after.line


CHROOTED = ("smtp", "smtpd")


def _passes_a_message(server: Server, zone: tzinfo, outcome: str = mail_log.SENT) -> None:
    """Let a message come and go; daemons in the chroot write the time of that zone."""
    for said in (
        "smtpd[2300]: connect from client.example.org[203.0.113.9]",
        mail_log.TAKEN_IN,
        "cleanup[2304]: 4XJ2Vw0dHbz9sK1: message-id=<x@example.org>",
        mail_log.TAKEN_UP,
        "smtpd[2300]: disconnect from client.example.org[203.0.113.9] mail=1 commands=4",
        outcome,
        mail_log.REMOVED,
    ):
        is_chrooted = said.partition("[")[0] in CHROOTED
        server.writes([said], zone=zone if is_chrooted else None)


@pytest.mark.parametrize(
    ("zone", "off"),
    [
        (BEHIND, "5 h behind"),
        (AHEAD, "1 h ahead of"),
        (timezone(timedelta(hours=-8)), "8 h behind"),
    ],
)
def test_daemons_of_a_chroot_in_another_zone_than_the_others_are_told_of(zone, off, tmp_path):
    server = Server(tmp_path, form="bsd")
    said = []
    for minutes in range(-30, 0, 5):
        server.goes_to(minutes)
        _passes_a_message(server, zone, mail_log.DEFERRED)
        server.goes_to(minutes + 1)
        said.append(server.says("deferred"))

    assert [now.exit_code for now in said] == [OK, OK, *[UNKNOWN] * 4]
    for now in said:
        assert f"stamps of smtp and smtpd {off} the other daemons; copy /etc/localtime" in now.line
        assert "--timezone" not in now.line
    of_log = server.says("log")
    assert of_log.exit_code == CRITICAL
    assert f"stamps of smtp and smtpd {off} the other daemons" in of_log.line


def test_they_are_proven_by_the_runs_of_a_day_where_a_window_has_one_of_them(tmp_path):
    server = Server(tmp_path, form="bsd")
    said = []
    for minutes in range(-160, 0, 40):
        server.goes_to(minutes)
        _passes_a_message(server, BEHIND, mail_log.DEFERRED)
        server.goes_to(minutes + 1)
        said.append(server.says("deferred"))

    assert [now.exit_code for now in said] == [OK, OK, UNKNOWN, UNKNOWN]


def test_without_a_state_they_are_remarked(tmp_path):
    server = Server(tmp_path, stateful=False, form="bsd")
    for minutes in range(-30, 0, 5):
        server.goes_to(minutes)
        _passes_a_message(server, BEHIND, mail_log.DEFERRED)
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == OK
    assert "stamps of smtp and smtpd 5 h behind the other daemons" in said.line


def test_they_are_no_longer_told_of_when_the_chroot_is_mended(tmp_path):
    server = Server(tmp_path, form="bsd")
    for minutes in range(-60, 0, 5):
        server.goes_to(minutes)
        _passes_a_message(server, BEHIND if minutes < -20 else UTC)
        server.has_been_checked()
    server.goes_to(0)

    assert _says_nothing_of_clocks(server)


@pytest.mark.parametrize(
    "delays",
    [
        [300] * 6,  # always as late
        [300, 295, 240, 180, 120, 60],
        [300, 0, 300, 0, 300, 0],
    ],
    ids=["as late", "catching up", "by turns"],
)
def test_daemons_whose_lines_come_late_together_prove_nothing_of_their_clocks(delays, tmp_path):
    server = Server(tmp_path, form="bsd")
    for number, delay in enumerate(delays):
        server.goes_to(5 * (number - len(delays)))
        now = server.clocks.wall
        server.clocks.wall -= delay * MINUTE
        _passes_a_message(server, UTC)
        server.clocks.wall = now
        _passes_a_message(server, UTC)
        server.has_been_checked()
    server.goes_to(0)

    assert "daemons" not in server.says("deferred").line


@pytest.mark.parametrize("quiet", [60, 300, 720])
def test_a_server_that_is_quiet_for_hours_has_daemons_with_one_clock(quiet, tmp_path):
    server = Server(tmp_path, form="bsd")
    for number in range(6):
        server.goes_to(quiet * (number - 6))
        _passes_a_message(server, UTC)
        server.has_been_checked()
    server.goes_to(0)

    assert "daemons" not in server.says("deferred").line


@pytest.mark.parametrize(
    ("check", "ahead"),
    [
        ("deferred", 60 * DAY),
        ("bounces", 31 * DAY),
        ("rejects", 31 * DAY),  # the usual level
        ("auth", 49 * HOUR),  # the client thresholds
    ],
)
def test_a_run_whose_clock_is_days_ahead_deletes_nothing(check, ahead, tmp_path):
    server = Server(tmp_path)
    ordinary_days(server)
    server.goes_to(-5)
    server.writes([mail_log.login_failed(account="ann")] * 30)
    server.writes([*[mail_log.DEFERRED] * 50, *[mail_log.BOUNCED_550] * 50])
    server.writes([mail_log.rejected()] * 60)
    server.goes_to(-3)
    before = server.says(check)
    server.clocks.wall += ahead
    server.has_been_checked(check=check)
    server.clocks.wall -= ahead
    server.goes_to(-2)

    after = server.says(check)

    assert before.exit_code != OK
    assert after == before


def test_a_clock_that_is_ahead_from_a_reboot_to_the_next_deletes_nothing(tmp_path):
    server = Server(tmp_path)
    ordinary_days(server)
    server.goes_to(-10)
    server.writes([mail_log.DEFERRED] * 50)
    server.has_been_checked()
    server.goes_to(-8)
    server.clocks.boot = 20
    server.clocks.wall += 60 * DAY  # the battery of its clock is empty
    server.has_been_checked()
    server.clocks.go_on(2 * MINUTE)
    server.has_been_checked()
    server.clocks.wall -= 60 * DAY
    server.clocks.boot = 20
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == CRITICAL
    assert said.labels["deferred"].value == 50


@pytest.mark.parametrize("form", ["bsd", "iso"])
@pytest.mark.parametrize("behind", [HOUR, 60 * DAY])
def test_what_is_read_while_the_clock_is_behind_counts_when_it_was_logged(behind, form, tmp_path):
    server = Server(tmp_path, form=form)
    ordinary_days(server)
    server.goes_to(-5)
    server.writes([mail_log.DEFERRED] * 50)
    server.clocks.wall -= behind
    server.has_been_checked()
    server.clocks.wall += behind
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == CRITICAL
    assert said.labels["deferred"].value == 50


@pytest.mark.parametrize("behind", [5 * HOUR, 60 * DAY])
def test_a_clock_that_is_behind_for_a_run_makes_no_silence(behind, tmp_path):
    server = Server(tmp_path)
    ordinary_days(server)
    server.goes_to(-5)
    server.writes(ORDINARY)
    server.clocks.wall -= behind
    server.has_been_checked()
    server.clocks.wall += behind
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == OK
    assert "(" not in said.line


@pytest.mark.heavy
@pytest.mark.parametrize("chosen", [(), ("--host", "mx1")])
@pytest.mark.parametrize("ahead", [7 * DAY, 60 * DAY])
def test_a_silence_is_told_of_after_a_clock_that_was_ahead_while_mail_was_logged(
    ahead, chosen, tmp_path
):
    server = Server(tmp_path)
    ordinary_days(server, until=-5 * 1440)
    server.clocks.boot = 20  # the machine starts with a wrong clock
    server.clocks.wall += ahead
    server.writes(ORDINARY)
    server.has_been_checked()
    server.clocks.go_on(HOUR)
    server.writes(ORDINARY)
    server.has_been_checked()
    server.clocks.wall -= ahead
    server.clocks.boot = 20  # and starts anew with a right one
    for hours in range(2, 120, 2):
        server.goes_to(-5 * 1440 + hours * 60)
        server.has_been_checked()
    server.goes_to(0)

    said = server.says("deferred", *chosen)

    assert said.exit_code == UNKNOWN
    assert "for 4 d 2" in said.line


@pytest.mark.integration
def test_a_run_under_faketime_60_days_ahead_deletes_nothing(tmp_path):
    """The same by the real executables' own calls of the system, in the real time."""
    from tests.integration import packages

    packages.install("faketime")
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([mail_log.DEFERRED] * 50))
    command = [sys.executable, "-m", "check_postfix.deferred"]
    command += ["--log", str(log), "--state", str(tmp_path / "state")]
    before = subprocess.run(command, capture_output=True, check=False)

    subprocess.run(["faketime", "-f", "+60d", *command], capture_output=True, check=False)
    after = subprocess.run(command, capture_output=True, check=False)

    assert before.returncode == CRITICAL
    assert (after.returncode, after.stdout) == (before.returncode, before.stdout)


# -- absent, unreadable, not ours


def rotated_out_of_sight(server: Server) -> None:
    """Let 300 deferrals be rotated, before they were read, into a file that only root may read."""
    server.goes_to(-16)
    server.writes([mail_log.SENT] * 10)
    server.has_been_checked()
    server.goes_to(-8)
    server.writes([mail_log.DEFERRED] * MUCH)
    server.goes_to(-5)
    server.rotates().chmod(0)
    server.goes_to(-3)
    server.writes([mail_log.SENT] * 25)
    server.goes_to(-1)


def test_a_generation_that_cannot_be_read_is_not_lost(tmp_path):
    server = Server(tmp_path, like_any_user=True)
    rotated_out_of_sight(server)

    said = server.says("deferred")

    assert said.exit_code == UNKNOWN
    assert re.search(r"cannot read .*/mail\.log\.1: permission denied; ", said.line)
    assert "lost" not in said.line


def test_a_gap_closes_when_the_lines_of_its_generation_turn_up(tmp_path):
    server = Server(tmp_path, like_any_user=True)
    rotated_out_of_sight(server)
    server.has_been_checked()
    (tmp_path / "mail.log.1").chmod(0o640)
    server.goes_to(0)

    said = server.says("deferred")

    assert said.line == (
        "POSTFIX DEFERRED CRITICAL - 92.3 % of 325 delivery attempts deferred in 15 min,"
        " all to example.net: 4.3.0 server unavailable"
    )
    assert said.labels["gaps"].value == 0


@pytest.mark.parametrize("check", ["deferred", "auth"])
def test_a_generation_that_cannot_be_read_and_is_older_than_the_window_is_no_trouble(
    check, tmp_path
):
    server = Server(tmp_path, like_any_user=True)
    server.goes_to(-300)
    server.writes([mail_log.SENT] * 10)
    server.has_been_checked()
    server.goes_to(-240)
    server.rotates().chmod(0)
    for minutes in range(-239, 0, 30):
        server.goes_to(minutes)
        server.writes([mail_log.SENT] * 25)
    server.goes_to(-5)
    server.writes([mail_log.SENT] * 25)
    server.goes_to(0)

    said = server.says(check)

    assert said.exit_code == OK
    assert "(" not in said.line


@with_and_without_state
def test_what_our_own_check_of_the_queue_makes_postfix_log_is_no_life_of_it(stateful, tmp_path):
    server = Server(tmp_path, stateful)
    server.goes_to(-5)
    server.appends(of_others(range(0, 55)))
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == UNKNOWN
    assert "none of 275 log lines is of a daemon of Postfix" in said.line


@with_and_without_state
def test_a_fault_that_the_command_of_any_user_tells_of_is_no_life_of_postfix(stateful, tmp_path):
    server = Server(tmp_path, stateful)
    server.goes_to(-5)
    server.appends(of_others(range(0, 55)))
    server.writes(["postdrop[9]: warning: mail_queue_enter: create file maildrop/1.2: Permission"])
    server.goes_to(0)

    said = server.says("deferred")

    assert said.exit_code == UNKNOWN
    assert "none of 276 log lines is of a daemon of Postfix" in said.line
