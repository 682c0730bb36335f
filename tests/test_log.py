"""The log itself, and what it tells of Postfix."""

from __future__ import annotations

import os
import time

import pytest

from check_postfix import deferred, log
from check_postfix.log import CHECK
from check_postfix.maillog.events.recogniser import health
from check_postfix.maillog.window.aged_file import AgedFile
from check_postfix.maillog.window.coverage import Unread
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata
from tests.support.builders import NOON, a_coverage, a_window, options
from tests.support.clocks import Clocks, in_zone

DAY = 24 * 60
LIVE = AgedFile("/var/log/mail.log", 0o640, NOON - 1, True)


def judge(*arguments, verbosity=0, **window):
    window = {"files": [LIVE], **window}
    return CHECK.judge(a_window(**window), options(CHECK, *arguments), verbosity)


def test_a_log_in_which_all_is_well_is_ok():
    outcome = judge()

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX LOG OK - newest line 0 s old, no trouble in 15 min"
        " | log_age=0s;259200;259200;0 lines=1000;;;0 lost_messages=0;0;;0 debug_lines=0;0;;0"
        " fatal=0;0;;0 panic=0;0;;0 warnings=0;;;0 local_faults=0;0;;0"
        " throttled=0;;0;0 no_room=0;;0;0 turned_away=0;;2;0 gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(("days", "state"), [(2.9, 0), (3.1, 2)])
def test_a_silent_log_is_an_alarm(days, state):
    outcome = judge(coverage=a_coverage(last=NOON - int(days * DAY)))

    assert outcome.exit_code == state
    assert outcome.values["log_age"] == (int(days * DAY) - 1) * 60


def test_a_log_whose_newest_lines_are_not_read_yet_is_no_silent_one():
    outcome = judge(coverage=a_coverage(end=NOON - 60, last=NOON - 61))

    assert outcome.exit_code == 1
    assert "the newest lines are not read yet (log read up to" in outcome.words
    assert "log_age" not in outcome.values


def test_what_makes_other_checks_unknown_is_critical_here():
    why = "cannot read /var/log/mail.log.1: permission denied; add user nagios to group adm"
    unread = Unread("/var/log/mail.log.1", why, NOON - 20, NOON - 10)

    outcome = judge(coverage=a_coverage(unread=[unread]))

    assert outcome.exit_code == 2
    assert why in outcome.words


@pytest.mark.parametrize(
    ("asked", "state", "said"),
    [
        (("-c", "@0:"), 2, "CRITICAL - newest line 6 min old (alerts inside 0:) |"),
        (("-w", "5m"), 1, "WARNING - newest line 6 min old (alerts above 5 min) |"),
        (("-w", "1h:"), 1, "WARNING - newest line 6 min old (alerts outside 3600:) ("),
        (("-w", "1h"), 0, "OK - newest line 6 min old, no trouble in 15 min |"),
    ],
)
def test_an_alarm_says_which_age_of_the_log_decided_and_not_that_there_is_no_trouble(
    asked, state, said
):
    outcome = judge(*asked, coverage=a_coverage(last=NOON - 7))

    assert outcome.exit_code == state
    assert said in outcome.line


def test_other_warnings_are_named_where_they_are_the_alarm():
    outcome = judge("--warning-warnings", "9", warning=10)

    assert "WARNING - newest line 0 s old, 10 other warnings in 15 min |" in outcome.line


@pytest.mark.parametrize(
    ("coverage", "state", "said"),
    [
        ({"lines": 0, "matched": 0, "foreign": 0}, 2, "the log is empty"),
        ({"matched": 0, "foreign": 1000, "events": 0}, 2, "none of 1000 log lines is of a daemon"),
        ({"offset": 120}, 2, "stamps run 2 h ahead of this machine's clock"),
        ({"ahead": 90}, 1, "newest line is 1 h 30 min ahead"),
        ({"gaps": [(NOON - 9, NOON - 8)]}, 1, "log lines lost between"),
        ({"start": NOON - 5, "complete": False}, 1, "only 5 of 15 min read yet"),
    ],
)
def test_what_keeps_checks_from_judging_is_an_alarm(coverage, state, said):
    outcome = judge(coverage=a_coverage(**coverage))

    assert outcome.exit_code == state
    assert said in outcome.words


