"""Recognise what a record says: from Record to Event, or to None.

This is the definition of what is counted. Each kind of line has a Shape here:
the programs that write it, how its text opens, and the function that reads it.
The scanner finds candidate lines by these same openings and may only take a
short cut where it is sure to agree.
"""

from __future__ import annotations

import re

from check_postfix.maillog import shapes
from check_postfix.maillog.recogniser import delivery, expiry, intake, login, reject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from check_postfix.maillog.event import Event
    from check_postfix.maillog.record import Record


class Shape:
    """One kind of line.

    programs:  who writes it; None for any Postfix program (a transport of any
               name may be any delivery agent)
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
        self._match = re.compile(id + opening).match
        self.id = id
        self.opening = opening
        self.recognise = recognise

    def fits(self, record: Record) -> bool:
        """Tell whether `recognise` may be asked about this record."""
        return (self._programs is None or record.program in self._programs) and bool(
            self._match(record.text)
        )


_QUEUE_ID = shapes.QUEUE_ID + rb": "
_QUEUE_ID_OR_NOQUEUE = rb"(?:NOQUEUE|" + shapes.QUEUE_ID + rb"): "

POSTFIX: tuple[Shape, ...] = (
    Shape(None, _QUEUE_ID, delivery.OPENING, delivery.recognise),
    Shape((b"qmgr", b"oqmgr"), _QUEUE_ID, expiry.OPENING, expiry.recognise),
    Shape((b"smtpd",), _QUEUE_ID_OR_NOQUEUE, intake.SMTPD_OPENING, intake.recognise),
    Shape((b"pickup",), _QUEUE_ID, intake.PICKUP_OPENING, intake.recognise),
    Shape(
        (b"smtpd", b"postscreen", b"cleanup"),
        _QUEUE_ID_OR_NOQUEUE,
        reject.OPENING,
        reject.recognise,
    ),
    Shape((b"postscreen",), b"", reject.BARE_OPENING, reject.recognise),
    Shape((b"smtpd",), b"", login.POSTFIX_OPENING, login.recognise_postfix),
)
DOVECOT: tuple[Shape, ...] = (Shape(None, b"", login.DOVECOT_OPENING, login.recognise_dovecot),)


def recognise(record: Record) -> Event | None:
    """Return what happened according to this record, or None if it tells of nothing counted.

    A tag without a slash is no Postfix program's, whatever the text looks like.
    """
    if record.instance == b"dovecot":
        candidates = DOVECOT
    elif record.program:
        candidates = POSTFIX
    else:
        return None
    for shape in candidates:
        if shape.fits(record):
            return shape.recognise(record)
    return None
