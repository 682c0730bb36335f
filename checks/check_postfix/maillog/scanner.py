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
from itertools import chain, repeat
from operator import itemgetter

from check_postfix.maillog import frame, repeats, shapes
from check_postfix.maillog.event import LINKS, Message
from check_postfix.maillog.parts import Parts
from check_postfix.maillog.recogniser import (
    DOVECOT,
    OF_A_MESSAGE_OPENINGS,
    POSTFIX,
    active,
    delivery,
    intake,
    is_ours,
    login,
    message,
    recognise,
    reject,
    screen,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from check_postfix.maillog.clock import Clock
    from check_postfix.maillog.event import Event
    from check_postfix.maillog.record import Record

    # What a Message says, perhaps as a plain tuple
    About = tuple[bytes, int, int]

# A stamp, one host name, one tag: what nearly every line starts with. Only a tag
# with a path has the third group.
_STAMP = rb"(" + frame.ISO_MINUTE + rb"|" + frame.BSD_MINUTE + rb")" + frame.SECONDS
_FRAME = (
    _STAMP + rb"((?:" + frame.ZONE + rb"|) [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++)"
    rb"(?:(/[A-Za-z0-9_./-]*+(?<!/))|)(?:\[\d++\]|): "
)  # fmt: skip
_FRAMED = rb"2"
_HAS_PATH = rb"3"


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(expressions) + rb")"


def _whole(expressions: Iterable[bytes]) -> bytes:
    """Return the expression of a text that the recogniser must read, to its end."""
    return _any(expressions) + rb"[^\n]*+"


# A delivery is plain if its addresses cannot hold a tail and no second one
# follows. The reply is kept where it says why the delivery failed.
_PLAIN_ADDRESS = shapes.UNQUOTED_LOCAL + rb"(?:@(?:" + shapes.DOMAIN + rb")|)"
_DELIVERY = (
    rb"to=<" + shapes.UNQUOTED_LOCAL + rb"(?:@(" + shapes.DOMAIN + rb")|)"
    rb">(?:, orig_to=<" + _PLAIN_ADDRESS + rb">|), relay=([^\t-\r ,\[]++)[^\t-\r ,]*+"
    + shapes.DELAYS + rb", dsn=(?![^\n]*, relay=)(" + shapes.ENHANCED_CODE + rb", status="
    rb"(?:sent \((?:" + delivery.COMES_AGAIN + rb"|)|(?:deferred|bounced) \([^\n]*+))"
)  # fmt: skip
_ACTIVE = (
    rb"from=<" + _PLAIN_ADDRESS + rb">, size=(" + active.SIZE + rb", nrcpt=" + active.RECIPIENTS
    + rb") \(queue active\)(?=\r?(?:\n|\Z))"
)  # fmt: skip
_RECEIVED = rb"client(=)(?:" + intake.LOGGED_IN + rb"(=)|)"
# Of the following all that the recogniser looks at: it reads the same of many lines.
_REJECTED = (
    rb"reject: [A-Z][A-Z-]++(?: content|) from (?:" + shapes.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?:" + shapes.CLIENT_ADDRESS + rb")\]"
)  # fmt: skip
# Without whom a reject is about and how that ends it is only whole.
_WHY = (
    rb"(?::\d++|)(: [245]\d\d )(?:" + shapes.ENHANCED_CODE + rb" |)"
    + reject.ABOUT + rb"(?=[A-Za-z])(" + reject.MESSAGE + rb")"
)  # fmt: skip
# The account stands behind it, apart: it is another one nearly each time.
_ACCOUNT = rb", sasl_username="
_LOGIN = (
    rb"warning: " + shapes.CLIENT_NAME + rb"\[(?:" + shapes.CLIENT_ADDRESS
    + rb")\](?::\d++|): SASL " + shapes.MECHANISM + shapes.AUTHENTICATION_FAILED
    + rb"[^,\n]*+(?:" + _ACCOUNT + rb"\(unavailable\)(?=\r?(?:\n|\Z))|)"
    rb"(?=(?:" + _ACCOUNT + rb"[^,\n]++|)\r?(?:\n|\Z))"
)  # fmt: skip

