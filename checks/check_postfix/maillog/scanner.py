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
from check_postfix.maillog.recogniser import (
    DOVECOT,
    POSTFIX,
    delivery,
    intake,
    login,
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
    + rb"(" + frame.ZONE + rb")? ([A-Za-z0-9._-]++) "
    rb"([A-Za-z0-9_.-]++)([A-Za-z0-9_./-]*+)(?:\[\d++\])?: ()"
)  # fmt: skip
_FRAME_GROUPS = 6

# The plain shapes. A delivery is plain if its addresses cannot hold a tail and
# no second one follows. Of the reply only the opening words decide, except after
# 452, which can mean a full mailbox.
_PLAIN_ADDRESS = shapes.UNQUOTED_LOCAL + rb"(?:@(?:" + shapes.DOMAIN + rb"))?"
_DELIVERY = (
    rb"to=<" + shapes.UNQUOTED_LOCAL + rb"(?:@(" + shapes.DOMAIN + rb"))?"
    rb">(?:, orig_to=<" + _PLAIN_ADDRESS + rb">)?, relay=(" + shapes.RELAY + rb")" + shapes.DELAYS
    + rb", dsn=(" + shapes.ENHANCED_CODE + rb"), status=(sent|deferred|bounced) \("
    rb"(?![^\n]*, relay=)(forwarded as |SASL authentication failed; "
    rb"|host [^\s\[\]]++\[[^\]\s]++\] said: (?:452[^\n]*+|[245]\d\d[ -]))?"
)  # fmt: skip
_RECEIVED = rb"(client)=(?:" + intake.LOGGED_IN + rb"(=))?"
_REJECT = (
    rb"reject: " + shapes.SMTP_STAGE + rb" from " + shapes.CLIENT_NAME
    + rb"\[(" + shapes.CLIENT_ADDRESS + rb")\](?::\d++)?: ([245]\d\d) "
)  # fmt: skip
_LOGIN = (
    rb"warning: " + shapes.CLIENT_NAME + rb"\[(" + shapes.CLIENT_ADDRESS
    + rb")\](?::\d++)?: SASL " + shapes.MECHANISM + shapes.AUTHENTICATION_FAILED
    + rb" ?([^,\n]*+)"
)  # fmt: skip


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(expressions) + rb")"


_SAID = _any(
    [
        rb"(?:(NOQUEUE)|" + shapes.QUEUE_ID + rb"): " + _any([_DELIVERY, _RECEIVED, _REJECT]),
        _LOGIN,
        # to be read by the recogniser
        rb"("
        + _any(
            [
                rb"(?:NOQUEUE|"
                + shapes.QUEUE_ID
                + rb"): "
                + _any(shape.opening for shape in POSTFIX if shape.id),
                *(shape.opening for shape in POSTFIX + DOVECOT if not shape.id),
                frame.WRAPPER,
            ]
        )
        + rb"[^\n]*+)",
    ]
)

_find = re.compile(
    rb"\n(?>(?:" + _FRAME + rb")?)(?(" + str(_FRAME_GROUPS).encode() + rb")" + _SAID
    + rb"|([^\n]++))"
).findall  # fmt: skip


class Scan:
    """Reads the blocks of one generation, in their order.

    clock: reads this generation's stamps

    `unframed` counts the lines so far that have no frame we know, or no date.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[bytes, ...], Event | None] = {}
        self._last_line = b""
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
        found = _find(block)
        clock = self._clock
        # Folding loses the order, and with it which round of a repeated hour
        # a line belongs to.
        ordered = found and (
            clock.is_twofold(found[0][0], found[0][1])
            or clock.is_twofold(found[-1][0], found[-1][1])
        )
        for groups, lines in [(one, 1) for one in found] if ordered else Counter(found).items():
            stamp, zone, host, instance = groups[:4]
            if groups[-1]:
                record = frame.parse(groups[-1])
                if record is None:
                    self.unframed += lines
                    continue
                stamp, zone, host, instance = record[:4]
                event = recognise(record)
                lines *= record.repeats
            elif groups[-2]:
                record = frame.record(
                    stamp, zone, host, instance, groups[4], groups[-2].removesuffix(b"\r")
                )
                event = recognise(record)
                lines *= record.repeats
            else:
                event = self._plain(groups[3:-2])
            minute = clock.minute(stamp, zone)
            if minute is None:
                self.unframed += lines
            elif event is not None:
                yield minute, host, instance, event, lines * event.times

    def _plain(self, fields: tuple[bytes, ...]) -> Event | None:
        try:
            return self._known[fields]
        except KeyError:
            if len(self._known) > _KNOWN:
                self._known.clear()
            event = self._known[fields] = _plain_event(*fields)
            return event


def _plain_event(
    instance: bytes,
    path: bytes,
    _framed: bytes,
    noqueue: bytes,
    domain: bytes,
    relay: bytes,
    enhanced_code: bytes,
    status: bytes,
    reply: bytes,
    received: bytes,
    logged_in: bytes,
    rejected_client: bytes,
    reply_code: bytes,
    login_client: bytes,
    login_reason: bytes,
) -> Event | None:
    """Return the event of a plain shape; the fields are the groups of the expression."""
    program = path[path.rfind(b"/") + 1 :]
    if not program or instance == b"dovecot":
        return None
    if status:
        # NOQUEUE never has a delivery
        return None if noqueue else delivery.outcome(status, domain, relay, enhanced_code, reply)
    if program != b"smtpd":
        return None
    if received:
        return intake.received(bool(noqueue), bool(logged_in))
    if rejected_client:
        return reject.at_stage(b"reject", rejected_client, reply_code)
    return login.failure(login_client, login_reason)


# So many distinct plain lines are remembered at a time.
_KNOWN = 50_000
