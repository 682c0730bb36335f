"""Sections of what was rejected, held or discarded."""

from __future__ import annotations

from check_postfix.command.report.section import COUNT, SHARE, TEXT, WORDS, Column, Section
from check_postfix.command.report.sections.examples import HUNDRED, most
from check_postfix.command.report.sections.kinds import REJECTED
from check_postfix.command.report.sections.rows import Shown, parted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS_OF_REJECT = {
    "rejected_smtpd": "smtpd",
    "rejected_hangup": "smtpd, cut off",
    "rejected_postscreen": "postscreen",
    "rejected_size": "smtpd, size",
    "rejected_proxy": "proxy filter",
    "rejected_header_body": "header or body checks",
    "rejected_mime": "MIME error",
    "rejected_milter_smtpd": "milter",
    "rejected_milter_cleanup": "milter",
    "reject_warning": "warning only",
    "held": "held",
    "discarded": "discarded",
}


class Rejects(Shown):
    """What was rejected, held or discarded; or would have been rejected."""

    def each(self) -> Iterator[Section]:
        """Yield them, in their order."""
        yield self._rejects("rejects", "Rejected, by reason", REJECTED)
        yield self._refused("rejected_whom", "Rejected, by whom", "rejected")
        yield self._rejects("reject_warnings", "Would have been rejected", ("reject_warning",))
        yield self._refused(
            "reject_warnings_whom", "Would have been rejected, by whom", "reject_warning"
        )
        yield self._rejects("held", "Held", ("held",))
        yield self._refused("held_whom", "Held, by whom", "held")
        yield self._rejects("discarded", "Discarded", ("discarded",))
        yield self._refused("discarded_whom", "Discarded, by whom", "discarded")
        yield self._refused_clients()

    def _rejects(self, key: str, title: str, kinds: tuple[str, ...]) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("share", "share", SHARE),
            Column("by", "by", WORDS),
            Column("stage", "at", WORDS),
            Column("reason", "reason", WORDS),
            Column("reply_code", "code", WORDS),
            Column("blocklist", "list", TEXT),
            Column("example", "for example", TEXT),
        ]
        rejects = self._book.rejects
        ranked = most(rejects, kinds)
        whole = sum(number for _, number in ranked)
        rows = []
        for words, number in ranked:
            kind, stage, reason, code, blocklist = words
            example = self._names.said(rejects.example[words])
            rows.append(
                (number, number * HUNDRED / whole, _KINDS_OF_REJECT[kind], stage, reason, code,
                 blocklist, example)
            )  # fmt: skip
        return self._cut(Section(key, title, columns, rows, chart="bars"), "rejects")

    def _refused(self, key: str, title: str, group: str) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("stage", "at", WORDS),
            Column("reason", "reason", WORDS),
            Column("whom", "whom", TEXT),
        ]
        tally = self._book.refused[group]
        rows = [
            (row[0], stage.decode("ascii", "replace"), reason.decode(), self._whom(whom))
            for (stage, reason, whom), row in parted(self._top(tally, 0, "rejects"))
        ]
        return self._with_more(Section(key, title, columns, rows), tally)

    def _whom(self, whom: bytes) -> str:
        """Return what the one is called whom a reject is about, and perhaps its sender."""
        about, _, sender = whom.partition(b"  (")
        named = self._names.address(about) if b"@" in about else self._names.client(about)
        return f"{named}  ({self._names.address(sender[:-1])})" if sender else named

    def _refused_clients(self) -> Section:
        tally = self._book.refused_clients
        columns = [Column("number", "number", COUNT), Column("client", "client", TEXT)]
        rows = [(row[0], self._names.client(name)) for name, row in self._top(tally, 0, "rejects")]
        section = Section("rejected_clients", "Rejected clients", columns, rows)
        return self._with_more(section, tally)
