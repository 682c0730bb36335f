"""The frame: what syslog put around a program's text. From line to Record.

Time, host and tag come in the forms that syslog daemons, Postfix's own logger,
multilog, journalctl and the loggers of containers write; any name may stand
before the slash of the tag, since `-o syslog_name=` is free. In a line that is
JSON, only its outermost names say what a value is: the logger wrote them, while
a stranger can have written every value.
"""

from __future__ import annotations

import json
import re
import time

from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

# Down to the minute. RFC 3164 pads the day with a blank, Postfix and journalctl
# with a zero, a few not at all; some sites put the year before it. The engine is fastest
# with sets. They let through more than times; timestamps.py says what is no time.
BSD_MINUTE = rb"[A-Z][a-z]{2} [ 0-9]{1,2} [0-9]{2}:[0-9]{2}"
ISO_MINUTE = rb"[0-9T: -]{16}"
SECONDS = rb":[0-9.,]++"
ZONE = rb"[Z0-9:+-]++"

_PRIORITY = rb"(?:<\d{1,3}>)?"
_STAMP = (
    rb"(?:(?P<stamp>(?:\d{4} )?" + BSD_MINUTE + rb"|" + ISO_MINUTE + rb")" + SECONDS
    + rb"(?P<zone>" + ZONE + rb")?"
    # journalctl -o short-full names the zone, which is the machine's own
    rb"|[A-Z][a-z][a-z] (?P<full_stamp>" + ISO_MINUTE + rb")" + SECONDS
    + rb" (?P<named_zone>[A-Z]++|[+-]\d\d(?:\d\d)?)"
    rb"|(?P<unix>\d{9,10})\.\d{1,9}+"
    # TAI64N, as multilog and s6-log write it
    rb"|@40000000(?P<tai>[0-9a-f]{8})[0-9a-f]{8}) "
)  # fmt: skip
# No host: Solaris consoles, and Dovecot's own log file. No slash in it: it is
# not the tag. busybox writes facility and severity before the tag.
_HOST = rb"(?:(?P<host>[^\s\[\]/]++(?<!:)) )?(?:[a-z]+[0-9]?\.[a-z]++ )?"
_NAMES = rb"(?P<instance>[^\s\[\]:/]++)(?P<path>[^\s\[\]:]*+)"
_SAID = rb"(?P<said>.*)"

# Nearly every line. The next expression would read it alike, but takes far longer to
# compile and to match.
_match_ordinary = Expression(
    rb"(?P<stamp>" + BSD_MINUTE + rb"|" + ISO_MINUTE + rb")" + SECONDS + rb"(?P<zone>" + ZONE
    + rb"|) (?P<host>[^\s\[\]/:]++) " + _NAMES + rb"(?:\[\d++\]|): " + _SAID,
    re.DOTALL,
).match  # fmt: skip
_match = Expression(
    _PRIORITY + _STAMP + _HOST + _NAMES + rb"(?:(?:\[\d++\])?:|\[\d++\]) " + _SAID, re.DOTALL
).match
# Forwarding templates cut the tag, with its process ID, at 32 bytes.
_match_cut = Expression(
    _PRIORITY + _STAMP + _HOST + rb"(?=[^\s:]{32} )" + _NAMES + rb"(?P<id>\[\d*+\]?)? " + _SAID,
    re.DOTALL,
).match
# RFC 5424: rsyslog cuts the program off at its slash, and begins the message
# with the blank that stood after the tag.
_match_rfc5424 = Expression(
    rb"<\d{1,3}>1 (?P<stamp>" + ISO_MINUTE + rb")" + SECONDS + rb"(?P<zone>" + ZONE + rb") "
    rb"(?P<host>\S++) (?P<instance>[^\s/]++)(?P<path>\S*+) \S++ \S++ "
    rb"(?:-|(?:\[(?:[^\]\"\\]++|\"(?:[^\"\\]++|\\.)*\")*\])+) (?:\xef\xbb\xbf)? ?" + _SAID,
    re.DOTALL,
).match  # fmt: skip
# Loggers of containers, around a line of one of the other frames. F says that it
# is whole, or its last part (partial_lines.py).
CRI_TIME = ISO_MINUTE + SECONDS + rb"(?:" + ZONE + rb")"
_LONGEST_CRI_TIME = len("2026-11-24T16:43:26.123456789+01:00")
_STREAM = b" std"
_match_cri = Expression(CRI_TIME + rb" std(?:out|err) F ").match

# Of a journal's entry; the first is in microseconds since 1970.
_ENTRY = ("__REALTIME_TIMESTAMP", "_HOSTNAME", "SYSLOG_IDENTIFIER", "MESSAGE")
_match_microseconds = Expression(rb"[1-9]\d{14,15}\Z").match
# Seconds by which TAI64 is ahead of UTC, as multilog and s6-log count it.
_TAI_AHEAD = 10

# What journalctl says itself, between the entries.
_match_remark = Expression(
    rb"-- (?:(?:Boot [0-9a-f]{32}|Reboot|No entries|(?:Journal|Logs) begins? at [^\n]*) --"
    rb"|cursor: )"
).match

# Solaris puts a message number, rsyslog a count of repeats around the text.
WRAPPER = rb"\[ID \d|message repeated \d"
WRAPPERS = (b"[ID ", b"message repeated ")
_match_wrapped = Expression(
    rb"(?:\[ID \d++ [a-z0-9.]++\] )?"
    rb"(?:message repeated (?P<repeats>[1-9]\d{0,8}) times: \[ (?P<folded>.*)\]\Z)?"
    rb"(?P<text>.*)",
    re.DOTALL,
).match