# By how a text starts: with an ID, with a warning, or with anything else. The
# value of an ID decides nothing, and is kept where other lines tell of the same message.
_OF_A_MESSAGE = rb"(" + shapes.QUEUE_ID + rb"):(?= " + _any(OF_A_MESSAGE_OPENINGS) + rb")"
_WARNING = rb"warning: "
_WITH_ID = _whole(shape.opening for shape in POSTFIX if shape.id)
_WARNINGS = _WARNING + _whole(
    shape.opening.removeprefix(_WARNING) for shape in POSTFIX if shape.opening.startswith(_WARNING)
)
_OTHERS = _whole(
    [
        *(
            shape.opening
            for shape in (*POSTFIX, *DOVECOT)
            if not shape.id
            and not shape.opening.startswith(_WARNING)
            and shape.opening != screen.OPENING  # told of by a FINDING only
        ),
        frame.WRAPPER,
    ]
)
_SAID = _any(
    [
        rb"(?:NOQUEUE(:)|"
        + _OF_A_MESSAGE
        + rb"|"
        + shapes.QUEUE_ID
        + rb":) "
        + _any(
            [
                _DELIVERY,
                _RECEIVED,
                _ACTIVE,
                rb"(" + _REJECTED + rb"|" + _WITH_ID + rb")" + _any([_WHY, rb"(?=\n|\Z)"]),
            ]
        ),
        # None of the frequent texts that nobody counts starts with another letter.
        rb"(?=[][<>A-Zefimprsw])"
        + _any([screen.FINDING, rb"(" + _any([_LOGIN, _WARNINGS, _OTHERS]) + rb")"]),
    ]
)
# Where these groups stand, and those that decide what a line of a message says: as
# many for each kind as for no other.
_ID, _OUTCOME, _RECEIVED_FROM, _TAKEN_UP = 4, 7, 8, 10
_of_delivery = itemgetter(1, 2, 5, 6, 7)
_of_receipt = itemgetter(1, 2, 8, 9)
_of_others = itemgetter(1, 2, 11)

# Without a path in its tag a line is Dovecot's or another program's, which is
# told of all of them.
_SAID_WITHOUT_PATH = (
    rb"(" + login.DOVECOT_LOGGED_IN + rb"|"
    + _whole([*(shape.opening for shape in DOVECOT), frame.WRAPPER]) + rb"|)"
)  # fmt: skip

_find = re.compile(
    rb"\n(?>" + _FRAME + rb"|)(?(" + _FRAMED + rb")(?(" + _HAS_PATH + rb")" + _SAID
    + rb"|" + _SAID_WITHOUT_PATH + rb")(?:" + _ACCOUNT + rb"([^,\n]++)|)|([^\n]*+))"
).findall  # fmt: skip


class Saying:
    """What lines that differ in nothing but their time, and in what nobody looks at, say.

    offset:  what they say of the zone of their time
    host, instance: who says it
    event:   what it tells of, None if that is nothing
    about:   what it tells of a message, but for the queue ID if lines that differ in
             that are folded; None if other lines do not tell of the same
    counts:  whether the event is counted
    repeats: how often each line says it
    is_ours: whether Postfix or Dovecot says it
    """

    __slots__ = ("about", "counts", "event", "host", "instance", "is_ours", "offset", "repeats")

    def __init__(self, record: Record, event: Event | None, about: About | None = None) -> None:
        self.offset = record.zone
        self.host = record.host
        self.instance = record.instance
        self.event = event
        self.about = about or (message(record, event) if event else None)
        self.counts = event is not None and event.kind not in LINKS
        self.repeats = record.repeats
        self.is_ours = is_ours(record)


