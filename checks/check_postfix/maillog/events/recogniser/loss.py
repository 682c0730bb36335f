"""Recognise what rsyslog says of lines that it has dropped: those minutes are not whole.

Source: rsyslog/runtime/ratelimit.c and its predecessor in imuxsock.c. The tag is rsyslogd's own,
in old versions with the number of the message. A stranger cannot write it; a local user can.
"""

from __future__ import annotations

from check_postfix.maillog.syntax.expression import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.syntax.record import Record

_TAG = b"rsyslogd"
_OF_A_QUEUE = rb"(?:[^:\n]++: |)(?:\d++ |)messages?+(?:\(s\)|) discarded due to queue size"
OPENINGS = (rb"im(?:journal|uxsock)[ :[]", _OF_A_QUEUE)
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


def lost(record: Record) -> int | None:
    """Return how many lines, which may be ours, rsyslog says in a record that it has dropped.

    Returns: 0 where it does not say how many, None if it says no such thing
    """
    if not record.instance.startswith(_TAG) or record.program or not _match_tag(record.instance):
        return None
    match = _match_text(record.text)
    if not match:
        return None
    return min(int(next(filter(None, match.groups()), 0)), _MOST)