def test_that_one_of_several_logs_has_no_mail_is_critical_here_and_said_by_the_others():
    coverage = a_coverage(absence="the journal has no line of Postfix or Dovecot; see why")
    others = deferred.CHECK.judge(a_window(coverage=coverage), options(deferred.CHECK))

    assert judge(coverage=coverage).exit_code == 2
    assert others.exit_code == 0
    assert others.words.endswith("(the journal has no line of Postfix or Dovecot; see why)")


def test_a_host_that_fell_silent_is_a_warning(tmp_path):
    silent = mail_log.lines([mail_log.SENT], minutes_ago=4 * DAY, host="mx2")

    text, code = _run(_log(tmp_path, silent, mail_log.lines([mail_log.SENT])))

    assert code == 1
    assert "(mx2 silent for 4 d" in text


def test_lines_that_are_not_understood_are_a_warning():
    outcome = judge(sent=50, delivery_unknown=50)

    assert outcome.exit_code == 1
    assert "50 lines about mail not understood" in outcome.words
    assert judge(sent=50, delivery_unknown=5).exit_code == 1
    few = judge(sent=50, delivery_unknown=4)
    assert few.exit_code == 0
    assert "4 lines about mail not understood" in few.words


@pytest.mark.parametrize(
    ("counted", "state", "said"),
    [
        ({"fatal": 2, "daemon_died": 2}, 1, "2 fatal errors in 15 min"),
        ({"panic": 1, "daemon_died": 1}, 1, "1 panic in 15 min"),
        ({"local_fault": 3}, 1, "3 local faults in 15 min"),
        ({"debug_dialogue": 9}, 1, "passwords in clear"),
        ({"lost_messages": 406}, 1, "406 lost log lines in 15 min"),
        ({"warning": 99}, 0, "no trouble in 15 min"),
    ],
)
def test_trouble_that_the_log_tells_of_is_an_alarm(counted, state, said):
    outcome = judge(**counted)

    assert outcome.exit_code == state
    assert said in outcome.words


def test_each_local_fault_is_named_with_the_next_step():
    reason = "a lookup table is older than its source"

    outcome = judge(local_fault=2, keys={"local_fault reason": [(reason, 2)]}, verbosity=1)

    assert outcome.words.endswith(f", {reason} 2 times in 15 min: run postmap or newaliases")
    assert f"  2  {reason}: run postmap or newaliases" in outcome.lines


def test_there_is_a_next_step_for_every_local_fault():
    assert set(log._STOPPED.values()) == {health.THROTTLED, health.NO_ROOM}
    assert set(health.NEXT_STEPS) >= health.FOLLOWING | health.NOT_DEADLY
    reasons = {*health._FAULTS.values(), *health._OF_A_MESSAGE.values()}
    reasons |= {health.TABLE, health._KILLED}

    assert reasons == set(health.NEXT_STEPS)


def test_a_fault_of_a_table_names_it_and_the_next_step():
    fails, missing = "a lookup table fails: hash:/etc/x", "a lookup table is missing: /etc/x.db"

    outcome = judge(
        local_fault=9, keys={"local_fault reason": [(fails, 6), (missing, 3)]}, verbosity=1
    )

    assert outcome.words == (
        "POSTFIX LOG WARNING - newest line 0 s old,"
        " a lookup table is missing: /etc/x.db 3 times (9 local faults) in 15 min:"
        f" {health.NEXT_STEPS[health.NO_TABLE]}"
    )
    assert f"  6  {fails}: {health.NEXT_STEPS[health.TABLE]}" in outcome.lines
    assert f"  3  {missing}: {health.NEXT_STEPS[health.NO_TABLE]}" in outcome.lines


def test_the_first_line_begins_with_what_a_daemon_died_of():
    outcome = judge(
        fatal=6,
        daemon_died=6,
        local_fault=12,
        keys={
            "local_fault reason": [("a service is throttled", 6), ("daemons end with an error", 6)],
            "died": [({"service": "smtpd", "reason": "main.cf is wrong: inet_interfaces"}, 6)],
        },
    )

    assert outcome.words == (
        "POSTFIX LOG CRITICAL - newest line 0 s old,"
        " smtpd died 6 times: main.cf is wrong: inet_interfaces (6 fatal errors, 12 local faults)"
        " in 15 min (a service is throttled 6 times)"
    )


