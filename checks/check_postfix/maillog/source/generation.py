"""A generation: one run of log lines, known by what is in it.

Whatever a rotation does to names, inodes and sizes, the bytes stay. So a
generation is recognised by the fingerprint of its head and of the bytes just
before the offset up to which it is counted, both of the uncompressed stream.
The fingerprints are keyed: strangers write part of the log, but they cannot
aim at a fingerprint whose key they do not know.
"""

from __future__ import annotations

try:  # hashlib loads OpenSSL, which costs more than the rest of a quiet run
    from _blake2 import blake2b
except ImportError:  # another Python's private name
    from hashlib import blake2b

from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.source.value import Value

# Enough for several lines; each has a stamp, a process ID and a queue ID.
FINGERPRINTED = 1024
# Bytes of a file that tell when it begins.
FIRST_LINES = 16 * 1024
_DIGEST = 16
# A head has a fingerprint at each of these sizes that it has reached, so that
# short files can be compared with long ones. No line is shorter than the first.
_HEAD_SIZES = (32, 64, 128, 256, 512, FINGERPRINTED)


def hasher(key: bytes, size: int, purpose: bytes) -> blake2b:
    """Return what hashes bytes with a key; each purpose gives another hash.

    size:    of the hash, in bytes
    purpose: at most 16 bytes
    """
    return blake2b(digest_size=size, key=key, person=purpose)


def fingerprint(data: bytes, key: bytes) -> bytes:
    """Return the keyed hash of some bytes of a log."""
    return blake2b(data, digest_size=_DIGEST, key=key).digest()


def fingerprints(head: bytes, key: bytes) -> bytes:
    """Return the fingerprints of the first bytes of a file; nothing if they are too few."""
    return b"".join(fingerprint(head[:size], key) for size in _HEAD_SIZES if size <= len(head))


class Replaced(Exception):
    """A file no longer holds the generation that it held a moment ago."""


class Generation(Value):
    """What is known of one generation.

    Every whole line from its start to the offset `end` is counted, except for those
    between `hole_start` and `hole_end`. The end of a big file is read first; the hole
    before it then shrinks from its end. A compressed file can only be read forwards, so
    there the hole shrinks from its start.

    id:         number in the store, 0 before it has one
    head:       the fingerprints of its head; it grows with a short file
    tail_size:  how many bytes before `end` `tail` is the fingerprint of
    first_minute: minute of its first line, None if that has no time
    since:      minute of the first line after the hole, `first_minute` without one
    last:       minute of the last line counted, None before that
    live:       whether it was the live log when it was last seen
    done:       whether all that it had when it was last seen was read
    line_counts: of the lines read
    """

    id: int = 0
    head: bytes = b""
    hole_start: int = 0
    hole_end: int = 0
    end: int = 0
    tail: bytes = b""
    tail_size: int = 0
    first_minute: int | None = None
    since: int | None = None
    last: int | None = None
    live: bool = False
    done: bool = False
    line_counts: LineCounts = LineCounts()

    def likeness(self, head: bytes) -> int:
        """Return how many bytes of these fingerprints are this generation's, 0 if it is another."""
        common = min(len(head), len(self.head))
        # a longer one includes the shorter ones
        last = slice(common - _DIGEST, common)
        return common if common and head[last] == self.head[last] else 0

    def mark_tail(self, data: bytes, key: bytes) -> None:
        """Remember the offset `end` by the bytes before it."""
        data = data[-FINGERPRINTED:]
        self.tail = fingerprint(data, key)
        self.tail_size = len(data)

    def has_tail(self, data: bytes, key: bytes) -> bool:
        """Tell whether these may be the bytes before `end`."""
        data = data[len(data) - self.tail_size :]
        return not data or fingerprint(data, key) == self.tail

    @property
    def hole(self) -> int:
        """How many bytes before `end` are still to be read."""
        return self.hole_end - self.hole_start
