"""Recognise Postfix in trouble with itself or its surroundings.

Only what no client can cause: a daemon that died, and warnings about this
machine. Postfix's commands die of their caller's mistakes, and are left out. A
log that quotes the SMTP dialogue is recognised too: passwords stand in it.

Source: postfix/src/master/master_spawn.c, master_avail.c, util/attr_scan0.c and
many more; the words are Postfix's, at the start of the text.
"""

from __future__ import annotations

from check_postfix.maillog import shapes
from check_postfix.maillog.event import Event
from check_postfix.maillog.expression import Expression
from check_postfix.maillog.record import UNKNOWN, Record

DIED_OPENING = rb"(?:fatal|panic): "
_COMMANDS = frozenset(
    b"sendmail postdrop postqueue postsuper postmap postalias postconf postcat postlog"
    b" postkick postlock postmulti postfix postfix-script postmulti-script".split()
)

FAULT_OPENING = (
    rb"warning: (?:process /\S++ pid \d++ (?:exit status|killed by signal) "
    rb"|/[^\s:]++: bad command startup -- throttling"
    rb"|master_spawn: fork: "
    rb"|service \"[^\"\n]++\" \([^\s()]++\) has reached its process limit "
    rb"|not enough free space in mail queue: "
    rb"|mail_queue_enter: create file "
    rb"|connect to Milter service "
    rb"|milter \S++ "
    rb"|problem talking to "
    rb"|(?:timeout|premature end-of-input) on (?:private|public)/"
    rb"|unexpected end-of-input from (?:private|public)/"
    rb"|connect to (?:private|public)/"
    rb"|database \S++ is older than source file "
    rb"|saving corrupt file \""
    rb"|SASL: Connect to "
    # a table, TYPE:NAME (global/maps.c, util/match_ops.c, util/dict_sockmap.c)
    rb"|[a-z0-9_-]++:[^\s\"]++ lookup error for \""
    rb"|[a-z0-9_]++: [a-z0-9_-]++:[^\s\"]++(?<=:) table lookup problem"
    rb"|table [a-z0-9_-]++:[^\s\"]++ lookup error: "
    rb"|" + shapes.QUEUE_ID + rb": (?:write queue file"
    rb"|(?:bounce|defer|trace|verify|flush) service failure"
    rb"|[a-z0-9_]++ map lookup problem ))"
)
FAULT_WITHOUT_WARNING_OPENING = rb"(?:error: open database |entering STRESS mode with )"
# Behind a queue ID, without a severity (global/bounce.c, global/abounce.c,
# cleanup/cleanup_masquerade.c).
SAID_OF_A_MESSAGE_OPENING = (
    rb"(?:status=deferred \((?:bounce|delay warning|verp-bounce|trace) failed\)"
    rb"|[a-z0-9_]++ map lookup problem -- message not accepted, )"
)

# `-v` or debug_peer_list: what was said to and by a client or server
DIALOGUE_OPENING = rb"[<>] (?:" + shapes.CLIENT_NAME + rb")?\[(?:" + shapes.CLIENT_ADDRESS + rb")\]"

_match_warning = Expression(FAULT_OPENING).match
_match_said_of_a_message = Expression(SAID_OF_A_MESSAGE_OPENING).match
_match_dialogue = Expression(DIALOGUE_OPENING).match

_FAULT = Event(kind="local_fault")


def recognise_death(record: Record, _: int) -> Event | None:
    """Return the event of a daemon's end, None for a command's.

    record: text starts with DIED_OPENING
    """
    if record.program in _COMMANDS or record.program == UNKNOWN:
        return None
    return Event(kind="daemon_died")


def recognise_warning(record: Record, begin: int) -> Event | None:
    """Return the event of trouble on this machine, or None.

    record: text starts with `warning: `
    """
    return _FAULT if _match_warning(record.text, begin) else None


def recognise_fault(record: Record, _: int) -> Event:
    """Return the event of trouble on this machine.

    record: text starts with FAULT_WITHOUT_WARNING_OPENING
    """
    assert record.text  # whatever else it says
    return _FAULT


def recognise_said_of_a_message(record: Record, begin: int) -> Event | None:
    """Return the event of trouble on this machine, or None.

    begin: where the text goes on behind a queue ID
    """
    return _FAULT if _match_said_of_a_message(record.text, begin) else None


def recognise_dialogue(record: Record, begin: int) -> Event | None:
    """Return the event of a quoted line of SMTP, or None.

    record: text starts with `<` or `>`
    """
    return Event(kind="debug_dialogue") if _match_dialogue(record.text, begin) else None
