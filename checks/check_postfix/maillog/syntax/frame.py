"""The frame: what syslog put around a program's text. From line to Record.

Time, host and tag come in the forms that syslog daemons, Postfix's own logger,
multilog, journalctl and the loggers of containers write; any name may stand
before the slash of the tag, since `-o syslog_name=` is free. In a line that is
JSON, only its outermost names say what a value is: the logger wrote them, while
a stranger can have written every value.

Loggers put whole lines into their own: those of containers around them, others after
a tag. Such a line is taken out once, and only where no stranger's text can stand. The
time of the frame is the one that counts: the line in it has mostly none, or that of a
container, whose zone nobody knows.
"""

from __future__ import annotations

import json
import re
import time

from check_postfix.maillog.syntax import named_fields
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
# not the tag; no second stamp (`docker logs -t`). FreeBSD's syslogd -vv writes facility
# and severity before the host, busybox before the tag; templates of rsyslog's a severity.
_SEVERITIES = b"EMERG ALERT CRIT ERR WARNING NOTICE INFO DEBUG".split()
_BEFORE_HOST = rb"(?:<[a-z0-9]++\.[a-z0-9]++> )?"
_ONE_HOST = rb"(?!\d{4}-\d\d-\d\dT)[^\s\[\]/]++(?<!:)"
# syslog-ng's, each relay after a slash. A tag without any follows, which a text does not
# begin with.
_HOSTS = (
    rb"[^\s\[\]/:]++(?:/[^\s\[\]/:]++)++"
    rb"(?= [^\s\[\]:/]++[/\[]| (?!warning|error|fatal|panic)[a-z_-]++: )"
)
_BEFORE_TAG = rb"(?:[a-z]+[0-9]?\.[a-z]++ )?(?:(?:" + b"|".join(_SEVERITIES) + rb") {1,5})?"
_HOST = _BEFORE_HOST + rb"(?:(?P<host>" + _ONE_HOST + rb") )?" + _BEFORE_TAG
_HOST_OR_HOSTS = (
    _BEFORE_HOST + rb"(?:(?P<host>" + _ONE_HOST + rb"|" + _HOSTS + rb") )?" + _BEFORE_TAG
)
_NAMES = rb"(?P<instance>[^\s\[\]:/]++)(?P<path>[^\s\[\]:]*+)"
_SAID = rb"(?P<said>.*)"

