"""What a shape reads opens as it says, and so is among the lines that the scanner looks for.

Only texts that begin with a shape's words are shown to it, and only what opens as it
says is found by the scanner: neither may keep a text from it that it would read.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache

import pytest

from check_postfix.maillog.events.recogniser import (
    DOVECOT,
    POSTFIX,
    Shape,
    candidates,
    delivery,
    is_ours,
)
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.record import UNKNOWN, Record
from tests.support import corpus, effort, material

EXAMPLES = effort.examples(10_000)


def _lines(source: str) -> Iterator[bytes]:
    if source == "the corpus":
        yield from material.corpus_lines()
    elif source == "logs":
        yield from material.recorded_lines()
        yield from material.shared_lines()
    else:
        rng = random.Random(material.SEED)
        lines = material.corpus_lines()
        for _ in range(EXAMPLES):
            yield from material.mutated(rng.choice(lines), lines, rng)


@cache
def _records(source: str) -> list[Record]:
    """Return records of ours, each also as one of a program that nobody knows."""
    parsed = [record for line in _lines(source) if (record := frame.parse(line))]
    ours = [record for record in parsed if is_ours(record)]
    return ours + [record._replace(program=UNKNOWN) for record in ours if record.program]


OPENS = {
    shape: re.compile(shape.id + b"(?:" + b"|".join(shape.openings) + b")").match
    for shape in POSTFIX + DOVECOT
}


def _may_be_whose(shape: Shape, record: Record) -> bool:
    """Tell whether a shape is one of this record's program."""
    shapes = DOVECOT if record.instance == b"dovecot" else POSTFIX
    programs = shape.programs
    return shape in shapes and (
        programs is None or record.program in programs or record.program == UNKNOWN
    )


SOURCES = pytest.mark.parametrize("source", ["the corpus", "logs", "mutations of the corpus"])


@SOURCES
def test_what_a_shape_reads_opens_as_it_says(source):
    for record in _records(source):
        shape = corpus.reader(record)
        assert shape is None or OPENS[shape](record.text), record


@SOURCES
def test_what_opens_as_a_shape_says_is_shown_to_it(source):
    for record in _records(source):
        shapes, start = candidates(record)
        shown = {shape for shape in shapes if record.text.startswith(shape.words, start)}
        for shape, opens in OPENS.items():
            if _may_be_whose(shape, record) and opens(record.text):
                assert shape in shown, record


def test_a_time_that_is_no_number_is_not_read():
    line = (
        b'64D05242001: to=<"a@example.net>, relay=mail.example.net[198.51.100.25]:25, delay=1,'
        b" delays=0/0/04.2.2/1, dsn=2.0.0, status=sent (250 ok)"
    )

    assert delivery.read(line, len(b"64D05242001: ")) is None
