"""The counts of one piece of a generation: what its lines add to the store."""

from __future__ import annotations

from collections import Counter, defaultdict, namedtuple

from check_postfix.maillog.counts import delays, senders, whom
from check_postfix.maillog.counts.counts import tally
from check_postfix.maillog.counts.families import (
    LONGEST,
    LOST_MESSAGES,
    MESSAGES,
    NOBODY,
    RECEIPTS,
    STAMPS_OFF,
    key,
    of_origin,
)
from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.counts.messages import Messages
from check_postfix.maillog.events import sender
from check_postfix.maillog.events.line_template import CLIENT, DELIVERY, HANDED_IN, LOGIN
from check_postfix.maillog.events.scanner import Events
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.lines import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    from check_postfix.maillog.counts.counts import Counts
    from check_postfix.maillog.counts.messages_told import MessagesTold
    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.events.line_template import LineTemplate, Whom
    from check_postfix.maillog.events.scanner import Scan
    from check_postfix.maillog.ingest.daemon_clocks import Off
    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.store.logs import Log

    # Minute, template, and whom each of its lines names
    _Besides = Callable[["PieceCounts", int, LineTemplate, Sequence[Whom]], None]

    class Ledger(Protocol):
        """Where counts go: the store, or what stands for it in another process."""

        def origin(self, log: Log, host: bytes, instance: bytes) -> int:
            """Return the number of an origin."""

        def extend_gap(self, log: Log, first: int, last: int) -> None:
            """Keep that lines are lost."""

        def add(self, counts: Counts) -> None:
            """Add up counts."""


# Lines that count, and may wait in memory for the store; and bytes of all that were read with
# them, since a stranger may make lines of 64 KB.
_MOST_LINES = 5_000
_MOST_BYTES = 8 << 20
# Of whom a line names, two fields are the first of its key; an account is the last.
_FIRST = 2


class _Adds(namedtuple("_Adds", "counters family first rest besides")):
    """What each line of a template adds to.

    counters: as those of its origin are called
    family:   of its key; nothing if it has none
    first, rest: what stands in the key before and behind whom the line names
    besides:  counts whom else the lines of a minute tell of; None if they tell of nobody
    """

    __slots__ = ()

    counters: tuple[str, ...]
    family: str
    first: str
    rest: str
    besides: _Besides | None


class Told(namedtuple("Told", "messages newest numbers minute unplaced")):
    """What a part has come to, besides the counts that it has handed over.

    messages: what it tells of messages
    newest:   (host, instance) -> minute of the newest event of a daemon
    numbers:  of lines, of events, of lines of commands that matched; that matched, that are foreign
              and that nobody can read
    minute, unplaced: as the scan has them
    """

    __slots__ = ()

    messages: MessagesTold
    newest: dict[tuple[bytes, bytes], int]
    numbers: tuple[int, int, int, int, int, int]
    minute: int | None
    unplaced: Counter[Event]


