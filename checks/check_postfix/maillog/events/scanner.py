"""The scanner: the fast way from a block of an ordinary log to its events.

One expression reads a block line by line. It finds either a shape so plain that its
few fields can be taken as they stand, or a text that the recogniser must read. It is
built from the recogniser's own openings, so it passes over only what the recogniser
would pass over too. A line with another frame than the ordinary one is handed over
whole. Lines that differ only in their time are read once.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, namedtuple

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import LINKS, Event, MessageFacts
from check_postfix.maillog.events.recogniser import (
    COMMANDS,
    DOVECOT,
    POSTFIX,
    active,
    delivery,
    intake,
    is_of_daemon,
    login,
    loss,
    message_facts,
    recognise,
    reject,
    screen,
)
from check_postfix.maillog.events.unparsed import names_mail
from check_postfix.maillog.events.unparsed import unparsed as unparsed_event
from check_postfix.maillog.syntax import frame, repeats
from check_postfix.maillog.syntax.partial_lines import PartialLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.maillog.events.recogniser import Shape
    from check_postfix.maillog.syntax.record import Record
    from check_postfix.maillog.syntax.timestamps import Timestamps

    # Minute, template, size, recipients
    MessageLine = tuple[int, "LineTemplate", int, int]

# A command's line is an odd one: it is read whole, so that all of them are seen.
_POST = b"post"
_COMMAND = (
    rb"(?:[A-Za-z0-9_.-]++/)*(?:post(?:"
    + rb"|".join(sorted(name[len(_POST) :] for name in COMMANDS if name.startswith(_POST)))
    + rb")|"
    + rb"|".join(sorted(name for name in COMMANDS if not name.startswith(_POST)))
    + rb")[:\[]"
)
# What nearly every line starts with: a stamp, one host name, one tag. Only a tag with a
# path is Postfix's.
_FRAME = (
    rb"(?P<stamp>" + frame.ISO_MINUTE + rb"|" + frame.BSD_MINUTE + rb")" + frame.SECONDS
    + rb"(?P<zone_host_tag>(?:" + frame.ZONE + rb"|) [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++"
    rb"(?:(?P<path>/)(?!" + _COMMAND + rb")[A-Za-z0-9_./-]*+(?<!/)|))(?:\[[0-9]++\]|): "
)  # fmt: skip


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(expressions) + rb")"


def _whole(expressions: Iterable[bytes]) -> bytes:
    """Return the expression of a text that the recogniser must read, to its end."""
    return _any(expressions) + rb"[^\n]*+"


def _openings(shapes: Iterable[Shape]) -> list[bytes]:
    """Return expressions; each text that these shapes read starts with one of them."""
    return list(dict.fromkeys(opening for shape in shapes for opening in shape.openings))


def _first_letters(words: Iterable[bytes]) -> bytes:
    """Return the expression of a set: the first letters of some words."""
    return rb"[" + b"".join(sorted({re.escape(word[:1]) for word in words})) + rb"]"


# Stands where a queue ID stands in other lines.
_NO_ID = b"NOQUEUE"
# A delivery is plain if its addresses cannot hold a tail and no second tail follows. The
# reply is kept where it says why the delivery failed. The name of the server that gave it
# and the recipient before it are left out: nobody looks at them, and where much mail is
# deferred they would make each reply a different one.
_REPLY_START = (
    rb"host [^\s\[\]]++\[[^\]\s]++\](?P<reply_start> said: [245]\d\d[ -](?:"
    + fields.ENHANCED_CODE + rb" |))(?:<[^\s@<>]++@[^\s@<>]++>: |)"
)  # fmt: skip
_DOMAIN = rb"(?:@" + fields.DOMAIN_NAME + rb"|)"
_DELIVERY = (
    rb"to=<(?<!" + _NO_ID + rb": to=<)" + fields.UNQUOTED_LOCAL
    + rb"(?P<domain_relay>" + _DOMAIN + rb">(?:, orig_to=<" + fields.UNQUOTED_LOCAL + _DOMAIN
    + rb">|), relay=[^\t-\r ,\[]++(?:" + delivery.SOCKET + rb"|))[^\t-\r ,]*+"
    + fields.DELAYS + rb", dsn=(?![^\n]*, relay=)(?:"
    rb"(?P<sent>" + fields.ENHANCED_CODE
    + rb", status=sent \((?:" + delivery.COMES_AGAIN + rb"|))"
    rb"|(?P<failed>" + fields.ENHANCED_CODE + rb", status=(?:deferred|bounced) \()"
    rb"(?:" + _REPLY_START + rb"|)(?P<reply_rest>[^\n]*+))"
)  # fmt: skip
_ACTIVE = (
    rb"from=<(?<!" + _NO_ID + rb": from=<)" + fields.UNQUOTED_LOCAL + _DOMAIN
    + rb">, size=(?P<size_recipients>" + active.SIZE + rb", nrcpt=" + active.RECIPIENTS
    + rb") \(queue active\)(?=\r?(?:\n|\Z))"
)  # fmt: skip
_RECEIVED = rb"client(?P<received>=)(?:" + intake.LOGGED_IN + rb"(?P<logged_in>=)|)"
_REJECT = b"reject: "
# Only as much of the text as is looked at, which is the same in many lines.
_REJECTED = (
    _REJECT + rb"[A-Z][A-Z-]++(?: content|) from (?:" + fields.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?:" + fields.CLIENT_ADDRESS + rb")\]"
)  # fmt: skip
_REMOVED = rb"removed(?=\r?(?:\n|\Z))"
# The reply to a reject, without whom it is about and how it ends.
_REJECT_REPLY = (
    rb"(?::\d++|)(?P<reply_code>: [245]\d\d )(?:" + fields.ENHANCED_CODE + rb" |)"
    + reject.PLAIN_ABOUT + rb"(?=[A-Za-z])(?P<reply_text>" + reject.MESSAGE + rb")"
)  # fmt: skip
# The account follows, in a group of its own: it is a different one nearly each time.
_ACCOUNT = rb", sasl_username="
_LOGIN = (
    rb"warning: " + fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS
    + rb")\](?::\d++|): SASL " + fields.MECHANISM + fields.AUTHENTICATION_FAILED
    + rb"[^,\n]*+(?:" + _ACCOUNT + rb"\(unavailable\)(?=\r?(?:\n|\Z))|)"
    rb"(?=(?:" + _ACCOUNT + rb"[^,\n]++|)\r?(?:\n|\Z))"
)  # fmt: skip

# By how a text starts: with an ID, with a warning, or with anything else.
_WARNING = b"warning: "
_ANY_WORD = (b"",)
_SHAPES_WITHOUT_ID = [
    shape for shape in (*POSTFIX, *DOVECOT) if not shape.id and shape.words != _ANY_WORD
]
_WITH_ODD_ID = _whole(
    _openings(shape for shape in POSTFIX if not shape.id and shape.words == _ANY_WORD)
)
_WITH_ID = _whole(_openings(shape for shape in POSTFIX if shape.id))
_WITHOUT_ID = _openings(
    # a screen.FINDING reads the texts of that shape
    shape for shape in _SHAPES_WITHOUT_ID if shape.words != screen.WORDS
)  # fmt: skip
_WARNINGS = _WARNING + _whole(
    opening.removeprefix(_WARNING) for opening in _WITHOUT_ID if opening.startswith(_WARNING)
)
_OTHERS = _whole(
    [opening for opening in _WITHOUT_ID if not opening.startswith(_WARNING)] + [frame.WRAPPER]
)
# Nearly all texts that nobody counts start with other letters.
FIRST_LETTERS = _first_letters(
    [*frame.WRAPPERS, *(words for shape in _SHAPES_WITHOUT_ID for words in shape.words)]
)
# A line whose tag has no path is Dovecot's or another program's; this finds all of them.
_WITHOUT_PATH = _any(
    [
        login.DOVECOT_FAILED,
        rb"(?P<text_without_path>" + login.DOVECOT_IDLE + rb"|" + login.DOVECOT_LOGGED_IN
        + rb"|"
        + _whole([*_openings(DOVECOT), *loss.OPENINGS, frame.WRAPPER, frame.STAMPED]) + rb"|)",
    ]
)  # fmt: skip
_COUNTED_LETTER = rb"(?=" + FIRST_LETTERS + rb")"
# The engine passes over an alternative sooner if it starts with a letter.
_AFTER_ID = rb"(?!message-id=)" + _any(
    [
        _DELIVERY,
        _ACTIVE,
        _RECEIVED,
        rb"(?P<text_after_id>" + _any([_REMOVED, _REJECTED, _WITH_ID]) + rb")"
        + _any([rb"(?=\n|\Z)", _REJECT_REPLY]),
    ]
)  # fmt: skip
_WITHOUT_AN_ID = _any(
    [
        _COUNTED_LETTER + screen.FINDING,
        rb"(?P<text>" + _COUNTED_LETTER + _any([_LOGIN, _WARNINGS, _OTHERS]) + rb"|" + _WITH_ODD_ID
        + rb")",
    ]
)  # fmt: skip
_WITH_PATH = (
    rb"(?>(?P<queue_id>" + _NO_ID + rb"|" + fields.QUEUE_ID + rb"): |)"
    rb"(?(queue_id)" + _AFTER_ID + rb"|" + _WITHOUT_AN_ID + rb")"
)

_expression = re.compile(
    rb"\n(?>" + _FRAME + rb"|)(?(zone_host_tag)(?(path)" + _WITH_PATH + rb"|" + _WITHOUT_PATH
    + rb")(?:" + _ACCOUNT + rb"(?P<account>[^,\n]++)|)|(?P<odd_line>[^\n]*+))"
)  # fmt: skip
_find = _expression.findall


class Found(
    namedtuple(
        "Found",
        "stamp zone_host_tag path queue_id domain_relay sent failed reply_start reply_rest"
        " size_recipients received logged_in text_after_id reply_code reply_text finding"
        " found_client text failed_login user client text_without_path account odd_line",
    )
):
    """What the expression finds in one line: its groups, in their order; nothing for the others.

    Of a line with an ordinary frame
    stamp, zone_host_tag: its frame, without seconds and process ID
    path:           whether the tag has one
    queue_id:       also NOQUEUE
    domain_relay:   `@DOMAIN>, relay=HOST` of a delivery; `[/` follows where it is to a socket
    sent, failed:   `DSN, status=WORD (` of one that was sent or failed
    reply_start, reply_rest: why it failed: code and enhanced code of another server, the rest
    size_recipients: `SIZE, nrcpt=NUMBER` of a message taken up by the queue manager
    received, logged_in: whether a message was received, from a client that had logged in
    text_after_id:  what the recogniser must read after the queue ID; or a reject up to its
                    client
    reply_code, reply_text: of that reject
    finding, found_client: of postscreen
    text:           what the recogniser must read, without a queue ID
    failed_login, user, client: of a login that failed at Dovecot
    text_without_path: what the recogniser must read, where the tag has no path
    account:        of a login that failed at Postfix

    odd_line:       a line with another frame, as a whole
    """

    __slots__ = ()


assert Found._fields == tuple(_expression.groupindex)

# They stand for the ID of any message, and for any server.
_ANY_ID = b"000000: "
_ANY_SERVER = b"host mail[::1]"

# So many templates are remembered at a time.
_MOST_TEMPLATES = 8_000
# Bytes of lines that they are known by; a stranger may make lines of 64 KB.
_MOST_TEMPLATE_BYTES = 8 << 20
# So many different ones are kept apart until their minute is known.
_MOST_UNPLACED = 1_000
_OTHERS_UNPARSED = Event(kind="unparsed", reason="others")
_UNDATED = Event(kind="unparsed", reason="no such date")


class LineTemplate:
    """What lines say that differ only in their time, and in what nobody looks at.

    utc_offset: the zone of their time, as they write it
    host, instance: who wrote them
    event, kind: what they tell of, and its kind; None and nothing if nothing is counted
    is_counted: whether the event adds to a counter, as all do but LINKS
    times:      how many events one line stands for: repeated lines, several logins in one
    message:    what they say of a message that other lines tell of too, None if of none;
                its queue ID is that of one of the lines
    is_of_daemon: whether a daemon of Postfix or Dovecot wrote them
    tells_of_loss: whether rsyslog says in them that it has dropped lines
    origin, tally: number of host and instance, and what the event adds to. Whoever counts
                the lines sets both, once for each new template
    """

    __slots__ = (
        "event", "host", "instance", "is_counted", "is_of_daemon", "kind", "message", "origin",
        "tally", "tells_of_loss", "times", "utc_offset",
    )  # fmt: skip

    def __init__(
        self, record: Record, event: Event | None, message: MessageFacts | None = None
    ) -> None:
        self.utc_offset = record.zone
        self.host = record.host
        self.instance = record.instance
        self.event = event
        self.kind = event.kind if event else ""
        self.is_counted = event is not None and event.kind not in LINKS
        self.times = record.repeats * (event.times if event else 1)
        self.message = message or (message_facts(record, event) if event else None)
        self.is_of_daemon = is_of_daemon(record)
        self.tells_of_loss = loss.tells_of_loss(record)
        self.origin = 0
        self.tally: tuple[tuple[str, ...], tuple[str, str] | None] = (), None


class BlockEvents:
    """The events of one block of lines.

    new_templates: templates with an event that no block before had, to be prepared for
                   counting
    counted:       minute -> template -> number of lines that count
    failed_logins: (minute, template, account) of each failed login that names an account;
                   they are not in `counted`
    unparsed:      (minute, event) -> number of lines that name Postfix or Dovecot and have no frame
                   or no date that is known. Their minute is that of a line near them
    messages:      queue ID -> (minute, template, size, recipients) of each line about a
                   message that other lines tell of too, in their order; size and recipients
                   are 0 where the line does not say them. Those that count are in `counted`
                   as well
    losses:        minutes in which rsyslog says that it has dropped lines
    """

    __slots__ = (
        "counted", "failed_logins", "losses", "messages", "new_templates", "unparsed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.new_templates: list[LineTemplate] = []
        self.counted: dict[int, dict[LineTemplate, int]] = {}
        self.unparsed: Counter[tuple[int, Event]] = Counter()
        self.failed_logins: list[tuple[int, LineTemplate, bytes]] = []
        self.messages: defaultdict[bytes, list[MessageLine]] = defaultdict(list)
        self.losses: set[int] = set()


class Scan:
    """Reads the blocks of one generation, in their order.

    timestamps: reads this generation's stamps
    before:     the bytes before the first block; what stands in them before the first
                newline may be the end of a longer line

    Of the lines so far, these many
    matched:  tell of events
    foreign:  tell of none, and are of other programs than the daemons of Postfix and Dovecot
    unparsed: have no frame that we know, or tell of an event but have no date
    The others are those daemons' and tell of nothing that is counted.
    """

    def __init__(self, timestamps: Timestamps, before: bytes = b"") -> None:
        self._timestamps = timestamps
        self._templates: dict[bytes | tuple[bytes, ...], LineTemplate] = {}
        self._template_bytes = 0
        first, *lines = before[:-1].split(b"\n")
        self._last_line = lines[-1] if lines else b""
        self._partial_lines = PartialLines(first, lines)
        self.matched = self.foreign = self.unparsed = 0
        # Of the last line whose time was asked for; and the lines since then that nobody can
        # read, which wait for the next one
        self.minute: int | None = None
        self.unplaced: Counter[Event] = Counter()

    def block(self, block: bytes) -> BlockEvents:
        """Return the events of a block.

        block: whole lines, each with a newline before it, none at the end
        """
        timestamps = self._timestamps
        templates = self._templates
        events = BlockEvents()
        failed_logins, messages = events.failed_logins, events.messages
        last_stamp, utc_offset, minute = b"", b"", None
        of_minute: dict[LineTemplate, int] = {}
        matched = foreign = unparsed = 0
        key: bytes | tuple[bytes, ...]
        for found in _find(self._expanded(block)):
            # The fields of Found: nothing is faster than to unpack them all.
            (
                stamp, zone_host_tag, _path, queue_id, domain_relay, sent, failed, reply_start,
                reply_rest, size_recipients, received, logged_in, text_after_id, reply_code,
                reply_text, finding, found_client, text, failed_login, user, client,
                text_without_path, account, odd_line,
            ) = found  # fmt: skip
            if size_recipients:
                key = zone_host_tag
            elif sent:
                key = zone_host_tag, domain_relay, sent
            elif failed:
                key = zone_host_tag, domain_relay, failed, reply_start, reply_rest
            elif queue_id:
                key = zone_host_tag, received, logged_in, text_after_id, reply_code, reply_text
                if queue_id == _NO_ID:
                    key += (_NO_ID,)
            elif client:
                key, account = (zone_host_tag, failed_login, client), user
            else:
                key = zone_host_tag, finding, found_client, text, text_without_path
            template = templates.get(key)
            if template is None:
                if zone_host_tag:
                    self._template_bytes += sum(map(len, found))
                    if (
                        len(templates) > _MOST_TEMPLATES
                        or self._template_bytes > _MOST_TEMPLATE_BYTES
                    ):
                        templates.clear()
                        self._template_bytes = 0
                    template = templates[key] = _template(Found._make(found))
                else:
                    record = frame.parse(odd_line)
                    if record is None:
                        if frame.is_remark(odd_line):
                            foreign += 1
                            continue
                        unparsed += 1
                        if names_mail(odd_line):
                            self._add_unparsed(unparsed_event(odd_line))
                        continue
                    stamp, template = record.stamp, LineTemplate(record, recognise(record))
                if template.event is not None:
                    events.new_templates.append(template)
            event = template.event
            if event is None:
                if not template.is_of_daemon:
                    foreign += 1
                    if template.tells_of_loss:
                        lost = timestamps.minute(stamp, template.utc_offset)
                        if lost is not None:
                            events.losses.add(lost)
                continue
            if stamp != last_stamp or template.utc_offset != utc_offset:
                last_stamp, utc_offset = stamp, template.utc_offset
                minute = timestamps.minute(last_stamp, utc_offset)
                if minute is not None:
                    of_minute = events.counted.setdefault(minute, {})
                    if self.unplaced:
                        self._place(events, minute)
                    self.minute = minute
            if minute is None:
                unparsed += 1
                self._add_unparsed(_UNDATED)
                continue
            message = template.message
            if size_recipients:
                size, _, recipients = size_recipients.partition(b", nrcpt=")
                messages[queue_id].append((minute, template, int(size), int(recipients)))
                continue
            if message is not None:
                line = minute, template, message.size, message.recipients
                messages[queue_id or message.queue_id].append(line)
                if not template.is_counted:
                    continue
            matched += 1
            if template.kind == "auth_failed" and (
                name := account.removesuffix(b"\r") or event.account
            ):
                failed_logins.append((minute, template, name))
            else:
                of_minute[template] = of_minute.get(template, 0) + 1
        self.matched += matched
        self.foreign += foreign
        self.unparsed += unparsed
        return events

    def _add_unparsed(self, event: Event) -> None:
        """Keep a line that nobody can read until its neighbours are known."""
        if event in self.unplaced or len(self.unplaced) < _MOST_UNPLACED:
            self.unplaced[event] += 1
        else:
            self.unplaced[_OTHERS_UNPARSED] += 1

    def _place(self, events: BlockEvents, minute: int) -> None:
        """Count these lines in the minute of the line before them, or in this one's."""
        near = minute if self.minute is None else self.minute
        for event, lines in self.unplaced.items():
            events.unparsed[near, event] += lines
        self.unplaced.clear()

    def _expanded(self, block: bytes) -> bytes:
        """Return a block in which each line says by itself all that it has to say."""
        last_line = block[block.rfind(b"\n") + 1 :]
        if repeats.WORDS in block:
            block = repeats.expanded(block, self._last_line)
        self._last_line = last_line
        return self._partial_lines.merged(block)