# Nearly every line. The next expression would read it alike, but takes far longer to
# compile and to match.
_match_ordinary = Expression(
    rb"(?P<stamp>" + BSD_MINUTE + rb"|" + ISO_MINUTE + rb")" + SECONDS + rb"(?P<zone>" + ZONE
    + rb"|) (?P<host>[^\s\[\]/:<]++) " + _NAMES + rb"(?:\[\d++\]|): " + _SAID,
    re.DOTALL,
).match  # fmt: skip
_match = Expression(
    _PRIORITY + _STAMP + _HOST_OR_HOSTS + _NAMES + rb"(?:(?:\[\d++\])?:|\[\d++\]) " + _SAID,
    re.DOTALL,
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
_TIME = rb"(?P<time>(?P<stamp>" + ISO_MINUTE + rb")" + SECONDS + rb"(?P<zone>" + ZONE + rb"))"
_LONGEST_CRI_TIME = len("2026-11-24T16:43:26.123456789+01:00")
_STREAM = b" std"
AT_MOST_CRI_TIME = rb"[^s\n]{1,%d}std" % (_LONGEST_CRI_TIME + 1)  # as may_be_cri() wants it
_match_cri = Expression(_TIME + rb" std(?:out|err) F ").match
_match_time = Expression(_TIME + rb"\Z").match
# What `docker compose logs` and `docker logs -t` put before each line.
_match_printed = Expression(rb"(?:[A-Za-z0-9][A-Za-z0-9_.-]*+ *+\| )?(?:" + _TIME + rb" )?").match
_match_stamped = Expression(rb"(?:<\d{1,3}>(?:1 )?)?" + _STAMP).match

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

# What begins a whole line that is the text of another: that of a container's logger, of
# journald for a service that prints its log, or of docker's for a container that has no
# name but the first digits of its ID.
STAMPED = rb"(?:" + BSD_MINUTE + rb"|" + ISO_MINUTE + rb"):[0-9]"
_match_whole_line = Expression(STAMPED).match
_match_wrapping = Expression(rb"(?:docker|conmon|postfix|dovecot|[0-9a-f]{12})\Z").match

# Dovecot's own log file has no `dovecot: ` before its processes, but a level after them.
_DOVECOT_LOGIN = (b"imap-login", b"pop3-login", b"submission-login", b"managesieve-login")
_match_dovecot = Expression(rb"(?:auth|auth-worker(?:\(\d++\))?|master)\Z").match
_DOVECOT_LEVELS = (b"Info: ", b"Warning: ", b"Error: ", b"Fatal: ", b"Panic: ", b"Debug: ")


def parse(line: bytes) -> Record | None:
    """Return the record of one line, or None if it has no frame that we know.

    line: without its newline. A carriage return at its end is not part of it, nor are
          the NUL bytes that truncation can leave before it
    """
    line = line.lstrip(b"\0").removesuffix(b"\r")
    if line.startswith(b"{"):
        return _parse_object(line)
    if may_be_cri(line) and (match := _match_cri(line)):
        return _parse_inside(match, line[match.end() :])
    return _parse_line(line) or _parse_printed(line)


def may_be_cri(data: bytes, start: int = 0) -> bool:
    """Tell whether a container's line may begin there, by what must follow its time."""
    return data.find(_STREAM, start, start + _LONGEST_CRI_TIME + len(_STREAM)) >= 0


def is_remark(line: bytes) -> bool:
    """Tell whether this is a remark of journalctl's own: it is no record, and none is missing."""
    return bool(_match_remark(line))


def _parse_printed(line: bytes) -> Record | None:
    """Return the record of a line that was printed with something before it."""
    match = _match_printed(line)
    if not match or not match.end():
        return None
    return _parse_inside(match if match["time"] else None, line[match.end() :])


def _parse_inside(outer: re.Match[bytes] | None, line: bytes) -> Record | None:
    """Return the record of a line that another logger has put into its own.

    outer: the time that this logger says, None if it says none
    """
    if line.startswith(b"{"):
        return _parse_object(line, inside=True)
    if _match_stamped(line):
        return _parse_stamped(outer, line)
    return _parse_line(b"%b %b" % (outer["time"], line)) if outer else None


def _parse_stamped(outer: re.Match[bytes] | None, line: bytes) -> Record | None:
    """Return the record of a line with a stamp; without a zone, that is the outer one."""
    inner = _parse_line(line)
    if inner and outer and not inner.zone:
        return inner._replace(stamp=outer["stamp"], zone=outer["zone"])
    return inner


def _parse_object(line: bytes, inside: bool = False) -> Record | None:
    """Return the record of a line that is a JSON object.

    inside: whether another logger has put it into its own, as docker and journald are not
    """
    try:
        fields = json.loads(line.decode("utf-8", "replace"), object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        return None
    name = named_fields.name_of_text(fields)
    if name in ("message", "msg"):
        return _parse_fields(fields, named_fields.text(fields[name]).removesuffix(b"\n"))
    if inside or not name:
        return None
    said = fields[name]
    if name == "log" and isinstance(said, str):
        outer = _match_time(named_fields.text(fields.get("time")))
        return _parse_inside(outer, _encoded(said).removesuffix(b"\n").removesuffix(b"\r"))
    return _parse_entry(fields)


def _parse_fields(fields: dict[str, object], said: bytes) -> Record | None:
    """Return the record of a line whose parts have a field each, or only its time has."""
    outer = _match_time(named_fields.time_of(fields))
    tag = named_fields.tag_of(fields)
    if tag is None:
        return None
    host, (names, is_written_out) = named_fields.host_of(fields), tag
    if not names:
        inner = _parse_stamped(outer, said) if _match_stamped(said) else None
        return inner and inner._replace(host=inner.host or host)
    if not outer:
        return None
    instance, slash, path = names.partition(b"/")
    lost = b"" if slash or is_written_out else _lost_path(instance)
    # rsyslog's text begins with the blank after the tag.
    return record(
        outer["stamp"], outer["zone"], host, instance, slash + path or lost, said.removeprefix(b" ")
    )


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
    return _unwrapped(Record(stamp, zone, host, instance, program, text, 1, service))


def printed(second: int, host: bytes, line: bytes) -> Record | None:
    """Return the record of a line that a container has printed, which its logger has stamped.

    second: since 1970
    host:   that the container runs on
    """
    outer = _match_time(_utc(second) + b":00Z")
    inner = _parse_inside(outer, line.removesuffix(b"\r"))
    return inner and inner._replace(host=inner.host or host)


def _parse_line(line: bytes) -> Record | None:
    """Return the record of a line; no other logger has put it into a line of its own."""
    parts = _taken_apart(line)
    return record(*parts) if parts else None


def _taken_apart(line: bytes) -> tuple[bytes, ...] | None:
    """Return the parts of a line, as record() wants them."""
    if match := _match_ordinary(line):
        return match.groups()
    if match := _match(line):
        host, instance, said = match["host"] or b"", match["instance"], match["said"]
        if not host and (
            instance in _DOVECOT_LOGIN
            or (said.startswith(_DOVECOT_LEVELS) and _match_dovecot(instance))
        ):
            # Dovecot's own log file has no `dovecot: ` before its processes.
            instance, said = b"dovecot", instance + b": " + said
        return (*_time(match), host, instance, match["path"], said)
    if match := _match_rfc5424(line):
        return (
            match["stamp"], match["zone"], match["host"], match["instance"],
            match["path"] or _lost_path(match["instance"]), match["said"],
        )  # fmt: skip
    if match := _match_cut(line):
        path = match["path"]
        if match["id"] is None:
            # What is left of the program may be the start of several names.
            path = path[: path.rfind(b"/") + 1] + UNKNOWN if path else _lost_path(match["instance"])
        return (*_time(match), match["host"] or b"", match["instance"], path, match["said"])
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
    said: what stands after the tag, perhaps wrapped (WRAPPER), perhaps a whole line
    """
    return _unwrapped(_record(stamp, zone, host, instance, path, said))


def _record(
    stamp: bytes, zone: bytes, host: bytes, instance: bytes, path: bytes, said: bytes
) -> Record:
    if host in _SEVERITIES:  # where no host is
        host = b""
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


def _unwrapped(outer: Record) -> Record:
    """Return the record of the line that is another's text, if it is; with that one's time."""
    if outer.program not in (b"", UNKNOWN) or outer.service or not _match_wrapping(outer.instance):
        return outer
    parts = _match_whole_line(outer.text) and _taken_apart(outer.text)
    if not parts:
        return outer
    inner = _record(*parts)
    if inner.repeats > 1 and outer.repeats > 1:  # which nobody writes
        return outer
    return inner._replace(
        stamp=outer.stamp, zone=outer.zone, host=inner.host or outer.host,
        repeats=inner.repeats * outer.repeats,
    )  # fmt: skip
