"""Messages in the queue, and how long the oldest has waited."""

from __future__ import annotations

import pytest

from check_postfix.common.queue_source import Queue
from check_postfix.mailqueue.listing import Listing, QueuedMessage
from check_postfix.queue import CHECK
from tests.support.builders import options

NOW = 1795536000


AGES = "active_oldest", "deferred_oldest", "hold_oldest", "incoming_oldest", "maildrop_oldest"


def message(queue="active", age=0, size=1000, recipients=("ann@example.net",), reason=""):
    """Return a message that came this many seconds ago; its ID comes with the listing."""
    return QueuedMessage(queue, "", NOW - age, size, False, recipients, reason)


SEE = "see: postfix-log queue"
WHERE = ["read: postqueue", "state: none", SEE]  # in each long output


def judge(*messages, arguments=(), verbosity=0, stuck=0):
    numbered = [m._replace(queue_id=f"4XJ2Vw{i:04}") for i, m in enumerate(messages)]
    queue = Queue(Listing(numbered, NOW), stuck)
    outcome = CHECK.judge(queue, options(CHECK, *arguments), verbosity)
    outcome.lines = [line for line in outcome.lines if line not in WHERE]
    return outcome


def ages(active=0, deferred=0, hold=0, incoming=0, maildrop=0, several=0):
    """Return the perfdata of the ages by queue."""
    seconds = (active, deferred, hold, incoming, maildrop)
    shown = " ".join(f"{label}={n}s;;;0" for label, n in zip(AGES, seconds, strict=True))
    return f" {shown} deferred_age={several}s;172800;;0"


def test_an_empty_queue_is_ok():
    outcome = judge()

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX QUEUE OK - queue is empty"
        " | queue_size=0;500;2000;0 queue_oldest=0s;3600;14400;0 active=0;;;0 deferred=0;;;0"
        " hold=0;;;0 incoming=0;;;0 maildrop=0;;;0 queue_bytes=0B;;;0" + ages()
    )


def test_every_queue_is_counted_and_the_oldest_of_incoming_and_active_told():
    outcome = judge(
        message("active", age=30, size=10),
        message("active", age=20, size=10),
        message("incoming", age=90, size=10),
        message("deferred", age=345600, size=10),
        message("hold", age=345601, size=10),
        message("maildrop", age=80, size=10),
    )

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX QUEUE OK - 6 messages, oldest in incoming and active 1 min 30 s, 2 in active"
        " | queue_size=6;500;2000;0 queue_oldest=90s;3600;14400;0 active=2;;;0 deferred=1;;;0"
        " hold=1;;;0 incoming=1;;;0 maildrop=1;;;0 queue_bytes=60B;;;0"
        + ages(active=30, deferred=345600, hold=345601, incoming=90, maildrop=80)
    )


def test_a_queue_of_more_messages_than_the_critical_range_is_critical():
    outcome = judge(*[message("deferred", size=2**30)] * 3, arguments=["-w", "1", "-c", "2"])

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX QUEUE CRITICAL - 3 messages, none in incoming and active,"
        " all in deferred (oldest 0 s)"
        " | queue_size=3;1;2;0 queue_oldest=0s;3600;14400;0 active=0;;;0 deferred=3;;;0"
        " hold=0;;;0 incoming=0;;;0 maildrop=0;;;0 queue_bytes=3221225472B;;;0" + ages()
    )


def test_a_message_that_waits_too_long_is_a_warning():
    outcome = judge(message("incoming", age=3601))

    assert outcome.exit_code == 1
    assert outcome.line == (
        "POSTFIX QUEUE WARNING - 1 message, oldest in incoming and active 1 h 1 s, all in incoming"
        " | queue_size=1;500;2000;0 queue_oldest=3601s;3600;14400;0 active=0;;;0 deferred=0;;;0"
        " hold=0;;;0 incoming=1;;;0 maildrop=0;;;0 queue_bytes=1000B;;;0" + ages(incoming=3601)
    )


