"""The book of a report: every number that it can show, of one span of time."""

from __future__ import annotations

from collections import Counter, defaultdict

from check_postfix.command.report.tally import LONGEST_NAME, MAX, SUM, Shelf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from check_postfix.command.report.tally import Tally

# Places in the rows of tallies
MESSAGES, SIZE = range(2)
SENT, SENT_BYTES, DEFERRALS, BOUNCES, DELAY, LONGEST_DELAY = range(6)
# Of a second; sums of delays are in these.
MICROSECONDS = 1_000_000

# What can happen to a client's command or message; every kind of reject is REJECTED.
REJECTED = "rejected"
GROUPS = (REJECTED, "reject_warning", "held", "discarded")

# Fields of a name are parted by this, which stands in none of them.
SEPARATOR = b"\t"
# So many kinds of trouble are told apart with an example each. Other servers choose their codes.
_MOST_EXAMPLES = 2_000
_LONGEST_EXAMPLE = 600
OTHERS = "others"
_MOST_HOSTS = 1_000

# What of a book is told to another one as it is
_PLAIN = (
    "session_hours", "troubles", "rejects", "faults", "tls", "warned", "severities", "lines",
    "matched", "unparsed", "unparsed_mail", "undated", "unparsed_example", "hosts", "first", "last",
)  # fmt: skip

STAGES = ("before the queue", "in the queue", "connecting", "transmitting")


class Examples:
    """Numbers by a few words of our own, each with the first line that told of it.

    numbers: words -> number
    example: words -> as it stands in the log
    """

    def __init__(self) -> None:
        self.numbers: Counter[tuple[str, ...]] = Counter()
        self.example: dict[tuple[str, ...], bytes] = {}

    def add(self, words: tuple[str, ...], said: bytes, times: int = 1) -> None:
        """Count what a line has told."""
        if words not in self.example:
            if len(self.example) >= _MOST_EXAMPLES:
                words = (words[0], *[OTHERS] * (len(words) - 1))
            self.example.setdefault(words, said[:_LONGEST_EXAMPLE])
        self.numbers[words] += times

    def merge(self, other: Examples) -> None:
        """Add what later lines have told."""
        for words, number in other.numbers.items():
            self.add(words, other.example.get(words, b""), number)


