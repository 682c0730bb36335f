"""postfix-log report: what it says, of which time, and how it ends."""

from __future__ import annotations

import gzip
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest

from check_postfix.command import remedy
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.events import reasons
from check_postfix.maillog.events.recogniser.health import NEXT_STEPS, NO_ROOM
from tests.support.package import ROOT

RECORDED = ROOT / "tests/recorded/mail.iso.log"
pytestmark = pytest.mark.usefixtures("utc")

RECEIVED = "postfix/smtpd[7]: 4ABCDEF01: client=mail.example.net[192.0.2.3]"
TAKEN_UP = "postfix/qmgr[9]: 4ABCDEF01: from=<ben@Example.net>, size=1834, nrcpt=2 (queue active)"
WARNED = "postfix/smtpd[7]: warning: hostname h.example.net does not resolve to address 192.0.2.3"


def delivery(
    status: str = "sent",
    text: str = "250 2.0.0 Ok",
    to: str = "ann@example.com",
    dsn: str = "2.0.0",
    times: str = "delay=1.1, delays=0.1/0/0.4/0.6",
) -> str:
    return (
        f"postfix/smtp[10]: 4ABCDEF01: to=<{to}>, relay=mx.example.com[192.0.2.25]:25, {times},"
        f" dsn={dsn}, status={status} ({text})"
    )


LISTED = "-ann=x.example@l.example"
DEFERRED = delivery(
    "deferred",
    "host mx.example.com[192.0.2.25] said: 450 4.7.1 Too much mail, rate limited (in reply to"
    " MAIL FROM command)",
    dsn="4.7.1",
)
SESSION = (RECEIVED, TAKEN_UP, delivery(), DEFERRED)
BOUNCED = delivery(
    "bounced",
    "host mx.example.com[192.0.2.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
    dsn="5.1.1",
)
REFUSED = (
    "postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.3]: 554 5.7.1"
    " <ann@example.net>: Relay access denied; from=<x@example.org> to=<ann@example.net>"
    " proto=ESMTP helo=<x>"
)


# -- what it says


def test_problems_come_first_each_with_the_next_step(report, log):
    said = report("--log", log(*SESSION, *[DEFERRED] * 5))

    problems = said.section("Problems")
    assert said.lines.index("Problems") < said.lines.index("Totals")
    assert problems == [
        "  86 % of 7 delivery attempts were deferred (6), most often: rate limited (6);"
        " most at example.com (6)",
        f"    next: {remedy.OF_REASON[reasons.RATE_LIMITED]}",
    ]


def test_what_bounced_is_called_so_and_nothing_else(report, log):
    returned = (
        "postfix/qmgr[9]: 4ABCDEF01: from=<ben@example.net>, status=expired, returned to sender"
    )
    said = report("--log", log(*SESSION[:3], *[BOUNCED] * 6, returned))

    assert "sent back" not in said.text.lower()
    assert said.section("Problems")[0] == (
        "  86 % of 7 finished deliveries bounced (6), most often: unknown user (6);"
        " most at example.com (6)"
    )
    assert len(said.section("Bounced, by reason")) == 2
    assert len(said.section("Bounced, by relay")) == 2
    assert re.search("^ +bounced +6$", said.text, re.MULTILINE)


@pytest.mark.parametrize("number", [1, 4])
def test_of_few_deliveries_that_all_failed_the_reason_is_told_and_not_another_log(
    report, log, number
):
    said = report("--log", log(*[DEFERRED] * number))

    times = "attempt" if number == 1 else "attempts"
    assert said.section("Problems") == [
        f"  nothing was sent: {number} delivery {times} failed, most often: rate limited",
        f"    next: {remedy.OF_REASON[reasons.RATE_LIMITED]}",
    ]


