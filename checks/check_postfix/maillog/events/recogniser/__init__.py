"""Recognise what a record says: from Record to Event, or to None.

This is the definition of what is counted. Each kind of line has a Shape here:
the programs that write it, how its text opens, and the function that reads it.
The scanner finds candidate lines by these same openings. It may take a short cut
only where it is sure to agree.
"""

from __future__ import annotations

import re

from check_postfix.maillog.events import fields, sender
from check_postfix.maillog.events.event import (
    DELIVERED,
    NOTHING,
    OF_A_MESSAGE,
    Event,
    MessageFacts,
)
from check_postfix.maillog.events.recogniser import (
    active,
    connection,
    delivery,
    expiry,
    health,
    intake,
    limit,
    login,
    reject,
    screen,
)
from check_postfix.maillog.events.recogniser.unknown import ODD_ID_OPENING, recognise_odd_id
from check_postfix.maillog.events.recogniser.unknown import unknown as unknown_event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Shape:
    """One kind of line.

    programs:  who writes it; None for any Postfix program (a transport of any
               name may be any delivery agent). A text whose program is UNKNOWN
               is known by how it opens.
    id:        expression of what the text starts with: a queue ID, perhaps
               NOQUEUE, or nothing
    words:     how what follows begins, one of these
    recognise: reads a record from there on; returns None if it makes nothing of it,
               NOTHING if it knows that nothing is counted
    unknown:   kind of event of a record that begins so and that nobody reads; nothing where
               such records may well tell of nothing that is counted
    opening:   expression of how it begins, where too many texts begin with the words

    An opening lets through all that is read, and little else. It is short, since it is
    part of the scanner's expression, which is compiled in each run that reads.
    """

    __slots__ = ("id", "opening", "programs", "recognise", "unknown", "words")

    def __init__(
        self,
        programs: tuple[bytes, ...] | None,
        id: bytes,
        words: tuple[bytes, ...],
        recognise: Callable[[Record, int], Event | None],
        opening: bytes = b"",
        unknown: str = "",
    ) -> None:
        self.programs = programs
        self.id = id
        self.words = words
        self.recognise = recognise
        self.opening = opening
        self.unknown = unknown

    @property
    def openings(self) -> list[bytes]:
        """Expressions; a text of this shape begins with one of them, after its ID."""
        if self.opening:
            return [self.opening]
        # A blank needs no escape, and takes less time to compile without.
        return [re.escape(words).replace(rb"\ ", b" ") for words in self.words]


_NO_ID = b""
_NOQUEUE = rb"NOQUEUE: "
_QUEUE_ID = fields.QUEUE_ID + rb": "
_QUEUE_ID_OR_NOQUEUE = rb"(?:NOQUEUE|" + fields.QUEUE_ID + rb"): "
_match_id = Expression(rb"(?:(?P<noqueue>NOQUEUE)|" + fields.QUEUE_ID + rb"): ").match

COMMANDS = health.COMMANDS
_SMTPD, _CLEANUP, _POSTSCREEN = (b"smtpd",), (b"cleanup",), (b"postscreen",)

# What is left of warnings.
ANY_WARNING = Shape(None, _NO_ID, (health.WARNING,), health.recognise_warning)

