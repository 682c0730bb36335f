"""The scanner: the fast way from a block of an ordinary log to its events.

One expression finds, line by line, either a shape so plain that its few fields
can be taken as they stand, or a line that the recogniser must read. It is built
from the recogniser's own openings, so it passes over only what the recogniser
would pass over too; a line whose frame is not the ordinary one is handed over
whole. What lines say that differ in nothing but their time is read once.
"""

from __future__ import annotations

import re
from collections import defaultdict

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import LINKS, Message
from check_postfix.maillog.events.recogniser import (
    DOVECOT,
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
from check_postfix.maillog.syntax import frame, repeats
from check_postfix.maillog.syntax.partial_lines import PartialLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.events.recogniser import Shape
    from check_postfix.maillog.syntax.record import Record
    from check_postfix.maillog.syntax.timestamps import Timestamps

    # Minute, saying, size, recipients
    Line = tuple[int, "Saying", int, int]

# A stamp, one host name, one tag: what nearly every line starts with. Only a tag
# with a path has the third group.
_FRAME = (
    rb"(" + frame.ISO_MINUTE + rb"|" + frame.BSD_MINUTE + rb")" + frame.SECONDS
    + rb"((?:" + frame.ZONE + rb"|) [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++"
    rb"(?:(/)[A-Za-z0-9_./-]*+(?<!/)|))(?:\[[0-9]++\]|): "
)  # fmt: skip
_FRAMED = rb"2"
_HAS_PATH = rb"3"


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(expressions) + rb")"


def _whole(expressions: Iterable[bytes]) -> bytes:
    """Return the expression of a text that the recogniser must read, to its end."""
    return _any(expressions) + rb"[^\n]*+"


def _openings(shapes: Iterable[Shape]) -> list[bytes]:
    """Return expressions, with one of which each text begins that these shapes read."""
    return list(dict.fromkeys(opening for shape in shapes for opening in shape.openings))


# What stands in the place of a queue ID where there is none.
_NO_ID = b"NOQUEUE"
# A delivery is plain if its addresses cannot hold a tail and no second one
# follows. The reply is kept where it says why the delivery failed, but not the server
# that gave it nor the recipient in front of it: nobody looks at them, and where much mail
# is put off they make each reply another one.
_SAID_BY_SERVER = (
    rb"host [^\s\[\]]++\[[^\]\s]++\]( said: [245]\d\d[ -](?:" + fields.ENHANCED_CODE
    + rb" |))(?:<[^\s@<>]++@[^\s@<>]++>: |)"
)  # fmt: skip
_DOMAIN = rb"(?:@" + fields.DOMAIN_NAME + rb"|)"
_DELIVERY = (
    rb"to=<(?<!" + _NO_ID + rb": to=<)" + fields.UNQUOTED_LOCAL
    + rb"(" + _DOMAIN + rb">(?:, orig_to=<" + fields.UNQUOTED_LOCAL + _DOMAIN
    + rb">|), relay=[^\t-\r ,\[]++)[^\t-\r ,]*+"
    + fields.DELAYS + rb", dsn=(?![^\n]*, relay=)(?:"
    rb"(" + fields.ENHANCED_CODE + rb", status=sent \((?:" + delivery.COMES_AGAIN + rb"|))"
    rb"|(" + fields.ENHANCED_CODE + rb", status=(?:deferred|bounced) \()"
    rb"(?:" + _SAID_BY_SERVER + rb"|)([^\n]*+))"
)  # fmt: skip
_ACTIVE = (
    rb"from=<(?<!" + _NO_ID + rb": from=<)" + fields.UNQUOTED_LOCAL + _DOMAIN + rb">, size=("
    + active.SIZE + rb", nrcpt=" + active.RECIPIENTS + rb") \(queue active\)(?=\r?(?:\n|\Z))"
)  # fmt: skip
_RECEIVED = rb"client(=)(?:" + intake.LOGGED_IN + rb"(=)|)"
_REJECT = b"reject: "
# Of the following all that is looked at, which is the same in many lines.
_REJECTED = (
    _REJECT + rb"[A-Z][A-Z-]++(?: content|) from (?:" + fields.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?:" + fields.CLIENT_ADDRESS + rb")\]"
)  # fmt: skip
_REMOVED = rb"removed(?=\r?(?:\n|\Z))"
# Without whom a reject is about and how that ends it is only whole.
_WHY = (
    rb"(?::\d++|)(: [245]\d\d )(?:" + fields.ENHANCED_CODE + rb" |)"
    + reject.PLAIN_ABOUT + rb"(?=[A-Za-z])(" + reject.MESSAGE + rb")"
)  # fmt: skip
# The account stands behind it, apart: it is another one nearly each time.
_ACCOUNT = rb", sasl_username="
_LOGIN = (
    rb"warning: " + fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS
    + rb")\](?::\d++|): SASL " + fields.MECHANISM + fields.AUTHENTICATION_FAILED
    + rb"[^,\n]*+(?:" + _ACCOUNT + rb"\(unavailable\)(?=\r?(?:\n|\Z))|)"
    rb"(?=(?:" + _ACCOUNT + rb"[^,\n]++|)\r?(?:\n|\Z))"
)  # fmt: skip

