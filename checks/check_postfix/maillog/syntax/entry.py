"""An entry: one message in the journal, with its place and its time."""

from __future__ import annotations

import re
import time

from check_postfix import user
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.journal_span import Cursor
from check_postfix.maillog.source.journalctl import Journalctl, TimeUpError
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.source.export import Fields

# The fields that an entry is made of.
FIELDS = ("_HOSTNAME", "SYSLOG_IDENTIFIER", "MESSAGE", "_TRANSPORT")
# journalctl compares whole values only, and any name can stand before a tag's slash. So
# Postfix and Dovecot are found by the syslog facility that both use by default, and by
# their units, in case they use another.
_OURS = (
    "SYSLOG_FACILITY=2", "+", "_SYSTEMD_SLICE=system-postfix.slice", "+",
    "_SYSTEMD_UNIT=postfix.service", "_SYSTEMD_UNIT=dovecot.service",
)  # fmt: skip
# What journald says when it drops lines of a unit that logs too fast.
_DROPPED = "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e"
# Of a container, whose output its logger's driver has put there line by line.
_CONTAINER = "CONTAINER_NAME"
# Of one entry: a sum must fit into the store.
_MOST_LOST = 10**9
_match_dropped = re.compile(
    rb"Suppressed (\d+) messages from (?:\S*/)?(?:postfix|dovecot|docker|podman|libpod|conmon)"
).match


def fields(matches: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that entries are made of.

    matches: journalctl's, that choose them
    """
    return (*FIELDS, _CONTAINER) if matches else FIELDS


def choice(matches: Sequence[str]) -> tuple[str, ...]:
    """Return what journalctl is told to choose.

    matches: that the administrator has named; none for what this machine's own mail is found by
    """
    return (*matches, "+", _DROPPED) if matches else (*_OURS, "+", _DROPPED)


class Entry:
    """One message.

    cursor_text: its cursor, as journald writes it
    second, minute: when journald received it, since 1970; entries stand in this order
    record: what it says, None if it has no tag or no text
    unread_text: its text where it has no record
    lost:    how many lines of ours journald says in it that it has dropped; 0 for none
    """

    __slots__ = ("cursor_text", "lost", "minute", "record", "second", "unread_text")

    def __init__(self, fields: Fields) -> None:
        """Make it from the fields that journalctl printed.

        Raises: LogError
        """
        try:
            self.cursor_text = fields[b"__CURSOR"].decode("ascii")
            self.second = int(fields[b"__REALTIME_TIMESTAMP"]) // 1_000_000
        except (KeyError, ValueError):
            raise _not_understood() from None
        self.minute = self.second // 60
        tag, text = fields.get(b"SYSLOG_IDENTIFIER"), fields.get(b"MESSAGE")
        self.record = None
        self.unread_text = b""
        self.lost = 0
        if _CONTAINER.encode() in fields and text is not None:
            self.record = frame.printed(self.second, fields.get(b"_HOSTNAME", b""), text)
            self.unread_text = b"" if self.record else text
            return
        if tag is None or text is None:
            self.unread_text = text or b""
            return
        if fields.get(b"_TRANSPORT") == b"driver":
            dropped = _match_dropped(text)
            self.lost = min(int(dropped[1]), _MOST_LOST) if dropped else 0
        # `minute` is all that is needed of the time
        self.record = frame.entry(b"", b"", fields.get(b"_HOSTNAME", b""), tag, text)

    @property
    def cursor(self) -> Cursor:
        """Its place, to be compared with others.

        Raises: LogError
        """
        try:
            return Cursor(self.cursor_text)
        except ValueError:
            raise _not_understood() from None


def _not_understood() -> LogError:
    return LogError(
        "journalctl: an entry without __CURSOR and __REALTIME_TIMESTAMP as they are known;"
        f" run journalctl -o export by hand as {user.me()}"
    )


class JournalEntries:
    """The entries that a journalctl prints.

    next:    the next one, None if there is none
    is_late: whether the time is up; there may be more entries then
    """

    def __init__(self, journalctl: Journalctl, deadline: float) -> None:
        """Wait for the first entry.

        Raises: LogError, TimeUpError
        """
        self._fields = journalctl.entries()
        self._deadline = deadline
        self.is_late = False
        self.next: Entry | None = None
        self._advance()

    def _advance(self) -> None:
        fields = next(self._fields, None)
        self.next = None if fields is None else Entry(fields)

    def advance(self) -> None:
        """Go on to the next entry.

        Raises: LogError
        """
        try:
            self._advance()
        except TimeUpError:
            self.next = None
            self.is_late = True
        if time.monotonic() > self._deadline:
            self.is_late = True

    def are_at(self, cursor: Cursor) -> bool:
        """Tell whether the next entry is this one."""
        return self.next is not None and self.next.cursor.is_of_same_entry(cursor)

    def are_after(self, cursor: Cursor | None) -> bool:
        """Tell whether the next entry comes later in the journal than this one, if there is one."""
        return self.next is not None and (cursor is None or self.next.cursor.is_after(cursor))