# Asked in this order; the first that returns an event has read the record.
POSTFIX: tuple[Shape, ...] = (
    Shape(None, _QUEUE_ID, (b"to=",), delivery.recognise),
    Shape(_SMTPD, _QUEUE_ID_OR_NOQUEUE, (b"client=",), intake.recognise_smtpd),
    Shape(
        _SMTPD, _QUEUE_ID_OR_NOQUEUE, (b"reject: ", b"hangup: "), reject.recognise_smtpd,
        unknown="reject_unknown",
    ),
    Shape(
        _SMTPD, _QUEUE_ID_OR_NOQUEUE, (b"reject_warning: ", b"hold: ", b"discard: "),
        reject.recognise_smtpd,
    ),
    Shape(active.PROGRAMS, _QUEUE_ID, (b"from=<",), expiry.recognise),
    Shape(active.PROGRAMS, _QUEUE_ID, (b"from=<",), active.recognise),
    Shape(active.PROGRAMS, _QUEUE_ID, (b"removed",), active.recognise_removed),
    Shape((b"pickup",), _QUEUE_ID, (b"uid=",), intake.recognise_pickup),
    Shape(_CLEANUP, _QUEUE_ID, (b"removed (canceled)",), intake.recognise_cancelled),
    Shape(
        _CLEANUP, _QUEUE_ID, (b"reject: ",), reject.recognise_content, unknown="reject_unknown",
    ),
    Shape(
        _CLEANUP, _QUEUE_ID, (b"hold: ", b"discard: ", b"warning: "), reject.recognise_content,
    ),
    Shape(
        _CLEANUP, _QUEUE_ID, (b"milter-header-reject: ",), reject.recognise_content,
        unknown="reject_unknown",
    ),
    Shape(
        _CLEANUP, _QUEUE_ID,
        (b"milter-header-hold: ", b"milter-header-discard: ", b"milter-header-warning: "),
        reject.recognise_content,
    ),
    Shape(
        _SMTPD + _CLEANUP, _QUEUE_ID_OR_NOQUEUE, (b"milter-reject: ",), reject.recognise_milter,
        unknown="reject_unknown",
    ),
    Shape(
        _SMTPD + _CLEANUP, _QUEUE_ID_OR_NOQUEUE, (b"milter-hold: ", b"milter-discard: "),
        reject.recognise_milter,
    ),
    Shape(
        _POSTSCREEN, _NOQUEUE, (b"reject: RCPT from [", b"reject: CONNECT from ["),
        reject.recognise_postscreen, unknown="reject_unknown",
    ),
    Shape(
        _POSTSCREEN, _NO_ID, (b"reject: connect from [",), reject.recognise_postscreen,
        unknown="reject_unknown",
    ),
    Shape(_POSTSCREEN, _NO_ID, screen.WORDS, screen.recognise),
    Shape(_SMTPD, _NO_ID, (connection.SMTPD,), connection.recognise),
    Shape(_POSTSCREEN, _NO_ID, (connection.POSTSCREEN,), connection.recognise),
    Shape(_SMTPD, _NO_ID, (b"warning: ",), login.recognise_postfix, login.OPENING),
    Shape(_SMTPD, _NO_ID, limit.WORDS, limit.recognise),
    Shape(_SMTPD, _NO_ID, (reject.PROXY,), reject.recognise_proxy),
    Shape(
        _SMTPD, _NO_ID, (b"warning: ",), reject.recognise_too_large, health.WITH_A_MESSAGE_OPENING,
    ),
    Shape(
        None, _QUEUE_ID, (b"",), health.recognise_said_of_a_message,
        health.SAID_OF_A_MESSAGE_OPENING,
    ),
    Shape(None, _NO_ID, health.FAULTS, health.recognise_fault),
    Shape(
        None, _NO_ID, (b"warning: ",), health.recognise_fault_of_a_table, health.OF_A_TABLE_OPENING,
    ),
    Shape(
        None, _NO_ID, (b"warning: ",), health.recognise_fault_with_a_message,
        health.WITH_A_MESSAGE_OPENING,
    ),
    Shape(None, _NO_ID, (b"warning: ",), health.recognise_blocklist, health.BLOCKLIST_OPENING),
    Shape(None, _NO_ID, (b"fatal: ", b"panic: "), health.recognise_death),
    Shape(None, _NO_ID, (b"< ", b"> "), health.recognise_dialogue),
    ANY_WARNING,
    Shape(None, _NO_ID, (b"",), recognise_odd_id, ODD_ID_OPENING),
)  # fmt: skip
DOVECOT: tuple[Shape, ...] = (
    Shape(None, _NO_ID, login.DOVECOT_WORDS, login.recognise_dovecot),
    Shape(
        None, _NO_ID, login.DOVECOT_AUTH_WORDS, login.recognise_dovecot_auth,
        login.DOVECOT_AUTH_OPENING,
    ),
)  # fmt: skip


