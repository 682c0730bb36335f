"""Refused: rejects of mail for an address that somebody has asked for by its name.

A reply quotes what a stranger has written, who can write there whatever a line looks like. So
whom a reject was for is known only where sender and recipient stand in the line once, at its end,
and the line was not cut. The rejects of other shapes count as rejects, and for nobody.

Source of the shape: postfix/src/smtpd/smtpd_check.c (log_whatsup), smtpd/smtpd.c
(check_milter_reply), postscreen/postscreen_smtpd.c.
"""

from __future__ import annotations

import re

from check_postfix.maillog.events.recogniser import recognise
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.expression import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.syntax.record import Record

# Kinds whose lines name a recipient.
_KINDS = frozenset(
    {"rejected_smtpd", "rejected_hangup", "rejected_postscreen", "rejected_milter_smtpd"}
)
_match_end = Expression(
    rb"[^\n]*; from=<[^<>\n]*>,? to=<(?P<recipient>[^<>\n]++)>,? proto=E?SMTP"
    rb"(?:,? helo=<[^<>\n]*>|)(?: sasl_[^\n]*+|)\Z"
).match
_FROM, _TO = b" from=<", b" to=<"


def recipient(record: Record, event: Event) -> bytes:
    """Return whom a line says that mail was refused for, lower case; nothing if it is not clear."""
    text = record.text
    if event.kind not in _KINDS or text.count(_FROM) != 1 or text.count(_TO) != 1:
        return b""
    found = _match_end(text)
    return found["recipient"].lower() if found else b""


class Refusals:
    """Finds the rejects of some addresses.

    watched: the addresses, lower case
    """

    def __init__(self, watched: Set[bytes]) -> None:
        self._watched = watched
        # In a delivery's line a colon stands before it, or an equals sign.
        either = rb"|".join(map(re.escape, sorted(watched)))
        self._find = re.compile(rb">,? to=<(?i:" + either + rb")>").finditer

    def of_block(self, block: bytes) -> Iterator[tuple[Record, bytes, int]]:
        """Yield the record, the address, and how often it was said, of each one in a block."""
        end = -1
        for found in self._find(block):
            if found.start() < end:
                continue
            begin = block.rfind(b"\n", 0, found.start()) + 1
            end = block.find(b"\n", found.end())
            end = len(block) if end < 0 else end
            record = frame.parse(block[begin:end])
            event = record and recognise(record)
            if record and event and (named := recipient(record, event)) in self._watched:
                yield record, named, record.repeats * event.times
