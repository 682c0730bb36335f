"""The annotated corpus: log lines, each with the whole event that it must yield.

Above each line of tests/corpus/*.log stand prose (`# ...`) that says why the line is
here, and one annotation: `#> {...}` with the event, or `#> null`. Fields that have
their default are left out; `also` is a list, `account` text. Time is UTC, and a stamp
without a year is read at NOW.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from check_postfix.maillog.events.event import LINKS, Event, MessageFacts
from check_postfix.maillog.events.recogniser import (
    Shape,
    candidates,
    is_of_daemon,
    is_ours,
    message_facts,
    recognise,
)
from check_postfix.maillog.events.recogniser.loss import tells_of_loss
from check_postfix.maillog.events.scanner import LineTemplate, Scan
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.record import Record
from check_postfix.maillog.syntax.timestamps import Timestamps

DIRECTORY = Path(__file__).parent.parent / "corpus"
NOW = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp()) // 60


class Happening(NamedTuple):
    """What a line tells of: an event, when and where, of which message, how often in all."""

    minute: int
    host: str
    instance: str
    message: MessageFacts | None
    event: Event
    times: int


class Entry(NamedTuple):
    """One line of the corpus and what it must yield."""

    place: str
    line: bytes
    expected: Happening | None


def timestamps() -> Timestamps:
    return Timestamps(UTC, NOW)


def recognised(line: bytes) -> Happening | None:
    """Read a line in the exact way."""
    record = frame.parse(line)
    event = record and recognise(record)
    if not record or not event:
        return None
    minute = timestamps().minute(record.stamp, record.zone)
    if minute is None:
        return None
    times = record.repeats * event.times
    facts = message_facts(record, event)
    return _happening(minute, record.host, record.instance, event, times, facts)


def reader(record: Record) -> Shape | None:
    """Return the shape that reads a record."""
    if not is_ours(record):
        return None
    shapes, start = candidates(record)
    asked = (shape for shape in shapes if record.text.startswith(shape.words, start))
    return next((shape for shape in asked if shape.recognise(record, start)), None)


def scanned(block: bytes, scan: Scan | None = None) -> list[Happening]:
    """Read a block of lines, each with a newline before it, in the fast way.

    scan: has read the blocks before it
    """
    events = (scan or Scan(timestamps())).block(block)
    found = []
    for minute, counted in events.counted.items():
        for template, lines in counted.items():
            if template.message is None:
                found += [_of_template(minute, template)] * lines
    for minute, template, account in events.failed_logins:
        happening = _of_template(minute, template)
        found.append(happening._replace(event=happening.event._replace(account=account)))
    of_messages: Counter[tuple[int, LineTemplate]] = Counter()
    for queue_id, message_lines in events.messages.items():
        for minute, template, size, recipients in message_lines:
            facts = MessageFacts(queue_id, size, recipients)
            found.append(_of_template(minute, template, facts))
            of_messages[minute, template] += template.is_counted
    assert +of_messages == Counter(
        {
            (minute, template): lines
            for minute, counted in events.counted.items()
            for template, lines in counted.items()
            if template.message is not None
        }
    )
    return found


def _of_template(
    minute: int, template: LineTemplate, facts: MessageFacts | None = None
) -> Happening:
    assert template.event is not None
    return _happening(
        minute, template.host, template.instance, template.event, template.times, facts
    )


def sorted_out(line: bytes) -> str:
    """Return to which of Scan's numbers a line adds, read in the exact way."""
    record = frame.parse(line)
    if record is None:
        return "foreign" if frame.is_remark(line) else "unparsed"
    event = recognise(record)
    if event is None:
        return "uncounted" if is_of_daemon(record) else "foreign"
    if timestamps().minute(record.stamp, record.zone) is None:
        return "unparsed"
    return "uncounted" if event.kind in LINKS else "matched"


def sorted_out_fast(block: bytes) -> Counter[str]:
    """Return how many lines of a block add to which of Scan's numbers."""
    scan = Scan(timestamps())
    scan.block(block)
    told = Counter(matched=scan.matched, foreign=scan.foreign, unparsed=scan.unparsed)
    return told + Counter(uncounted=block.count(b"\n") - told.total())


def losses(lines: Iterable[bytes]) -> set[int]:
    """Return the minutes in which rsyslog says that it has dropped lines, read exactly."""
    records = filter(None, map(frame.parse, lines))
    minutes = {
        timestamps().minute(record.stamp, record.zone)
        for record in records
        if tells_of_loss(record)
    }
    return {minute for minute in minutes if minute is not None}


def named(record: Record, event: Event | None) -> str:
    """Name a record's event, for tests of many lines that have nothing else to compare."""
    return f"{event.kind if event else None}: {record.text[:200]!r}"


def _happening(
    minute: int,
    host: bytes,
    instance: bytes,
    event: Event,
    times: int,
    facts: MessageFacts | None,
) -> Happening:
    return Happening(
        minute,
        host.decode(errors="backslashreplace"),
        instance.decode(errors="backslashreplace"),
        facts,
        event,
        times,
    )


def files() -> list[Path]:
    return sorted(DIRECTORY.glob("*.log"))


def entries(paths: Iterable[Path] | None = None) -> Iterator[Entry]:
    """Yield the entries of corpus files; a line without annotation is an error."""
    for path in files() if paths is None else paths:
        annotation: bytes | None = None
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            place = f"{path.name}:{number}"
            if line.startswith(b"#>"):
                assert annotation is None, f"{place}: the annotation above has no line"
                annotation = line[2:]
            elif line and not line.startswith(b"#"):
                assert annotation is not None, f"{place}: the line has no annotation"
                yield Entry(place, line, _expected(json.loads(annotation)))
                annotation = None
        assert annotation is None, f"{path.name}: the last annotation has no line"


def _expected(annotation: dict[str, object] | None) -> Happening | None:
    if annotation is None:
        return None
    fields = dict(annotation)
    minute = datetime.fromisoformat(str(fields.pop("minute")))
    host, instance = str(fields.pop("host")), str(fields.pop("instance"))
    repeats = int(str(fields.pop("repeats", 1)))
    if "also" in fields:
        fields["also"] = tuple(fields["also"])  # type: ignore[arg-type]
    queue_id = fields.pop("queue_id", None)
    numbers = int(str(fields.pop("size", 0))), int(str(fields.pop("recipients", 0)))
    facts = None if queue_id is None else MessageFacts(str(queue_id).encode(), *numbers)
    fields["account"] = str(fields.get("account", "")).encode("utf-8", "surrogateescape")
    event = Event(**fields)  # type: ignore[arg-type]
    times = repeats * event.times
    return Happening(int(minute.timestamp()) // 60, host, instance, facts, event, times)