def test_of_a_socket_of_this_machine_the_next_step_is_here_and_not_elsewhere(report, log):
    said = "connect to mx1.example.com[private/dovecot-lmtp]: Connection refused"
    line = delivery("deferred", said, dsn="4.4.1").replace(
        "relay=mx.example.com[192.0.2.25]:25", "relay=none"
    )

    problems = report("--log", log(RECEIVED, *[line] * 20)).section("Problems")

    assert problems[0].startswith("  100 % of 20 delivery attempts were deferred (20), most often:")
    assert problems[1].startswith(
        "    next: nothing answers at private/dovecot-lmtp on this machine:"
    )


def test_of_several_troubles_of_this_machine_none_is_told_as_that_of_all(report, log):
    said = (
        "cannot update mailbox /var/mail/a for user a. error writing message: Disk quota exceeded",
        "mail system configuration error",
        "a word that nobody knows",
    )
    lines = [
        delivery("deferred", words, dsn=dsn)
        for words, dsn in zip(said, ("4.2.0", "4.3.5", "4.3.0"), strict=True)
    ]

    problems = report("--log", log(RECEIVED, *lines * 7)).section("Problems")

    assert problems[1] == f"    next: {remedy.OF_REASON[reasons.OTHER]}"


def test_many_deliveries_that_all_failed_are_one_problem(report, log):
    said = report("--log", log(*[DEFERRED] * 20))

    assert said.section("Problems") == [
        "  100 % of 20 delivery attempts were deferred (20), most often: rate limited (20);"
        " most at example.com (20)",
        f"    next: {remedy.OF_REASON[reasons.RATE_LIMITED]}",
    ]


def test_a_log_of_which_nothing_is_of_mail_may_be_the_wrong_one(report, log):
    assert report("--log", log(WARNED)).section("Problems") == [
        "  no mail came in and none left",
        "    next: see whether this is the right log",
    ]


def test_where_all_mail_was_refused_the_log_is_the_right_one(report, log):
    said = report("--log", log(REFUSED))

    assert said.section("Problems") == [
        "  no mail came in and none left",
        "    next: see under Totals what clients met with instead",
    ]


def test_trouble_of_this_machine_has_the_next_step_that_the_check_has(report, log):
    full = "postfix/smtpd[3]: warning: not enough free space in mail queue: 9 bytes < 10"
    died = "postfix/smtpd[3]: fatal: no SASL authentication mechanisms"

    said = report("--log", log(*SESSION, full, died))

    problems = " ".join(" ".join(said.section("Problems")).split())
    assert (
        f"next: {NEXT_STEPS[NO_ROOM]}; what was said stands under Warnings and errors" in problems
    )
    assert "'a daemon died'" in problems
    assert said.section("Warnings and errors")


def test_a_day_without_trouble_has_no_problems(report, log):
    assert report("--log", log(*SESSION[:3])).section("Problems") == ["  none"]


def test_totals_tell_deferred_attempts_from_the_messages_that_they_are_of(report, log):
    totals = report("--log", log(RECEIVED, DEFERRED, DEFERRED)).section("Totals")

    assert [line.split() for line in totals if "deferred" in line] == [
        ["deferred", "attempts", "2"],
        ["deferred", "messages", "1"],
    ]


def test_a_refused_delivery_is_shown_in_the_servers_own_words(report, log):
    said = report("--log", log(*SESSION))

    assert said.section("Deferred, by reason")[1] == (
        "       1  100.0 %  rate limited  450   4.7.1  host mx.example.com[192.0.2.25] said: 450"
        " 4.7.1 Too much mail, rate limited (in reply to MAIL FROM command)"
    )


def test_totals_and_names_are_those_of_the_log(report, log):
    found = report("--log", log(*SESSION), "--json").json()

    assert found["totals"]["received"] == found["totals"]["sent"] == 1
    assert found["totals"]["deferrals"] == found["totals"]["deferred_messages"] == 1
    assert found["totals"]["bytes_received"] == found["totals"]["bytes_delivered"] == 1834
    rows = {key: section["rows"] for key, section in found["sections"].items()}
    # Only the domain is brought to lower case.
    assert rows["senders_by_size"] == [{"name": "ben@example.net", "messages": 1, "bytes": 1834}]
    assert rows["recipients_by_number"][0]["name"] == "ann@example.com"
    assert rows["clients_by_number"][0]["name"] == "192.0.2.3"
    assert rows["recipient_domains"] == [
        {
            "domain": "example.com", "sent": 1, "bytes": 1834, "deferrals": 1, "bounced": 0,
            "average_delay": 1.1, "longest_delay": 1.1,
        }
    ]  # fmt: skip


