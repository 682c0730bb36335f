"""Each line of the project's corpus yields its whole event and nothing else, in both ways."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from check_postfix.maillog.events.event import KINDS, LINKS
from check_postfix.maillog.events.recogniser import DOVECOT, POSTFIX, Shape, recognise
from check_postfix.maillog.syntax import frame
from tests.support import corpus

PROMISES = Path(__file__).parents[2] / "README.md"
ENTRIES = list(corpus.entries())
# A test of its own for each line would take longer to be collected than to be run.
BY_FILE = {
    name: list(entries)
    for name, entries in groupby(ENTRIES, lambda entry: entry.place.partition(":")[0])
}
TOLD_ONE_BY_ONE = [path for path in corpus.files() if path.name.startswith("hostile_")
                   and path.name != "hostile_fields.log"]  # fmt: skip
SHAPES = [pytest.param(shape, id=shape.id.decode() + shape.openings[0].decode()[:40])
          for shape in POSTFIX + DOVECOT]  # fmt: skip


@pytest.mark.parametrize("name", BY_FILE)
def test_each_line_yields_its_event_to_the_recogniser(name):
    yielded = {entry.place: corpus.recognised(entry.line) for entry in BY_FILE[name]}

    assert yielded == {entry.place: entry.expected for entry in BY_FILE[name]}


@pytest.mark.parametrize("name", BY_FILE)
def test_each_line_yields_its_event_to_the_scanner(name):
    yielded = {entry.place: corpus.scanned(b"\n" + entry.line) for entry in BY_FILE[name]}

    assert yielded == {
        entry.place: [entry.expected] if entry.expected else [] for entry in BY_FILE[name]
    }


def test_the_whole_corpus_in_one_block_yields_the_sum_of_its_lines():
    block = b"".join(b"\n" + entry.line for entry in ENTRIES)

    found: Counter[tuple[object, ...]] = Counter()
    for *what, times in corpus.scanned(block):
        found[tuple(what)] += times
    expected: Counter[tuple[object, ...]] = Counter()
    for entry in ENTRIES:
        if entry.expected:
            *what, times = entry.expected
            expected[tuple(what)] += times
    assert found == expected


# What has no record has no line here: test_unparsed.py.
@pytest.mark.parametrize("kind", [kind for kind in (*KINDS, *LINKS) if kind != "unparsed"])
def test_every_kind_of_event_has_a_line(kind):
    events = [entry.expected.event for entry in ENTRIES if entry.expected]

    assert any(kind == event.kind or kind in event.also for event in events)


def _reader(line: bytes) -> Shape | None:
    record = frame.parse(line)
    return record and corpus.reader(record)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_line_that_it_reads(shape):
    assert any(entry.expected and _reader(entry.line) is shape for entry in ENTRIES)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_near_miss(shape):
    """A line with the shape's opening somewhere in it, of which it makes nothing."""
    anywhere = re.compile(b"|".join(shape.openings))

    assert any(
        anywhere.search(entry.line) and not (entry.expected and _reader(entry.line) is shape)
        for entry in ENTRIES
    )


def test_no_line_of_the_corpus_stands_in_it_twice():
    lines = Counter(entry.line for entry in ENTRIES)

    assert [line for line, times in lines.items() if times > 1] == []


HOSTILE = [entry for entry in ENTRIES if entry.place.startswith("hostile")]


def test_at_least_five_hundred_lines_are_written_by_somebody_who_wants_another_number():
    assert len(HOSTILE) >= 500


def test_the_promises_say_how_many_lines_there_are():
    told = re.search(
        r"([\d,]+) annotated lines say what each must yield\.\s+([\d,]+) of them are written by",
        PROMISES.read_text(),
    )

    assert told
    # Some more may have come since; not fewer.
    for number, there_are in zip(told.groups(), (len(ENTRIES), len(HOSTILE)), strict=True):
        assert int(number.replace(",", "")) <= there_are < 1.1 * int(number.replace(",", ""))


@pytest.mark.parametrize("path", TOLD_ONE_BY_ONE, ids=lambda path: path.name)
def test_above_each_hostile_line_stands_what_it_wants(path):
    """In the two oldest files it stands above each family of lines."""
    lines = path.read_bytes().split(b"\n")
    untold = [
        number
        for number, (above, line) in enumerate(pairwise(lines), 2)
        if line.startswith(b"#>") and (not above.startswith(b"# ") or above.startswith(b"# -- "))
    ]

    assert untold == []


def test_a_corpus_line_without_annotation_is_an_error(tmp_path):
    path = tmp_path / "bare.log"
    path.write_bytes(b"# why\nNov 24 16:40:01 mx1 postfix/smtp[2211]: 64D05240927: removed\n")

    with pytest.raises(AssertionError, match=r"bare\.log:2: the line has no annotation"):
        list(corpus.entries([path]))


def test_nothing_is_made_of_no_record():
    assert recognise(frame.record(b"", b"", b"", b"", b"", b"")) is None