def test_a_daemon_that_died_is_named():
    outcome = judge(fatal=1, daemon_died=1, keys={"died": [({"service": "smtpd"}, 1)]}, verbosity=1)

    assert "smtpd died: see its lines with fatal: and panic:" in outcome.words
    assert "  1  smtpd" in outcome.lines


# What smtpd and master say while the socket of the SASL server is gone
NO_SASL = {
    "local_fault": 17,
    "daemon_died": 6,
    "fatal": 6,
    "keys": {
        "local_fault reason": [
            ("a service is throttled", 6),
            ("daemons end with an error", 6),
            ("no SASL server", 5),
        ],
        "died": [({"service": "smtpd", "reason": "no SASL authentication mechanisms"}, 6)],
    },
}


def test_the_first_line_names_one_cause_once():
    outcome = judge(**NO_SASL)

    assert outcome.exit_code == 2
    assert outcome.words == (
        "POSTFIX LOG CRITICAL - newest line 0 s old,"
        " no SASL server 5 times (6 fatal errors, 17 local faults) in 15 min:"
        " start Dovecot or saslauthd, and see smtpd_sasl_path and its owner"
        " (smtpd died 6 times: no SASL authentication mechanisms; a service is throttled 6 times)"
    )


def test_what_a_daemon_said_at_its_end_is_among_the_details():
    outcome = judge(**NO_SASL, verbosity=1)

    assert "  6  smtpd: no SASL authentication mechanisms" in outcome.lines


def test_the_command_shows_the_fault_that_the_others_come_from(tmp_path):
    sasl = "smtpd[2302]: warning: SASL: Connect to private/auth failed: Connection refused"
    ended = "master[9]: warning: process /usr/lib/postfix/sbin/smtpd pid 2302 exit status 1"
    throttled = "master[9]: warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling"
    died = mail_log.TROUBLE[0]

    text, code = _run(_log(tmp_path, mail_log.lines([sasl, died, ended, throttled])), "-v")

    assert code == 2
    assert "see: postfix-log trace" in text
    assert text.partition("see: ")[2].splitlines()[0].endswith("'no SASL server'")
    text, _ = _run(_log(tmp_path, mail_log.lines([died, ended, throttled])), "-v")
    assert text.partition("see: ")[2].splitlines()[0].endswith(" 'a daemon died'")


STOPPED = {
    "throttled": "a service is throttled",
    "no-room": "no room in the queue",
}


@pytest.mark.parametrize("reason", STOPPED.values())
def test_postfix_that_does_not_work_is_critical(reason):
    outcome = judge(local_fault=1, keys={"local_fault reason": [(reason, 1)]})

    assert outcome.exit_code == 2
    assert f", {reason} in 15 min: {health.NEXT_STEPS[reason]}" in outcome.words


@pytest.mark.parametrize("suffix", STOPPED)
def test_how_often_it_may_happen_is_an_option(suffix):
    reason = STOPPED[suffix]
    window = {"local_fault": 9, "keys": {"local_fault reason": [(reason, 9)]}}

    assert judge(f"--critical-{suffix}", "9", **window).exit_code == 1
    assert judge(f"--critical-{suffix}", "8", **window).exit_code == 2


MISSING = "a lookup table is missing: /etc/x.db"


def test_mail_that_nobody_can_hand_in_is_critical():
    window = {"local_fault": 3, "keys": {"local_fault reason": [(MISSING, 3)]}}

    few, several = (judge(**window, turned_away=times) for times in (2, 3))

    assert few.exit_code == 1
    assert several.exit_code == 2
    assert several.words == (
        f"POSTFIX LOG CRITICAL - newest line 0 s old, {MISSING} 3 times"
        " (mail turned away 3 times and none taken since) in 15 min:"
        f" {health.NEXT_STEPS[health.NO_TABLE]}"
    )
    assert judge("--critical-turned-away", "9", **window, turned_away=9).exit_code == 1


