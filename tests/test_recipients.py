"""For whom far more mail comes than usual."""

from __future__ import annotations

import re

import pytest

from check_postfix import auth, recipients
from check_postfix.common.log_remarks import local_time
from check_postfix.plugin import UsageError
from check_postfix.recipients import CHECK
from tests.support import mail_log, perfdata
from tests.support.builders import NOON, a_window, options
from tests.test_privacy import everything_in, run


def judge(*arguments, verbosity=0, rows=(), usual=None, watched=(), usual_of=None, since=0):
    keys = {"by_recipient recipient": list(rows), "watched address": list(watched)}
    window = a_window(keys=keys, usual=usual, usual_of=usual_of, since=since)
    return CHECK.judge(window, options(CHECK, *arguments), verbosity)


def words(outcome):
    return outcome.line.partition(" | ")[0]


FLOODED = [("a1", 900), ("b2", 3)]


def test_without_a_threshold_the_busiest_is_shown_and_not_judged():
    outcome = judge(rows=FLOODED, usual=100)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX RECIPIENTS OK - 2 recipients, busiest recipient-a1: 900 messages in 15 min,"
        " 9 x usual 100, usual up to 239 (28 days)"
        " | recipient_worst_factor=9;;;0 recipients=2;;;0"
        " recipient_worst_messages=900;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_far_more_than_usual_is_an_alarm_if_asked_for():
    assert judge("-w", "3", "-c", "8", rows=FLOODED, usual=100).exit_code == 2
    assert judge("-w", "3", "-c", "10", rows=FLOODED, usual=100).exit_code == 1
    assert judge("-w", "3", "-c", "10", rows=FLOODED, usual=800).exit_code == 0
    assert judge("--critical-messages", "899", rows=FLOODED).exit_code == 2


def test_few_messages_are_never_too_many():
    outcome = judge("-w", "3", rows=[("a1", 99)], usual=0)

    assert outcome.exit_code == 0
    assert "recipient_worst_factor=1;" in outcome.line
    assert judge("-w", "3", "--min-messages", "20", rows=[("a1", 99)], usual=0).exit_code == 1


def test_an_alarm_names_nobody_but_the_busiest():
    outcome = judge("-w", "3", rows=FLOODED, usual=100)

    assert words(outcome) == (
        "POSTFIX RECIPIENTS WARNING - recipient-a1: 900 messages in 15 min, 9 x usual 100,"
        " usual up to 239 (28 days)"
    )


def test_with_few_days_known_nothing_is_compared_and_that_is_said():
    outcome = judge("-w", "3", rows=FLOODED)

    assert outcome.exit_code == 0
    assert words(outcome).endswith("900 messages in 15 min, usual not known yet (3 of 7 days)")
    assert "recipient_worst_factor" not in outcome.line


def test_nobody_at_all_is_no_alarm():
    assert words(judge("-w", "3", usual=100)) == (
        "POSTFIX RECIPIENTS OK - 0 messages in 15 min, usual 100 to 239 (28 days)"
    )


def test_of_too_many_recipients_the_least_and_the_greatest_number_are_told():
    assert "- at least 2 recipients, at most 72, busiest" in judge(rows=[*FLOODED, ("", 70)]).line


def test_a_recipient_that_is_asked_for_is_held_against_its_own_usual():
    asked = "--address", "A1", "-w", "3"
    judged = {"watched": [("a1", 900), ("b2", 3)], "rows": FLOODED}

    assert words(judge(*asked, **judged, usual=900, usual_of={"a1": 100})) == (
        "POSTFIX RECIPIENTS WARNING - a1: 900 messages in 15 min, 9 x usual 100,"
        " usual up to 239 (28 days)"
    )
    assert words(judge(*asked, **judged, usual=100, usual_of={"a1": 850})) == (
        "POSTFIX RECIPIENTS OK - a1: 900 messages in 15 min, usual 850 to 1058 (28 days)"
    )
    assert words(judge("--address", "nobody", rows=FLOODED)) == (
        "POSTFIX RECIPIENTS OK - nobody: 0 messages in 15 min, usual not known yet (3 of 7 days)"
    )