_DOVECOT_LOGIN = (b"imap-login", b"pop3-login", b"submission-login", b"managesieve-login")


def parse(line: bytes) -> Record | None:
    """Return the record of one line, or None if it has no frame that we know.

    line: without its newline. A carriage return at its end is not part of it, nor are
          the NUL bytes that truncation can leave before it
    """
    line = line.lstrip(b"\0").removesuffix(b"\r")
    if line.startswith(b"{"):
        return _parse_object(line)
    if may_be_cri(line) and (match := _match_cri(line)):
        line = line[match.end() :]
    return _parse_line(line)


def may_be_cri(data: bytes, start: int = 0) -> bool:
    """Tell whether a container's line may begin there, by what must follow its time."""
    return data.find(_STREAM, start, start + _LONGEST_CRI_TIME + len(_STREAM)) >= 0


def is_remark(line: bytes) -> bool:
    """Tell whether this is a remark of journalctl's own: it is no record, and none is missing."""
    return bool(_match_remark(line))


def _parse_object(line: bytes) -> Record | None:
    """Return the record of a line that is a JSON object: of docker or of a journal's entry."""
    try:
        fields = json.loads(line.decode("utf-8", "replace"), object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        return None
    said = fields.get("log")
    if isinstance(said, str):
        return _parse_line(_encoded(said).removesuffix(b"\n").removesuffix(b"\r"))
    return _parse_entry(fields)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the fields of an object.

    Raises: ValueError if a name stands in it twice, which no logger writes
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError
    return fields


def _parse_entry(fields: dict[str, object]) -> Record | None:
    """Return the record of one entry of `journalctl -o json`.

    A text longer than 4096 bytes is null there, and is not Postfix's.
    """
    microseconds, host, tag, text = map(_value, map(fields.get, _ENTRY))
    if not _match_microseconds(microseconds):
        return None
    return entry(_utc(int(microseconds) // 1_000_000), b"Z", host, tag, text)


def _value(field: object) -> bytes:
    """Return a field of a journal's entry; nothing if it has several values or is too long."""
    if isinstance(field, str):
        return _encoded(field)
    # A value that is no text is an array of its bytes.
    if isinstance(field, list) and all(type(byte) is int and 0 <= byte < 256 for byte in field):
        return bytes(field)
    return b""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def entry(stamp: bytes, zone: bytes, host: bytes, tag: bytes, text: bytes) -> Record:
    """Return the record of a journal's entry, where each part has a field of its own."""
    # A program that writes to the journal itself may put blanks into its tag. In a file no
    # tag has one, and the names in a tag are kept as one word each.
    if len(tag.split()) != 1:
        tag = b""
    instance, _, path = tag.partition(b"/")
    service, _, program = path.rpartition(b"/")
    return Record(stamp, zone, host, instance, program, text, 1, service)


def _parse_line(line: bytes) -> Record | None:
    """Return the record of a line; no other logger has put it into a line of its own."""
    if match := _match_ordinary(line):
        return record(*match.groups())
    if match := _match(line):
        host, instance, said = match["host"] or b"", match["instance"], match["said"]
        if not host and instance in _DOVECOT_LOGIN:
            # Dovecot's own log file has no `dovecot: ` before its processes.
            instance, said = b"dovecot", instance + b": " + said
        return record(*_time(match), host, instance, match["path"], said)
    if match := _match_rfc5424(line):
        return record(
            match["stamp"], match["zone"], match["host"], match["instance"],
            match["path"] or _lost_path(match["instance"]), match["said"],
        )  # fmt: skip
    if match := _match_cut(line):
        path = match["path"]
        if match["id"] is None:
            # What is left of the program may be the start of several names.
            path = path[: path.rfind(b"/") + 1] + UNKNOWN if path else _lost_path(match["instance"])
        return record(*_time(match), match["host"] or b"", match["instance"], path, match["said"])
    return None


def _time(match: re.Match[bytes]) -> tuple[bytes, bytes]:
    """Return stamp and zone as timestamps.py reads them."""
    if match["stamp"]:
        return match["stamp"], match["zone"] or b""
    if match["unix"]:
        return _utc(int(match["unix"])), b"Z"
    if match["tai"]:
        return _utc(int(match["tai"], 16) - _TAI_AHEAD), b"Z"
    named = match["named_zone"]
    if named.isalpha():
        return match["full_stamp"], b"Z" if named in (b"UTC", b"GMT") else b""
    return match["full_stamp"], named.ljust(5, b"0")


def _utc(seconds: int) -> bytes:
    """Return seconds since 1970 as a stamp."""
    return time.strftime("%Y-%m-%dT%H:%M", time.gmtime(seconds)).encode()


def _lost_path(instance: bytes) -> bytes:
    """Return the path of a tag that has lost it, nothing if the tag is not Postfix's."""
    return b"/" + UNKNOWN if instance.startswith(b"postfix") else b""


def record(
    stamp: bytes, zone: bytes, host: bytes, instance: bytes, path: bytes, said: bytes
) -> Record:
    """Return the record of a line whose frame has been taken off.

    path: what stands in the tag after the instance: `/smtp`, `/submission/smtpd`
          or nothing
    said: what stands after the tag, perhaps wrapped (WRAPPER)
    """
    repeats = 1
    if said.startswith(WRAPPERS):
        wrapped = _match_wrapped(said)
        assert wrapped is not None  # every part of it is optional
        if wrapped["repeats"]:
            said, repeats = wrapped["folded"], int(wrapped["repeats"])
        else:
            said = wrapped["text"]
    service, _, program = path.rpartition(b"/")
    return Record(stamp, zone, host, instance, program, said, repeats, service[1:])