def test_mail_that_is_taken_all_the_same_is_no_standstill():
    window = {"local_fault": 3, "keys": {"local_fault reason": [(MISSING, 3)]}}

    outcome = judge(**window, turned_away=99, accepted=1)

    assert outcome.exit_code == 1
    assert "turned away" not in outcome.words
    assert outcome.values["turned_away"] == 0


def test_mail_of_users_of_this_machine_passes_by_smtpd_and_proves_nothing():
    keys = {"local_fault reason": [(MISSING, 3)], "by_uid": [({"what": "m", "sender": "0"}, 2)]}

    cron, more = (judge(local_fault=3, keys=keys, turned_away=9, accepted=n) for n in (2, 3))

    assert (cron.exit_code, more.exit_code) == (2, 1)


def test_where_the_headline_names_no_fault_it_is_named_below():
    window = {"local_fault": 3, "keys": {"local_fault reason": [(MISSING, 3)]}}

    outcome = judge(**window, coverage=a_coverage(end=NOON - 60, last=NOON - 61))

    assert f"{MISSING} 3 times: {health.NEXT_STEPS[health.NO_TABLE]}" in outcome.words


@pytest.mark.parametrize(
    ("failed", "clients", "state"), [(20, 100, 1), (19, 19, 0), (20, 101, 0), (300, 1500, 1)]
)
def test_a_block_list_that_does_not_answer_is_told_and_a_slip_of_it_is_not(failed, clients, state):
    keys = {"blocklist_failed blocklist": [("zen.example.net", failed)]}

    outcome = judge(
        blocklist_failed=failed, connected_smtpd=clients, warning=failed, keys=keys, verbosity=1
    )

    assert outcome.exit_code == state
    said = f"(block list zen.example.net did not answer {failed} times: ask it, as host 2.0.0.127."
    assert (said in outcome.words) == bool(state)
    assert f"  {failed}  zen.example.net" in outcome.lines


@pytest.mark.parametrize(("days", "state"), [(34, 0), (35, 0), (36, 1)])
def test_an_archive_that_should_be_gone_is_a_warning(days, state):
    old = AgedFile("/var/log/mail.log.9.gz", 0o640, NOON - days * DAY)

    outcome = judge(files=[old, LIVE])

    assert outcome.exit_code == state
    assert ("/var/log/mail.log.9.gz is older than 35 d" in outcome.words) == bool(state)
    assert outcome.values["oldest_log"] == (days * DAY - 1) * 60


def test_retention_says_how_old_archives_may_be():
    old = AgedFile("/var/log/mail.log.9.gz", 0o640, NOON - 20 * DAY)

    assert judge("--retention", "14d", files=[old, LIVE]).exit_code == 1


def test_files_that_everybody_can_read_are_a_warning():
    files = [AgedFile("/var/log/mail.log.1", 0o644, NOON - DAY), AgedFile("/l", 0o604, NOON, True)]

    outcome = judge(files=files)

    assert outcome.exit_code == 1
    assert "/var/log/mail.log.1 and 1 more are readable by everybody: chmod o-r" in outcome.words


def test_the_worst_finding_is_said_first():
    files = [AgedFile("/var/log/mail.log", 0o644, NOON, True)]

    outcome = judge(coverage=a_coverage(offset=120), files=files)

    assert outcome.exit_code == 2
    assert outcome.words.index("stamps run") < outcome.words.index("readable by everybody")


# -- whole runs


REFUSED = (
    "smtpd[2302]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 451 4.3.0 <ann@example.com>:"
    " Temporary lookup failure; from=<a@example.org> to=<ann@example.com> proto=ESMTP helo=<a>"
)
NOT_ACCEPTED = (
    "cleanup[2304]: warning: 64D05240E04: header_checks map lookup problem -- message not accepted,"
    " try again later"
)
TAKEN = [
    "smtpd[2302]: 64D05240E01: client=mx.example.org[203.0.113.7]",
    "qmgr[2303]: 64D05240E01: from=<a@example.org>, size=9, nrcpt=1 (queue active)",
]


