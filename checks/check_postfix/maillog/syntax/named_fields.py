"""Named fields: the parts of a line that is a JSON object, by the names that loggers give them.

rsyslog's JSON templates, Vector and Fluent Bit each have names of their own for time,
host, tag and text; sites change them. Where two names could both be meant, nothing is
taken: a template that does not escape its values lets a stranger add fields.

Sources: the documentation of rsyslog (Templates), of Vector (sources syslog, file and
journald) and of Fluent Bit (inputs tail and syslog).
"""

from __future__ import annotations

import time

from check_postfix.maillog.syntax.expression import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    Fields = dict[str, object]

_TEXT = ("log", "MESSAGE", "message", "msg")
_TIME = ("@timestamp", "timestamp", "date", "time")
_HOST = ("host", "hostname", "sysloghost")
_TAG = (
    "syslogtag", "syslog-tag", "tag", "programname", "program", "appname", "app-name", "ident",
    "SYSLOG_IDENTIFIER",
)  # fmt: skip
# A tag as syslog writes it, perhaps with process ID and colon, or only its names.
_match_tag = Expression(rb"([^\s\[\]:]++)((?:\[[^\s\[\]]*+\])?:?)\Z").match
# Fluent Bit's times are seconds since 1970; not before 2001, nor after 2286.
_SECONDS = 1e9, 1e10


def name_of_text(fields: Fields) -> str:
    """Return the name under which the text stands, nothing if that is none or several."""
    names = [name for name in _TEXT if name in fields]
    return names[0] if len(names) == 1 else ""


def text(value: object) -> bytes:
    """Return what a field says, nothing if that is no text."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else b""


def time_of(fields: Fields) -> bytes:
    """Return the time, nothing if there is none; whether it is one is not looked at."""
    said = next((fields[name] for name in _TIME if name in fields), None)
    if isinstance(said, int | float) and _SECONDS[0] <= said < _SECONDS[1]:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(said))).encode()
    return text(said)


def host_of(fields: Fields) -> bytes:
    """Return the host, nothing if there is none of one word."""
    said = next((said for name in _HOST if (said := text(fields.get(name)))), b"")
    return said if len(said.split()) == 1 else b""


def tag_of(fields: Fields) -> tuple[bytes, bool] | None:
    """Return the tag's names, and whether a process ID or a colon stood after them.

    The names are nothing if there is no tag. None if a tag is none, or if two of them
    differ. Where one is the beginning of another, it is the same that was cut at its slash.
    """
    names, is_written_out = b"", False
    for said in (fields[name] for name in _TAG if fields.get(name) is not None):
        match = _match_tag(text(said))
        if match is None:
            return None
        shorter, longer = sorted((names, match[1]), key=len)
        if shorter and shorter != longer and not longer.startswith(shorter + b"/"):
            return None
        names, is_written_out = longer, is_written_out or bool(match[2])
    return names, is_written_out
