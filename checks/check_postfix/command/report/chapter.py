"""A chapter: what some lines tell by themselves, and what earlier ones must add to that.

A message's lines stand in several chapters. Whoever reads one that begins in the middle of the log
does not know who has sent in what is taken up there, and how large that is which is sent. It
keeps these as open; they are settled where the chapters come together, in the order of the log.
"""

from __future__ import annotations

from collections import defaultdict, namedtuple

from check_postfix.command.report.book import Book
from check_postfix.command.report.entries import Entries
from check_postfix.command.report.tally import Shelf
from check_postfix.command.report.underway import Underway

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from typing import Any

    from check_postfix.command.report.span import Span
    from check_postfix.command.report.writer import Origins

# A chapter is so small that nothing of it need be put into a file.
_NO_LIMIT = 1 << 60


class Chapter(namedtuple("Chapter", "told sent taken_up ended messages processes origins size")):
    """What some lines tell. An hour is its name, or nothing outside the span.

    told:      of a book
    sent:      key of each message whose size stands before them, if anywhere
               -> hour, recipient, and how often
    taken_up:  key of each message whose receipt does -> hour, sender, size
    ended:     key of each process of smtpd whose client came before them -> hour, client, second
    messages:  key of each message of which they tell more -> what is known at their end
    processes: key of each process of smtpd likewise -> since when it has a client, or None
    origins:   hosts and instances by their numbers, as the keys begin
    size:      bytes that were read
    """

    __slots__ = ()

    told: dict[str, Any]
    sent: dict[bytes, list[tuple[str, bytes, int]]]
    taken_up: dict[bytes, tuple[str, bytes, int]]
    ended: dict[bytes, tuple[str, bytes, int]]
    messages: dict[bytes, int | tuple[bytes, bytes] | None]
    processes: dict[bytes, int | None]
    origins: list[tuple[bytes, bytes]]
    size: int

    def add_to(self, entries: Entries, origins: Origins) -> None:
        """Add it to the entries of the lines before."""
        numbers = {b"%d" % at: origins.of(*names) for at, names in enumerate(self.origins)}
        numbers[b"*"] = b"* "

        def renumbered(key: bytes) -> bytes:
            number, _, rest = key.partition(b" ")
            return numbers[number] + rest

        same: Callable[[bytes], bytes] = renumbered
        if all(number + b" " == known for number, known in numbers.items()):
            same = bytes  # which returns the same one; so it is where one host writes
        else:
            deferred = entries.book.tallies().index(entries.book.deferred)
            rows = self.told["rows"]
            rows[deferred] = {same(key): number for key, number in rows[deferred].items()}
        entries.book.merge(self.told)
        # Of a message, what is open was sent before it was taken up.
        for key, sent in self.sent.items():
            entries.add_sizes(same(key), sent)
        for message, (hour, sender, size) in self.taken_up.items():
            entries.go_to(hour)
            entries.taken_up(same(message), sender, size)
        for process, (hour, client, second) in self.ended.items():
            entries.go_to(hour)
            entries.session_ended(same(process), client, second)
        for message, state in self.messages.items():
            entries.underway.put(same(message), state)
        for process, begun in self.processes.items():
            entries.end_session_of(same(process))
            if begun is not None:
                entries.session_begun(same(process), begun)
        entries.tidy()


class _Underway(Underway):
    """What the lines of a chapter tell of messages; nothing of it is ever in the file.

    known: key of each message of which they tell more than that it is there -> what is known of
           it, None once it has left the queue
    """

    known: dict[bytes, int | tuple[bytes, bytes] | None]

    def begin(self, key: bytes, whom: tuple[bytes, bytes]) -> None:
        self.known[key] = whom

    def take_up(self, key: bytes, size: int) -> tuple[bytes, bytes] | None:
        known = self.known.get(key)
        self.known[key] = size
        return known if isinstance(known, tuple) else None

    def end(self, key: bytes) -> None:
        self.known[key] = None


class ChapterEntries(Entries):
    """Enters what the lines of a chapter tell. See Entries for what it is given."""

    underway: _Underway

    def __init__(
        self,
        span: Span,
        zone: tzinfo | None,
        spelled: Callable[[bytes], tuple[bytes, bytes]],
        with_sender: bool = False,
    ) -> None:
        book = Book(Shelf(_NO_LIMIT))
        super().__init__(book, _Underway(book.shelf, _NO_LIMIT), span, zone, spelled, with_sender)
        self._way = span, zone, spelled, with_sender
        self._sent: defaultdict[bytes, list[tuple[str, bytes, int]]] = defaultdict(list)
        self._taken_up: dict[bytes, tuple[str, bytes, int]] = {}
        self._ended: dict[bytes, tuple[str, bytes, int]] = {}
        self._processes: set[bytes] = set()

    def _hour_now(self) -> str:
        return "" if self.of_hour is None else self.hour

    def taken_up(self, key: bytes, sender: bytes, size: int) -> None:
        """The queue manager has taken a message up."""
        if key not in self.underway.known:
            self._taken_up[key] = self._hour_now(), sender, size
        super().taken_up(key, sender, size)

    def sent(
        self, kind: str, key: bytes, recipient: bytes, delay: bytes, stages: bytes, times: int = 1
    ) -> None:
        """A message was sent to a recipient; kinds that only hand it on count no recipient."""
        if kind == "sent" and self.of_hour is not None and key not in self.underway.known:
            self._sent[key].append((self.hour, recipient, times))
        super().sent(kind, key, recipient, delay, stages, times)

    def session_begun(self, process: bytes, second: int) -> None:
        """A process of smtpd has a client."""
        self._processes.add(process)
        super().session_begun(process, second)

    def session_ended(self, process: bytes, client: bytes, second: int) -> None:
        """The client is gone."""
        if process not in self._processes:
            self._processes.add(process)
            self._ended[process] = self._hour_now(), client, second
        super().session_ended(process, client, second)

    def next(self) -> ChapterEntries:
        """Return the entries of the next chapter of the same file."""
        following = ChapterEntries(*self._way)
        following.is_outside = self.is_outside
        return following

    def chapter(self, origins: Origins, size: int) -> Chapter:
        """Return what was entered; nothing more is."""
        self.tidy()
        sessions = self.sessions()
        return Chapter(
            self.book.told(),
            dict(self._sent),
            self._taken_up,
            self._ended,
            self.underway.known,
            {process: sessions.get(process) for process in self._processes},
            origins.known(),
            size,
        )