def test_delays_are_told_by_stage_at_their_ranks(report, log):
    times = [f"delay={n}, delays=0.{n}/0/0/{n}" for n in range(1, 10)]
    found = report(
        "--log", log(*SESSION[:2], *(delivery(times=told) for told in times)), "--json"
    ).json()

    stages = {row["stage"]: row for row in found["sections"]["delays"]["rows"]}
    assert stages["together"] == {
        "stage": "together", "p50": 5, "p90": 9, "p95": 9, "p99": 9, "p100": 9,
    }  # fmt: skip
    assert stages["before the queue"]["p50"] == 0.5
    assert stages["in the queue"]["p100"] == 0


def test_several_days_are_told_by_day_too(report, log, tmp_path):
    log(*SESSION)
    older = log(*SESSION, start="2026-11-23T05", name="older").read_text()
    path = tmp_path / "mail.log"
    path.write_text(older + path.read_text())

    said = report("--log", path, "--json").json()

    days = said["sections"]["per_day"]["rows"]
    assert [(row["day"], row["sent"]) for row in days] == [("2026-11-23", 1), ("2026-11-24", 1)]
    assert said["sections"]["per_hour"]["title"] == "Per hour, 2 days together"
    hours = {row["hour"]: row["sent"] for row in said["sections"]["per_hour"]["rows"]}
    assert len(hours) == 24
    assert (hours["05:00"], hours["16:00"], hours["17:00"]) == (1, 1, 0)


def test_the_hours_of_a_night_are_told_as_they_went_by(report, log, tmp_path):
    log(*SESSION, start="2026-11-24T02")
    older = log(*SESSION, start="2026-11-23T22", name="older").read_text()
    path = tmp_path / "mail.log"
    path.write_text(older + path.read_text())

    said = report(
        "--log", path, "--since", "2026-11-23 21:00", "--until", "2026-11-24 03:00", "--json"
    ).json()

    hours = said["sections"]["per_hour"]
    assert hours["title"] == "Per hour"
    assert [row["hour"] for row in hours["rows"]][-5:] == [
        "22:00", "23:00", "00:00", "01:00", "02:00",
    ]  # fmt: skip


def test_an_empty_log_is_said_to_be_empty(report, tmp_path):
    path = tmp_path / "mail.log"
    path.touch()

    said = report("--log", path)

    assert said.status == 1
    assert said.section("Problems") == [
        "  the log has no line",
        "    next: send a test mail; if it stays so, see where mail is logged: postconf"
        " maillog_file",
    ]


def test_a_log_of_one_minute_is_not_told_from_it_to_it(report, log):
    assert report("--log", log(RECEIVED)).lines[0] == "Mail of mx1, 2026-11-24 16:00"


def test_each_host_of_a_minute_stands_in_the_title_in_the_order_of_the_log(report, tmp_path):
    path = tmp_path / "mail.log"
    path.write_text(
        "".join(f"2026-11-24T{time}+00:00 {host} {RECEIVED}\n" for time, host in (
            ("15:59:01", "early"), ("16:00:01", "mx2"), ("16:00:02", "mx1"), ("16:00:03", "early"),
            ("16:01:01", "late"),
        ))
    )  # fmt: skip

    said = report("--log", path, "--since", "2026-11-24 16:00", "--until", "2026-11-24 16:01")

    assert said.lines[0] == "Mail of mx2, mx1, early, 2026-11-24 16:00"


