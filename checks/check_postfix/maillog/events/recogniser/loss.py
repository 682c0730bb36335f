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

_match_tag = Expression(rb"rsyslogd(?:-\d++|)\Z").match
# Where the program is named whose lines were dropped, it must be one of ours.
_match_text = Expression(
    rb"im(?:journal|uxsock)(?:\[pid: \d++, name: [^\]\n]*(?:postfix|dovecot)[^\]\n]*\]"
    rb"|\[pid:? ?\d++\]|)(?: from <[^\n>]*+>|)(?::|) (?:"
    rb"\d++ messages lost due to rate-limiting"
    rb"|lost \d++ messages from pid \d++(?: due to rate-limiting|)"
    rb"|begins? to drop messages (?:from pid \d++ |)due to rate-limiting)"
    rb"|" + _OF_A_QUEUE
).match  # fmt: skip


def tells_of_loss(record: Record) -> bool:
    """Tell whether rsyslog says in a record that it has dropped lines, which may be ours."""
    return (
        record.instance.startswith(_TAG)
        and not record.program
        and bool(_match_tag(record.instance) and _match_text(record.text))
    )