def test_the_age_of_mail_in_active_says_nothing_but_what_is_stuck_there_does():
    tried_again = judge(message("active", age=345600))
    stuck = judge(message("active", age=345600), stuck=14401)

    assert (tried_again.exit_code, stuck.exit_code) == (0, 2)
    assert tried_again.words == (
        "POSTFIX QUEUE OK - 1 message, none stuck in incoming and active, all in active"
    )
    assert stuck.words == (
        "POSTFIX QUEUE CRITICAL - 1 message, oldest in incoming and active 4 h 1 s, all in active"
    )
    assert "queue_oldest=14401s;3600;14400;0" in stuck.line
    assert "active_oldest=345600s;;;0" in stuck.line


def test_mail_that_pickup_does_not_take_is_judged_by_its_age():
    outcome = judge(message("maildrop", age=14401), message("incoming", age=90))

    assert outcome.exit_code == 2
    assert outcome.words == (
        "POSTFIX QUEUE CRITICAL - 2 messages, oldest in maildrop 4 h 1 s, 1 in maildrop"
    )
    asked = judge(message("maildrop", age=14401), arguments=["--queue", "incoming"])
    assert (
        asked.words
        == "POSTFIX QUEUE OK - 1 message, none in incoming, all in maildrop (oldest 4 h 1 s)"
    )


def test_the_age_of_other_queues_is_judged_when_they_are_asked_for():
    old = message("deferred", age=86401)
    arguments = ["--queue", "deferred", "--queue", "hold", "--warning-age", "1d"]

    assert judge(old).exit_code == 0
    outcome = judge(old, message("active", age=900000), arguments=arguments)

    assert outcome.exit_code == 2
    assert outcome.words == (
        "POSTFIX QUEUE CRITICAL - 2 messages, oldest in deferred and hold 1 d 1 s, 1 in deferred"
        " (--critical-age 14400 alerts before --warning-age 86400)"
    )
    assert "queue_oldest=86401s;86400;14400;0" in outcome.line


def test_the_first_line_names_the_queue_with_most_mail_and_its_most_frequent_reason():
    timed_out = "connect to mx{0}.example.net[192.0.2.{0}]:25: Connection timed out"
    outcome = judge(
        *[message("deferred", age=600 + n, reason=timed_out.format(n)) for n in range(3)],
        message("deferred", age=60, reason="mail transport unavailable"),
        message("active", age=5),
    )

    assert outcome.words == (
        "POSTFIX QUEUE OK - 5 messages, none stuck in incoming and active, 4 in deferred"
        " (oldest 10 min 2 s, most often: connect to ...: Connection timed out)"
    )


def deferred(*domains, age):
    return [message("deferred", age=age, recipients=(f"ann@{name}",)) for name in domains]


def test_deferred_mail_for_several_domains_that_waits_for_more_than_two_days_is_a_warning():
    outcome = judge(*deferred("a.test", "b.test", "c.test", "a.test", age=172801))

    assert outcome.exit_code == 1
    assert outcome.words == (
        "POSTFIX QUEUE WARNING - 4 messages, mail for 3 domains deferred for 2 d 1 s,"
        " none in incoming and active, all in deferred (oldest 2 d 1 s)"
    )
    assert "deferred_age=172801s;172800;;0" in outcome.line


def test_misspelt_domains_that_wait_for_five_days_do_not_alarm():
    typos = deferred(*["gmial.example"] * 20, "hotmial.example", age=432000)
    retries = deferred(*[f"d{n}.example" for n in range(100)], age=7200)

    outcome = judge(*typos, *retries)

    assert outcome.exit_code == 0
    assert "deferred_oldest=432000s;;;0" in outcome.line
    assert "deferred_age=7200s;172800;;0" in outcome.line


