"""Unparsed: what is made of a line whose frame nobody knows, if it may be about mail.

Whoever sends mail cannot write such a line: what a sender may choose stands in framed lines.
"""

from __future__ import annotations

from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression

# Of a line's start, so much shows its frame.
_SHOWN = 48
_replace_letters = Expression(rb"[A-Za-z\x80-\xff]").sub
_replace_digits = Expression(rb"[0-9]").sub
_replace_others = Expression(rb"[\x00-\x1f\x7f]").sub


def names_mail(line: bytes) -> bool:
    """Tell whether a line without a frame that we know may be Postfix's or Dovecot's."""
    return b"postfix" in line or b"dovecot" in line


def unparsed(line: bytes) -> Event:
    """Return the event of a line; it shows what the line looks like, with no word of it."""
    return Event(kind="unparsed", reason=look(line))


def look(text: bytes) -> str:
    """Return what a text begins like, with no word of it."""
    shown = _replace_digits(b"0", _replace_letters(b"a", text[:_SHOWN]))
    return _replace_others(b"?", shown).decode("ascii")
