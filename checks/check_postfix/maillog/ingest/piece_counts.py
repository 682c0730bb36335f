"""The counts of one piece of a generation: what its lines add to the store."""

from __future__ import annotations

from check_postfix.maillog.counts import whom
from check_postfix.maillog.counts.counts import MESSAGES, NOBODY, STAMPS_OFF, key, tally
from check_postfix.maillog.counts.messages import Messages, Sums
from check_postfix.maillog.events.scanner import CLIENT, DELIVERY, LOGIN, Events
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.lines import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.events.scanner import LineTemplate, Scan
    from check_postfix.maillog.ingest.daemon_clocks import Off
    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.store.store import Log, Store

# Lines that count, and may wait in memory for the store; and bytes of all that were read with
# them, since a stranger may make lines of 64 KB.
_MOST_LINES = 8_000
_MOST_BYTES = 8 << 20
# Of whom a line names, two fields are the first of its key; an account is the last.
_FIRST = 2


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
        self._found = Events()
        self._handed_over = 0  # lines that matched
        self._bytes = 0  # since then
        self._lines = self._events = self._of_commands = 0

    def add(self, block: bytes) -> None:
        """Count a block of lines."""
        scan = self._scan
        found = scan.block(block, self._found)
        self._prepare(found.new_templates)
        found.new_templates.clear()
        self.messages.add(found.messages)
        for template, queue_id, minute, _, _ in found.messages:
            if template.kind in MESSAGES:
                self._counts.add_message(
                    minute, template.origin, template.kind, template.times, queue_id
                )
        found.messages.clear()
        self.messages.forget_some()
        for minute in found.losses:
            self._store.extend_gap(self._log, minute, minute)
        found.losses.clear()
        self._lines += number(block)
        self._bytes += len(block)
        if scan.matched - self._handed_over > _MOST_LINES or self._bytes > _MOST_BYTES:
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
            template.tally = tally(template.event, min(len(template.names), _FIRST))

    def add_off(self, daemons: Iterable[Off]) -> None:
        """Count daemons whose stamps are off, once each."""
        for daemon in daemons:
            origin = self._store.origin(self._log, daemon.host, daemon.instance)
            about = key((daemon.name.decode("utf-8", "replace"), str(daemon.minutes)))
            self._counts.add_counters(daemon.minute, origin, (STAMPS_OFF,), 1)
            self._counts.add_key(daemon.minute, origin, STAMPS_OFF, about, 1)

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
        found, counts = self._found, self._counts
        self._found = Events()
        self._handed_over = self._scan.matched
        self._bytes = 0
        of_nobody = self._store.origin(self._log, *NOBODY) if found.unparsed else 0
        for (minute, event), lines in found.unparsed.items():
            counts.add(minute, of_nobody, event, lines)
        deliveries, clients = _known(found)
        newest = self.newest
        for minute, templates in found.counted.items():
            for template, named in templates.items():
                if template.is_of_daemon:
                    names = template.host, template.instance
                    if minute > newest.get(names, 0):
                        newest[names] = minute
                else:
                    self._of_commands += len(named)
                origin, times = template.origin, template.times
                number = len(named) * times
                self._events += number
                counters, family, rest = template.tally
                counts.add_counters(minute, origin, counters, number)
                if not family:
                    continue
                keys = counts.keys(minute, origin, family)
                if keys is None:
                    continue
                if template.names is DELIVERY:
                    for one in named:
                        key = deliveries[one] + rest
                        keys[key] = keys.get(key, 0) + times
                elif template.names is CLIENT:
                    for one in named:
                        key = clients[one] + rest
                        keys[key] = keys.get(key, 0) + times
                elif template.names is LOGIN:
                    for client, account in named:
                        key = counts.with_account(
                            clients[client] + rest, account.removesuffix(b"\r")
                        )
                        keys[key] = keys.get(key, 0) + times
                else:
                    assert template.event is not None  # else it would not count
                    key = counts.with_account(rest, template.event.account)
                    keys[key] = keys.get(key, 0) + number
        counts.add_sums(self.sums)
        self._store.add(counts)
        counts.clear()


def _known(found: Events) -> tuple[dict[bytes, str], dict[bytes, str]]:
    """Return how whom lines name stands in keys: of deliveries, and clients."""
    of_deliveries: set[bytes] = set()
    of_others: set[bytes] = set()
    for templates in found.counted.values():
        for template, named in templates.items():
            if template.names is DELIVERY:
                of_deliveries.update(named)
            elif template.tally[1]:
                if template.names is CLIENT:
                    of_others.update(named)
                elif template.names is LOGIN:
                    of_others.update([client for client, _ in named])
    return whom.deliveries(of_deliveries), whom.clients(of_others)