def test_one_message_for_several_domains_that_waits_does_not_alarm():
    names = ("a@a.test", "b@b.test", "c@c.test")

    assert judge(message("deferred", age=432000, recipients=names)).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        ([], 0),
        (["--warning-deferred-age", "2h"], 1),
        (["--critical-deferred-age", "2h"], 2),
        (["--min-deferred-domains", "4", "--critical-deferred-age", "2h"], 0),
        (["--min-deferred-domains", "1", "--critical-deferred-age", "3d"], 2),
    ],
)
def test_the_age_of_deferred_mail_has_thresholds_of_its_own(arguments, state):
    old = [*deferred("a.test", age=300000), *deferred("b.test", "c.test", age=86000)]

    assert judge(*old, arguments=arguments).exit_code == state


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        (["-w", "2"], 0),
        (["-w", "1"], 1),
        (["-c", "2"], 0),
        (["-c", "1"], 2),
        (["-w", "3:"], 1),
        (["-c", "@2"], 2),
        (["--warning-age", "10m"], 0),
        (["--warning-age", "599"], 1),
        (["--critical-age", "600s"], 0),
        (["--critical-age", "9m"], 2),
        (["--critical-age", "@10m:1h"], 2),
        (["--warning-age", "0.5h:"], 1),
        (["--queue", "hold", "-w", "~:", "--warning-age", "1"], 0),
    ],
)
def test_size_and_age_have_thresholds_of_their_own(arguments, state):
    outcome = judge(message("incoming", age=600), message(age=5), arguments=arguments)

    assert outcome.exit_code == state


def test_a_message_from_the_future_has_no_age():
    assert "queue_oldest=0s;" in judge(message("incoming", age=-500)).line


def test_verbose_says_where_the_mail_is_and_for_whom_and_how_long_it_waits():
    outcome = judge(
        message("active", age=30, recipients=("ann@example.net", "bob@example.org")),
        message("incoming", age=400, recipients=("cy@example.net",)),
        message("deferred", age=90000, recipients=("eve@example.com",)),
        message("deferred", age=9000, recipients=("dan@example.com",)),
        message("hold", age=90),
        verbosity=1,
    )

    assert outcome.lines == [
        "messages by queue:",
        "  2  deferred, oldest 1 d 1 h",
        "  1  active, oldest 30 s",
        "  1  incoming, oldest 6 min 40 s",
        "  1  hold, oldest 1 min 30 s",
        "recipients waiting in incoming and active:",
        "  2  example.net, oldest 6 min 40 s",
        "  1  example.org, oldest 30 s",
        "recipients waiting in deferred and hold:",
        "  2  example.com, oldest 1 d 1 h",
        "  1  example.net, oldest 1 min 30 s",
    ]


def test_verbose_shows_five_domains_of_most_recipients_then_of_the_oldest_mail():
    outcome = judge(
        *[message(age=i, recipients=(f"ann@d{i}.example",)) for i in range(7)],
        message(age=0, recipients=("ann@example.net", "bob@example.net")),
        verbosity=1,
    )

    assert outcome.lines[2:] == [
        "recipients waiting in incoming and active:",
        "  2  example.net, oldest 0 s",
        *(f"  1  d{i}.example, oldest {i} s" for i in (6, 5, 4, 3)),
        "  3  in 3 more",
    ]


def test_verbose_says_why_mail_waits():
    outcome = judge(
        *[message("deferred", reason=f"host a.test[192.0.2.{n}] said: 450 4.2.0 {n} Greylisted"
                  " (in reply to RCPT TO command)") for n in range(4)],
        message("deferred", reason="mail transport unavailable"),
        verbosity=1,
    )  # fmt: skip

    assert outcome.lines[-3:] == [
        "why mail is in deferred:",
        "  4  450 4.2.0 ... Greylisted",
        "  1  mail transport unavailable",
    ]