class Scan:
    """Reads the blocks of one generation, in their order.

    clock:  reads this generation's stamps
    before: the bytes before the first block; what stands in front of the first
            newline in them may be the end of a longer line

    Of the lines so far, these many
    telling:  tell of events
    foreign:  are of other programs than Postfix and Dovecot
    unframed: have no frame that we know, or tell of an event but have no date
    The others are Postfix's or Dovecot's and tell of nothing that is counted.
    """

    def __init__(self, clock: Clock, before: bytes = b"") -> None:
        self._clock = clock
        self._known: dict[tuple[bytes, ...], Saying] = {}
        first, *lines = before[:-1].split(b"\n")
        self._last_line = lines[-1] if lines else b""
        self._parts = Parts(first, lines)
        self.telling = self.foreign = self.unframed = 0

    def block(self, block: bytes) -> Iterator[tuple[int, Saying, bytes, int, About | None]]:
        """Yield what a block of lines tells of.

        block:  whole lines, each with the newline that ends the line before it
                in front of it, none at the end
        Yields: (minute, saying, account, times, about): `times` events of one kind,
                counting repeated lines and repeated logins; the account that they
                name, if any; what a line says of a message of which other lines tell
                as well, in the order of these lines
        """
        last_line = block[block.rfind(b"\n") + 1 :]
        if repeats.WORDS in block:
            block = repeats.spelled_out(block, self._last_line)
        self._last_line = last_line
        found = _find(self._parts.joined(block))
        # Folding loses the order, and with it which round of a repeated hour
        # a line belongs to.
        first, last = _first_stamp(found), _first_stamp(reversed(found))
        clock = self._clock
        ordered = first and last and clock.needs_order(first, last)
        known = self._known
        at, offset, minute = b"", b"", None
        for groups, lines in zip(found, repeat(1)) if ordered else _folded(found):
            stamp = groups[0]
            about: About | None
            if stamp:
                account = groups[-2]
                queue_id = groups[_ID]
                taken_up = groups[_TAKEN_UP]
                if not queue_id:
                    key = groups[1:-2]
                elif taken_up:
                    key = groups[1:3]  # nothing else is said but the numbers
                elif groups[_OUTCOME]:
                    key = _of_delivery(groups)
                elif groups[_RECEIVED_FROM]:
                    key = _of_receipt(groups)
                else:
                    key = _of_others(groups)
                saying = known.get(key)
                if saying is None:
                    if len(known) > _KNOWN:
                        known.clear()
                    saying = known[key] = _saying(*groups[1:_ID], *groups[_ID + 1 : -2])
                about = saying.about
                if queue_id and about is not None:
                    if taken_up:
                        size, _, recipients = taken_up.partition(b", nrcpt=")
                        about = queue_id, int(size), int(recipients)
                    else:
                        about = queue_id, about[1], about[2]
            else:
                record = frame.parse(groups[-1])
                if record is None:
                    if frame.is_remark(groups[-1]):
                        self.foreign += lines
                    else:
                        self.unframed += lines
                    continue
                stamp, saying = record.stamp, Saying(record, recognise(record))
                about = saying.about
                account = b""
            event = saying.event
            if event is None:
                if not saying.is_ours:
                    self.foreign += lines
                continue
            if stamp != at or saying.offset != offset:
                at, offset = stamp, saying.offset
                minute = clock.minute(at, offset)
            if minute is None:
                self.unframed += lines
                continue
            if saying.counts:
                self.telling += lines
            if account and event.kind == "auth_failed":
                account = account.removesuffix(b"\r")
            else:
                account = event.account
            yield minute, saying, account, lines * saying.repeats * event.times, about


def _folded(found: list[tuple[bytes, ...]]) -> Iterator[tuple[tuple[bytes, ...], int]]:
    """Return lines that say the same once, and how many there are; of messages each line."""
    of_messages = [groups for groups in found if groups[_ID]]
    others = Counter([groups for groups in found if not groups[_ID]])
    return chain(others.items(), zip(of_messages, repeat(1)))


def _first_stamp(found: Iterable[tuple[bytes, ...]]) -> tuple[bytes, bytes] | None:
    return next(((one[0], one[1].partition(b" ")[0]) for one in found if one[0]), None)


def _saying(
    where: bytes,
    path: bytes,
    noqueue: bytes,
    domain: bytes,
    relay: bytes,
    outcome: bytes,
    received: bytes,
    logged_in: bytes,
    taken_up: bytes,
    with_id: bytes,
    code: bytes,
    message: bytes,
    finding: bytes,
    found_with: bytes,
    other: bytes,
    dovecot: bytes,
) -> Saying:
    """Return what a line with an ordinary frame says.

    The arguments are the groups of the expression, but for stamp and queue ID.
    """
    offset, host, instance = where.split(b" ")
    text = other or dovecot
    if with_id:
        text = (b"NOQUEUE: " if noqueue else _ANY_ID) + with_id
        if code:
            text += b":1" + code + message
    elif finding:
        text = finding + b" [" + found_with + b"]:1"
    record = frame.record(b"", offset, host, instance, path, text.removesuffix(b"\r"))
    event = None
    if text:
        event = recognise(record)
    elif instance == b"dovecot":
        pass
    elif outcome:
        if not noqueue:  # which never has a delivery
            enhanced_code, _, rest = outcome.partition(b", status=")
            status, _, reply = rest.partition(b" (")
            reply = reply.removesuffix(b"\r")
            event = delivery.outcome(status, domain, relay, enhanced_code, reply)
    elif received and record.program == b"smtpd":
        event = intake.received(bool(noqueue), bool(logged_in))
    elif taken_up and not noqueue and record.program in active.PROGRAMS:
        # The numbers differ from line to line.
        return Saying(record, active.TAKEN_UP, Message(b""))
    return Saying(record, event)


_ANY_ID = b"000000: "

# So many distinct lines are remembered at a time.
_KNOWN = 8_000
