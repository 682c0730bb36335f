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
    recognise: reads the whole text
    """

    __slots__ = ("_match", "_programs", "id", "opening", "recognise")

    def __init__(
        self,
        programs: tuple[bytes, ...] | None,
        id: bytes,
        opening: bytes,
        recognise: Callable[[Record], Event | None],
    ) -> None:
        self._programs = programs
        self._match = Expression(id + opening).match
        self.id = id
        self.opening = opening
        self.recognise = recognise

    def fits(self, record: Record) -> bool:
        """Tell whether `recognise` may be asked about this record."""
        return (
            self._programs is None or record.program in self._programs or record.program == UNKNOWN
        ) and bool(self._match(record.text))


_QUEUE_ID = shapes.QUEUE_ID + rb": "
_QUEUE_ID_OR_NOQUEUE = rb"(?:NOQUEUE|" + shapes.QUEUE_ID + rb"): "

POSTFIX: tuple[Shape, ...] = (
    Shape(None, _QUEUE_ID, delivery.OPENING, delivery.recognise),
    Shape((b"smtpd",), _QUEUE_ID_OR_NOQUEUE, intake.SMTPD_OPENING, intake.recognise_smtpd),
    Shape((b"smtpd",), _QUEUE_ID_OR_NOQUEUE, reject.SMTPD_OPENING, reject.recognise_smtpd),
    Shape(active.PROGRAMS, _QUEUE_ID, expiry.OPENING, expiry.recognise),
    Shape(active.PROGRAMS, _QUEUE_ID, active.OPENING, active.recognise),
    Shape(active.PROGRAMS, _QUEUE_ID, active.REMOVED_OPENING, active.recognise_removed),
    Shape((b"pickup",), _QUEUE_ID, intake.PICKUP_OPENING, intake.recognise_pickup),
    Shape((b"cleanup",), _QUEUE_ID, intake.CANCELLED_OPENING, intake.recognise_cancelled),
    Shape((b"cleanup",), _QUEUE_ID, reject.CONTENT_OPENING, reject.recognise_content),
    Shape(
        (b"smtpd", b"cleanup"),
        _QUEUE_ID_OR_NOQUEUE,
        reject.MILTER_OPENING,
        reject.recognise_milter,
    ),
    Shape((b"postscreen",), rb"NOQUEUE: ", reject.POSTSCREEN_OPENING, reject.recognise_postscreen),
    Shape((b"postscreen",), b"", reject.BARE_OPENING, reject.recognise_postscreen),
    Shape((b"postscreen",), b"", screen.OPENING, screen.recognise),
    Shape((b"smtpd",), b"", login.POSTFIX_OPENING, login.recognise_postfix),
    Shape((b"smtpd",), b"", limit.OPENING, limit.recognise),
    Shape(None, _QUEUE_ID, health.SAID_OF_A_MESSAGE_OPENING, health.recognise_fault),
    Shape(None, b"", health.FAULT_OPENING, health.recognise_fault),
    Shape(None, b"", health.FAULT_WITHOUT_WARNING_OPENING, health.recognise_fault),
    Shape(None, b"", health.DIED_OPENING, health.recognise_death),
    Shape(None, b"", health.DIALOGUE_OPENING, health.recognise_dialogue),
)
# How the texts open, behind a queue ID, that tell of a message of which others tell too.
OF_A_MESSAGE_OPENINGS = (
    delivery.OPENING, intake.SMTPD_OPENING, intake.PICKUP_OPENING, intake.CANCELLED_OPENING,
    active.OPENING, active.REMOVED_OPENING,
)  # fmt: skip
DOVECOT: tuple[Shape, ...] = (Shape(None, b"", login.DOVECOT_OPENING, login.recognise_dovecot),)


_DOVECOT = b"dovecot"


def is_ours(record: Record) -> bool:
    """Tell whether a record is Postfix's or Dovecot's."""
    return bool(record.program) or record.instance == _DOVECOT


def recognise(record: Record) -> Event | None:
    """Return what happened according to this record, or None if it tells of nothing counted.

    A tag without a slash is no Postfix program's, whatever the text looks like.
    """
    if not is_ours(record):
        return None
    for shape in DOVECOT if record.instance == _DOVECOT else POSTFIX:
        if shape.fits(record):
            return shape.recognise(record)
    return None


def message(record: Record, event: Event) -> Message | None:
    """Return what a record tells of a message, if other lines tell more of the same."""
    if event.kind not in OF_A_MESSAGE:
        return None
    queue_id = record.text.partition(b":")[0]
    if event.kind == "active":
        return Message(queue_id, *active.numbers(record.text))
    return Message(queue_id)
