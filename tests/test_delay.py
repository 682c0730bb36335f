"""How long first deliveries took."""

from __future__ import annotations

import pytest

from check_postfix.delay import CHECK
from check_postfix.maillog.counts import histogram
from check_postfix.maillog.counts.delays import bucket
from check_postfix.maillog.window.delays import Delays, Slow
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata
from tests.support.builders import a_window, options


def first(*several: tuple[int, tuple[float, ...]]) -> Delays:
    """Return delays of (number, seconds of the four stages)."""
    found: dict[int, dict[int, int]] = {}
    slow = []
    for number, stages in several:
        buckets = tuple(map(bucket, (sum(stages), *stages)))
        for place, of_bucket in enumerate(buckets):
            histogram.add(found.setdefault(place, {}), {of_bucket: number})
        if sum(stages) >= histogram.SLOW:
            slow.append(Slow("slow.example", "mx.slow.example", buckets, number))
    return Delays(found, slow)


QUICK = (0.1, 0, 0.5, 0.4)


def judge(*arguments, delays, verbosity=0, **counters):
    window = a_window(delays=delays, **counters)
    return CHECK.judge(window, options(CHECK, *arguments), verbosity)


def test_quick_deliveries_are_ok():
    outcome = judge(delays=first((100, QUICK)), sent=100)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX DELAY OK - 95 % of 100 first deliveries within 1 s in 15 min"
        " | delay_p50=1s;;;0 delay_p95=1s;120;600;0 delay_p99=1s;;;0 delay_before_queue=0.1s;;;0"
        " delay_queue=0s;;;0 delay_connection=0.5s;;;0 delay_transmission=0.4s;;;0"
        " deliveries=100;;;0 retried=0;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(
    ("stages", "where"),
    [
        ((300, 0, 0, 0), "before the queue"),
        ((0, 300, 0, 0), "in the queue"),
        ((0, 0, 300, 0), "for the connection"),
        ((0, 0, 0, 300), "for the transmission"),
    ],
)
def test_an_alarm_names_the_guilty_stage_and_where_it_was_slow(stages, where):
    outcome = judge(delays=first((90, QUICK), (10, stages)), sent=100)

    assert outcome.exit_code == 1
    assert outcome.words == (
        "POSTFIX DELAY WARNING - 95 % of 100 first deliveries within 5 min in 15 min,"
        f" mostly {where} (5 min), all to slow.example"
    )


def test_what_took_less_than_half_of_what_alarms_is_not_where_it_was_slow():
    delays = first((840, QUICK), (60, (0, 0, 0, 300)), (100, (0, 0, 0, 12)))
    slowest, less = delays.slow
    elsewhere = Slow("less.example", "mx.less.example", less.buckets, less.number)

    outcome = judge(delays=Delays(delays.first, [slowest, elsewhere]), sent=1000)

    assert outcome.words.endswith("mostly for the transmission (5 min), all to slow.example")


def test_a_stage_is_judged_alone():
    delays = first((90, QUICK), (10, (0, 1, 1, 300)))

    outcome = judge("--stage", "queue", "-w", "0.5", delays=delays, sent=100)

    assert outcome.exit_code == 1
    assert outcome.values["delay_p95"] == 1
    assert outcome.words.startswith(
        "POSTFIX DELAY WARNING - 95 % of 100 first deliveries within 1 s in the queue in 15 min"
    )


def test_a_few_deliveries_are_shown_and_not_judged():
    outcome = judge(delays=first((19, (0, 0, 0, 3000))), sent=19)

    assert outcome.exit_code == 0
    assert "fewer than 20 first deliveries, not judged" in outcome.line
    assert judge("--min-attempts", "19", delays=first((19, (0, 0, 0, 3000)))).exit_code == 2


def test_without_a_first_delivery_there_is_no_delay():
    outcome = judge(delays=Delays(retried={bucket(7200): 30}), sent=30)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX DELAY OK - no first deliveries in 15 min, 30 retried, 95 % of these within 2 h"
        " | retried_p95=7200s;;;0 deliveries=0;;;0 retried=30;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


def test_what_is_not_known_of_deliveries_is_said():
    delays = first((100, QUICK))
    delays = Delays(delays.first, open=7)

    outcome = judge(delays=delays, sent=110)

    assert outcome.words == (
        "POSTFIX DELAY OK - 95 % of 100 first deliveries within 1 s in 15 min,"
        " 7 more first ones or retries, of 3 more the time is not known"
    )


