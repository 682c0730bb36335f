"""Sections of how many connections were let through by postscreen, or were encrypted."""

from __future__ import annotations

from collections import Counter

from check_postfix.command.report.section import COUNT, SHARE, WORDS, Column, Section
from check_postfix.command.report.sections.examples import HUNDRED
from check_postfix.command.report.sections.rows import Shown
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SCREEN = (
    ("connected_postscreen", "connections to postscreen"),
    ("screen_allowlisted", "of clients on its lists"),
    ("screen_pass_old", "that had passed before"),
    ("screen_pass_new", "that passed now"),
    ("screen_dnsbl", "on too many block lists"),
    ("screen_denylisted", "denied by our own list"),
    ("screen_pregreet", "spoke before they were greeted"),
    ("screen_hangup", "hung up during the tests"),
    ("screen_pipelining", "sent commands without waiting"),
    ("screen_non_smtp", "spoke something else than SMTP"),
    ("screen_bare_newline", "ended a line with a bare newline"),
    ("screen_time_limit", "too slow"),
    ("screen_count_limit", "too many commands"),
    ("screen_length_limit", "too long a command"),
    ("screen_no_recipient", "DATA or BDAT without a recipient"),
    ("rejected_postscreen", "rejected by it"),
)


class Shares(Shown):
    """What share of connections was let through, or was encrypted."""

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        yield self._screen()
        yield self._tls()

    def _screen(self) -> Section:
        numbers = [(words, self._book.total(key)) for key, words in _SCREEN]
        whole = self._book.total("connected_postscreen")
        rows = [
            (words, number, number * HUNDRED / whole if whole else None)
            for words, number in numbers
            if number
        ]
        columns = [
            Column("what", "", WORDS), Column("number", "number", COUNT),
            Column("share", "share", SHARE),
        ]  # fmt: skip
        return Section("postscreen", "postscreen", columns, rows)

    def _tls(self) -> Section:
        columns = [
            Column("way", "way", WORDS),
            Column("protocol", "protocol", WORDS),
            Column("trust", "certificate", WORDS),
            Column("cipher", "cipher", WORDS),
            Column("number", "number", COUNT),
            Column("share", "share", SHARE),
        ]
        numbers: Counter[tuple[str, ...]] = Counter()
        sums: Counter[str] = Counter()
        for (begin, end), number in self._book.tls.items():
            trust, *_, way = begin.decode("ascii").split()
            protocol, _, cipher = end.decode("ascii").partition(" with cipher ")
            way = "in" if way == "from" else "out"
            numbers[way, protocol, trust.lower(), cipher] += number
            sums[way] += number
        rows = [
            (*words, number, number * HUNDRED / sums[words[0]])
            for words, number in numbers.most_common()
        ]
        says: tuple[str, ...] = ()
        connections = self._book.total("connected_smtpd")
        if connections and sums["in"]:
            share = min(100, sums["in"] * HUNDRED / connections)
            says = (
                f"{share:.1f} % of {connections:,}"
                f" {values.plural(connections, 'connection')} of clients were encrypted",
            )
        return Section("tls", "Encryption", columns, rows, says)