def test_mail_is_turned_away_since_the_minute_in_which_some_was_last_taken(tmp_path):
    log = _log(
        tmp_path,
        mail_log.lines([REFUSED] * 9, minutes_ago=8),
        mail_log.lines([*TAKEN, REFUSED], minutes_ago=6),
        mail_log.lines([REFUSED, NOT_ACCEPTED], minutes_ago=4),
        mail_log.lines([REFUSED], minutes_ago=2),
    )

    text, code = _run(log)

    assert code == 2
    assert perfdata.of(text)["turned_away"].value == 3


def test_without_a_fault_that_is_known_the_command_shows_what_clients_were_told(tmp_path):
    log = _log(tmp_path, mail_log.lines([REFUSED] * 3))

    text, code = _run(log, "-v")

    assert code == 2
    assert "mail turned away 3 times and none taken since in 15 min" in text
    assert text.partition("see: ")[2].splitlines()[0].endswith(" '451 4.3.'")


def _run(log, *arguments):
    return outcome_of(CHECK, ["--log", str(log), "--no-state", *arguments])


def _log(tmp_path, *parts):
    older = mail_log.lines([mail_log.REMOVED], minutes_ago=20)
    log = mail_log.write(tmp_path / "mail.log", older, *parts)
    log.chmod(0o640)
    return log


def test_a_log_that_is_not_there_is_critical(tmp_path):
    text, code = _run(tmp_path / "mail.log")

    assert code == 2
    assert text.startswith("POSTFIX LOG CRITICAL - ")
    assert "no such file; name the mail log with --log" in text


def test_wrong_use_is_unknown_as_ever(tmp_path):
    assert _run(_log(tmp_path), "--retention", "fortnight")[1] == 3
    assert _run(_log(tmp_path), "--host", "mx9")[1] == 3


def test_each_label_can_be_other_than_0(tmp_path):
    said = [*mail_log.TROUBLE, *mail_log.NOT_WORKING, mail_log.UNKNOWN]
    log = _log(tmp_path, mail_log.lines(said), mail_log.lost())
    archive = mail_log.write(
        tmp_path / "mail.log.1", mail_log.lines([mail_log.SENT], minutes_ago=50 * DAY)
    )
    archive.chmod(0o640)
    ago = time.time() - 50 * DAY * 60
    os.utime(archive, (ago, ago))

    text, code = outcome_of(CHECK, ["--log", str(log), "--state", str(tmp_path / "state")])

    assert code == 2, text
    labels = perfdata.of(text)
    assert labels["log_age"].value == 300  # however old the archive is that was read after it
    assert {label.name for label in CHECK.labels} == set(labels)
    assert labels["lost_messages"].value == 406
    for name in (
        "fatal", "panic", "warnings", "debug_lines", "gaps", "throttled", "no_room",
    ):  # fmt: skip
        assert labels[name].value == 1, name
    assert labels["local_faults"].value == 4
    assert labels["turned_away"].value == 2
    assert labels["oldest_log"].value >= 50 * DAY * 60 - 120
    assert all(label.value for label in labels.values())


@pytest.mark.parametrize("later", [0, 3600])
def test_in_the_hour_that_is_repeated_the_newest_line_is_no_hour_off(tmp_path, later):
    """Two daemons' last lines are looked for from the end back, in either round of that hour."""
    log, state = tmp_path / "mail.log", tmp_path / "state"
    lines = [
        "01:50:00 mx1 postfix/smtpd[1]: connect from unknown[203.0.113.9]",
        *(["02:50:00 mx1 postfix/smtpd[1]: connect from unknown[203.0.113.9]"] if later else []),
        "02:05:36 mx1 postfix/smtpd[1]: connect from unknown[203.0.113.9]",
        "02:16:08 mx1 postfix/smtpd[1]: disconnect from unknown[203.0.113.9]",
        "02:28:25 mx1 dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs):"
        " user=<x>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1",
    ]
    log.write_text("".join(f"Oct 25 {line}\n" for line in lines))
    log.chmod(0o640)
    now = 1_792_888_800 + later  # 02:40
    os.utime(log, (now - 700, now - 700))

    with in_zone("Europe/Berlin"), Clocks(now).told():
        text, code = outcome_of(CHECK, ["--log", str(log), "--state", str(state)])

    assert (code, "ahead" in text) == (0, False)
    assert "newest line 12 min old" in text
