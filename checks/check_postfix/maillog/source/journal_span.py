"""A journal span: a run of journal entries without a hole in it, all of them counted.

It is known by the cursors of its first and last entry. A cursor also says where its
entry stands among others, even when the entry is gone: journald compares sequence
numbers, then times of one boot, then times.
"""

from __future__ import annotations

import re

from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.value import Value

_match_cursor = re.compile(
    r"s=([0-9a-f]+);i=([0-9a-f]+);b=([0-9a-f]+);m=([0-9a-f]+);t=([0-9a-f]+);x=([0-9a-f]+)\Z"
).match


class Cursor:
    """The place of an entry in the journal.

    text: as journald writes it
    """

    __slots__ = ("_boot", "_hash", "_monotonic", "_sequence", "_sequence_number", "_time", "text")

    def __init__(self, text: str) -> None:
        """Take it apart.

        Raises: ValueError
        """
        match = _match_cursor(text)
        if not match:
            raise ValueError(text)
        self.text = text
        self._sequence, number, self._boot, monotonic, time, hash_of_fields = match.groups()
        self._sequence_number = int(number, 16)
        self._monotonic = int(monotonic, 16)
        self._time = int(time, 16)
        self._hash = int(hash_of_fields, 16)

    def is_of_same_entry(self, other: Cursor) -> bool:
        """Tell whether both are of one entry.

        Its sequence number changes when journald moves it from /run to /var, once /var is
        mounted. What it holds, and when it came, down to the microsecond, stays the same.
        """
        return (self._boot, self._monotonic, self._time, self._hash) == (
            other._boot, other._monotonic, other._time, other._hash,
        )  # fmt: skip

    def is_after(self, other: Cursor) -> bool:
        """Tell whether its entry comes later in the journal than the other."""
        if self._sequence == other._sequence and self._sequence_number != other._sequence_number:
            return self._sequence_number > other._sequence_number
        if self._boot == other._boot and self._monotonic != other._monotonic:
            return self._monotonic > other._monotonic
        return (self._time, self._hash) > (other._time, other._hash)


class JournalSpan(Value):
    """What is known of one journal span.

    id:      number in the store, 0 before it has one; later spans have higher ones
    oldest, newest: cursors of its first and last entry
    first_minute, last: minutes of these
    read:    second in which `newest` was the journal's last entry
    first:   whether nothing before it is to be read: the journal began
             there, or what is older is not kept
    line_counts: of the entries read; unparsed are those without a tag or text
    """

    id: int = 0
    oldest: str = ""
    newest: str = ""
    first_minute: int = 0
    last: int = 0
    read: int = 0
    first: bool = False
    line_counts: LineCounts = LineCounts()

    def join(self, older: JournalSpan) -> None:
        """Merge with the span before it: nothing is left to read between them.

        It takes over the older one's number, since most messages that wait for further
        entries are the older one's.
        """
        self.id = older.id
        self.oldest = older.oldest
        self.first_minute = older.first_minute
        self.last = max(self.last, older.last)
        self.first = older.first
        self.line_counts += older.line_counts