# By how a text starts: with an ID, with a warning, or with anything else.
_WARNING = b"warning: "
_WITH_ID = _whole(_openings(shape for shape in POSTFIX if shape.id))
_WITHOUT_ID = _openings(
    shape
    for shape in (*POSTFIX, *DOVECOT)
    if not shape.id and shape.words != screen.WORDS  # told of by a FINDING only
)
_WARNINGS = _WARNING + _whole(
    opening.removeprefix(_WARNING) for opening in _WITHOUT_ID if opening.startswith(_WARNING)
)
_OTHERS = _whole(
    [opening for opening in _WITHOUT_ID if not opening.startswith(_WARNING)] + [frame.WRAPPER]
)
# Without a path in its tag a line is Dovecot's or another program's, which is
# told of all of them.
_WITHOUT_PATH = _any(
    [
        login.DOVECOT_FAILED,
        login.DOVECOT_IDLE,
        rb"(" + login.DOVECOT_LOGGED_IN + rb"|" + _whole([*_openings(DOVECOT), frame.WRAPPER])
        + rb"|)",
    ]
)  # fmt: skip
# The engine passes over an alternative the sooner, the sooner it begins with a letter.
_SAID = _any(
    [
        rb"(" + _NO_ID + rb"|" + fields.QUEUE_ID + rb"): (?!message-id=)"
        + _any(
            [
                _DELIVERY,
                _ACTIVE,
                _RECEIVED,
                rb"(" + _any([_REMOVED, _REJECTED, _WITH_ID]) + rb")"
                + _any([rb"(?=\n|\Z)", _WHY]),
            ]
        ),
        # None of the frequent texts that nobody counts starts with another letter.
        rb"(?=[][<>A-Zefimprsw])"
        + _any([screen.FINDING, rb"(" + _any([_LOGIN, _WARNINGS, _OTHERS]) + rb")"]),
    ]
)  # fmt: skip

_find = re.compile(
    rb"\n(?>" + _FRAME + rb"|)(?(" + _FRAMED + rb")(?(" + _HAS_PATH + rb")" + _SAID
    + rb"|" + _WITHOUT_PATH + rb")(?:" + _ACCOUNT + rb"([^,\n]++)|)|([^\n]*+))"
).findall  # fmt: skip


