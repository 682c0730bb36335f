"""A record: one line of the log, taken apart as syslog wrote it."""

from __future__ import annotations

from collections import namedtuple

# One of Postfix's programs, but syslog does not say which one.
UNKNOWN = b"?"


class Record(
    namedtuple("Record", "stamp zone host instance program text repeats service", defaults=(b"",))
):
    """One log line, before anything is known of what it means.

    stamp:    the time down to the minute, as written (bytes)
    zone:     the offset written after it (bytes; empty where none is)
    host:     the host named in the line (bytes; empty where none is)
    instance: first part of the tag: `postfix`, `postfix-out`, `dovecot` (bytes)
    program:  last part of the tag: `smtp`, `cleanup`, `imap-login` (bytes); UNKNOWN
              where syslog cut it off
    text:     what the program said (bytes)
    repeats:  how often it was said: 1, or the N of rsyslog's
              `message repeated N times`
    service:  what stands in the tag between the two: `submission`; often nothing (bytes)
    """

    __slots__ = ()

    stamp: bytes
    zone: bytes
    host: bytes
    instance: bytes
    program: bytes
    text: bytes
    repeats: int
    service: bytes