def test_hours_are_those_of_the_zone_that_is_named(report, log):
    found = report("--log", log(*SESSION), "--timezone", "Asia/Kolkata", "--json").json()

    hours = {row["hour"]: row["sent"] for row in found["sections"]["per_hour"]["rows"]}
    assert hours["21:00"] == 1  # 16:02 UTC


def test_guessing_is_told_as_such_and_no_password_is_printed(report, log):
    failed = [
        f"postfix/smtpd[7]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: x,"
        f" sasl_username=secret{number}"
        for number in range(20)
    ]
    said = report("--log", log(*SESSION, *failed), "--top", "all")

    assert "20 failed logins: 20 from 203.0.113.9 at 20 accounts: guessing" in said.text
    assert "secret" not in said.text
    assert said.text.count("account-") == 20


def test_an_account_that_has_logged_in_is_named_where_a_login_failed(report, log):
    logged_in = f"{RECEIVED}, sasl_method=PLAIN, sasl_username=ann"
    failed = (
        "postfix/smtpd[7]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: x,"
        " sasl_username=ann"
    )
    said = report("--log", log(logged_in, TAKEN_UP, failed))

    assert "       1  203.0.113.9  ann" in said.section("Failed logins")
    assert "  ann         1  1.8 kB" in said.section("Accounts, by number")


def test_warnings_that_differ_in_a_name_are_taken_together(report, log):
    other = WARNED.replace("192.0.2.3", "192.0.2.99").replace("h.example", "g.example")
    said = report("--log", log(*SESSION, WARNED, other, WARNED))

    assert said.section("Warnings and errors")[1:] == [
        "       3  warning  smtpd    hostname h.example.net does not resolve to address 192.0.2.3"
    ]


def test_shares_of_tls_are_of_all_connections_of_clients(report, log):
    connected = "postfix/smtpd[7]: connect from mail.example.net[192.0.2.3]"
    encrypted = (
        "postfix/smtpd[7]: Anonymous TLS connection established from mail.example.net[192.0.2.3]:"
        " TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
    )
    said = report("--log", log(*SESSION, connected, encrypted, connected))

    section = said.section("Encryption")
    assert section[0] == "  50.0 % of 2 connections of clients were encrypted"
    assert section[2].split() == [
        "in", "TLSv1.3", "anonymous", "TLS_AES_256_GCM_SHA384", "1", "100.0", "%",
    ]  # fmt: skip


def test_sessions_of_smtpd_are_told_where_they_are_asked_for(report, log):
    begun = "postfix/smtpd[7]: connect from mail.example.net[192.0.2.3]"
    ended = "postfix/smtpd[7]: disconnect from mail.example.net[192.0.2.3] ehlo=1 quit=1"
    path = log(begun, ended, *SESSION)

    found = report("--log", path, "--connections", "--json").json()["sections"]

    assert found["sessions_by_domain"]["rows"] == [
        {"domain": "example.net", "connections": 1, "together": 60, "average": 60, "longest": 60}
    ]
    assert "sessions_by_domain" not in report("--log", path, "--json").json()["sections"]


# -- what is chosen


def test_only_lines_of_the_span_count_and_sizes_of_messages_that_came_before_it(report, log):
    found = report(
        "--log", log(*SESSION), "--since", "2026-11-24 16:02", "--until", "2026-11-24 16:03",
        "--json",
    ).json()  # fmt: skip

    assert found["counters"] == {"bytes_delivered": 1834, "sent": 1}


def test_a_day_is_one_of_the_zone(report, log):
    path = log(*SESSION)

    assert report("--log", path, "--day", "2026-11-24", "--json").json()["totals"]["sent"] == 1
    assert report("--log", path, "--day", "2026-11-23").status == 1
    late = report("--log", path, "--day", "2026-11-25", "--timezone", "Pacific/Auckland", "--json")
    assert late.json()["totals"]["sent"] == 1


