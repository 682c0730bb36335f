"""Recognise Postfix in trouble with itself or its surroundings.

These are only lines that no client can cause: a daemon that died, and warnings about
this machine. Postfix's commands die of their caller's mistakes and are left out. A log
that quotes the SMTP dialogue is recognised too: passwords stand in it.

Source: postfix/src/master/master_spawn.c, master_avail.c, util/attr_scan0.c and
many more; the words are Postfix's, at the start of the text.
"""

from __future__ import annotations

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

COMMANDS = frozenset(
    b"sendmail postdrop postqueue postsuper postmap postalias postconf postcat postlog"
    b" postkick postlock postmulti postfix postfix-script postmulti-script".split()
)

# How lines about such trouble begin; _match_fault knows how they go on.
FAULTS = (
    b"warning: process /",
    b"warning: /",
    b"warning: master_spawn: ",
    b'warning: service "',
    b"warning: not enough free space ",
    b"warning: mail_queue_enter: ",
    b"warning: connect to ",
    b"warning: milter ",
    b"warning: problem talking to ",
    b"warning: timeout on p",
    b"warning: premature end-of-input ",
    b"warning: unexpected end-of-input ",
    b"warning: database ",
    b"warning: saving corrupt file ",
    b"warning: SASL: ",
    b"warning: lost connection with proxy ",
    b"warning: timeout talking to proxy ",
    b"warning: table ",
    b"error: open database ",
    b"entering STRESS mode with ",
)
_match_fault = Expression(
    rb"(?:error|entering|warning: (?:process /\S++ pid \d++ (?:exit status|killed by signal) "
    rb"|/[^\s:]++: bad command startup -- throttling"
    rb"|master_spawn: fork: "
    rb"|service \"[^\"\n]++\" \([^\s()]++\) has reached its process limit "
    rb"|not enough free space in mail queue: "
    rb"|mail_queue_enter: create file "
    rb"|connect to (?:Milter service |proxy filter |(?:private|public)/)"
    rb"|milter \S++ "
    rb"|problem talking to "
    rb"|(?:timeout|premature end-of-input) on (?:private|public)/"
    rb"|unexpected end-of-input from (?:private|public)/"
    rb"|database \S++ is older than source file "
    rb"|saving corrupt file \""
    rb"|SASL: (?:Connect|Couldn't |Protocol )"
    rb"|(?:lost connection with|timeout talking to) proxy "
    rb"|table [a-z0-9_-]++:[^\s\"]++ lookup error: ))"
).match

# A table, TYPE:NAME (global/maps.c, util/match_ops.c, util/dict_sockmap.c)
OF_A_TABLE_OPENING = rb"warning: [a-z0-9_-]++:(?: [a-z0-9_-]++:|)[^\s\"]"
_match_of_a_table = Expression(
    rb"warning: (?:[a-z0-9_-]++:[^\s\"]++ lookup error for \""
    rb"|[a-z0-9_]++: [a-z0-9_-]++:[^\s\"]++(?<=:) table lookup problem)"
).match

# Every queue ID has that form, and few other words before a colon have it.
WITH_A_MESSAGE_OPENING = rb"warning: [0-9A-Z][0-9A-Za-z]{5,63}+: "
_match_with_a_message = Expression(
    rb"warning: " + fields.QUEUE_ID + rb": (?:write queue file"
    rb"|(?:bounce|defer|trace|verify|flush) service failure"
    rb"|[a-z0-9_]++ map lookup (?:problem|error) |table [a-z0-9_-]++:[^\s\"]++ lookup error for )"
).match

# After a queue ID, without a severity (global/bounce.c, global/abounce.c,
# cleanup/cleanup_masquerade.c).
SAID_OF_A_MESSAGE_OPENING = (
    rb"(?:status=deferred \((?:bounce|delay warning|verp-bounce|trace) failed\)"
    rb"|[a-z0-9_]++ map lookup problem -- message not accepted, )"
)
_match_said_of_a_message = Expression(SAID_OF_A_MESSAGE_OPENING).match

# What was said to and by a client or server, logged because of `-v` or debug_peer_list
_match_dialogue = Expression(
    rb"[<>] (?:" + fields.CLIENT_NAME + rb")?\[(?:" + fields.CLIENT_ADDRESS + rb")\]"
).match

_FAULT = Event(kind="local_fault")


def recognise_death(record: Record, _: int) -> Event | None:
    """Return the event of a daemon's end, None for a command's.

    record: text starts with `fatal: ` or `panic: `
    """
    if record.program in COMMANDS or record.program == UNKNOWN:
        return None
    return Event(kind="daemon_died")


def recognise_fault(record: Record, start: int) -> Event | None:
    """Return the event of trouble on this machine, or None.

    record: text starts with one of FAULTS
    """
    return _FAULT if _match_fault(record.text, start) else None


def recognise_fault_of_a_table(record: Record, start: int) -> Event | None:
    """Return the event of a table that cannot be read, or None.

    record: text starts with `warning: `
    """
    return _FAULT if _match_of_a_table(record.text, start) else None


def recognise_fault_with_a_message(record: Record, start: int) -> Event | None:
    """Return the event of trouble with a message that the line names, or None.

    record: text starts with `warning: `
    """
    return _FAULT if _match_with_a_message(record.text, start) else None


def recognise_said_of_a_message(record: Record, start: int) -> Event | None:
    """Return the event of trouble on this machine, or None.

    start: where the text goes on after a queue ID
    """
    return _FAULT if _match_said_of_a_message(record.text, start) else None


def recognise_dialogue(record: Record, start: int) -> Event | None:
    """Return the event of a quoted line of SMTP, or None.

    record: text starts with `<` or `>`
    """
    return Event(kind="debug_dialogue") if _match_dialogue(record.text, start) else None
