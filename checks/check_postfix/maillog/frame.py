"""The frame: what syslog put around a program's text. From line to Record.

Time, host and tag come in the forms that syslog daemons, Postfix's own logger
and journalctl write; any name may stand before the slash of the tag, since
`-o syslog_name=` is free.
"""

from __future__ import annotations

import re

from check_postfix.maillog.record import Record

# Down to the minute. RFC 3164 pads the day with a blank, Postfix and journalctl
# with a zero, a few not at all; some sites put the year in front.
BSD_MINUTE = rb"[A-Z][a-z][a-z] [ \d]?\d \d\d:\d\d"
ISO_MINUTE = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d"
SECONDS = rb":\d\d(?:[.,]\d{1,9}+)?"
ZONE = rb"Z|[+-]\d\d:?\d\d"

_match = re.compile(
    rb"(?:<\d{1,3}>)?"
    rb"(?P<stamp>(?:\d{4} )?" + BSD_MINUTE + rb"|" + ISO_MINUTE + rb")" + SECONDS
    + rb"(?P<zone>" + ZONE + rb")? "
    # No host: Solaris consoles, and Dovecot's own log file. No slash in it: it
    # is not the tag.
    rb"(?:(?P<host>[^\s\[\]/]++(?<!:)) )?"
    # busybox writes facility and severity before the tag
    rb"(?:[a-z]+[0-9]?\.[a-z]++ )?"
    rb"(?P<instance>[^\s\[\]:/]++)(?P<path>[^\s\[\]:]*+)(?:\[\d++\])?: "
    rb"(?P<said>.*)",
    re.DOTALL,
).match  # fmt: skip

# Solaris puts a message number, rsyslog a count of repeats around the text.
WRAPPER = rb"\[ID \d|message repeated \d"
_match_wrapped = re.compile(
    rb"(?:\[ID \d++ [a-z0-9.]++\] )?"
    rb"(?:message repeated (?P<repeats>\d{1,9}+) times: \[ (?P<folded>.*)\]\Z)?"
    rb"(?P<text>.*)",
    re.DOTALL,
).match

_DOVECOT_LOGIN = (b"imap-login", b"pop3-login", b"submission-login", b"managesieve-login")


def parse(line: bytes) -> Record | None:
    """Return the record of one line, or None if it has no frame that we know.

    line: without its newline; a carriage return before that is not part of it,
          nor are the NUL bytes that truncation can leave in front
    """
    shape = _match(line.lstrip(b"\0").removesuffix(b"\r"))
    if not shape:
        return None
    host, instance, said = shape["host"] or b"", shape["instance"], shape["said"]
    if not host and instance in _DOVECOT_LOGIN:
        # Dovecot's own log file has no `dovecot: ` in front of its processes.
        instance, said = b"dovecot", instance + b": " + said
    return record(shape["stamp"], shape["zone"] or b"", host, instance, shape["path"], said)


def record(
    stamp: bytes, zone: bytes, host: bytes, instance: bytes, path: bytes, said: bytes
) -> Record:
    """Return the record of a line whose frame has been taken off.

    path: what stands in the tag behind the instance: `/smtp`, `/submission/smtpd`
          or nothing
    said: what stands behind the tag, perhaps wrapped (WRAPPER)
    """
    wrapped = _match_wrapped(said)
    assert wrapped is not None  # every part of it is optional
    program = path[path.rfind(b"/") + 1 :]
    folded = wrapped["repeats"] is not None
    return Record(
        stamp=stamp,
        zone=zone,
        host=host,
        instance=instance,
        program=program,
        text=wrapped["folded"] if folded else wrapped["text"],
        repeats=int(wrapped["repeats"]) if folded else 1,
    )