def test_yesterday_is_the_day_before_this_one(report, tmp_path):
    path = tmp_path / "mail.log"
    second = time.time() - 86400
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(second))
    path.write_text("".join(f"{stamp} mx1 {text}\n" for text in SESSION))

    assert report("--log", path, "--day", "yesterday").status == 0
    assert report("--log", path, "--day", "today").status == 1


def test_a_limit_of_rows_says_how_many_are_left_out(report, log):
    sent = [delivery(to=f"ann@d{number}.example") for number in range(5)]
    path = log(*SESSION[:2], *sent)

    said = report("--log", path, "--top", 2)

    assert said.section("Domains that mail was sent to")[-1] == "  and 3 more"
    assert "Domains that mail was sent to" not in report("--log", path, "--domains", 0).lines
    every = report("--log", path, "--top", "all", "--json").json()["sections"]
    assert len(every["recipient_domains"]["rows"]) == 5
    assert every["recipient_domains"]["left_out"] == 0


def test_an_instance_is_read_alone(report, log):
    other = [text.replace("postfix/", "postfix-out/") for text in SESSION]
    path = log(*SESSION, *other)

    for name in ("postfix", "postfix-out"):
        totals = report("--log", path, "--instance", name, "--json").json()["totals"]
        assert (totals["received"], totals["sent"]) == (1, 1)
    both = report("--log", path, "--json").json()["totals"]
    assert (both["received"], both["bytes_received"]) == (2, 2 * 1834)


@pytest.mark.parametrize(
    ("options", "address", "shown"),
    [
        (["--ignore-case"], "Ben@Example.net", "ben@example.net"),
        (["--verp", "1"], f"list-return-36{LISTED}", f"list-return-ID{LISTED}"),
        (["--verp", "2"], f"list-return-36{LISTED}", "list-return-ID@l.example"),
        (["--bang-paths"], "host.example!ann@next", "next!ann@host.example"),
        ([], "Ben@Example.net", "Ben@example.net"),
    ],
)  # fmt: skip
def test_senders_are_spelled_as_it_is_asked(report, log, options, address, shown):
    taken_up = TAKEN_UP.replace("ben@Example.net", address)

    found = report("--log", log(RECEIVED, taken_up), "--json", *options).json()

    assert found["sections"]["senders_by_number"]["rows"][0]["name"] == shown


def test_whose_mail_was_rejected_is_told_where_it_is_asked_for(report, log):
    rejected = (
        "postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1"
        " <ann@example.com>: Relay access denied; from=<x@example.org> to=<ann@example.com>"
        " proto=ESMTP helo=<x>"
    )
    path = log(*SESSION, rejected)

    def whom(*options: str) -> str:
        sections = report("--log", path, "--json", *options).json()["sections"]
        return sections["rejected_whom"]["rows"][0]["whom"]

    assert whom() == "203.0.113.5"
    assert whom("--reject-senders") == "203.0.113.5  (x@example.org)"


# -- where it is read


def test_rotated_generations_and_standard_input_are_read_alike(report, log, tmp_path, monkeypatch):
    path = log(*SESSION)
    whole = report("--log", path, "--json").json()
    (tmp_path / "mail.log.1.gz").write_bytes(
        gzip.compress(path.read_bytes().replace(b"2026-11-24", b"2026-11-23"))
    )
    both = report("--log", path, "--json").json()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))

    piped = report("--log", "-", "--json").json()

    assert both["totals"]["sent"] == 2
    assert piped["counters"] == whole["counters"]


def test_a_last_line_without_its_newline_counts(report, log):
    path = log(*SESSION)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))

    assert report("--log", path, "--json").json()["totals"]["deferrals"] == 1


def test_lines_that_nobody_can_read_are_said_first_and_last(report, log):
    path = log(*SESSION)
    path.write_text(path.read_text() + "postfix wrote this without a stamp\nsomething else\n")

    said = report("--log", path)

    assert said.section("Problems")[0].startswith("  not everything was read: 1 line: no frame")
    assert len(said.section("What could not be read")) == 2


