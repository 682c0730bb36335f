"""Rounds: which round of the hour that the end of daylight saving repeats a line is of.

A stamp of RFC 3164 does not say it, and a search reads only some lines. All lines before it do.
"""

from __future__ import annotations

from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from check_postfix.maillog.syntax.record import Record
    from check_postfix.maillog.syntax.timestamps import Timestamps

# Lines at the end of a block, of which one should be understood
_LOOKED_AT = 100


class Settled:
    """Stands for the timestamps of a line whose minute is known."""

    def __init__(self, minute: int | None) -> None:
        self._minute = minute

    def minute(self, _: bytes, __: bytes) -> int | None:
        """Return it."""
        return self._minute


class Rounds:
    """The rounds of one file, whose blocks are looked through in their order.

    timestamps: the file's
    """

    def __init__(self, timestamps: Timestamps) -> None:
        self._timestamps = timestamps
        # What was read before the block; and the minute of each line of it, once that is asked
        self._before: int | None = None
        self._minutes: dict[int, int | None] | None = None

    def begin(self) -> None:
        """Begin with a block."""
        self._before = self._timestamps.previous
        self._minutes = None

    def end(self, block: bytes) -> None:
        """End with a block: what follows is read by its last line."""
        at = len(block)
        for _ in range(_LOOKED_AT):
            at = block.rfind(b"\n", 0, at - 1) + 1 if at else 0
            end = block.find(b"\n", at)
            record = frame.parse(block[at : end if end >= 0 else len(block)])
            if record is None:
                continue
            minute = self.minute(block, at, record)
            if minute is not None:
                self._timestamps.restart(minute)
                return

    def minute(self, block: bytes, begin: int, record: Record) -> int | None:
        """Return the minute of a line of the block, None if there is no such date.

        begin: where it begins, in the block
        """
        if self._timestamps.is_definite(record.stamp, record.zone):
            return self._timestamps.minute(record.stamp, record.zone)
        if self._minutes is None:
            # Twice a year at most: each line of the block, in its order.
            self._timestamps.restart(self._before)
            self._minutes = dict(self._read(block))
        return self._minutes.get(begin)

    def _read(self, block: bytes) -> Iterator[tuple[int, int | None]]:
        begin = 0
        for raw in block.split(b"\n"):
            if record := frame.parse(raw):
                yield begin, self._timestamps.minute(record.stamp, record.zone)
            begin += len(raw) + 1