def test_deliveries_that_were_not_understood_could_be_slow_ones():
    outcome = judge(delays=first((100, QUICK)), sent=100, delivery_unknown=20)

    assert outcome.exit_code == 3
    assert "what was not understood could make it CRITICAL" in outcome.line
    assert judge(delays=first((1000, QUICK)), sent=1000, delivery_unknown=20).exit_code == 0


def test_the_details_show_all_stages_and_whose_deliveries_were_slow():
    delays = first((90, QUICK), (10, (0, 0, 0, 300)))
    delays = Delays(delays.first, delays.slow, {bucket(600): 4})

    outcome = judge(delays=delays, sent=104, verbosity=1)

    assert outcome.lines[:10] == [
        "first deliveries, seconds within which 50, 95 and 99 % were done:",
        "        1     300     300  in all",
        "      0.1     0.1     0.1  before the queue",
        "        0       0       0  in the queue",
        "      0.5     0.5     0.5  for the connection",
        "      0.4     300     300  for the transmission",
        "      600     600     600  retries, since they came",
        "first deliveries of 10 s and more by recipient domain:",
        "  10  slow.example",
        "first deliveries of 10 s and more by relay:",
    ]


# -- whole runs

_ID = iter(range(10**6))


def _sent(*stages: float, id: str = "", domain: str = "example.net", status: str = "sent") -> str:
    parts = "/".join(f"{one:g}" for one in stages)
    reply = "250 2.0.0 Ok" if status == "sent" else "host mx[192.0.2.1] said: 450 4.7.1 greylisted"
    return (
        f"smtp[1]: {id or f'4F{next(_ID):08X}'}: to=<ann@{domain}>, relay=mx.{domain}[192.0.2.1],"
        f" delay={sum(stages):g}, delays={parts}, dsn={'2.0.0' if status == 'sent' else '4.7.1'},"
        f" status={status} ({reply})"
    )


def _run(tmp_path, *parts, arguments=()):
    older = [mail_log.lines([mail_log.REMOVED], minutes_ago=ago) for ago in range(3000, 1450, -60)]
    log = mail_log.write(tmp_path / "mail.log", *older, *parts)
    return outcome_of(CHECK, ["--log", str(log), "--no-state", *arguments])


def test_destinations_that_greylist_give_no_alarm(tmp_path):
    ids = [f"4A{number:08X}" for number in range(60)]
    tried = [_sent(0.1, 0, 1, 1, id=id, status="deferred") for id in ids]
    again = [_sent(660, 0, 1, 1, id=id) for id in ids]

    text, code = _run(
        tmp_path,
        mail_log.lines(tried, minutes_ago=16),
        mail_log.lines([_sent(0.1, 0, 1, 1) for _ in range(40)] + again, minutes_ago=5),
    )

    assert code == 0, text
    labels = perfdata.of(text)
    assert (labels["deliveries"].value, labels["retried"].value) == (40, 60)
    assert labels["delay_p95"].value == pytest.approx(2.1, rel=0.02)
    assert labels["retried_p95"].value == pytest.approx(662, rel=0.02)


def test_recovery_from_an_outage_of_a_day_gives_no_alarm(tmp_path):
    """All mail of a day was put off, hour by hour, and is sent in the window."""
    ids = [f"4B{number:08X}" for number in range(300)]
    tries = [
        mail_log.lines(
            [_sent(86_000 - 60 * ago, 0, 30, 0, id=id, status="deferred") for id in ids],
            minutes_ago=ago,
        )
        for ago in range(1440, 30, -66)
    ]

    text, code = _run(
        tmp_path,
        *tries,
        mail_log.lines([_sent(86_000, 3, 1, 1, id=id) for id in ids], minutes_ago=5),
        mail_log.lines([_sent(0.1, 3, 1, 1) for _ in range(40)], minutes_ago=4),
    )

    assert code == 0, text
    labels = perfdata.of(text)
    assert (labels["deliveries"].value, labels["retried"].value) == (40, 300)


def test_first_deliveries_that_wait_for_room_in_a_full_queue_are_an_alarm(tmp_path):
    text, code = _run(
        tmp_path, mail_log.lines([_sent(700, 3, 1, 1) for _ in range(40)], minutes_ago=4)
    )

    assert code == 2, text
    assert "mostly before the queue (11 min 40 s), all to example.net" in text


def test_names_are_pseudonyms_where_that_is_asked_for(tmp_path):
    slow = mail_log.lines([_sent(0, 0, 1, 700) for _ in range(40)], minutes_ago=4)

    text, _ = _run(tmp_path, slow, arguments=["-v", "--anonymise"])

    assert "example.net" not in text
    assert "all to domain-" in text