def test_a_damaged_archive_is_said_and_the_rest_is_reported(report, log, tmp_path):
    path = log(*SESSION)
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(b"x" * 100_000)[:-40] + b"\0" * 40)

    said = report("--log", path)

    assert said.status == 3
    assert said.section("Problems")[0].startswith(
        f"  not everything was read: {tmp_path}/mail.log.1.gz: ends too early"
    )
    assert "  ann@example.com         1  1.8 kB" in said.lines


def not_found(number: int, to: str) -> str:
    text = f"Host or domain name not found. Name service error for name={to} type=MX: try again"
    return delivery("deferred", text, f"ann@{to}", "4.4.3").replace("4ABCDEF01", f"4ABC{number:05}")


def test_where_no_domain_is_found_the_name_server_is_looked_at_first(report, log):
    said = report("--log", log(*(not_found(n, f"dom{n}.example") for n in range(40))))

    assert said.section("Problems")[:2] == [
        "  100 % of 40 delivery attempts were deferred (40), most often: DNS (40); at 40 domains",
        f"    next: {remedy.RESOLVER}",
    ]
    assert "/etc/resolv.conf first" in remedy.RESOLVER


def test_where_other_domains_are_found_the_names_are_looked_at(report, log):
    passed = (delivery(to=f"ann@sent{n}.example") for n in range(10))
    said = report("--log", log(*(not_found(n, f"dom{n // 2}.example") for n in range(10)), *passed))

    assert said.section("Problems")[-2:] == [
        "  50 % of 20 delivery attempts were deferred (10), most often: DNS (10);"
        " at 5 domains, first dom0.example (2)",
        f"    next: {remedy.OF_REASON[reasons.DNS]}",
    ]


# -- how it ends


def test_nothing_found_is_exit_code_1(report, log):
    said = report("--log", log(*SESSION), "--until", "2027-01-01", "--instance", "other")

    assert said.status == 1
    assert "no mail came in and none left" in said.text


@pytest.mark.parametrize(
    ("asked", "what"), [(["--day", "2026-11-23"], "day"), (["--until", "2026-11-24T15:00"], "time")]
)
def test_that_a_time_lies_before_the_log_is_said_and_not_that_it_may_be_the_wrong_log(
    report, log, asked, what
):
    said = report("--log", log(*SESSION), *asked)

    assert said.status == 1
    assert said.section("Problems") == [
        f"  the log begins 2026-11-24 16:00, after that {what}",
        "    next: ask for a later time, or say where older generations lie: --archives DIR",
    ]


@pytest.mark.parametrize(
    ("asked", "what"), [(["--day", "2026-11-25"], "day"), (["--since", "2026-11-25"], "time")]
)
def test_that_a_time_lies_after_the_log_is_said_and_not_that_it_may_be_the_wrong_log(
    report, log, asked, what
):
    path = log(*SESSION)

    said = report("--log", path, *asked)

    assert said.status == 1
    assert said.section("Problems") == [
        f"  the log ends 2026-11-24 16:03, before that {what}",
        "    next: ask for an earlier time, or see where mail is logged by now: postconf"
        " maillog_file",
    ]


def test_of_a_log_that_nobody_may_read_no_zeros_are_told(report, log, monkeypatch):
    path = log(*SESSION)

    def refuse(_: object) -> bytes:
        raise LogError(f"cannot read {path}: permission denied; add user ann to group adm")

    monkeypatch.setattr("check_postfix.command.logs.File.head", refuse)

    said = report("--log", path)

    assert said.status == 3
    assert said.section("Problems") == [
        f"  nothing was read: cannot read {path}: permission denied",
        "    next: add user ann to group adm",
    ]
    assert said.section("What could not be read") == [
        f"  cannot read {path}: permission denied; add user ann to group adm"
    ]
    assert "Totals" not in said.lines
    assert report("--log", path, "--json").json()["totals"] == {}


