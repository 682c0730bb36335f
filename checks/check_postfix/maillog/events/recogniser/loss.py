"""Recognise what loggers say of lines that they have dropped: those minutes are not whole.

Source: rsyslog/runtime/ratelimit.c and its predecessor in imuxsock.c; systemd's
src/journal/journald-rate-limit.c. The tag is rsyslogd's own, in old versions with the number of
the message, or journald's. A stranger cannot write it; a local user can.
"""

from __future__ import annotations

from check_postfix.maillog.syntax.expression import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.syntax.record import Record

_TAG, _JOURNALD = b"rsyslogd", b"systemd-journald"
_OF_A_QUEUE = rb"(?:[^:\n]++: |)(?:\d++ |)messages?+(?:\(s\)|) discarded due to queue size"
# In the journal itself, syntax/entry.py finds it by its number.
_OF_A_UNIT = rb"Suppressed \d++ messages from (?:[^\s/]*+/)*+(?:postfix|dovecot)[.@]"
OPENINGS = (rb"im(?:journal|uxsock)[ :[]", _OF_A_QUEUE, _OF_A_UNIT)
# Of one line: a sum must fit into the store.
_MOST = 10**9

_match_tag = Expression(rb"rsyslogd(?:-\d++|)\Z").match
# Where the program is named whose lines were dropped, it must be one of ours.
_match_text = Expression(
    rb"im(?:journal|uxsock)(?:\[pid: \d++, name: [^\]\n]*(?:postfix|dovecot)[^\]\n]*\]"
    rb"|\[pid:? ?\d++\]|)(?: from <[^\n>]*+>|)(?::|) (?:"
    rb"(\d++) messages lost due to rate-limiting"
    rb"|lost (\d++) messages from pid \d++(?: due to rate-limiting|)"
    rb"|begins? to drop messages (?:from pid \d++ |)due to rate-limiting)"
    rb"|" + _OF_A_QUEUE.replace(rb"(?:\d++ |)", rb"(?:(\d++) |)")
).match  # fmt: skip
_match_unit = Expression(_OF_A_UNIT.replace(rb"\d++", rb"(\d++)")).match


def lost(record: Record) -> int | None:
    """Return how many lines, which may be ours, a logger says in a record that it has dropped.

    Returns: 0 where it does not say how many, None if it says no such thing
    """
    if record.program:
        return None
    if record.instance == _JOURNALD:
        match = _match_unit(record.text)
    elif record.instance.startswith(_TAG) and _match_tag(record.instance):
        match = _match_text(record.text)
    else:
        return None
    if not match:
        return None
    return min(int(next(filter(None, match.groups()), 0)), _MOST)
