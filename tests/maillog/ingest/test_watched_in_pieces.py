"""Messages for a watched address by the quarter-hour: the same however a log is cut and read."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.maillog.counts.families import WATCHED
from check_postfix.maillog.counts.series import of_watched
from check_postfix.maillog.counts.sights import LONGEST_MINUTES
from check_postfix.maillog.ingest import piece
from check_postfix.maillog.store import damage, watched
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place
from tests.support import effort, logbook

LIST, ANN = "list@example.com", "ann@example.com"
HOURS = 60
DAYS = LONGEST_MINUTES


# In minutes; what the queue manager takes up later is retried.
LONGEST_FIRST = 3


@st.composite
def messages(
    draw: st.DrawFn, number: int
) -> tuple[list[tuple[int, str]], Counter[tuple[str, int]]]:
    """Draw the lines of a message, each with its minute; and address and minute of its sights."""
    queue_id = f"64D0524{number:04}"
    taken_up = f"qmgr[1]: {queue_id}: from=<a@b.example>, size=300, nrcpt=9 (queue active)"
    first = draw(st.integers(0, 5 * DAYS // 15)) * 15 + draw(st.integers(0, 14))
    lines = [(first, f"smtpd[1]: {queue_id}: client=c.example[192.0.2.7]"), (first, taken_up)]
    counts: Counter[tuple[str, int]] = Counter()
    last: dict[str, int] = {}
    minute = since = first
    tried_for = st.sampled_from(["x@y.example", ANN, "m@y.example>, orig_to=<" + LIST])
    for to in draw(st.lists(tried_for, min_size=1, max_size=6)):
        minute += draw(st.sampled_from([0, 0, 1, 13, 70, 20 * HOURS]))
        if draw(st.integers(0, 3)) == 0:
            since = minute
            lines.append((minute, taken_up))
        status = draw(st.sampled_from(["sent", "deferred"]))
        lines.append(
            (
                minute,
                f"smtp[1]: {queue_id}: to=<{to}>, relay=none, delay={(minute - first) * 60},"
                f" delays={(since - first) * 60}/0/0/1, dsn=4.4.1, status={status} (so it is)",
            )
        )
        for address in (LIST, ANN):
            if address in to and since - first <= LONGEST_FIRST:
                if minute - last.get(address, -2 * DAYS) > LONGEST_MINUTES:
                    counts[address, logbook.FIRST + minute] += 1
                last[address] = minute
    return [*lines, (minute, f"qmgr[1]: {queue_id}: removed")], counts


@settings(max_examples=effort.examples(40), deadline=None)
@given(st.data())
def test_each_message_counts_once_however_the_log_is_cut_and_read(data: st.DataObject) -> None:
    said: list[tuple[int, int, str]] = []
    expected: Counter[tuple[str, int]] = Counter()
    for number in range(data.draw(st.integers(1, 6))):
        lines, counts = data.draw(messages(number))
        expected.update(counts)
        said += [(minute, at, text) for at, (minute, text) in enumerate(lines)]
    said.sort(key=lambda one: one[0])
    stamped = [
        f"{logbook.stamp(logbook.FIRST + minute)} mx1 postfix/{text}\n".encode()
        for minute, _, text in said
    ]
    now = said[-1][0]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stamped)), min_size=2, max_size=4)))
    older, old, *runs = [
        b"".join(stamped[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(stamped)], strict=True)
    ]
    with (
        tempfile.TemporaryDirectory() as directory,
        mock.patch.object(piece, "PIECE_BYTES", data.draw(st.sampled_from([300, 900, 1 << 20]))),
    ):
        place = Place(directory)
        with Store(place.store, 5) as store:
            watched.watch(store, [LIST, ANN], logbook.FIRST)
        for ending, content in ((".2", older), (".1", old)):
            if content:
                place.write_bytes(content, ending)
        Path(place.log).touch()
        if older and data.draw(st.booleans()):
            place.compress(".2", ".gz")
        for content in runs:
            place.write_bytes(content)
            place.run(at=now)
        place.run(at=now)
        with Store(place.store, 5) as store:
            found = read(store, place.log, expected)
            damage.read_everything(store)
        assert not os.path.exists(place.store + "-journal")

    by_quarter: Counter[tuple[str, int]] = Counter()
    for (address, minute), number in expected.items():
        by_quarter[address, minute // 15] += number
    oldest_keys = logbook.FIRST + now - 2 * DAYS
    by_minute = {at: number for at, number in expected.items() if at[1] >= oldest_keys}
    assert found == (by_quarter, by_minute)


def read(
    store: Store, path: str, expected: Counter[tuple[str, int]]
) -> tuple[Counter[tuple[str, int]], dict[tuple[str, int], int]]:
    """Return (address, quarter-hour) -> number, and (address, minute) -> number of some minutes."""
    log = store.logs.of(path)
    assert log is not None
    origins = [number for number, *_ in store.origins.of(log)]
    first = logbook.FIRST // 15
    of_quarters: Counter[tuple[str, int]] = Counter()
    of_minutes: dict[tuple[str, int], int] = {}
    for address in (LIST, ANN):
        numbers = store.answers.quarters(of_watched(address), first, first + 20 * 96, origins)
        of_quarters.update({(address, at): number for at, number in numbers.items()})
    for minute in {minute for _, minute in expected}:
        for (address,), number in store.answers.keys(WATCHED, minute, minute + 1, origins):
            of_minutes[address, minute] = number
    return +of_quarters, {at: number for at, number in of_minutes.items() if number}