class Saying:
    """What lines that differ in nothing but their time, and in what nobody looks at, say.

    utc_offset:  what they say of the zone of their time
    host, instance: who says it
    event:   what it tells of, None if that is nothing
    counts:  whether the event is counted
    times:   how often each line says it: repeated lines, and several logins in one
    about:   what it tells of a message of which other lines tell as well, None if of
             none; its queue ID is one line's
    is_ours: whether Postfix or Dovecot says it
    share:   what the reader of the lines has made of it
    """

    __slots__ = (
        "about", "counts", "event", "host", "instance", "is_ours", "share", "times", "utc_offset",
    )  # fmt: skip

    def __init__(self, record: Record, event: Event | None, about: Message | None = None) -> None:
        self.utc_offset = record.zone
        self.host = record.host
        self.instance = record.instance
        self.event = event
        self.counts = event is not None and event.kind not in LINKS
        self.times = record.repeats * (event.times if event else 1)
        self.about = about or (message(record, event) if event else None)
        self.is_ours = is_ours(record)
        self.share: Any = None


class Told:
    """What the lines of a block tell.

    said:     minute -> saying -> how many lines say it that counts
    accounts: (minute, saying, account) of each line that says it of a login to this account
              that has failed; they are not in `said`
    lives:    queue ID -> (minute, saying, size, recipients) of each line that tells of a
              message of which others tell as well, in their order; the last two are 0
              where it does not tell them; what of it counts is in `said` as well
    """

    __slots__ = ("accounts", "lives", "said")

    def __init__(self) -> None:
        self.said: dict[int, dict[Saying, int]] = {}
        self.accounts: list[tuple[int, Saying, bytes]] = []
        self.lives: defaultdict[bytes, list[Line]] = defaultdict(list)


class Scan:
    """Reads the blocks of one generation, in their order.

    timestamps:  reads this generation's stamps
    before: the bytes before the first block; what stands in front of the first
            newline in them may be the end of a longer line
    share:  makes what is kept as `share` of each saying that tells of an event

    Of the lines so far, these many
    matched:  tell of events
    foreign:  are of other programs than Postfix and Dovecot
    unparsed: have no frame that we know, or tell of an event but have no date
    The others are Postfix's or Dovecot's and tell of nothing that is counted.
    """

    def __init__(
        self,
        timestamps: Timestamps,
        before: bytes = b"",
        share: Callable[[Saying], object] = lambda _: None,
    ) -> None:
        self._timestamps = timestamps
        self._share = share
        self._known: dict[bytes | tuple[bytes, ...], Saying] = {}
        first, *lines = before[:-1].split(b"\n")
        self._last_line = lines[-1] if lines else b""
        self._parts = PartialLines(first, lines)
        self.matched = self.foreign = self.unparsed = 0

    def block(self, block: bytes) -> Told:
        """Return what the lines of a block tell.

        block: whole lines, each with the newline that ends the line before it
               in front of it, none at the end
        """
        last_line = block[block.rfind(b"\n") + 1 :]
        if repeats.WORDS in block:
            block = repeats.expanded(block, self._last_line)
        self._last_line = last_line
        timestamps = self._timestamps
        known = self._known
        told = Told()
        accounts, lives = told.accounts, told.lives
        at, utc_offset, minute = b"", b"", None
        said: dict[Saying, int] = {}
        matched = foreign = unparsed = 0
        key: bytes | tuple[bytes, ...]
        for (
            stamp, where, _, queue_id, to, sent, failed, replied, why, taken_up, received,
            logged_in, text, code, words, finding, found_with, other,
            failed_login, user, client, without_path, account, odd,
        ) in _find(self._parts.merged(block)):  # fmt: skip
            if taken_up:
                key = where
            elif sent:
                key = where, to, sent
            elif failed:
                key = where, to, failed, replied, why
            elif queue_id:
                key = where, received, logged_in, text, code, words
                if queue_id == _NO_ID:
                    key += (_NO_ID,)
            elif client:
                key, account = (where, failed_login, client), user
            else:
                key = where, finding, found_with, other, without_path
            saying = known.get(key)
            if saying is None:
                if where:
                    if len(known) > _KNOWN:
                        known.clear()
                    saying = known[key] = _saying(
                        where, queue_id, to, sent or failed, replied, why, taken_up, received,
                        logged_in, text, code, words, finding, found_with,
                        other or without_path, failed_login, client,
                    )  # fmt: skip
                else:
                    record = frame.parse(odd)
                    if record is None:
                        is_remark = frame.is_remark(odd)
                        foreign += is_remark
                        unparsed += not is_remark
                        continue
                    stamp, saying = record.stamp, Saying(record, recognise(record))
                if saying.event is not None:
                    saying.share = self._share(saying)
            event = saying.event
            if event is None:
                if not saying.is_ours:
                    foreign += 1
                continue
            if stamp != at or saying.utc_offset != utc_offset:
                at, utc_offset = stamp, saying.utc_offset
                minute = timestamps.minute(at, utc_offset)
                if minute is not None:
                    said = told.said.setdefault(minute, {})
            if minute is None:
                unparsed += 1
                continue
            about = saying.about
            if taken_up:
                size, _, recipients = taken_up.partition(b", nrcpt=")
                lives[queue_id].append((minute, saying, int(size), int(recipients)))
                continue
            if about is not None:
                of_message = minute, saying, about.size, about.recipients
                lives[queue_id or about.queue_id].append(of_message)
                if not saying.counts:
                    continue
            matched += 1
            if event.kind == "auth_failed" and (
                name := account.removesuffix(b"\r") or event.account
            ):
                accounts.append((minute, saying, name))
            else:
                said[saying] = said.get(saying, 0) + 1
        self.matched += matched
        self.foreign += foreign
        self.unparsed += unparsed
        return told


