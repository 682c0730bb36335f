"""That nothing leaves is an alarm, however little there is to send; a dead domain is none."""

from __future__ import annotations

import re

import pytest

from check_postfix import deferred
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata

REFUSED = "SASL authentication failed; server relay.example.net[192.0.2.25] said: 535 5.7.8 no"
RELAY = "relay.example.net[192.0.2.25]:587"
LATER = "host mail.example.net[192.0.2.25] said: 451 4.3.0 later"
GREYLISTED = "host mail.example.net[192.0.2.25] said: 450 4.2.0 Greylisted, try again later"


def attempt(number, domain, status="deferred", dsn="4.3.0", text=LATER, relay=None):
    """Return what smtp says of a message of its own."""
    relay = relay or f"mail.{domain}[192.0.2.25]:25"
    return (
        f"smtp[2211]: 4XJ2Vw0dHbz9s{number:02}: to=<ann@{domain}>, relay={relay}, delay=2.1,"
        f" delays=0.06/0.01/1.2/0.83, dsn={dsn}, status={status} ({text})"
    )


def taken_in(number):
    """Return what smtpd and the queue manager say of a new message."""
    id = f"4XJ2Vw0dHbz9s{number:02}"
    return [
        f"smtpd[2300]: {id}: client=client.example.org[203.0.113.9]",
        f"qmgr[12]: {id}: from=<bob@example.org>, size=4711, nrcpt=1 (queue active)",
    ]


def new(*numbers):
    return [line for number in numbers for line in taken_in(number)]


def cron(number):
    """Return what local says of a mail to root."""
    return attempt(number, "mx1.example.org", "sent", "2.0.0", "delivered to mailbox", "local")


def left(number, domain):
    return attempt(number, domain, "sent", "2.0.0", "250 2.0.0 Ok")


def judged(tmp_path, *said):
    """Return state and standstill in hours of a log: (hours ago, what is said)."""
    parts = [mail_log.lines(lines, minutes_ago=60 * hours) for hours, lines in said]
    log = mail_log.write(tmp_path / "mail.log", *parts)
    text, code = outcome_of(deferred.CHECK, ["--log", str(log), "--no-state"])
    return code, round(perfdata.of(text)["standstill"].value / 3600, 1), text


OLD_TO_TWO = [attempt(1, "example.com"), attempt(2, "example.net"), attempt(3, "example.net")]
TO_TWO = [*new(1, 2, 3), *OLD_TO_TWO]


def test_a_relay_that_refuses_our_login_is_critical_after_hours(tmp_path):
    refused = [
        attempt(
            n, "example.com", dsn="4.7.8", text=REFUSED, relay="relay.example.net[192.0.2.25]:587"
        )
        for n in range(3)
    ]

    code, hours, text = judged(tmp_path, (7.5, refused), (5, [cron(7)]), (0.1, [cron(8)]))

    assert (code, hours) == (2, 7.5)
    assert re.search(r"nothing has left for 7 h 3[01] min", text)


SOCKET = "mx1.example.org[private/dovecot-lmtp]"
OTHER_HOST = "mailbox.example.org[192.0.2.26]:24"


@pytest.mark.parametrize(
    ("relay", "said"),
    [
        (SOCKET, (2, 7.5)),
        ("mx1.example.org[/var/imap/socket/lmtp]", (2, 7.5)),
        (OTHER_HOST, (0, 0)),
    ],
)
def test_what_a_mailbox_server_on_this_machine_takes_has_not_left(tmp_path, relay, said):
    refused = [
        attempt(
            n, "example.com", dsn="4.7.8", text=REFUSED, relay="relay.example.net[192.0.2.25]:587"
        )
        for n in range(3)
    ]
    came_in = [
        attempt(n, "example.org", "sent", "2.0.0", "250 2.0.0 Saved", relay).replace(
            "smtp[", "lmtp["
        )
        for n in range(40, 65)
    ]

    code, hours, _ = judged(tmp_path, (7.5, refused), (5, came_in), (0.1, came_in[:3]))

    assert (code, hours) == said


@pytest.mark.parametrize(("mails", "code"), [(19, 2), (20, 0)])
def test_many_deliveries_are_judged_by_their_ratio_wherever_they_went(tmp_path, mails, code):
    refused = [attempt(n, "example.com", dsn="4.7.8", text=REFUSED, relay=RELAY) for n in range(3)]
    local = [cron(n) for n in range(40, 40 + mails)]

    assert judged(tmp_path, (7.5, refused), (0.1, local))[0] == code