def test_a_mail_that_tells_of_nothing_is_no_silent_exit(report, log, tmp_path, monkeypatch):
    (tmp_path / "sendmail").write_text("#!/bin/sh\ncat > /dev/null\n")
    (tmp_path / "sendmail").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    mailed = "--mail", "postmaster@example.com"

    nothing = report("--log", log(*SESSION), "--day", "2026-11-23", *mailed)
    something = report("--log", log(*SESSION), *mailed)

    assert (something.status, something.text) == (0, "")
    assert nothing.status == 1
    assert nothing.text.startswith("nothing was found of that time")


def test_hours_that_were_not_read_are_left_out(report, log):
    def hours(*arguments: object) -> list[str]:
        found = report("--log", log(*SESSION), "--json", *arguments).json()
        return [row["hour"] for row in found["sections"]["per_hour"]["rows"]]

    assert hours() == ["16:00"]
    # Since then all was read, and until then: the file was written to later.
    assert hours("--since", "2026-11-24T15:00") == ["16:00"]
    assert hours("--since", "2026-11-24T16:00", "--until", "2026-11-24T19:00") == [
        "16:00", "17:00", "18:00",
    ]  # fmt: skip


def test_what_a_command_ends_with_is_told_from_what_a_daemon_ends_with(report, log):
    ended = "postfix/postqueue[3]: fatal: usage: postqueue -f"
    told = (
        "  postqueue is a command: what they end with concerns their caller (postqueue is called by"
        " check_postfix_queue as well), and is not counted by check_postfix_log"
    )

    assert report("--log", log(*SESSION, ended)).section("Warnings and errors")[0] == told
    assert told in report("--log", log(*SESSION, ended), "--anonymise").lines
    died = ended.replace("postqueue[3]", "smtpd[3]")
    assert "is a command" not in report("--log", log(*SESSION, died)).text


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        ("/usr/lib/python3/dist-packages/check_postfix/command/packaged.py",
         "apt install python3-jinja2"),
        ("/opt/check_postfix/lib/python3/site-packages/check_postfix/command/packaged.py",
         "/opt/check_postfix/bin/pip install jinja2"),
    ],
)  # fmt: skip
def test_what_is_missing_is_installed_the_way_that_this_was(
    report, log, tmp_path, monkeypatch, place, advice
):
    monkeypatch.setattr("check_postfix.command.report.drawing.library", lambda _: None)
    monkeypatch.setattr("check_postfix.command.packaged.__file__", place)
    monkeypatch.setattr("sys.prefix", "/opt/check_postfix")

    said = report("--log", log(*SESSION), "--html", tmp_path / "mail.html")

    assert said.status == 3
    assert f"--html needs jinja2, which is not installed; {advice}\n" in said.errors


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--day", "never"], "--day never: 'never' is not understood"),
        (["--day", "today", "--since", "12:00"],
         "--day is a whole day; leave --since and --until out"),
        (["--since", "2026-11-24", "--until", "2026-11-23"], "--since is not before --until"),
        (["--since", "2026-11-24 10:00:10", "--until", "2026-11-24 10:00:50"],
         "--since and --until are of one minute; let them be a minute apart"),
        (["--top", "many"], "--top many: not a whole number; use for example 20, or all"),
        (["--mail", "-oQ/tmp"],
         "--mail '-oQ/tmp': not one plain address; example: --mail postmaster@example.com"),
        (["--mail", "a@example.com\nBcc: x@example.org"], "not one plain address"),
        (["--mail", "a@example.com, b@example.com"], "not one plain address"),
        (["--verp", "3"], "--verp 3: there are 1, 2"),
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2_and_says_what_is_meant(report, log, options, words):
    options = [f"{options[0]}={options[1]}", *options[2:]]  # a value may begin with a dash
    said = report("--log", log(*SESSION), *options)

    assert said.status == 2
    assert words in said.errors
    assert not said.text


def test_what_is_not_there_is_exit_code_3(report, tmp_path):
    said = report("--log", tmp_path / "none.log")

    assert said.status == 3
    assert "no such file" in said.errors