def test_an_address_of_which_few_days_are_known_is_shown_and_not_judged_and_that_is_said():
    asked = "--address", "a1", "-w", "3"
    outcome = judge(*asked, watched=[("a1", 900)], usual=1, since=NOON - 3 * 1440)

    assert outcome.exit_code == 0
    assert words(outcome) == (
        "POSTFIX RECIPIENTS OK - a1: 900 messages in 15 min, usual not known yet (3 of 7 days)"
        f" (watched since {local_time(NOON - 3 * 1440)})"
    )
    assert "recipient_worst_factor" not in outcome.line
    known = judge(*asked, watched=[("a1", 9)], usual_of={"a1": 9}, since=NOON - 8 * 1440)
    assert "watched since" not in known.line


def test_a_few_messages_for_an_address_are_never_too_many():
    judged = {"watched": [("a1", 99)], "usual_of": {"a1": 0}}

    assert judge("--address", "a1", "-w", "3", **judged).exit_code == 0
    few = judge("--address", "a1", "-w", "3", "--min-messages", "20", **judged)
    assert few.exit_code == 1


def test_of_several_addresses_the_line_is_about_the_one_that_the_alarm_is_about():
    asked = "--address", "big@x", "--address", "small@x", "-w", "3"
    judged = {
        "watched": [("big@x", 900), ("small@x", 400)],
        "usual_of": {"big@x": 850, "small@x": 10},
    }
    by_usual = judge(*asked, **judged)
    by_number = judge("--critical-messages", "500", *asked[:4], **judged)

    assert "WARNING - small@x: 400 messages in 15 min, 9.6 x usual" in by_usual.line
    assert "CRITICAL - big@x: 900 messages in 15 min, usual" in by_number.line
    assert "recipient_worst_messages=900;" in by_usual.line


def test_of_several_addresses_those_that_are_not_judged_yet_are_named_if_they_are_the_busiest():
    asked = "--address", "new@x", "--address", "small@x", "-w", "3"
    judged = {"watched": [("new@x", 900), ("small@x", 4)], "usual_of": {"small@x": 10}}

    assert "OK - new@x: 900 messages" in judge(*asked, **judged).line
    assert "OK - small@x: 4 messages" in judge(*asked, watched=[("small@x", 4)]).line
    assert "OK - new@x: 0 messages" in judge(*asked).line


def test_where_an_address_was_not_watched_in_all_of_the_window_what_is_known_of_it_counts():
    asked = "--address", "a1"

    assert "a1: 900 messages" in judge(*asked, rows=FLOODED, since=NOON - 5).line
    assert "a1: 0 messages" in judge(*asked, rows=FLOODED, since=NOON - 15).line


def test_with_v_the_last_day_of_an_address_is_drawn():
    drawn = judge("--address", "a1", verbosity=1, watched=[("a1", 9)], usual_of={"a1": 9}).lines

    assert drawn[0].startswith("last 24 h: ")


def delivery(queue_id: str, to: str, status: str = "sent", age: str = "0.1") -> str:
    dsn = {"sent": "2.0.0", "deferred": "4.2.2", "bounced": "5.1.1"}[status]
    return (
        f"smtp[2211]: {queue_id}: to=<{to}>, relay=mail.example.net[192.0.2.25]:25, delay={age},"
        f" delays={age}/0.01/1.2/0.83, dsn={dsn}, status={status} (so it is)"
    )


def test_each_message_counts_once_for_each_recipient(tmp_path):
    """Neither a retry nor the other recipients of a message make it more."""
    said = []
    for number in range(5):
        queue_id = f"4F00000000{number}"
        said += [
            delivery(queue_id, "List@example.com", "deferred"),
            delivery(queue_id, "member@example.com"),
            delivery(queue_id, "list@EXAMPLE.com", "deferred", "314"),
            delivery(queue_id, "list@example.com", "sent", "1214"),
        ]
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(said))
    state = tmp_path / "state"

    outcome = run(recipients.CHECK, log, state, "--address", "list@example.com")
    nobody_asked_for = tmp_path / "other-state"
    everybody = run(recipients.CHECK, log, nobody_asked_for, "-v")

    assert "list@example.com: 5 messages in 15 min" in outcome
    assert perfdata.of(everybody)["recipients"].value == 2
    assert len(set(re.findall("recipient-[0-9a-f]{10}", everybody))) == 2
    assert b"member" not in everything_in(state)
    assert b"list@" not in everything_in(nobody_asked_for).lower()


