"""The scanner: the fast way from a block of an ordinary log to its events.

One expression finds, line by line, either a shape so plain that its few fields
can be taken as they stand, or a line that the recogniser must read. It is built
from the recogniser's own openings, so it passes over only what the recogniser
would pass over too; a line whose frame is not the ordinary one is handed over
whole. Lines that say the same are folded before anything is done in Python.
"""

from __future__ import annotations

import re
from collections import Counter

from check_postfix.maillog import frame, repeats, shapes
from check_postfix.maillog.parts import Parts
from check_postfix.maillog.recogniser import (
    DOVECOT,
    POSTFIX,
    delivery,
    intake,
    recognise,
    reject,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from check_postfix.maillog.clock import Clock
    from check_postfix.maillog.event import Event

# A stamp, one host name, one tag: what nearly every line starts with. The empty
# group behind it tells that it was all there.
_FRAME = (
    rb"(" + frame.BSD_MINUTE + rb"|" + frame.ISO_MINUTE + rb")" + frame.SECONDS
    + rb"(" + frame.ZONE + rb"|) ([A-Za-z0-9._-]++ [A-Za-z0-9_.-]++[A-Za-z0-9_./-]*+)"
    rb"(?:\[\d++\]|): ()"
)  # fmt: skip
_FRAME_GROUPS = 4

# A delivery is plain if its addresses cannot hold a tail and no second one
# follows. The reply is kept where it says why the delivery failed.
_PLAIN_ADDRESS = shapes.UNQUOTED_LOCAL + rb"(?:@(?:" + shapes.DOMAIN + rb"))?"
_DELIVERY = (
    rb"to=<" + shapes.UNQUOTED_LOCAL + rb"(?:@(" + shapes.DOMAIN + rb"))?"
    rb">(?:, orig_to=<" + _PLAIN_ADDRESS + rb">|), relay=([^\s,\[]++)[^\s,]*+" + shapes.DELAYS
    + rb", dsn=(?![^\n]*, relay=)(" + shapes.ENHANCED_CODE + rb", status=(?:sent \("
    + delivery.COMES_AGAIN + rb"?|(?:deferred|bounced) \([^\n]*+))"
)  # fmt: skip
_RECEIVED = rb"(client=)(?:" + intake.LOGGED_IN + rb"(=))?"
# Of these two all that the recogniser looks at: it reads the same of many lines.
# Without whom a reject is about and how that ends it is only whole.
_REJECT = (
    rb"(reject: " + shapes.SMTP_STAGE + rb" from " + shapes.CLIENT_NAME
    + rb"\[(?:" + shapes.CLIENT_ADDRESS + rb")\](?::\d++)?: [245]\d\d )"
    + rb"(?:" + shapes.ENHANCED_CODE + rb" )?" + reject.ABOUT
    + rb"(?=[A-Za-z])(" + reject.MESSAGE + rb")"
)  # fmt: skip
_LOGIN = (
    rb"(" + shapes.CLIENT_NAME + rb"\[(?:" + shapes.CLIENT_ADDRESS
    + rb")\](?::\d++)?: SASL " + shapes.MECHANISM + shapes.AUTHENTICATION_FAILED
    + rb"[^,\n]*+(?:, sasl_username=\(unavailable\)(?=\r?(?:\n|\Z)))?)"
)  # fmt: skip


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(expressions) + rb")"


def _whole(expressions: Iterable[bytes]) -> bytes:
    """Return the expression of a text that the recogniser must read, kept to its end."""
    return rb"(" + _any(expressions) + rb"[^\n]*+)"


# By how a text starts: with an ID, with this, or with anything else. What is kept
# starts behind it, since the value of an ID decides nothing.
_WARNING = b"warning: "
_SHAPES = POSTFIX + DOVECOT
_SAID = _any(
    [
        rb"(?:(NOQUEUE)|"
        + shapes.QUEUE_ID
        + rb"): "
        + _any([_DELIVERY, _RECEIVED, _REJECT, _whole(s.opening for s in _SHAPES if s.id)]),
        _WARNING
        + _any(
            [
                _LOGIN,
                _whole(
                    s.opening.removeprefix(_WARNING)
                    for s in _SHAPES
                    if s.opening.startswith(_WARNING)
                ),
            ]
        ),
        # None of the frequent texts that nobody counts starts with these.
        rb"(?=[][<>A-Zefimprs])"
        + _whole(
            [
                *(s.opening for s in _SHAPES if not s.id and not s.opening.startswith(_WARNING)),
                frame.WRAPPER,
            ]
        ),
    ]
)

_find = re.compile(
    rb"\n(?>(?:" + _FRAME + rb")?)(?(" + str(_FRAME_GROUPS).encode() + rb")" + _SAID
    + rb"|([^\n]++))"
).findall  # fmt: skip


class Scan:
    """Reads the blocks of one generation, in their order.

    clock:  reads this generation's stamps
    before: the bytes before the first block; what stands in front of the first
            newline in them may be the end of a longer line

    `unframed` counts the lines so far that have no frame we know, or no date.
    """

    def __init__(self, clock: Clock, before: bytes = b"") -> None:
        self._clock = clock
        self._known: dict[tuple[bytes, ...], tuple[bytes, bytes, Event | None, int]] = {}
        first, *lines = before[:-1].split(b"\n")
        self._last_line = lines[-1] if lines else b""
        self._parts = Parts(first, lines)
        self.unframed = 0

    def block(self, block: bytes) -> Iterator[tuple[int, bytes, bytes, Event, int]]:
        """Yield what a block of lines tells of.

        block:  whole lines, each with the newline that ends the line before it
                in front of it, none at the end
        Yields: (minute, host, instance, event, times): `times` events of one
                kind, counting repeated lines and repeated logins
        """
        last_line = block[block.rfind(b"\n") + 1 :]
        if repeats.WORDS in block:
            block = repeats.spelled_out(block, self._last_line)
        self._last_line = last_line
        found = _find(self._parts.joined(block))
        clock = self._clock
        # Folding loses the order, and with it which round of a repeated hour
        # a line belongs to.
        first, last = _first_stamp(found), _first_stamp(reversed(found))
        ordered = first and last and clock.needs_order(first, last)
        known = self._known
        minute, at = None, (b"", b"")
        for groups, lines in [(one, 1) for one in found] if ordered else Counter(found).items():
            if line := groups[-1]:
                record = frame.parse(line)
                if record is None:
                    if not frame.is_remark(line):
                        self.unframed += lines
                    continue
                when = record[:2]
                host, instance = record[2:4]
                event = recognise(record)
                lines *= record.repeats
            else:
                when = groups[:2]
                fields = groups[2:-1]
                if fields not in known:
                    if len(known) > _KNOWN:
                        known.clear()
                    known[fields] = _event(*fields)
                host, instance, event, said = known[fields]
                lines *= said
            if when != at:
                minute, at = clock.minute(*when), when
            if minute is None:
                self.unframed += lines
            elif event is not None:
                yield minute, host, instance, event, lines * event.times


def _first_stamp(found: Iterable[tuple[bytes, ...]]) -> tuple[bytes, bytes] | None:
    return next(((one[0], one[1]) for one in found if one[0]), None)


def _event(
    where: bytes,
    _framed: bytes,
    noqueue: bytes,
    domain: bytes,
    relay: bytes,
    outcome: bytes,
    received: bytes,
    logged_in: bytes,
    rejected: bytes,
    message: bytes,
    with_id: bytes,
    login: bytes,
    warning: bytes,
    other: bytes,
) -> tuple[bytes, bytes, Event | None, int]:
    """Return host, instance, event and repeats of a line with an ordinary frame.

    The arguments are the groups of the expression.
    """
    text = login or warning
    if text:
        text = _WARNING + text
    elif rejected or with_id:
        text = (noqueue or _ANY_ID) + b": " + (rejected + message or with_id)
    host, _, tag = where.partition(b" ")
    instance, slash, path = tag.partition(b"/")
    record = frame.record(
        b"", b"", host, instance, slash + path, (text or other).removesuffix(b"\r")
    )
    event = None
    if not outcome and not received:
        event = recognise(record)
    elif instance == b"dovecot" or not record.program:
        pass
    elif outcome:
        if not noqueue:  # which never has a delivery
            enhanced_code, _, rest = outcome.partition(b", status=")
            status, _, reply = rest.partition(b" (")
            reply = reply.removesuffix(b"\r")
            event = delivery.outcome(status, domain, relay, enhanced_code, reply)
    elif record.program == b"smtpd":
        event = intake.received(bool(noqueue), bool(logged_in))
    return host, instance, event, record.repeats


_ANY_ID = b"000000"

# So many distinct lines are remembered at a time.
_KNOWN = 4_000
