"""A report counts what the recogniser finds: on every corpus, and however lines are changed."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from check_postfix.command.report.said import REFUSED
from check_postfix.maillog.events.event import LINKS
from check_postfix.maillog.events.recogniser import recognise
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.partial_lines import PartialLines
from tests.support import corpus, effort, material

from .reading import book_of, counters

pytestmark = pytest.mark.usefixtures("utc")
EXAMPLES = effort.examples(10_000)
FAILED = ("deferred", "softbounce", "bounced")
# What a report counts besides the kinds of the recogniser
OWN = {
    "accepted", "bytes_received", "bytes_delivered", "sizeless", "lines_dropped",
    "screen_pass_new", "screen_pass_old", "screen_allowlisted",
}  # fmt: skip
# What the checks ask for and no report
NOT_TOLD = {"sent_to_socket", "turned_away"}


def _expected(lines: list[bytes]) -> tuple[Counter[object], ...]:
    """Return kinds, and why deliveries failed and mail was refused, by the recogniser."""
    kinds: Counter[object] = Counter()
    troubles: Counter[object] = Counter()
    refusals: Counter[object] = Counter()
    for line in lines:
        record = frame.parse(line)
        event = recognise(record) if record else None
        if not record or not event or event.kind in LINKS:
            continue
        if corpus.timestamps().minute(record.stamp, record.zone) is None:
            continue
        times = record.repeats * event.times
        for kind in {event.kind, *event.also} - NOT_TOLD:
            kinds[kind] += times
        if event.kind in FAILED:
            words = event.kind, event.reason, event.reply_code, event.enhanced_code
            troubles[words] += times
        if event.kind in REFUSED:
            refusals[event.kind, event.reason, event.reply_code, event.blocklist] += times
    return kinds, troubles, refusals


def _counted(lines: list[bytes]) -> tuple[Counter[object], ...]:
    book = book_of(lines)
    refusals: Counter[object] = Counter()
    for (kind, _, *words), number in book.rejects.numbers.items():
        refusals[(kind, *words)] += number
    kinds: Counter[object] = Counter()
    for name, number in counters(book).items():
        if name not in OWN | NOT_TOLD:
            kinds[name] = number
    return kinds, Counter(book.troubles.numbers), refusals


def assert_agreement(lines: list[bytes]) -> None:
    if _counted(lines) != _expected(lines):
        for line in lines:
            assert _counted([line]) == _expected([line]), line
        raise AssertionError("the lines agree alone and not together")


def _mutants(lines: list[bytes], examples: int):
    rng = random.Random(material.SEED)
    for _ in range(examples // 100):
        some = [
            part for _ in range(100) for part in material.mutated(rng.choice(lines), lines, rng)
        ]
        # Those that are only a part of one are put together, which no single line shows.
        yield [line for line in some if PartialLines(b"", []).merged(b"\n" + line)]


@pytest.mark.parametrize("end", [b"", b"\r", b"\0", b" ", b"\x85"])
def test_on_the_corpus_with_any_end_of_line(end):
    assert_agreement([line + end for line in material.corpus_lines()])


@pytest.mark.parametrize("start", [b"\0", b" ", b"<22>"])
def test_on_the_corpus_with_any_begin_of_line(start):
    assert_agreement([start + line for line in material.corpus_lines()])


def test_on_the_recorded_logs():
    assert_agreement(material.recorded_lines())


def test_on_other_peoples_logs():
    if not material.shared_lines():
        pytest.skip(f"no corpus of other projects in {material.SHARED}")
    assert_agreement(material.shared_lines())


def test_on_mutations_of_the_corpus():
    for lines in _mutants(material.corpus_lines(), EXAMPLES):
        assert_agreement(lines)


def test_on_mutations_of_the_recorded_logs():
    for lines in _mutants(material.recorded_lines(), EXAMPLES // 4):
        assert_agreement(lines)
