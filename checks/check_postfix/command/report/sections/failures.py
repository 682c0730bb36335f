"""Sections of mail that was deferred or bounced."""

from __future__ import annotations

from check_postfix.command.report.section import COUNT, SHARE, TEXT, WORDS, Column, Section
from check_postfix.command.report.sections.examples import HUNDRED, most
from check_postfix.command.report.sections.kinds import PUT_OFF
from check_postfix.command.report.sections.rows import Shown, parted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Failures(Shown):
    """Why mail was deferred or bounced."""

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        yield self._troubles("deferrals", "Deferred, by reason", PUT_OFF)
        yield self._troubles("bounces", "Bounced, by reason", ("bounced",))
        yield self._relays()

    def _troubles(self, limit: str, title: str, kinds: tuple[str, ...]) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("share", "share", SHARE),
            Column("reason", "reason", WORDS),
            Column("reply_code", "code", WORDS),
            Column("enhanced_code", "", WORDS),
            Column("example", "for example", TEXT),
        ]
        troubles = self._book.troubles
        ranked = most(troubles, kinds)
        whole = sum(number for _, number in ranked)
        rows = [
            (
                number,
                number * HUNDRED / whole,
                *words[1:],
                self._names.said(troubles.example[words]),
            )
            for words, number in ranked
        ]
        return self._cut(Section(limit, title, columns, rows, chart="bars"), limit)

    def _relays(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("relay", "relay", TEXT),
            Column("reason", "reason", WORDS),
        ]
        rows = [
            (row[0], self._names.relay(relay), reason.decode())
            for (relay, reason), row in parted(self._top(self._book.relays, 0, "bounces"))
        ]
        return self._with_more(
            Section("bounces_by_relay", "Bounced, by relay", columns, rows), self._book.relays
        )