def _start(*arguments: object, **more: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "check_postfix.command", "report", *map(str, arguments)]
    return subprocess.Popen(command, **more)  # type: ignore[call-overload, no-any-return]


def _large(path, megabytes: int) -> None:
    text = "".join(
        f"2026-11-24T16:00:{n % 60:02}+00:00 mx1 {t}\n" for n in range(50) for t in SESSION
    )
    with path.open("w") as file:
        while file.tell() < megabytes * 1_000_000:
            file.write(text)


@pytest.mark.heavy
def test_ctrl_c_reports_what_was_read_and_says_what_is_left(tmp_path):
    path = tmp_path / "mail.log"
    _large(path, 600)  # what the fastest machine does not read in the second that nothing is shown
    screen, terminal = pty.openpty()
    seen = b""
    with _start("--log", path, stdout=subprocess.PIPE, stderr=terminal) as run:
        os.close(terminal)
        try:
            while b"Ctrl-C ends it" not in seen:
                seen += os.read(screen, 1 << 16)
            run.send_signal(signal.SIGINT)
            said, _ = run.communicate(timeout=60)
        finally:
            run.kill()  # or a failure here would be one of the tests after this one, too
            os.close(screen)
            path.unlink()

    assert run.returncode == 130
    assert re.search(rb"MB read of \d+, \d+ s left, \d+ MB/s", seen)
    assert f"ended by Ctrl-C; what is left: {path}".encode() in said
    assert b"Totals" in said


@pytest.mark.heavy
def test_nothing_of_progress_is_told_in_a_pipe(tmp_path):
    path = tmp_path / "mail.log"
    _large(path, 30)
    run = _start("--log", path, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    said, errors = run.communicate(timeout=120)

    assert errors == b""
    assert json.loads(said)["totals"]["sent"] > 1000


def _all_different(path, number: int) -> None:
    """Write a log in which every recipient, domain, client and account is another one."""
    with path.open("w") as file:
        for n in range(number):
            stamp = f"2026-11-24T{n * 20 // number:02}:00:00+00:00 mx1"
            session = (
                RECEIVED.replace("192.0.2.3", f"198.{n >> 16}.{n >> 8 & 255}.{n & 255}"),
                TAKEN_UP.replace("ben@", f"ben{n}@d{n}."),
                delivery(to=f"ann{n}@e{n}.example"),
            )
            for text in session:
                file.write(f"{stamp} {text.replace('4ABCDEF01', f'4{n:09}')}\n")


@pytest.mark.heavy
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_temporary_file_that_cannot_grow_is_told_with_what_to_do(jobs, tmp_path):
    path = tmp_path / "mail.log"
    _all_different(path, 60_000)
    command = [sys.executable, "-m", "check_postfix.command", "report", "--jobs", str(jobs)]
    limited = ["prlimit", "--fsize=1000000", *command, "--log", path]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (3, "")
    assert re.fullmatch(
        r"postfix-log: cannot keep what does not fit into memory in a temporary file:"
        r" disk I/O error; let SQLITE_TMPDIR name a directory with more room\n",
        done.stderr,
    )


@pytest.mark.heavy
def test_memory_does_not_grow_with_the_log(tmp_path):
    peaks = []
    for number in (40_000, 100_000):
        path = tmp_path / "mail.log"
        _all_different(path, number)
        code = (
            "import sys; from check_postfix.command import cli\n"
            "try: cli.main(sys.argv[1:])\n"
            # Not getrusage: what that tells may be the memory of the process that started this one.
            "finally: print(*[line.split()[1] for line in open('/proc/self/status')"
            " if line.startswith('VmHWM')], file=sys.stderr)"
        )
        command = [sys.executable, "-c", code, "report", "--log", str(path), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["totals"]["recipients"] == number
        peaks.append(int(done.stderr) / 1024)

    assert max(peaks) <= 64
    assert peaks[1] - peaks[0] <= 6
