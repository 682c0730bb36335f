"""Recognise what a record says: from Record to Event, or to None.

This is the definition of what is counted. Each kind of line has a Shape here:
the programs that write it, how its text opens, and the function that reads it.
The scanner finds candidate lines by these same openings and may only take a
short cut where it is sure to agree.
"""

from __future__ import annotations

from check_postfix.maillog import shapes
from check_postfix.maillog.event import OF_A_MESSAGE, Message
from check_postfix.maillog.expression import Expression
from check_postfix.maillog.recogniser import (
    active,
    delivery,
    expiry,
    health,
    intake,
    limit,
    login,
    reject,
    screen,
)
from check_postfix.maillog.record import UNKNOWN, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from check_postfix.maillog.event import Event


class Shape:
    """One kind of line.

    programs:  who writes it; None for any Postfix program (a transport of any
               name may be any delivery agent). A text whose program is UNKNOWN
               is told by how it opens.
    id:        expression of what the text starts with: a queue ID, perhaps
               NOQUEUE, or nothing
    opening:   expression of what follows
    recognise: reads a record from there on; returns None if it does not open so, or
               tells of nothing
    words:     how the opening begins, one of these; the opening itself if there is
               nothing else to it. Nearly every text is sorted out by them, and an
               expression that is not asked is not compiled
    """

    __slots__ = ("id", "opening", "programs", "recognise", "words")

    def __init__(
        self,
        programs: tuple[bytes, ...] | None,
        id: bytes,
        opening: bytes,
        recognise: Callable[[Record, int], Event | None],
        words: tuple[bytes, ...] | None = None,
    ) -> None:
        self.programs = programs
        self.id = id
        self.opening = opening
        self.recognise = recognise
        self.words = (opening,) if words is None else words


_NO_ID = b""
_NOQUEUE = rb"NOQUEUE: "
_QUEUE_ID = shapes.QUEUE_ID + rb": "
_QUEUE_ID_OR_NOQUEUE = rb"(?:NOQUEUE|" + shapes.QUEUE_ID + rb"): "
_match_id = Expression(rb"(?:(?P<noqueue>NOQUEUE)|" + shapes.QUEUE_ID + rb"): ").match

_SMTPD, _CLEANUP, _POSTSCREEN = (b"smtpd",), (b"cleanup",), (b"postscreen",)

