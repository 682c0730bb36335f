"""The export format: from the bytes that `journalctl -o export` prints to entries.

An entry is a run of fields and an empty line. A field is `NAME=value`; where the
value is no plain text, the name stands on a line of its own, followed by the value's
length in 64 bits, the value, and a newline (systemd.io/JOURNAL_EXPORT_FORMATS).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # of one entry: name -> value
    Fields = dict[bytes, bytes]

# Anybody may log a field of any size. Postfix cuts its text at 2000 bytes, so a longer
# field than this is not Postfix's: it is passed over and costs no memory.
LONGEST = 64 * 1024

_LENGTH = 8
# An entry of plain text; nearly all are.
_match_plain = re.compile(rb"((?:[^=\n]++=[^\n]*+\n)*[^=\n]++=[^\n]*+)\n\n").match


class EndsEarly(Exception):
    """The stream ends within an entry."""


def entries(read: Callable[[], bytes]) -> Iterator[Fields]:
    """Yield the entries of a stream; a field longer than LONGEST can be missing in them.

    read:   returns further bytes, as many as it likes, b"" at the end
    Raises: EndsEarly
    """
    stream = _Stream(read)
    while True:
        while plain := _match_plain(stream.data, stream.at):
            stream.at = plain.end()
            yield dict([line.split(b"=", 1) for line in plain[1].split(b"\n")])
        if not stream.is_at_end():
            yield _entry(stream)
        else:
            return


def _entry(stream: _Stream) -> Fields:
    """Read one entry field by field."""
    fields = {}
    while (line := stream.line()) != b"":
        if line is None:  # too long
            continue
        name, is_text, value = line.partition(b"=")
        if not is_text:
            size = int.from_bytes(stream.take(_LENGTH), "little")
            if size > LONGEST:
                stream.pass_over(size + 1)
                continue
            value = stream.take(size + 1)[:-1]
        fields[name] = value
    return fields


class _Stream:
    """The bytes that are read and not used yet: `data` from `at` on."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self.data = b""
        self.at = 0
        self._read = read

    def is_at_end(self) -> bool:
        """Tell whether there is nothing more; read on if need be."""
        if self.at < len(self.data):
            return False
        self.data, self.at = self._read(), 0
        return not self.data

    def _more(self) -> None:
        piece = self._read()
        if not piece:
            raise EndsEarly
        self.data, self.at = self.data[self.at :] + piece, 0

    def line(self) -> bytes | None:
        """Return the next line without its newline; None if it was too long, and passed over."""
        overlong = False
        while (end := self.data.find(b"\n", self.at)) < 0:
            if len(self.data) - self.at > LONGEST:
                overlong = True
                self.at = len(self.data)
            self._more()
        line = None if overlong else self.data[self.at : end]
        self.at = end + 1
        return line

    def take(self, size: int) -> bytes:
        """Return exactly so many of the next bytes."""
        while len(self.data) - self.at < size:
            self._more()
        self.at += size
        return self.data[self.at - size : self.at]

    def pass_over(self, size: int) -> None:
        """Pass over so many of the next bytes."""
        while (there := len(self.data) - self.at) < size:
            size -= there
            self.at = len(self.data)
            self._more()
        self.at += size