class PieceCounts:
    """Counts one piece, block by block; inside a transaction only.

    store:  where counts go
    scan:   reads the blocks
    counts: what to count in; it is empty again after `finish`

    newest:   (host, instance) -> minute of the newest event of a daemon
    messages: what the piece tells of messages
    sums:     what messages came to
    """

    def __init__(self, store: Ledger, log: Log, scan: Scan, counts: Counts) -> None:
        self._store = store
        self._log = log
        self._scan = scan
        self._counts = counts
        self.newest: dict[tuple[bytes, bytes], int] = {}
        self.sums = Sums()
        self.messages = Messages(self.sums, counts.watched)
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
        quick: defaultdict[int, list[tuple[int, bytes]]] = defaultdict(list)
        for template, queue_id, minute, _, _, times, named, _, _ in found.messages:
            if times:
                if template.times == 1 and not delays.may_be_slow(times):
                    quick[minute].append((template.origin, times))
                else:
                    self._add_delivery(template, queue_id, minute, times, named)
            elif template.kind in MESSAGES:
                self._counts.add_message(
                    minute, template.origin, template.kind, template.times, queue_id
                )
        for minute, several in quick.items():
            self._counts.delays.add_quick(minute, several)
        found.messages.clear()
        self.messages.forget_some()
        for minute, lost in found.losses.items():
            self._store.extend_gap(self._log, minute, minute)
            if lost:
                nobody = self._store.origin(self._log, *NOBODY)
                self._counts.add_counters(minute, nobody, (LOST_MESSAGES,), lost)
        found.losses.clear()
        for minute, host, instance, address, number_of in found.refused:
            origin = self._store.origin(self._log, host, instance)
            self._counts.add_refused(minute, origin, address, number_of)
        found.refused.clear()
        self._lines += number(block)
        self._bytes += len(block)
        if scan.matched - self._handed_over > _MOST_LINES or self._bytes > _MOST_BYTES:
            self.hand_over()

    def _add_delivery(
        self, template: LineTemplate, queue_id: bytes, minute: int, times: bytes, named: Whom
    ) -> None:
        """Count how long a delivery took that may be a slow one."""
        if template.names is DELIVERY:
            place = named[0]
            of = whom.deliveries([place])[place]
        else:
            event = template.event
            assert event is not None  # it was delivered
            of = key((event.domain[:LONGEST], event.relay[:LONGEST]))
        self._counts.add_delivery(minute, template.origin, queue_id, times, of, template.times)

    def _prepare(self, templates: Iterable[LineTemplate]) -> None:
        """Look up once what all lines of a template add to."""
        origins = self._origins
        for template in templates:
            assert template.event is not None  # else it is none of these
            names = template.written_by
            origin = origins.get(names)
            if origin is None:
                origin = origins[names] = self._store.origin(self._log, *names)
            template.origin = origin
            counters, family, rest = tally(template.event, min(len(template.names), _FIRST))
            template.adds = _Adds(
                tuple([of_origin(origin, name) for name in counters]),
                family,
                of_origin(origin, ""),
                rest,
                _besides(template),
            )

    def add_off(self, daemons: Iterable[Off]) -> None:
        """Count daemons whose stamps are off, once each."""
        for daemon in daemons:
            origin = self._store.origin(self._log, daemon.host, daemon.instance)
            about = key((daemon.name.decode("utf-8", "replace"), str(daemon.minutes)))
            self._counts.add_counters(daemon.minute, origin, (STAMPS_OFF,), 1)
            self._counts.add_key(daemon.minute, origin, STAMPS_OFF, about, 1)

    def end_part(self, minute: int) -> None:
        """Hand over what was counted of a part, whose last line has this minute."""
        self._scan.place(self._found, minute)
        self.hand_over()

    def told(self) -> Told:
        """Hand over what was counted, and return the rest."""
        # Where one process reads, it tells nobody.
        from check_postfix.maillog.counts.messages_told import tell

        self.hand_over()
        scan = self._scan
        numbers = (
            self._lines, self._events, self._of_commands,
            scan.matched, scan.foreign, scan.unparsed,
        )  # fmt: skip
        return Told(tell(self.messages), self.newest, numbers, scan.minute, scan.unplaced)

    def take_in(self, told: Told, before: bytes, origins: Sequence[int]) -> None:
        """Take in what another process tells of the part that follows.

        before:  the bytes before what follows then
        origins: the number of each origin, by that which it has there
        """
        from check_postfix.maillog.counts.messages_told import heard

        self.messages.followed_by(heard(told.messages, origins, self.sums))
        self.messages.forget_some()
        for names, minute in told.newest.items():
            if minute > self.newest.get(names, 0):
                self.newest[names] = minute
        lines, events, of_commands, matched, foreign, unparsed = told.numbers
        self._lines += lines
        self._events += events
        self._of_commands += of_commands
        scan = self._scan
        scan.matched += matched
        scan.foreign += foreign
        scan.unparsed += unparsed
        scan.go_on(before, told.minute, told.unplaced)
        self.hand_over()

    def finish(self, generation: Generation, written: int = 0) -> None:
        """Hand over what was counted, and add up the generation's lines.

        written: minute in which the last line was written, 0 if that is not known
        """
        scan = self._scan
        minute = max(scan.minute or generation.last or generation.first_minute or 0, written)
        for event, lines in scan.unplaced.items():
            self._counts.add(minute, self._store.origin(self._log, *NOBODY), event, lines)
        self.hand_over()
        of_commands = self._of_commands
        generation.line_counts += LineCounts(
            self._lines,
            self._events,
            scan.matched - of_commands,
            scan.foreign + of_commands,
            scan.unparsed,
        )

    def hand_over(self) -> None:
        """Let the store, or what stands for it, have the counts so far."""
        found, counts = self._found, self._counts
        self._found = Events()
        self._handed_over = self._scan.matched
        self._bytes = 0
        of_nobody = self._store.origin(self._log, *NOBODY) if found.unparsed else 0
        for (minute, event), lines in found.unparsed.items():
            counts.add(minute, of_nobody, event, lines)
        known = _known(found)
        for minute, templates in found.counted.items():
            self._count(minute, templates, *known)
        counts.add_sums(self.sums)
        self._store.add(counts)
        counts.clear()

    def _count(
        self,
        minute: int,
        templates: Mapping[LineTemplate, Sequence[Whom]],
        deliveries: Mapping[bytes, str],
        clients: Mapping[bytes, str],
    ) -> None:
        """Count the lines of a minute. A central log has one of most templates in it.

        templates: template -> whom each of its lines names
        deliveries, clients: how these stand in keys
        """
        counts = self._counts
        self._note_newest(minute, templates)
        counts.note(minute, {template.origin for template in templates})
        totals = counts.counters(minute)
        recipients = counts.recipients(minute)
        of_family: dict[str, dict[str, int] | None] = {}
        for template, named in templates.items():
            number = len(named) * template.times
            self._events += number
            if not template.is_of_daemon:
                self._of_commands += len(named)
            counters, family, _, _, add_besides = template.adds
            if totals is not None:
                for counter in counters:
                    totals[counter] = totals.get(counter, 0) + number
            if template.is_try and recipients is not None:
                recipients[template.origin] += _recipients(template, named)
            if add_besides:
                add_besides(self, minute, template, named)
            if not family:
                continue
            if family not in of_family:
                of_family[family] = counts.keys(minute, family)
            keys = of_family[family]
            if keys is not None:
                self._add_keys(keys, template, named, deliveries, clients)

    def _add_keys(
        self,
        keys: dict[str, int],
        template: LineTemplate,
        named: Sequence[Whom],
        deliveries: Mapping[bytes, str],
        clients: Mapping[bytes, str],
    ) -> None:
        """Count the lines of a template by their keys.

        keys: those of its family in their minute
        """
        first, rest, times = template.adds.first, template.adds.rest, template.times
        if template.names is DELIVERY:
            for one in named:
                key = f"{first}{deliveries[one[0]]}{rest}"
                keys[key] = keys.get(key, 0) + times
        elif template.names is CLIENT:
            for one in named:
                key = f"{first}{clients[one]}{rest}"
                keys[key] = keys.get(key, 0) + times
        elif template.names is LOGIN:
            with_account = self._counts.with_account
            for client, account in named:
                key = with_account(f"{first}{clients[client]}{rest}", account.removesuffix(b"\r"))
                keys[key] = keys.get(key, 0) + times
        else:
            assert template.event is not None  # else it would not count
            key = self._counts.with_account(first + rest, template.event.account)
            keys[key] = keys.get(key, 0) + len(named) * times

    def _note_newest(self, minute: int, templates: Iterable[LineTemplate]) -> None:
        """Note of who has written lines of daemons that they have in this minute."""
        newest = self.newest
        for names in {template.written_by for template in templates if template.is_of_daemon}:
            if minute > newest.get(names, 0):
                newest[names] = minute

    def _add_logins(self, minute: int, template: LineTemplate, named: Iterable[Whom]) -> None:
        """Count logins at Dovecot by who came from where."""
        event = template.event
        assert event is not None  # else it would not count
        add_login, origin, service = self._counts.add_login, template.origin, event.service
        if template.names is not LOGIN:
            by = sender.of_account(event.account)
            add_login(minute, origin, by, event.client, service)
            return
        who = self._scan.senders
        for client, account in dict.fromkeys(named):  # of a minute, the first one is kept
            if account:
                by = who.of(client, account)
                add_login(minute, origin, by, who.address(client), service)

    def _add_whole_receipts(
        self, minute: int, template: LineTemplate, named: Sequence[Whom]
    ) -> None:
        """Count messages of pickup, of names with a comma, and in frames that are not ordinary."""
        assert template.event is not None  # else it would not count
        number = len(named) * template.times
        self._counts.add_receipt(minute, template.origin, template.event, number)

    def _add_receipts(
        self, minute: int, template: LineTemplate, named: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Count messages by who has handed them in."""
        assert template.event is not None  # else it would not count
        who, origin = self._scan.senders, template.origin
        add, each = self._counts.add_of_sender, template.times
        # With many hosts there is mostly but one in a minute.
        numbers = Counter(named) if len(named) > 1 else dict.fromkeys(named, 1)
        for (client, account), times in numbers.items():
            address = who.address(client)
            # Most are strangers, of whom nothing is kept.
            if account or (not template.event.other_id and senders.is_near(address)):
                by = who.of(client, account)
                add(minute, origin, by, senders.MESSAGES, times * each, address)


def _besides(template: LineTemplate) -> _Besides | None:
    """Return what counts whom else the lines of a template tell of, if they do.

    It is bound to none who counts: a template is known to the scan, which is known to that.
    """
    if template.names is HANDED_IN:
        return PieceCounts._add_receipts
    if template.kind in RECEIPTS:
        return PieceCounts._add_whole_receipts
    return PieceCounts._add_logins if template.kind == "auth_succeeded" else None


def _recipients(template: LineTemplate, named: Sequence[Whom]) -> list[bytes]:
    """Return whom first tries are for."""
    if template.names is DELIVERY:
        return [one[1] for one in named if len(one[1]) > 1]  # `>` alone is nobody
    assert template.event is not None  # else it would not count
    # As the other lines name them, or the two would be two recipients.
    whole = template.event.recipient
    return [whole + b">"] * len(named) if whole else []


def _known(found: Events) -> tuple[dict[bytes, str], dict[bytes, str]]:
    """Return how whom lines name stands in keys: of deliveries, and clients."""
    counted = [lines for templates in found.counted.values() for lines in templates.items()]
    of_deliveries = {
        one[0] for template, named in counted if template.names is DELIVERY for one in named
    }
    of_others = {
        client
        for template, named in counted
        if template.names is LOGIN and template.adds.family
        for client, _ in named
    }
    of_others.update(
        *[named for template, named in counted if template.names is CLIENT and template.adds.family]
    )
    return whom.deliveries(of_deliveries), whom.clients(of_others)
