"""The counts of one piece of a generation: what its lines add to the store."""

from __future__ import annotations

from check_postfix.maillog.counts.counts import MESSAGES, NOBODY, STAMPS_OFF, key, tally
from check_postfix.maillog.counts.messages import Messages, Sums
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.lines import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.events.scanner import LineTemplate, MessageLine, Scan
    from check_postfix.maillog.ingest.daemon_clocks import Off
    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.store.store import Log, Store

    Templates = tuple[LineTemplate, LineTemplate, LineTemplate, LineTemplate]

# Additions that may wait in memory for the store.
_MOST_ADDITIONS = 20_000
# What happens to nearly every message, all at once.
_USUAL_KINDS = ["received", "active", "sent", "removed"]
# So many different runs of four templates are remembered at a time.
_MOST_RUNS = 8_000


class PieceCounts:
    """Counts one piece, block by block; inside a transaction only.

    scan:   reads the blocks
    counts: what to count in; it is empty again after `finish`

    newest:   (host, instance) -> minute of the newest event of a daemon
    messages: what the piece tells of messages
    sums:     what messages came to
    """

    def __init__(self, store: Store, log: Log, scan: Scan, counts: Counts) -> None:
        self._store = store
        self._log = log
        self._scan = scan
        self._counts = counts
        self.newest: dict[tuple[bytes, bytes], int] = {}
        self.sums = Sums()
        self.messages = Messages(self.sums)
        self._origins: dict[tuple[bytes, bytes], int] = {}
        # the templates of a message's lines -> origin, and whether its client had logged in;
        # None if they are not the usual ones
        self._usual: dict[Templates, tuple[int, bool] | None] = {}
        self._lines = self._events = self._of_commands = 0

    def add(self, block: bytes) -> None:
        """Count a block of lines."""
        counts = self._counts
        found = self._scan.block(block)
        self._prepare(found.new_templates)
        events = 0
        newest = self.newest
        for minute, counted in found.counted.items():
            for template, lines in counted.items():
                if template.is_of_daemon:
                    names = template.host, template.instance
                    if minute > newest.get(names, 0):
                        newest[names] = minute
                else:
                    self._of_commands += lines
                times = lines * template.times
                events += times
                counts.add_tally(minute, template.origin, template.tally, times)
        for (minute, event), lines in found.unparsed.items():
            counts.add(minute, self._store.origin(self._log, *NOBODY), event, lines)
        for minute, template, account in found.failed_logins:
            names = template.host, template.instance
            newest[names] = max(minute, newest.get(names, 0))
            events += template.times
            counts.add_tally(minute, template.origin, template.tally, template.times, account)
        for queue_id, message_lines in found.messages.items():
            self._add_message(queue_id, message_lines)
        for minute in found.losses:
            self._store.extend_gap(self._log, minute, minute)
        self.messages.forget_some()
        if len(self._usual) > _MOST_RUNS:
            self._usual.clear()
        self._lines += number(block)
        self._events += events
        if counts.additions > _MOST_ADDITIONS:
            self._hand_over()

    def _prepare(self, templates: Iterable[LineTemplate]) -> None:
        """Look up once what all lines of a template add to."""
        origins = self._origins
        for template in templates:
            assert template.event is not None  # else it is none of these
            names = template.host, template.instance
            origin = origins.get(names)
            if origin is None:
                origin = origins[names] = self._store.origin(self._log, *names)
            template.origin = origin
            template.tally = tally(template.event)

    def _add_message(self, queue_id: bytes, lines: list[MessageLine]) -> None:
        """Take in the lines of one message in a block."""
        messages = self.messages
        if len(lines) == len(_USUAL_KINDS):
            (
                (received, first, _, _), (active, second, size, recipients),
                (sent, third, _, _), (_, last, _, _),
            ) = lines  # fmt: skip
            templates = first, second, third, last
            try:
                usual = self._usual[templates]
            except KeyError:
                usual = self._usual[templates] = _usual(templates)
            if usual is not None:
                origin, logged_in = usual
                if messages.add_usual(
                    (origin, queue_id), received, logged_in, active, size, recipients, sent
                ):
                    return
        for minute, template, size, recipients in lines:
            origin, event, times = template.origin, template.event, template.times
            assert event is not None  # a line of a message tells of one
            messages.add_line(minute, origin, event, times, queue_id, size, recipients)
            if template.kind in MESSAGES:
                self._counts.add_message(minute, origin, template.kind, times, queue_id)

    def add_off(self, daemons: Iterable[Off]) -> None:
        """Count daemons whose stamps are off, once each."""
        for daemon in daemons:
            origin = self._store.origin(self._log, daemon.host, daemon.instance)
            about = key((daemon.name.decode("utf-8", "replace"), str(daemon.minutes)))
            self._counts.add_tally(daemon.minute, origin, ((STAMPS_OFF,), (STAMPS_OFF, about)), 1)

    def finish(self, generation: Generation, written: int = 0) -> None:
        """Hand over what was counted, and add up the generation's lines.

        written: minute in which the last line was written, 0 if that is not known
        """
        scan = self._scan
        minute = max(scan.minute or generation.last or generation.first_minute or 0, written)
        for event, lines in scan.unplaced.items():
            self._counts.add(minute, self._store.origin(self._log, *NOBODY), event, lines)
        self._hand_over()
        of_commands = self._of_commands
        generation.line_counts += LineCounts(
            self._lines,
            self._events,
            scan.matched - of_commands,
            scan.foreign + of_commands,
            scan.unparsed,
        )

    def _hand_over(self) -> None:
        """Let the store have the counts so far."""
        self._counts.add_sums(self.sums)
        self._store.add(self._counts)
        self._counts.clear()


def _usual(templates: Templates) -> tuple[int, bool] | None:
    """Return origin, and whether the client had logged in, of a message with these four lines.

    None if they are not those of a message received, taken up, sent once and removed.
    """
    first, _, third, _ = templates
    if (
        [template.kind for template in templates] != _USUAL_KINDS
        or any(template.origin != first.origin for template in templates)
        or third.times != 1
    ):
        return None
    assert first.event is not None
    return first.origin, "submission" in first.event.also
