"""Sections of the sessions of smtpd, how long they took."""

from __future__ import annotations

from check_postfix.command.report.section import COUNT, SECONDS, TEXT, WORDS, Column, Section
from check_postfix.command.report.sections.rows import Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Sessions(Shown):
    """How long clients stayed."""

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        yield self._hours()
        yield self._domains()

    def _hours(self) -> Section:
        columns = [
            Column("hour", "hour", WORDS),
            Column("connections", "connections", COUNT),
            Column("average", "average", SECONDS),
            Column("longest", "longest", SECONDS),
        ]
        rows = [
            (f"{hour}:00", number, together / number, longest)
            for hour, (number, together, longest) in sorted(self._book.session_hours.items())
        ]
        return Section("sessions_per_hour", "Sessions of smtpd, per hour", columns, rows)

    def _domains(self) -> Section:
        columns = [
            Column("domain", "domain or address", TEXT),
            Column("connections", "connections", COUNT),
            Column("together", "together", SECONDS),
            Column("average", "average", SECONDS),
            Column("longest", "longest", SECONDS),
        ]
        rows = [
            (self._names.domain(name), row[0], row[1], row[1] / row[0], row[2])
            for name, row in self._top(self._book.sessions, 0, "domains")
        ]
        section = Section("sessions_by_domain", "Sessions of smtpd, by domain", columns, rows)
        return self._with_more(section, self._book.sessions)