# Asked in this order: the first that makes something of a record has read it.
POSTFIX: tuple[Shape, ...] = (
    Shape(None, _QUEUE_ID, delivery.OPENING, delivery.recognise),
    Shape(_SMTPD, _QUEUE_ID_OR_NOQUEUE, intake.SMTPD_OPENING, intake.recognise_smtpd),
    Shape(
        _SMTPD, _QUEUE_ID_OR_NOQUEUE, reject.SMTPD_OPENING, reject.recognise_smtpd,
        (b"reject: ", b"reject_warning: ", b"hangup: ", b"hold: ", b"discard: "),
    ),
    Shape(active.PROGRAMS, _QUEUE_ID, expiry.OPENING, expiry.recognise, (b"from=<",)),
    Shape(active.PROGRAMS, _QUEUE_ID, active.OPENING, active.recognise),
    Shape(
        active.PROGRAMS, _QUEUE_ID, active.REMOVED_OPENING, active.recognise_removed,
        (b"removed",),
    ),
    Shape((b"pickup",), _QUEUE_ID, intake.PICKUP_OPENING, intake.recognise_pickup, (b"uid=",)),
    Shape(
        _CLEANUP, _QUEUE_ID, intake.CANCELLED_OPENING, intake.recognise_cancelled,
        (b"removed (canceled)",),
    ),
    Shape(
        _CLEANUP, _QUEUE_ID, reject.CONTENT_OPENING, reject.recognise_content,
        (b"reject: ", b"hold: ", b"discard: ", b"warning: "),
    ),
    Shape(
        _SMTPD + _CLEANUP, _QUEUE_ID_OR_NOQUEUE, reject.MILTER_OPENING, reject.recognise_milter,
        (b"milter-reject: ", b"milter-hold: ", b"milter-discard: "),
    ),
    Shape(
        _POSTSCREEN, _NOQUEUE, reject.POSTSCREEN_OPENING, reject.recognise_postscreen,
        (b"reject: RCPT from [", b"reject: CONNECT from ["),
    ),
    Shape(
        _POSTSCREEN, _NO_ID, reject.BARE_OPENING, reject.recognise_postscreen,
        (b"reject: connect from [",),
    ),
    Shape(_POSTSCREEN, _NO_ID, screen.OPENING, screen.recognise, screen.WORDS),
    Shape(_SMTPD, _NO_ID, login.POSTFIX_OPENING, login.recognise_postfix, (b"warning: ",)),
    Shape(
        _SMTPD, _NO_ID, limit.OPENING, limit.recognise,
        (b"warning: Refusing ", b"warning: Connection ", b"warning: Message delivery request ",
         b"warning: Recipient address ", b"warning: New TLS session ", b"warning: AUTH command "),
    ),
    Shape(
        None, _QUEUE_ID, health.SAID_OF_A_MESSAGE_OPENING, health.recognise_said_of_a_message,
        (b"",),
    ),
    Shape(None, _NO_ID, health.FAULT_OPENING, health.recognise_warning, (b"warning: ",)),
    Shape(
        None, _NO_ID, health.FAULT_WITHOUT_WARNING_OPENING, health.recognise_fault,
        (b"error: open database ", b"entering STRESS mode with "),
    ),
    Shape(None, _NO_ID, health.DIED_OPENING, health.recognise_death, (b"fatal: ", b"panic: ")),
    Shape(None, _NO_ID, health.DIALOGUE_OPENING, health.recognise_dialogue, (b"< ", b"> ")),
)  # fmt: skip
DOVECOT: tuple[Shape, ...] = (
    Shape(None, _NO_ID, login.DOVECOT_OPENING, login.recognise_dovecot, login.DOVECOT_WORDS),
)


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


_BEHIND_QUEUE_ID = _by_program(_QUEUE_ID, _QUEUE_ID_OR_NOQUEUE)
_BEHIND_NOQUEUE = _by_program(_NOQUEUE, _QUEUE_ID_OR_NOQUEUE)
_WITHOUT_ID = _by_program(_NO_ID)

_DOVECOT = b"dovecot"


def is_ours(record: Record) -> bool:
    """Tell whether a record is Postfix's or Dovecot's."""
    return bool(record.program) or record.instance == _DOVECOT


def candidates(record: Record) -> tuple[tuple[Shape, ...], int]:
    """Return the shapes that a record of ours may have, and where in its text they open."""
    if record.instance == _DOVECOT:
        return DOVECOT, 0
    id = _match_id(record.text)
    if id is None:
        shapes_of, begin = _WITHOUT_ID, 0
    else:
        shapes_of, begin = _BEHIND_NOQUEUE if id["noqueue"] else _BEHIND_QUEUE_ID, id.end()
    return shapes_of.get(record.program, shapes_of[_OTHERS]), begin


def recognise(record: Record) -> Event | None:
    """Return what happened according to this record, or None if it tells of nothing counted.

    A tag without a slash is no Postfix program's, whatever the text looks like.
    """
    if not is_ours(record):
        return None
    asked, begin = candidates(record)
    starts_with = record.text.startswith
    for shape in asked:
        if starts_with(shape.words, begin) and (event := shape.recognise(record, begin)):
            return event
    return None


def message(record: Record, event: Event) -> Message | None:
    """Return what a record tells of a message, if other lines tell more of the same."""
    if event.kind not in OF_A_MESSAGE:
        return None
    queue_id = record.text.partition(b":")[0]
    if event.kind == "active":
        return Message(queue_id, *active.numbers(record.text))
    return Message(queue_id)