def _saying(
    where: bytes,
    queue_id: bytes,
    to: bytes,
    outcome: bytes,
    replied: bytes,
    why: bytes,
    taken_up: bytes,
    received: bytes,
    logged_in: bytes,
    text: bytes,
    code: bytes,
    words: bytes,
    finding: bytes,
    found_with: bytes,
    other: bytes,
    failed_login: bytes,
    client: bytes,
) -> Saying:
    """Return what a line with an ordinary frame says.

    The arguments are the groups of the expression, but for its stamp.
    """
    utc_offset, host, tag = where.split(b" ")
    instance, slash, path = tag.partition(b"/")
    if text:
        other = (b"NOQUEUE: " if queue_id == _NO_ID else _ANY_ID) + text
    record = frame.record(b"", utc_offset, host, instance, slash + path, other.removesuffix(b"\r"))
    about = event = None
    if outcome:
        address, _, relay = to.rpartition(b">, relay=")
        domain = address.partition(b">")[0].removeprefix(b"@")
        enhanced_code, _, rest = outcome.partition(b", status=")
        status, _, reply = rest.partition(b" (")
        if replied:
            reply = _ANY_SERVER + replied
        reply += why.removesuffix(b"\r")
        event = delivery.outcome(status, domain, relay, enhanced_code, reply)
    elif taken_up:
        if record.program in active.PROGRAMS:
            event, about = active.TAKEN_UP, Message(b"")
    elif received:
        if record.program == b"smtpd":
            event = intake.received(queue_id == _NO_ID, bool(logged_in))
    elif code:
        event = reject.refused(
            record.program, queue_id == _NO_ID, text.removeprefix(_REJECT), code[2:-1],
            words.removesuffix(b"\r"),
        )  # fmt: skip
    elif finding:
        if record.program == b"postscreen":
            event = screen.found(finding, found_with)
    elif client:
        if is_ours(record):
            event = login.failed_at_dovecot(failed_login, client)
    elif other:
        event = recognise(record)
    return Saying(record, event, about)


# Stand for the ID of any message, and for any server.
_ANY_ID = b"000000: "
_ANY_SERVER = b"host mail[::1]"

# So many distinct lines are remembered at a time.
_KNOWN = 8_000
