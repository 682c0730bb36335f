"""Sections of how much mail there was, in all and over time."""

from __future__ import annotations

from collections import Counter, defaultdict

from check_postfix.command.report.book import SENT
from check_postfix.command.report.section import COUNT, WORDS, Column, Section, size
from check_postfix.command.report.sections.kinds import PUT_OFF, RECEIVED, REJECTED
from check_postfix.command.report.sections.rows import Limits, Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from check_postfix.command.report.book import Book
    from check_postfix.command.report.names import Names

# All others are of attempts, as Postfix writes them.
_DEFERRED, _DEFERRED_MESSAGES = "deferred attempts", "deferred messages"
_TOTALS = (
    ("received", "received", RECEIVED),
    ("of_them_logged_in", "of them from clients that had logged in", ("submission",)),
    ("sent", "sent", ("sent",)),
    ("forwarded", "handed on to an alias's target", ("forwarded",)),
    ("filtered", "handed to a content filter", ("filtered",)),
    ("deferrals", _DEFERRED, PUT_OFF),
    ("bounced", "bounced", ("bounced",)),
    ("expired", "given up after days in the queue", ("expired",)),
    ("rejected", "rejected", REJECTED),
    ("reject_warnings", "reject warnings", ("reject_warning",)),
    ("held", "held", ("held",)),
    ("discarded", "discarded", ("discarded",)),
    ("rate_limited", "turned away for asking too often", ("rate_limited",)),
    ("cancelled", "begun and not finished by their client", ("cancelled",)),
    ("connections", "connections of clients", ("connected_smtpd",)),
    ("failed_logins", "failed logins", ("auth_failed",)),
    ("address_probes", "address probes", ("probes",)),
)
# Of these, those that are told even if there were none
_ALWAYS = ("received", "sent", "deferrals", "bounced", "rejected")


class Amounts(Shown):
    """How much mail there was.

    clock: hours of which something was read, as the book writes them; of more than a day, those
           of the first and the last one
    """

    def __init__(self, book: Book, names: Names, limits: Limits, clock: Iterable[str]) -> None:
        super().__init__(book, names, limits)
        self._clock = set(clock)

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        yield self._totals()
        if days := self._days():
            yield days
        if hours := self._hours():
            yield hours

    def totals(self) -> dict[str, int]:
        """Return the totals, by their names in JSON."""
        book = self._book
        numbers = {key: book.total(*kinds) for key, _, kinds in _TOTALS}
        return numbers | {
            "deferred_messages": len(book.deferred),
            "bytes_received": book.total("bytes_received"),
            "bytes_delivered": book.total("bytes_delivered"),
            "senders": len(book.senders),
            "sending_domains": len(book.sending_domains),
            "recipients": len(book.recipients),
            "recipient_domains": book.domains.having(SENT),
        }

    def _totals(self) -> Section:
        numbers = self.totals()
        rows: list[tuple[object, ...]] = [
            (words, numbers[key]) for key, words, _ in _TOTALS if numbers[key] or key in _ALWAYS
        ]
        messages = numbers["deferred_messages"]
        place = next(place for place, row in enumerate(rows) if row[0] == _DEFERRED)
        if messages:
            rows.insert(place + 1, (_DEFERRED_MESSAGES, messages))
        for key in ("senders", "sending_domains", "recipients", "recipient_domains"):
            rows.append((key.replace("_", " "), numbers[key]))
        came, left = size(numbers["bytes_received"]), size(numbers["bytes_delivered"])
        says = (f"{came} came in, {left} left",)
        columns = [Column("what", "", WORDS), Column("number", "number", COUNT)]
        return Section("totals", "Totals", columns, rows, says)

    def _hourly(self, times: dict[str, dict[str, int]], key: str, title: str, head: str) -> Section:
        columns = [
            Column(key, head, WORDS),
            Column("received", "received", COUNT),
            Column("sent", "sent", COUNT),
            Column("deferred", "deferred", COUNT),
            Column("bounced", "bounced", COUNT),
            Column("rejected", "rejected", COUNT),
        ]
        rows = [
            (
                time,
                *(
                    sum(numbers.get(kind, 0) for kind in kinds)
                    for kinds in (RECEIVED, ("sent",), PUT_OFF, ("bounced",), REJECTED)
                ),
            )
            for time, numbers in times.items()
        ]
        return Section(f"per_{key}", title, columns, rows, chart="hours")

    def _days(self) -> Section | None:
        days: dict[str, Counter[str]] = defaultdict(Counter)
        for hour, numbers in sorted(self._book.hours.items()):
            days[hour.partition(" ")[0]].update(numbers)
        if len(days) < 2:
            return None
        return self._hourly(dict(days), "day", "Per day", "day")

    def _hours(self) -> Section | None:
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        days = set()
        for time, numbers in self._book.hours.items():
            day, _, hour = time.partition(" ")
            days.add(day)
            counted[hour].update(numbers)
        if not days:
            return None
        # Of an hour that was not read, nobody knows that nothing came.
        times = sorted(self._clock | self._book.hours.keys())
        read = [time.partition(" ")[2] for time in times]
        # Those of a night are told as they went by.
        is_once = len(set(read)) == len(read)
        hours = {f"{hour}:00": counted[hour] for hour in (read if is_once else sorted(set(read)))}
        several = "" if is_once or len(days) < 2 else f", {len(days)} days together"
        return self._hourly(dict(hours), "hour", f"Per hour{several}", "hour")