def test_where_nobody_knows_any_more_where_mail_went_it_has_left(tmp_path):
    refused = [attempt(n, "example.com", dsn="4.7.8", text=REFUSED, relay=RELAY) for n in range(3)]
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines(refused, minutes_ago=450),
        mail_log.lines([left(9, "example.com")], minutes_ago=300),
        mail_log.lines(refused, minutes_ago=40),
    )
    state = ["--state", str(tmp_path / "state"), "--keep-keys", "1h"]

    text, _ = outcome_of(deferred.CHECK, ["--log", str(log), *state])

    assert perfdata.of(text)["standstill"].value / 60 == pytest.approx(41, abs=1)


def test_beside_mail_for_mailboxes_here_a_single_message_that_left_ends_a_standstill(tmp_path):
    came_in = attempt(40, "example.org", "sent", "2.0.0", "250 2.0.0 Saved", "mx1[private/lmtp]")
    went = attempt(41, "example.net", "sent", "2.0.0", "250 2.0.0 Ok")

    code, hours, _ = judged(tmp_path, (3.5, TO_TWO), (0.1, [*[came_in] * 5, went]))

    assert (code, hours) == (0, 0)


def test_several_domains_of_which_one_took_mail_before(tmp_path):
    before = [left(9, "example.com")]

    code, hours, _ = judged(tmp_path, (30, before), (3.5, TO_TWO), (0.1, [*new(8), cron(8)]))

    assert (code, hours) == (1, 3.5)


@pytest.mark.parametrize(
    "said",
    [
        [*new(*range(9)), *(attempt(n, "dead.example") for n in range(9))],
        [*new(*range(9)), *(attempt(n, f"dead{n % 2}.example") for n in range(9))],
        [*new(*range(9)), *(attempt(n, f"new{n}.example", text=GREYLISTED) for n in range(9))],
        [*new(1, 2), *OLD_TO_TWO[:2]],
    ],
    ids=["one dead domain", "two dead domains", "greylisting", "two messages"],
)
def test_what_is_no_standstill(tmp_path, said):
    assert judged(tmp_path, (7.5, said), (0.1, [cron(8)]))[:2] == (0, 0)


@pytest.mark.parametrize(("domains", "said"), [(2, (1, 3.5)), (1, (0, 0))])
def test_a_relayhost_that_takes_nothing_is_one_whatever_the_domain(tmp_path, domains, said):
    """It is known by the domains whose mail it took before."""
    before = [
        attempt(n, f"d{n}.example", "sent", "2.0.0", "250 2.0.0 Ok", RELAY) for n in range(domains)
    ]
    refused = [*new(11, 12, 13), *(attempt(n, "example.com", relay=RELAY) for n in (11, 12, 13))]

    code, hours, _ = judged(tmp_path, (30, before), (3.5, refused), (0.1, [*new(8), cron(8)]))

    assert (code, hours) == said


def test_many_domains_at_once_are_one(tmp_path):
    said = [*new(*range(4)), *(attempt(n, f"new{n}.example") for n in range(4))]

    assert judged(tmp_path, (7.5, said), (0.1, [cron(8)]))[:2] == (2, 7.5)


@pytest.mark.parametrize("hours", [0.1, 1.5, 7])
def test_a_delivery_since_ends_it(tmp_path, hours):
    said = sorted([(7.5, TO_TWO), (hours, [left(5, "example.com")])], reverse=True)

    assert judged(tmp_path, *said, (0.05, [cron(8)]))[:2] == (0, 0)


def test_old_messages_that_are_tried_again_in_a_quiet_night_are_none(tmp_path):
    before = [left(9, "example.com")]
    backlog = [attempt(n, f"dead{n}.example") for n in range(9)]

    said = (30, before), (7.5, OLD_TO_TWO), (4, backlog), (0.1, [*new(8), cron(8)])

    assert judged(tmp_path, *said)[:2] == (0, 0)


def test_new_messages_that_bounce_or_stay_on_this_machine_are_none(tmp_path):
    before = [left(9, "example.com")]
    bounced = attempt(
        4, "example.com", "bounced", "5.1.1", "host x.example[192.0.2.1] said: 550 no"
    )
    said = (30, before), (7.5, [*OLD_TO_TWO, *new(4, 5, 6), bounced, cron(5), cron(6)])

    assert judged(tmp_path, *said)[:2] == (0, 0)