def test_what_the_busiest_usually_gets_is_learned_from_the_log(tmp_path):
    said = [delivery(f"4F00000000{number}", "list@example.com") for number in range(4)]
    days = [mail_log.lines(said, minutes_ago=day * 24 * 60 + 5) for day in range(9, 0, -1)]
    flood = [delivery(f"4F0000000{number}", "ann@example.com") for number in range(10, 90)]
    log = mail_log.write(tmp_path / "mail.log", *days, mail_log.lines(flood))
    asked = "-w", "2", "--min-messages", "20"

    at_once = run(recipients.CHECK, log, tmp_path / "state", *asked)
    later = run(recipients.CHECK, log, tmp_path / "state", *asked)

    assert later == at_once
    assert at_once.startswith("POSTFIX RECIPIENTS WARNING - recipient-")
    assert ": 80 messages in 15 min, 7 x usual 11, usual up to 34 (" in at_once


# -- addresses that are asked for by name


def handed_in(queue_id: str, client: str, account: str = "") -> str:
    login = f", sasl_method=PLAIN, sasl_username={account}" if account else ""
    return f"smtpd[2300]: {queue_id}: client=unknown[{client}]{login}"


def taken_up(queue_id: str) -> str:
    return f"qmgr[12]: {queue_id}: from=<x@example.org>, size=800, nrcpt=2 (queue active)"


def expanded(queue_id: str, client: str, account: str = "") -> list[str]:
    """Return the lines of a message for a list of two."""
    return [
        handed_in(queue_id, client, account),
        taken_up(queue_id),
        *[
            delivery(queue_id, f"{member}@example.com>, orig_to=<List@example.com")
            for member in ("ann", "bob")
        ],
        f"qmgr[12]: {queue_id}: removed",
    ]


def test_a_list_that_is_asked_for_has_each_message_once_however_many_it_is_for(tmp_path):
    clients = ["203.0.113.7", "203.0.113.8", "2001:db8::1", "198.51.100.2"]
    said = expanded("4F000000010", "198.51.100.3", "eve@example.com")
    for number, client in enumerate(clients):
        said += expanded(f"4F00000000{number}", client)
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(said))

    outcome = run(recipients.CHECK, log, tmp_path / "state", "--address", "list@example.com")

    assert ": list@example.com: 5 messages in 15 min" in outcome.replace(" OK - ", ": ")
    assert ", from 4 clients" in outcome  # three networks, and an account
    assert perfdata.of(outcome)["recipient_worst_messages"].value == 5
    assert perfdata.of(outcome)["recipient_worst_clients"].value == 4


def test_too_many_clients_are_an_alarm_if_asked_for(tmp_path):
    log = mail_log.write(
        tmp_path / "mail.log", mail_log.lines(expanded("4F000000010", "203.0.113.7"))
    )
    asked = "--address", "list@example.com", "--critical-clients", "0"

    assert "RECIPIENTS CRITICAL - list@example.com" in run(
        recipients.CHECK, log, tmp_path / "state", *asked
    )


def test_what_one_check_asks_for_by_name_all_look_for(tmp_path):
    """Whoever reads the new lines, the address is counted."""
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([mail_log.SENT]))
    state = tmp_path / "state"
    asked = "--address", "list@example.com"
    run(recipients.CHECK, log, state, *asked)
    with log.open("a") as live:
        live.write(mail_log.lines(expanded("4F000000010", "203.0.113.7"), minutes_ago=1))
    run(auth.CHECK, log, state)

    outcome = run(recipients.CHECK, log, state, *asked)

    assert "list@example.com: 1 message in 15 min" in outcome
    assert "from 1 client" in outcome