def test_of_a_listing_that_broke_off_only_too_much_is_proven():
    def broken_off(*arguments):
        listing = Listing([message(age=90)._replace(queue_id=f"{n:05}") for n in range(10)], NOW)
        listing.complete = False
        return CHECK.judge(Queue(listing), options(CHECK, *arguments), 0)

    assert broken_off("-w", "9").words == (
        "POSTFIX QUEUE WARNING - at least 10 messages, none stuck in incoming and active,"
        " all in active"
    )
    # What is less, or in between, is not.
    assert broken_off("-w", "11:", "-c", "@5:10").exit_code == 0
    assert broken_off("-w", "11:20").exit_code == 0
    assert broken_off("-w", "@10:").exit_code == 1
    assert broken_off("-c", "1:9").exit_code == 2


def test_verbose_says_nothing_of_an_empty_queue():
    assert judge(verbosity=1).lines == []


def test_verbose_fits_on_a_telephone_with_a_domain_of_ordinary_length():
    outcome = judge(
        *[message(age=86399, recipients=("ann@mail.example.net",)) for _ in range(12345)],
        verbosity=1,
    )

    assert max(map(len, outcome.lines)) <= 45


def test_twice_verbose_shows_the_age_table_of_the_judged_queues():
    outcome = judge(
        message("active", age=30, recipients=("ann@example.net", "bob@example.org")),
        message("incoming", age=400, recipients=("cy@example.net",)),
        message("deferred", age=9000),
        verbosity=2,
    )

    assert outcome.lines[-5:] == [
        "recipients in incoming and active by age in minutes:",
        "T  5 10 20 40 80 160 320 640 1280 1280+".rjust(80),
        "TOTAL  3  2  1  0  0  0   0   0   0    0     0".rjust(80),
        "example.net  2  1  1  0  0  0   0   0   0    0     0".rjust(80),
        "example.org  1  1  0  0  0  0   0   0   0    0     0".rjust(80),
    ]


def test_verbose_shows_other_queues_first_when_they_are_asked_for():
    outcome = judge(
        message("hold", age=30), message(), arguments=["--queue", "hold"], verbosity=2
    )  # fmt: skip

    assert outcome.lines[3] == "recipients waiting in hold:"
    assert outcome.lines[5] == "recipients waiting in active:"
    assert outcome.lines[7] == "recipients in hold by age in minutes:"
    assert outcome.lines[9].split()[:2] == ["TOTAL", "1"]


def test_verbose_names_what_was_asked_and_where_the_sightings_lie():
    queue = Queue(Listing([], NOW), state="/var/lib/check_postfix/queue.json")

    of_instance = CHECK.judge(queue, options(CHECK, "--config-dir", "/etc/postfix-out"), 1)
    of_container = CHECK.judge(
        queue, options(CHECK, "--postqueue", "docker exec mail postqueue"), 1
    )

    assert of_instance.lines == [
        "read: postqueue -c /etc/postfix-out",
        "state: /var/lib/check_postfix/queue.json",
    ]
    assert of_container.lines[0] == "read: docker exec mail postqueue"


def test_the_last_line_is_the_command_that_shows_what_waits():
    def last_line(*arguments, messages=1):
        listing = Listing([message("deferred")] * messages, NOW)
        return CHECK.judge(Queue(listing), options(CHECK, *arguments), 1).lines[-1]

    assert last_line("-w", "0") == SEE
    elsewhere = ["--config-dir", "/etc/postfix-out", "--postqueue", "docker exec mail postqueue"]
    assert last_line(*elsewhere) == (
        f"{SEE} --config-dir /etc/postfix-out --postqueue 'docker exec mail postqueue'"
    )
    assert not last_line(messages=0).startswith("see: ")


def test_why_mail_waits_is_shortened_in_one_way_only():
    why = (
        "Host or domain name not found. Name service error for name=gone.example.net type=MX:"
        " Host not found, try again"
    )

    outcome = judge(message("deferred", reason=why), verbosity=1)

    shown = "Host or domain name not found. Name service error for name=... type=MX: Host ..."
    assert f"most often: {shown}" in outcome.words
    assert f"  1  {shown}" in outcome.lines
