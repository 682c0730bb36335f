"""Sections of from whom and to whom mail went, and how long that took."""

from __future__ import annotations

from check_postfix.command.report import percentile
from check_postfix.command.report.book import (
    BOUNCES,
    DEFERRALS,
    DELAY,
    LONGEST_DELAY,
    MESSAGES,
    MICROSECONDS,
    SENT,
    SENT_BYTES,
    SIZE,
    STAGES,
)
from check_postfix.command.report.section import BYTES, COUNT, SECONDS, TEXT, WORDS, Column, Section
from check_postfix.command.report.sections.rows import Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from check_postfix.command.report.tally import Tally

_PERCENTS = (50, 90, 95, 99, 100)


class Traffic(Shown):
    """From whom and to whom mail went."""

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        book, names = self._book, self._names
        yield self._recipient_domains()
        yield self._sending_domains()
        yield self._delays()
        yield from self._both_ways("users", "senders", "Senders", book.senders, names.address)
        yield from self._both_ways(
            "users", "recipients", "Recipients", book.recipients, names.address
        )
        yield from self._both_ways("domains", "clients", "Clients", book.clients, names.client)
        yield from self._both_ways("users", "accounts", "Accounts", book.accounts, names.account)

    def _recipient_domains(self) -> Section:
        columns = [
            Column("domain", "domain", TEXT),
            Column("sent", "sent", COUNT),
            Column("bytes", "size", BYTES),
            Column("deferrals", "deferred", COUNT),
            Column("bounced", "bounced", COUNT),
            Column("average_delay", "average delay", SECONDS),
            Column("longest_delay", "longest", SECONDS),
        ]
        rows = [
            (
                self._names.domain(name),
                *(int(row[place]) for place in (SENT, SENT_BYTES, DEFERRALS, BOUNCES)),
                round(row[DELAY] / row[SENT] / MICROSECONDS, 6) if row[SENT] else None,
                row[LONGEST_DELAY],
            )
            for name, row in self._top(self._book.domains, SENT, "domains", SENT_BYTES)
        ]
        section = Section("recipient_domains", "Domains that mail was sent to", columns, rows)
        return self._with_more(section, self._book.domains, SENT)

    def _sending_domains(self) -> Section:
        return self._of_whom(
            "domains", "sending_domains", "Domains that mail came from",
            self._book.sending_domains, self._names.domain, MESSAGES,
        )  # fmt: skip

    def _both_ways(
        self, limit: str, key: str, title: str, tally: Tally, called: Callable[[bytes], str]
    ) -> Iterator[Section]:
        """Yield those with most messages, and those with the largest."""
        for column, by in ((MESSAGES, "number"), (SIZE, "size")):
            yield self._of_whom(limit, f"{key}_by_{by}", f"{title}, by {by}", tally, called, column)

    def _of_whom(
        self, limit: str, key: str, title: str, tally: Tally, called: Callable[[bytes], str],
        column: int,
    ) -> Section:  # fmt: skip
        columns = [
            Column("name", "who", TEXT),
            Column("messages", "messages", COUNT),
            Column("bytes", "size", BYTES),
        ]
        rows = [
            (called(name), row[0], row[1])
            for name, row in self._top(tally, column, limit, 1 - column)
        ]
        return self._with_more(Section(key, title, columns, rows), tally, column)

    def _delays(self) -> Section:
        columns = [
            Column("stage", "", WORDS),
            *(Column(f"p{percent}", f"{percent} %", SECONDS) for percent in _PERCENTS),
        ]
        rows: list[tuple[object, ...]] = []
        for stage, tally in zip(("together", *STAGES), self._book.delays, strict=True):
            numbers = ((float(text), int(row[0])) for text, row in tally.items())
            if found := percentile.of(numbers, _PERCENTS):
                rows.append((stage, *found))
        says = ("of what was sent: so many of a hundred were no slower; 100 % is the slowest",)
        return Section("delays", "Delays", columns, rows, says if rows else ())
