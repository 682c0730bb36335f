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

from check_postfix.maillog.counts import network
from check_postfix.maillog.counts.counts import tally
from check_postfix.maillog.counts.families import LONGEST
from check_postfix.maillog.counts.whom import clients, deliveries
from check_postfix.maillog.events import sender
from check_postfix.maillog.events.event import LINKS, TRIES, Event, MessageFacts
from check_postfix.maillog.events.fields import verified
from check_postfix.maillog.events.line_template import DELIVERY, HANDED_IN, LOGIN, LineTemplate
from check_postfix.maillog.events.recogniser import (
    Shape,
    candidates,
    is_of_daemon,
    is_ours,
    message_facts,
    recognise,
)
from check_postfix.maillog.events.recogniser.loss import lost
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.record import Record
from check_postfix.maillog.syntax.timestamps import Timestamps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.events.line_template import Whom

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
    of_messages: Counter[tuple[int, LineTemplate]] = Counter()
    for minute, counted in events.counted.items():
        for template, all_named in counted.items():
            if template.message is None:
                found += [_of_line(minute, template, whom) for whom in all_named]
            else:
                of_messages[minute, template] = len(all_named)
    named = {
        (minute, template): iter(all_named)
        for minute, counted in events.counted.items()
        for template, all_named in counted.items()
    }
    for template, queue_id, minute, size, recipients, times, of, by, other_id in events.messages:
        whom = next(named[minute, template]) if template.is_counted else b""
        assert whom == of or of == template.named
        facts = MessageFacts(queue_id, size, recipients, times, by, other_id)
        found.append(_of_line(minute, template, whom, facts))
        of_messages[minute, template] -= template.is_counted
    assert not any(of_messages.values())
    return found


def _of_line(
    minute: int, template: LineTemplate, whom: Whom, facts: MessageFacts | None = None
) -> Happening:
    event = template.event
    assert event is not None
    if template.names == DELIVERY:
        place, recipient, orig_to = whom
        domain, _, relay = place.decode("utf-8", "replace").lower().partition(">, relay=")
        event = event._replace(domain=domain.removeprefix("@"), relay=relay)
        cut = [getattr(event, name)[:LONGEST] for name in DELIVERY]
        assert deliveries([place]) == {place: "\t".join(cut)}
        if event.kind in TRIES:
            event = event._replace(
                recipient=recipient.removesuffix(b">"), orig_to=orig_to.removesuffix(b">")
            )
        if facts is not None:
            event = event._replace(other_id=facts.other_id)
    elif template.names == HANDED_IN:
        client, account = whom
        address = client.rpartition(b"[")[2].decode().lower()
        event = event._replace(client=address, account=account)
        if facts is not None:
            event = event._replace(other_id=facts.other_id)
    elif template.names:
        client, account = whom if template.names == LOGIN else (whom, b"")
        name, _, address = client.rpartition(b"[")
        event = event._replace(client=address.decode().lower())
        if tally(event)[1] or event.kind == "auth_succeeded":  # else no more is known, nor counted
            event = event._replace(client_name=verified(name), account=account.removesuffix(b"\r"))
        cut = [network.of(event.client[:LONGEST]), verified(name)[:LONGEST]]
        assert clients([client]) == {client: "\t".join(cut)}
    return _happening(minute, *template.written_by, event, template.times, facts)


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


def losses(lines: Iterable[bytes]) -> dict[int, int]:
    """Return in which minutes rsyslog says that it has dropped how many lines, read exactly."""
    found: dict[int, int] = {}
    for record in filter(None, map(frame.parse, lines)):
        minute = timestamps().minute(record.stamp, record.zone)
        number = lost(record)
        if number is not None and minute is not None:
            found[minute] = found.get(minute, 0) + number
    return found


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
    times = str(fields.pop("delays", "")).encode()
    for name in ("account", "other_id", "recipient", "orig_to"):
        fields[name] = str(fields.get(name, "")).encode("utf-8", "surrogateescape")
    event = Event(**fields)  # type: ignore[arg-type]
    facts = None
    if queue_id is not None:
        by = sender.of(event) if event.kind == "received" else ""
        facts = MessageFacts(str(queue_id).encode(), *numbers, times, by, event.other_id)
    often = repeats * event.times
    return Happening(int(minute.timestamp()) // 60, host, instance, facts, event, often)