_OTHERS = b""  # programs that no shape names


def _by_program(*ids: bytes) -> dict[bytes, tuple[Shape, ...]]:
    """Return the shapes with one of these `id`s, by the program that may write them."""
    having = tuple(shape for shape in POSTFIX if shape.id in ids)
    named = {program for shape in having for program in shape.programs or ()}
    return {UNKNOWN: having} | {
        program: tuple(
            shape for shape in having if shape.programs is None or program in shape.programs
        )
        for program in (*named, _OTHERS)
    }


_AFTER_QUEUE_ID = _by_program(_QUEUE_ID, _QUEUE_ID_OR_NOQUEUE)
_AFTER_NOQUEUE = _by_program(_NOQUEUE, _QUEUE_ID_OR_NOQUEUE)
_WITHOUT_ID = _by_program(_NO_ID)

_DOVECOT = b"dovecot"
# Its tag is its instance_name, which may be any word: then it is known by how it begins.
_match_dovecot = Expression(
    rb"(?:" + rb"|".join(opening for shape in DOVECOT for opening in shape.openings) + rb")"
).match


def is_ours(record: Record) -> bool:
    """Tell whether a record is Postfix's or Dovecot's."""
    return bool(record.program or record.instance == _DOVECOT or _match_dovecot(record.text))


def is_of_daemon(record: Record) -> bool:
    """Tell whether a record shows that mail is still logged there.

    What a command of Postfix complains of does not: the check of the queue causes such lines
    itself, on a host whose mail is logged somewhere else.
    """
    return is_ours(record) and record.program not in COMMANDS


def candidates(record: Record) -> tuple[tuple[Shape, ...], int]:
    """Return the shapes that a record of ours may have, and where in its text they begin."""
    if record.instance == _DOVECOT or not record.program:
        return DOVECOT, 0
    id = _match_id(record.text)
    if id is None:
        shapes_of, start = _WITHOUT_ID, 0
    else:
        shapes_of, start = _AFTER_NOQUEUE if id["noqueue"] else _AFTER_QUEUE_ID, id.end()
    return shapes_of.get(record.program, shapes_of[_OTHERS]), start


def recognise(record: Record) -> Event | None:
    """Return what happened according to this record, or None if nothing is counted.

    What begins as a record of a counted kind does, and is read by nobody, is an event as
    well: a new version of Postfix must not make mail invisible.

    A tag without a slash is Dovecot's or another program's, and of Postfix only that of a start
    that failed, whatever the text looks like.
    """
    if not is_ours(record):
        return health.recognise_without_slash(record)
    asked, start = candidates(record)
    starts_with = record.text.startswith
    unknown = None
    for shape in asked:
        if starts_with(shape.words, start):
            if event := shape.recognise(record, start):
                return None if event is NOTHING else event
            if shape.unknown and not unknown:
                unknown = unknown_event(shape.unknown, record, "reject:")
    return unknown


def message_facts(record: Record, event: Event) -> MessageFacts | None:
    """Return what a record says of a message, None if no other line tells of that."""
    if event.kind not in OF_A_MESSAGE:
        return None
    queue_id = record.text.partition(b":")[0]
    if queue_id == b"NOQUEUE":  # held before it had an ID
        return None
    if event.kind == "active":
        return MessageFacts(queue_id, *active.numbers(record.text))
    if event.kind in DELIVERED:
        times = delivery.times(record.text, len(queue_id) + len(b": "))
        return MessageFacts(queue_id, times=times, other_id=event.other_id)
    if event.kind == "received":
        return MessageFacts(queue_id, sender=sender.of(event), other_id=event.other_id)
    return MessageFacts(queue_id)