def test_an_address_that_is_asked_for_later_says_since_when(tmp_path):
    log = mail_log.write(
        tmp_path / "mail.log", mail_log.lines([delivery("4F000000010", "list@example.com")])
    )
    state = tmp_path / "state"
    asked = "--address", "list@example.com"
    run(auth.CHECK, log, state)

    outcome = run(recipients.CHECK, log, state, *asked)

    assert "list@example.com: 1 message in 15 min" in outcome
    assert "(watched since " in outcome
    assert "watched since" not in run(recipients.CHECK, log, tmp_path / "other-state", *asked)


def test_the_client_is_known_wherever_the_log_is_cut(tmp_path):
    """A message whose lines are read in several runs came from where it came from."""
    lines = mail_log.lines(expanded("4F000000010", "203.0.113.7")).splitlines(keepends=True)
    asked = "--address", "list@example.com"
    for cut in range(1, len(lines)):
        place = tmp_path / str(cut)
        place.mkdir()
        log = mail_log.write(place / "mail.log", "".join(lines[:cut]))
        run(recipients.CHECK, log, place / "state", *asked)
        with log.open("a") as live:
            live.write("".join(lines[cut:]))

        outcome = run(recipients.CHECK, log, place / "state", *asked)

        assert "list@example.com: 1 message in 15 min" in outcome, cut
        assert perfdata.of(outcome)["recipient_worst_clients"].value == 1, cut


def days_of_a_list(number: int, usual: int) -> list[str]:
    """Return what so many days have of a list that gets so many messages at this time of the day.

    Ann gets ten times as many.
    """
    parts = []
    for day in range(number, 0, -1):
        said = []
        for at in range(usual):
            said += expanded(f"4F{day:03}{at:06}", "203.0.113.7")
        said += [delivery(f"4A{day:03}{at:06}", "ann@example.net") for at in range(10 * usual)]
        parts.append(mail_log.lines(said, minutes_ago=day * 24 * 60 + 5))
    return parts


def flood(number: int) -> str:
    said = [line for at in range(number) for line in expanded(f"4E{at:09}", "203.0.113.7")]
    return mail_log.lines(said)


ASKED = "--address", "list@example.com", "-w", "3", "--min-messages", "20"


def test_an_address_that_is_asked_for_from_the_start_has_its_usual_from_archives_at_once(tmp_path):
    """Its own usual: what the busiest recipient got is no matter."""
    *days, last = days_of_a_list(9, 4)
    mail_log.write(tmp_path / "mail.log.1", *days[:5])
    log = mail_log.write(tmp_path / "mail.log", *days[5:], last, flood(100))

    at_once = run(recipients.CHECK, log, tmp_path / "state", *ASKED)
    later = run(recipients.CHECK, log, tmp_path / "state", *ASKED)

    assert later == at_once
    assert "WARNING - list@example.com: 100 messages in 15 min, 8.7 x usual 11, usual up" in at_once
    assert perfdata.of(at_once)["recipient_worst_factor"].value == 8.71
    assert "watched since" not in at_once
    assert b"4F00" not in everything_in(tmp_path / "state")  # nor is any queue ID kept


def test_one_that_is_asked_for_when_the_log_was_read_already_has_no_days_yet(tmp_path):
    log = mail_log.write(tmp_path / "mail.log", *days_of_a_list(9, 4), flood(100))
    run(auth.CHECK, log, tmp_path / "state")

    outcome = run(recipients.CHECK, log, tmp_path / "state", *ASKED)

    assert outcome.startswith("POSTFIX RECIPIENTS OK - list@example.com: 0 messages in 15 min")
    assert "usual not known yet (0 of 7 days) (watched since " in outcome
    with log.open("a") as live:
        live.write(mail_log.lines(expanded("4D000000010", "203.0.113.7"), minutes_ago=0))
    outcome = run(recipients.CHECK, log, tmp_path / "state", *ASKED)
    assert "OK - list@example.com: 1 message in 15 min" in outcome