class Book:
    """All that was counted.

    hours:      hour on the clock there (`2026-11-24 16`) -> counter -> number. Counters are the
                kinds of the recogniser, and those named below
    senders, clients, accounts, sending_domains: messages and bytes that came from each
    recipients: what was sent to each, and its bytes
    domains:    of recipients: sent, bytes, deferrals, bounces, sum of delays (in MICROSECONDS),
                longest delay
    deferred:   queue IDs of messages that were deferred
    troubles:   of deliveries: kind, reason, reply code, enhanced code
    rejects:    kind, stage, reason, reply code, block list
    relays:     bounces by relay and reason
    refused:    group -> rejects and the like by stage, reason, and whom they are about
    refused_clients: rejects by client
    logins:     failed logins by client and account
    services:   failed logins by service and mechanism
    warnings:   severity, program, and the words without what differs
    unreachable: connections that our own client did not get, by cause and host
    master:     what the master daemon said
    delays:     whole delays of deliveries as they are written, and by STAGES
    tls:        how the line of a TLS connection begins and ends -> connections
    sessions:   of smtpd by domain of the client: number, seconds, longest
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.hours: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.senders = shelf.sizes()
        self.sending_domains = shelf.sizes()
        self.clients = shelf.sizes()
        self.accounts = shelf.sizes()
        self.recipients = shelf.sizes()
        self.domains = shelf.tally(SUM, SUM, SUM, SUM, SUM, MAX)
        self.deferred = shelf.count()
        self.relays = shelf.count()
        self.refused = {group: shelf.count() for group in GROUPS}
        self.refused_clients = shelf.count()
        self.logins = shelf.count()
        self.services = shelf.count()
        self.warnings = shelf.count()
        self.unreachable = shelf.count()
        self.master = shelf.count()
        self.delays = [shelf.count() for _ in range(1 + len(STAGES))]
        self.sessions = shelf.tally(SUM, SUM, MAX)
        self.session_hours: dict[str, list[float]] = {}
        self.troubles = Examples()
        self.rejects = Examples()
        self.faults = Examples()
        self.tls: Counter[tuple[bytes, bytes]] = Counter()
        self.warned: dict[bytes, bytes] = {}
        # severity, program -> lines
        self.severities: Counter[tuple[str, str]] = Counter()
        self.lines = self.matched = self.unparsed = self.unparsed_mail = self.undated = 0
        self.unparsed_example = b""
        # Those that wrote lines, in the order of their appearance
        self.hosts: dict[bytes, bool] = {}
        self.first: int | None = None
        self.last: int | None = None

    def see(self, host: bytes) -> None:
        """Note that a host has written a line of this time."""
        if len(self.hosts) < _MOST_HOSTS:
            self.hosts[host] = True

    def told(self) -> dict[str, Any]:
        """Return all that is counted, as another process can take it; this book ends with it."""
        told = {name: value for name, value in vars(self).items() if name in _PLAIN}
        told["hours"] = {hour: dict(counted) for hour, counted in self.hours.items()}
        for tally in self.tallies():
            tally.settle()
        told["rows"] = [tally.rows for tally in self.tallies()]
        return told

    def merge(self, told: dict[str, Any]) -> None:
        """Add what another book has told about the lines after those of this one."""
        for hour, counted in told["hours"].items():
            of_hour = self.hours[hour]
            for name, number in counted.items():
                of_hour[name] += number
        for tally, rows in zip(self.tallies(), told["rows"], strict=True):
            tally.merge(rows)
        for hour, (number, seconds, longest) in told["session_hours"].items():
            row = self.session_hours.setdefault(hour, [0, 0, 0])
            row[:] = row[0] + number, row[1] + seconds, max(row[2], longest)
        for name in ("troubles", "rejects", "faults"):
            getattr(self, name).merge(told[name])
        self.tls.update(told["tls"])
        self.severities.update(told["severities"])
        for name, said in told["warned"].items():
            if len(self.warned) < _MOST_EXAMPLES:
                self.warned.setdefault(name, said)
        for name in ("lines", "matched", "unparsed", "unparsed_mail", "undated"):
            setattr(self, name, getattr(self, name) + told[name])
        self.unparsed_example = self.unparsed_example or told["unparsed_example"]
        for host in told["hosts"]:
            self.see(host)
        if told["first"] is not None:
            firsts = [told["first"], *([] if self.first is None else [self.first])]
            lasts = [told["last"], *([] if self.last is None else [self.last])]
            self.first, self.last = min(firsts), max(lasts)

    def finish(self) -> None:
        """Bring all together; nothing is counted any more."""
        for tally in self.tallies():
            tally.finish()

    def tallies(self) -> list[Tally]:
        """Return all tallies."""
        return list(self.shelf.tallies)

    def total(self, *counters: str) -> int:
        """Return the sum of some counters over all hours."""
        return sum(of_hour.get(name, 0) for of_hour in self.hours.values() for name in counters)

    def warn(self, severity: bytes, program: bytes, words: bytes, said: bytes, times: int) -> None:
        """Count a warning or worse.

        words: without what differs between lines
        """
        name = SEPARATOR.join((severity, program, words))[:LONGEST_NAME]
        self.severities[severity.decode("ascii"), program.decode("ascii", "replace")] += times
        if times == 1:
            self.warnings.note(name)
        else:
            self.warnings.add(name, times)
        if name not in self.warned and len(self.warned) < _MOST_EXAMPLES:
            self.warned[name] = said[:_LONGEST_EXAMPLE]