def _template(found: Found) -> LineTemplate:
    """Return the template of a line with an ordinary frame."""
    record = _record(found)
    if found.size_recipients:
        if record.program in active.PROGRAMS:
            return LineTemplate(record, active.TAKEN_UP, MessageFacts(b""))
        return LineTemplate(record, None)
    return LineTemplate(record, _event(record, found))


def _record(found: Found) -> Record:
    """Return the record of a line, without its stamp; its text is what the recogniser must read.

    Its queue ID is another one, for all lines that differ in it.
    """
    utc_offset, host, tag = found.zone_host_tag.split(b" ")
    instance, slash, path = tag.partition(b"/")
    text = found.text or found.text_without_path or found.failed_login
    if found.text_after_id:
        id = b"NOQUEUE: " if found.queue_id == _NO_ID else _ANY_ID
        text = id + found.text_after_id
    text = text.removesuffix(b"\r")
    return frame.record(b"", utc_offset, host, instance, slash + path, text)


def _event(record: Record, found: Found) -> Event | None:
    """Return what a line tells of, None if nothing is counted; not of messages taken up."""
    if found.sent or found.failed:
        return _delivery(found)
    is_noqueue = found.queue_id == _NO_ID
    if found.received:
        is_smtpd = record.program == b"smtpd"
        return intake.received(is_noqueue, bool(found.logged_in)) if is_smtpd else None
    if found.reply_code:
        client = found.text_after_id.removeprefix(_REJECT)
        reply_text = found.reply_text.removesuffix(b"\r")
        code = found.reply_code[2:-1]
        refused = reject.refused(record.program, is_noqueue, client, code, reply_text)
        return refused or recognise(record)
    if found.finding:
        is_postscreen = record.program == b"postscreen"
        return screen.found(found.finding, found.found_client) if is_postscreen else None
    if found.client:
        return login.failed_at_dovecot(found.failed_login, found.client)
    return recognise(record) if record.text else None


def _delivery(found: Found) -> Event:
    """Return the event of a plain delivery line."""
    address, _, relay = found.domain_relay.rpartition(b">, relay=")
    domain = address.partition(b">")[0].removeprefix(b"@")
    enhanced_code, _, rest = (found.sent or found.failed).partition(b", status=")
    status, _, reply = rest.partition(b" (")
    if found.reply_start:
        reply = _ANY_SERVER + found.reply_start
    reply += found.reply_rest.removesuffix(b"\r")
    return delivery.outcome(status, domain, relay, enhanced_code, reply)