def test_a_message_that_several_runs_read_counts_once(tmp_path):
    """Where it is long on its way, and where it is tried again soon."""
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([mail_log.SENT], minutes_ago=150))
    queue_id = "4F000000010"
    begun, taken_up_, first, second, removed = expanded(queue_id, "203.0.113.7")
    for minutes_ago, said in (
        (110, [begun, taken_up_, first]),
        (109, [taken_up_, first.replace("status=sent", "status=deferred")]),
        (30, [second]),
        (5, [second, removed]),
    ):
        with log.open("a") as live:
            live.write(mail_log.lines(said, minutes_ago=minutes_ago))
        outcome = run(recipients.CHECK, log, tmp_path / "state", *ASKED[:2], "--window", "2h")
        assert "list@example.com: 1 message in 2 h" in outcome

    assert "list@example.com: 0 messages in 15 min" in run(
        recipients.CHECK, log, tmp_path / "state", *ASKED[:2]
    )


def refused(to: str, said: str = "554 5.7.1 <x>: Relay access denied", helo: str = "h") -> str:
    return (
        f"smtpd[2300]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: {said};"
        f" from=<a@example.org> to=<{to}> proto=ESMTP helo=<{helo}>"
    )


def test_rejects_for_an_address_that_is_asked_for_are_told_and_alarm_if_asked_to(tmp_path):
    postscreen = (
        "postscreen[23]: NOQUEUE: reject: RCPT from [203.0.113.9]:38134: 550 5.7.1 Service"
        " unavailable; client [203.0.113.9] blocked using bl.example.net; from=<a@example.org>,"
        " to=<list@example.com>, proto=ESMTP, helo=<h>"
    )
    said = [
        *expanded("4F000000010", "203.0.113.7"),
        *[refused("List@example.com")] * 3,
        postscreen,
        refused("other@example.com"),
    ]
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(said))
    asked = "--address", "list@example.com", "--warning-rejects", "3"

    outcome = run(recipients.CHECK, log, tmp_path / "state", *asked)

    assert "RECIPIENTS WARNING - list@example.com: 1 message in 15 min" in outcome
    assert ", from 1 client, 4 rejects" in outcome
    assert perfdata.of(outcome)["recipient_worst_rejects"].value == 4


def test_where_all_is_rejected_the_address_is_named_with_it(tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([refused("list@example.com")] * 2))
    asked = "--address", "ann@example.com", "--address", "list@example.com"

    outcome = run(recipients.CHECK, log, tmp_path / "state", *asked)

    assert "list@example.com: 0 messages in 15 min" in outcome
    assert ", 2 rejects" in outcome


@pytest.mark.parametrize(
    "line",
    [
        refused(
            "eve@example.net", "554 5.7.1 <x>: no; from=<a@b> to=<list@example.com> proto=SMTP"
        ),
        refused('">: x; from=<a@b> to=<list@example.com'),
        refused("list@example.com").removesuffix(" helo=<h>").removesuffix("ESMTP"),
        refused("eve@example.net", helo="a> to=<list@example.com> proto=SMTP helo=<b"),
        "cleanup[1]: 4F000000010: message-id=<>: x; from=<a> to=<list@example.com> proto=SMTP",
        refused("list@example.com").replace(": reject: ", ": reject_warning: "),
    ],
)
def test_no_strangers_text_is_taken_for_a_reject_of_an_address(tmp_path, line):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([line]))

    outcome = run(recipients.CHECK, log, tmp_path / "state", "--address", "list@example.com")

    assert perfdata.of(outcome)["recipient_worst_rejects"].value == 0


@pytest.mark.parametrize(
    "written", ["@", "@example.net", "ann@", "*@example.net", "<ann@x.example>"]
)
def test_what_is_no_address_is_refused_since_nothing_would_ever_be_found(written):
    with pytest.raises(UsageError) as caught:
        options(CHECK, "--address", written)

    assert str(caught.value) == (
        f"--address {written}: not an address by itself; use for example list@example.com"
    )


@pytest.mark.parametrize("written", ["Root", "ann@example.net", '"odd name"@example.net'])
def test_an_address_is_taken_as_it_is_looked_for(written):
    assert options(CHECK, "--address", written).address == [written.lower()]
