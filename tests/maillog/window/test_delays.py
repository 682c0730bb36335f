"""First deliveries and retries are told apart by queue ID, whatever order lines are read in."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.counts import delays as counted
from check_postfix.maillog.counts import histogram
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.counts.histogram import LATE, WHOLE
from check_postfix.maillog.window.delays import Delays, delays
from tests.support import logbook

NOW = 29_540_000
ORIGIN = 1


def _buckets(*seconds: float) -> tuple[int, ...]:
    return tuple(map(counted.bucket, (sum(seconds), *seconds)))


class Told:
    """Rows as a store gives them: (minute, origin, key) of each family."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[int, int, tuple[str, ...], int]]] = {
            "slow": [],
            "deferred_messages": [],
        }
        self.late: dict[int, int] = {}

    def sent(self, minute: int, queue_id: str, *seconds: float, domain: str = "d.example") -> None:
        """A delivery of 10 s or more, with the times of its stages."""
        buckets = _buckets(*seconds)
        key = queue_id, domain, "mx.example", counted.key_of(buckets)
        self.rows["slow"].append((minute, ORIGIN, key, 1))
        if counted.is_late(buckets):
            histogram.add(self.late, {buckets[WHOLE]: 1})

    def put_off(self, minute: int, queue_id: str, kind: str = "deferred") -> None:
        self.rows["deferred_messages"].append((minute, ORIGIN, (queue_id, kind), 1))

    def delays(self, start: int = NOW - 15, known_since: int = NOW - 10_000) -> Delays:
        def read(family, start, end):
            assert start < end
            return iter([row for row in self.rows[family] if start <= row[0] < end])

        return delays({LATE: self.late}, start, NOW, known_since, read)


def test_mail_that_waited_before_the_queue_and_was_never_put_off_is_a_first_delivery():
    told = Told()
    told.sent(NOW - 5, "A1", 600, 0, 1, 1)

    found = told.delays()

    assert (found.number, found.retried, found.open) == (1, {}, 0)
    assert [slow.domain for slow in found.slow] == ["d.example"]


@pytest.mark.parametrize("kind", ["deferred", "softbounce", "held"])
def test_mail_that_was_put_off_or_held_before_is_no_first_delivery(kind):
    told = Told()
    told.put_off(NOW - 15, "A1", kind)
    told.sent(NOW - 5, "A1", 600, 0, 1, 1)

    found = told.delays()

    assert (found.number, sum(found.retried.values()), found.open) == (0, 1, 0)


def test_mail_that_is_put_off_for_another_recipient_in_the_same_round_is_a_first_delivery():
    told = Told()
    told.put_off(NOW - 6, "A1")
    told.sent(NOW - 5, "A1", 600, 0, 60, 60)

    assert told.delays().number == 1


def test_a_queue_id_that_another_message_had_before_says_nothing():
    told = Told()
    told.put_off(NOW - 60, "A1")
    told.sent(NOW - 5, "A1", 600, 0, 1, 1)

    assert told.delays().number == 1


def test_what_was_put_off_hours_ago_is_found_by_its_last_try():
    told = Told()
    told.put_off(NOW - 1_300, "A1")
    told.put_off(NOW - 70, "A1")
    told.sent(NOW - 5, "A1", 78_000, 0, 1, 1)

    assert sum(told.delays().retried.values()) == 1


@pytest.mark.parametrize(
    ("minute", "known_since", "is_open"),
    [(NOW - 5, NOW - 16, False), (NOW - 5, NOW - 10, True), (NOW - 5, NOW - 5, True)],
)
def test_what_came_in_before_all_is_known_is_left_open(minute, known_since, is_open):
    told = Told()
    told.sent(minute, "A1", 500, 0, 1, 1)

    found = told.delays(known_since=known_since)

    assert (found.number, found.open) == ((0, 1) if is_open else (1, 0))


def test_what_was_put_off_is_a_retry_even_if_lines_are_lost_since_then():
    told = Told()
    told.put_off(NOW - 15, "A1")
    told.sent(NOW - 5, "A1", 600, 0, 1, 1)

    assert sum(told.delays(known_since=NOW - 8).retried.values()) == 1


def test_what_may_be_among_messages_that_are_not_kept_apart_is_left_open():
    told = Told()
    told.rows["deferred_messages"].append((NOW - 10, ORIGIN, (MANY, "deferred"), 9_000))
    told.sent(NOW - 5, "A1", 600, 0, 1, 1)
    told.sent(NOW - 5, "A2", 100, 0, 1, 1)

    found = told.delays()

    assert (found.number, found.open) == (1, 1)


def test_slow_deliveries_that_are_not_kept_apart_are_left_open():
    told = Told()
    told.late = {counted.bucket(700): 12}
    told.rows["slow"].append((NOW - 5, ORIGIN, (MANY,) * 4, 12))

    found = told.delays()

    assert (found.number, found.open) == (0, 12)


def test_mail_older_than_a_day_that_nothing_is_known_of_is_left_open():
    told = Told()
    told.sent(NOW - 5, "A1", 90_000, 0, 1, 1)

    assert told.delays().open == 1


# -- from the lines of a log to the histograms in a state

SECONDS = st.sampled_from([0.0, 0.01, 0.5, 1.2, 3.4, 9.9, 10.0, 12.0, 75.0, 301.0, 2000.0])


def _line(minute: int, number: int, stages: list[float], status: str = "sent") -> str:
    stamp = datetime.fromtimestamp(minute * 60, UTC).isoformat()
    parts = "/".join(f"{one:g}" for one in stages)
    dsn = "2.0.0" if status == "sent" else "4.2.0"
    return (
        f"{stamp} mx1 postfix/smtp[1]: 4F{number:08X}: to=<a@d{number % 5}.example>,"
        f" relay=mx.example[192.0.2.1]:25, delay={sum(stages):g}, delays={parts},"
        f" dsn={dsn}, status={status} (250 ok)\n"
    )


@given(st.lists(st.lists(SECONDS, min_size=4, max_size=4), min_size=1, max_size=60), st.integers())
def test_percentiles_of_a_log_are_within_two_percent_of_the_exact_ones(
    tmp_path_factory, mails, seed
):
    directory = tmp_path_factory.mktemp("log")
    chosen = random.Random(seed)
    first = logbook.FIRST + 3000
    lines, exact = [], []
    for number, stages in enumerate(mails):
        minute = first + 60 + chosen.randrange(100)
        if chosen.random() < 0.3:  # it is put off first, and tried again after a while
            then = minute - 19 - int(sum(stages[1:])) // 60
            lines.append((then, _line(then, number, [0, 0, 1, 1], "deferred")))
            lines.append((minute, _line(minute, number, [1200, *stages[1:]])))
        else:
            lines.append((minute, _line(minute, number, stages)))
            exact.append(stages)
    # So that it is known what was before.
    for minute in range(first - 1440, first + 60, 30):
        lines.append((minute, _line(minute, 10**6 + minute, [0, 0, 0, 0], "deferred")))
    lines.sort(key=lambda pair: pair[0])
    log = directory / "mail.log"
    cut = chosen.randrange(len(lines) + 1)
    log.write_text("".join(line for _, line in lines[:cut]))
    state = str(directory / "state")
    logbook.ingest(state, str(log), first + 200)
    with log.open("a") as more:
        more.write("".join(line for _, line in lines[cut:]))

    found = logbook.delays(state, str(log), first, first + 200)

    assert (found.number, found.open) == (len(exact), 0)
    assert sum(found.retried.values()) == len(mails) - len(exact)
    for place in range(5):
        values = sorted(sum(stages) if place == WHOLE else stages[place - 1] for stages in exact)
        for percent in (50, 95, 99):
            shown = histogram.percentile(found.first.get(place, {}), percent)
            if shown is None:
                assert not values
            else:
                true = values[-(-len(values) * percent // 100) - 1]
                assert abs(shown - true) <= 0.02 * shown
