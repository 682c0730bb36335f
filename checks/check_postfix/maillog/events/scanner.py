"""The scanner: the fast way from a block of an ordinary log to its events.

One expression reads a block line by line. It finds either a shape so plain that its
few fields can be taken as they stand, or a text that the recogniser must read. It is
built from the recogniser's own openings, so it passes over only what the recogniser
would pass over too. A line with another frame than the ordinary one is handed over
whole. Lines that differ only in their time, and in whom they name, are read once; whom
they name is kept as it stands there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, namedtuple

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import LINKS, OF_A_MESSAGE, TRIES, Event, MessageFacts
from check_postfix.maillog.events.recogniser import (
    ANY_WARNING,
    COMMANDS,
    DOVECOT,
    POSTFIX,
    active,
    connection,
    delivery,
    health,
    intake,
    is_of_daemon,
    login,
    loss,
    message_facts,
    recognise,
    reject,
    screen,
)
from check_postfix.maillog.events.sender import Senders
from check_postfix.maillog.events.unparsed import names_mail
from check_postfix.maillog.events.unparsed import unparsed as unparsed_event
from check_postfix.maillog.syntax import frame, repeats
from check_postfix.maillog.syntax.partial_lines import PartialLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Set
    from typing import Any

    from check_postfix.maillog.events.recogniser import Shape
    from check_postfix.maillog.events.refused import Refusals
    from check_postfix.maillog.syntax.record import Record
    from check_postfix.maillog.syntax.timestamps import Timestamps

    # Bytes as they stand in a line, or several: see DELIVERY, CLIENT and LOGIN
    Whom = Any
    # Template, queue ID, minute, size, recipients, how long a delivery took, whom it names, sender,
    # other queue ID
    MessageLine = tuple["LineTemplate", bytes, int, int, int, bytes, "Whom", str, bytes]

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
    rb"to=<(?<!" + _NO_ID + rb": to=<)(?P<recipient>" + fields.UNQUOTED_LOCAL
    + rb"(?P<domain>" + _DOMAIN + rb">))(?:, orig_to=<(?P<orig_to>" + fields.UNQUOTED_LOCAL
    + _DOMAIN + rb">)|)(?P<relay>, relay=[^\t-\r ,\[]++)(?P<socket>" + delivery.SOCKET
    + rb"|)[^\t-\r ,]*+"
    + fields.BEFORE_TIMES + rb"(?P<times>" + fields.BEFORE_STAGES + rb"(?:(?P<retry>"
    + fields.RETRY + rb")|" + fields.SECONDS + rb")" + fields.LATER_STAGES + rb")"
    + fields.MORE_FIELDS + rb", dsn=(?![^\n]*, relay=)(?:"
    rb"(?P<sent>" + fields.ENHANCED_CODE
    + rb", status=sent \((?:" + delivery.COMES_AGAIN + rb"|))(?:" + delivery.QUEUED_AS
    + rb"(?P<queued_as>" + fields.OTHER_ID + rb")\)(?=\r?(?:\n|\Z))|)"
    rb"|(?P<failed>" + fields.ENHANCED_CODE + rb", status=(?:deferred|bounced) \()"
    rb"(?:" + _REPLY_START + rb"|)(?P<reply_rest>[^\n]*+))"
)  # fmt: skip
_ACTIVE = (
    rb"from=<(?<!" + _NO_ID + rb": from=<)" + fields.UNQUOTED_LOCAL + _DOMAIN
    + rb">, size=(?P<size_recipients>" + active.SIZE + rb", nrcpt=" + active.RECIPIENTS
    + rb") \(queue active\)(?=\r?(?:\n|\Z))"
)  # fmt: skip
_REJECT = b"reject: "
_REMOVED = rb"removed(?=\r?(?:\n|\Z))"
# A reject, without whom it is about and how it ends. The reply is kept without the client's
# address, which it mostly repeats.
_REFUSED = (
    _REJECT + rb"(?P<refused>[A-Z][A-Z-]++(?: content|)) from (?P<refused_client>(?:"
    + fields.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?:" + fields.CLIENT_ADDRESS + rb"))\]"
    rb"(?::\d++|)(?P<reply_code>: [245]\d\d )(?:" + fields.ENHANCED_CODE + rb" |)"
    + reject.PLAIN_ABOUT + rb"(?=[A-Za-z])"
    rb"(?P<reply_text>" + reject.SERVICE + rb"[^;\n\[]*+(?:\[(?=[0-9A-Fa-f.:]++\])|))"
    rb"[0-9A-Fa-f.:]*+(?P<reply_end>[^;\n]*+)"
)  # fmt: skip
# The account is a different one nearly each time.
_ACCOUNT = rb", sasl_username="
_LOGIN = (
    rb"warning: (?P<login_client>" + fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS
    + rb"))\](?::\d++|)(?P<login>: SASL " + fields.MECHANISM + fields.AUTHENTICATION_FAILED
    + rb"[^,\n]*+(?:" + _ACCOUNT + rb"\(unavailable\)(?=\r?(?:\n|\Z))|))"
    rb"(?:" + _ACCOUNT + rb"(?P<account>[^,\n]++)|)(?=\r?(?:\n|\Z))"
)  # fmt: skip

# By how a text starts: with an ID, with a warning, or with anything else.
_WARNING = health.WARNING
_ANY_WORD = (b"",)
_SHAPES_WITHOUT_ID = [
    shape for shape in (*POSTFIX, *DOVECOT) if not shape.id and shape.words != _ANY_WORD
]
_WITH_ODD_ID = _whole(
    _openings(shape for shape in POSTFIX if not shape.id and shape.words == _ANY_WORD)
)
_WITH_ID = _whole(_openings(shape for shape in POSTFIX if shape.id))
# Of these texts nothing but their opening is looked at; each client has one.
_CONNECTED = (connection.SMTPD, connection.POSTSCREEN)
_WITHOUT_ID = _openings(
    # a screen.FINDING reads the texts of the one, and there is nothing to be read in the others'
    shape for shape in _SHAPES_WITHOUT_ID
    if shape.words != screen.WORDS and shape.words[0] not in _CONNECTED and shape is not ANY_WARNING
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
        login.DOVECOT_LOGIN,
        rb"(?P<text_without_path>" + login.DOVECOT_IDLE + rb"|"
        + login.DOVECOT_LOGGED_IN_FROM_NOWHERE
        + rb"|"
        + _whole(
            [
                *_openings(DOVECOT), *loss.OPENINGS, frame.WRAPPER, frame.STAMPED,
                health.BEFORE_MAIN_CF,
            ]
        ) + rb"|)",
    ]
)  # fmt: skip
_COUNTED_LETTER = rb"(?=" + FIRST_LETTERS + rb")"
# The engine passes over an alternative sooner if it starts with a letter.
_AFTER_ID = rb"(?!message-id=)" + _any(
    [
        _DELIVERY,
        _ACTIVE,
        intake.PLAIN,
        _REFUSED,
        rb"(?P<text_after_id>" + _any([_REMOVED, _WITH_ID]) + rb")",
    ]
)  # fmt: skip
_WITHOUT_AN_ID = _any(
    [
        rb"(?P<connected>" + _any(map(re.escape, _CONNECTED)) + rb")",
        _COUNTED_LETTER + _any([screen.FINDING, _LOGIN]),
        rb"(?P<text>" + _COUNTED_LETTER + _any([_WARNINGS, _OTHERS]) + rb"|" + _WITH_ODD_ID
        + rb")",
        rb"(?P<warned>" + _WARNING + rb")",
    ]
)  # fmt: skip
_WITH_PATH = (
    rb"(?>(?P<queue_id>" + _NO_ID + rb"|" + fields.QUEUE_ID + rb"): |)"
    rb"(?(queue_id)" + _AFTER_ID + rb"|" + _WITHOUT_AN_ID + rb")"
)

_expression = re.compile(
    rb"\n(?>" + _FRAME + rb"|)(?(zone_host_tag)(?(path)" + _WITH_PATH + rb"|" + _WITHOUT_PATH
    + rb")|(?P<odd_line>[^\n]*+))"
)  # fmt: skip
_find = _expression.findall


class Found(
    namedtuple(
        "Found",
        "stamp zone_host_tag path queue_id recipient domain orig_to relay socket times retry sent"
        " queued_as failed reply_start reply_rest size_recipients received logged_in earlier_id"
        " refused refused_client reply_code reply_text reply_end text_after_id connected finding"
        " found_client login_client login account text warned dovecot_login user client"
        " text_without_path odd_line",
    )
):
    """What the expression finds in one line: its groups, in their order; nothing for the others.

    Of a line with an ordinary frame
    stamp, zone_host_tag: its frame, without seconds and process ID
    path:           whether the tag has one
    queue_id:       also NOQUEUE
    recipient, domain, relay: `LOCAL@DOMAIN>`, `@DOMAIN>` and `, relay=HOST` of a delivery
    orig_to:        `ADDRESS>` that it was for before aliases
    socket:         `[/` where its relay is a socket
    times:          `T, delays=A/B/C/D`: how long it took
    retry:          A if it is not the first try
    sent, failed:   `DSN, status=WORD (` of one that was sent or failed
    queued_as:      queue ID that the server says it has now
    reply_start, reply_rest: why it failed: code and enhanced code of another server, the rest
    size_recipients: `SIZE, nrcpt=NUMBER` of a message taken up by the queue manager
    received, logged_in: `NAME[ADDRESS` of who has handed a message in, and the account that had
                    logged in
    earlier_id:     queue ID that it had before
    refused, refused_client: stage and `NAME[ADDRESS` of a reject
    reply_code, reply_text, reply_end: of that reject; an address after the text is left out
    text_after_id:  what the recogniser must read after the queue ID
    connected:      how the text begins of a client that has connected
    finding, found_client: of postscreen
    login_client, login, account: `NAME[ADDRESS` of a login that failed at Postfix, what follows,
                    and whose it was
    text:           what the recogniser must read, without a queue ID
    warned:         how a warning starts that is none of these
    dovecot_login, user, client: of a login at Dovecot: what became of it, whose it was, and its
                    address
    text_without_path: what the recogniser must read, where the tag has no path

    odd_line:       a line with another frame, as a whole
    """

    __slots__ = ()


assert Found._fields == tuple(_expression.groupindex)

# They stand for the ID of any message, for any server, and for any client.
_ANY_ID = b"000000: "
_ANY_SERVER = b"host mail[::1]"
_ANY_CLIENT = b"unknown[::1]"

# So many templates are remembered at a time.
_MOST_TEMPLATES = 8_000
# Bytes of lines that they are known by; a stranger may make lines of 64 KB.
_MOST_TEMPLATE_BYTES = 8 << 20
# So many different ones are kept apart until their minute is known.
_MOST_UNPLACED = 1_000
_OTHERS_UNPARSED = Event(kind="unparsed", reason="others")
_UNDATED = Event(kind="unparsed", reason="no such date")
_RELAY = len(b", relay=")
# No enhanced code makes what was sent longer; only that it comes again does.
_LONGEST_SENT = len(b"2.100.100, status=sent (")

# Of whom a line names, the fields of its event. As it stands in the line that is
# three: `@DOMAIN>, relay=HOST`, or `>, relay=HOST`; the recipient, and whom it was for before
# aliases, up to `>`, if it is the first try
DELIVERY = ("domain", "relay")
CLIENT = ("client", "client_name")  # `NAME[ADDRESS`, or an address alone
HANDED_IN = ("client", "account")  # a pair: `NAME[ADDRESS`, and the account or nothing
LOGIN = (*CLIENT, "account")  # a pair: the same, and the account as it stands there or nothing
NOBODY_NAMED = ()


class LineTemplate:
    """What lines say that differ only in their time, in whom they name, and in their message.

    utc_offset: the zone of their time, as they write it
    written_by: host and instance
    event, kind: what they tell of, and its kind; None and nothing if nothing is counted
    names:      fields of the event that each line fills by itself: DELIVERY, CLIENT, HANDED_IN or
                LOGIN. NOBODY_NAMED if the event is whole
    logged_in:  whether the client of a message that they tell of had logged in
    is_try:     whether they tell of tries to deliver mail to somebody
    named:      whom they name then, if each names the same: three as DELIVERY has them
    is_counted: whether the event adds to a counter, as all do but LINKS
    times:      how many events one line stands for: repeated lines, several logins in one
    message:    what they say of a message that other lines tell of too, None if of none;
                its queue ID is that of one of the lines
    is_of_daemon: whether a daemon of Postfix or Dovecot wrote them
    lost:       how many lines a logger says in them that it has dropped, 0 if it does not say how
                many; None if they say no such thing
    origin, tally: number of host and instance, and what the event adds to; its counters are
                called as those of this origin. Whoever counts the lines sets both, once for each
                new template
    """

    __slots__ = (
        "event", "is_counted", "is_of_daemon", "is_try", "kind", "logged_in", "lost", "message",
        "named", "names", "origin", "tally", "times", "utc_offset", "written_by",
    )  # fmt: skip

    def __init__(
        self,
        record: Record,
        event: Event | None,
        names: tuple[str, ...] = NOBODY_NAMED,
        message: MessageFacts | None = None,
    ) -> None:
        self.utc_offset = record.zone
        self.written_by = record.host, record.instance
        self.event = event
        self.kind = event.kind if event else ""
        self.names = names
        self.logged_in = event is not None and "submission" in event.also
        self.is_try = self.kind in TRIES
        self.named: Whom = b""
        if self.is_try and event and names is NOBODY_NAMED:
            self.named = b"", event.recipient, event.orig_to
        self.is_counted = event is not None and event.kind not in LINKS
        self.times = record.repeats * (event.times if event else 1)
        self.message = message or (message_facts(record, event) if event else None)
        self.is_of_daemon = is_of_daemon(record)
        self.lost = loss.lost(record)
        self.origin = 0
        self.tally: tuple[tuple[str, ...], str, str] = (), "", ""


class Events:
    """The events of some lines.

    new_templates: templates with an event that no line before had, to be prepared for counting
    counted:       minute -> template -> whom each line that counts names; nothing where nobody
                   is named
    unparsed:      (minute, event) -> number of lines that name Postfix or Dovecot and have no frame
                   or no date that is known. Their minute is that of a line near them
    messages:      a MessageLine for each line about a message that other lines tell of too, in
                   their order; size and recipients are 0 where the line does not say them, and
                   its times are nothing unless it is DELIVERED. Those that count are in `counted`
                   as well
    losses:        minutes in which a logger says that it has dropped lines -> how many, as far as
                   it says so
    refused:       rejects of mail for an address that somebody asks for by name: minute, host,
                   instance, address, and how many
    """

    __slots__ = ("counted", "losses", "messages", "new_templates", "refused", "unparsed")

    def __init__(self) -> None:
        self.new_templates: list[LineTemplate] = []
        self.counted: dict[int, defaultdict[LineTemplate, list[Whom]]] = {}
        self.unparsed: Counter[tuple[int, Event]] = Counter()
        self.messages: list[MessageLine] = []
        self.losses: defaultdict[int, int] = defaultdict(int)
        self.refused: list[tuple[int, bytes, bytes, bytes, int]] = []


class Scan:
    """Reads the blocks of one generation, in their order.

    timestamps: reads this generation's stamps
    before:     the bytes before the first block; what stands in them before the first
                newline may be the end of a longer line
    watched:    addresses that somebody has asked for by name, lower case

    senders: makes who has handed in mail of the bytes of its line

    Of the lines so far, these many
    matched:  tell of events
    foreign:  tell of none, and are of other programs than the daemons of Postfix and Dovecot
    unparsed: have no frame that we know, or tell of an event but have no date
    The others are those daemons' and tell of nothing that is counted.
    """

    def __init__(
        self, timestamps: Timestamps, before: bytes = b"", watched: Set[bytes] = frozenset()
    ) -> None:
        self._timestamps = timestamps
        self._refusals = _refusals_of(watched) if watched else None
        self._templates: dict[bytes | tuple[bytes | bool, ...], LineTemplate] = {}
        self._template_bytes = 0
        self.senders = Senders()
        self.matched = self.foreign = self.unparsed = 0
        # Of the last line whose time was asked for; and the lines since then that nobody can
        # read, which wait for the next one
        self.minute: int | None = None
        self.unplaced: Counter[Event] = Counter()
        self._begin(before)

    def _begin(self, before: bytes) -> None:
        first, *lines = before[:-1].split(b"\n")
        self._last_line = lines[-1] if lines else b""
        self._partial_lines = PartialLines(first, lines)

    def go_on(self, before: bytes, minute: int | None, unplaced: Counter[Event]) -> None:
        """Go on behind lines that another scan has read.

        minute, unplaced: that scan's
        """
        self.minute, self.unplaced = minute, unplaced
        self._begin(before)

    def block(self, block: bytes, events: Events | None = None) -> Events:
        """Return the events of a block.

        block:  whole lines, each with a newline before it, none at the end
        events: to which they are added; None for new ones
        """
        timestamps = self._timestamps
        templates = self._templates
        sender_of = self.senders.of
        events = events or Events()
        new_templates, add_message = events.new_templates, events.messages.append
        last_stamp, utc_offset, minute = b"", b"", None
        of_minute: defaultdict[LineTemplate, list[Whom]] = defaultdict(list)
        matched = foreign = unparsed = 0
        key: bytes | tuple[bytes | bool, ...]
        whom: Whom
        block = self._expanded(block)
        for found in _find(block):
            # The fields of Found: nothing is faster than to unpack them all.
            (
                stamp, zone_host_tag, _path, queue_id, recipient, domain, orig_to, relay, socket,
                times, retry, sent, queued_as, failed, reply_start, reply_rest, size_recipients,
                received, logged_in, earlier_id, refused, refused_client, reply_code, reply_text,
                reply_end, text_after_id, connected, finding, found_client, login_client, login,
                account, text, warned, dovecot_login, user, client, text_without_path, odd_line,
            ) = found  # fmt: skip
            whom = b""
            if queue_id:
                if sent:
                    whom = (
                        (domain + relay, b"", b"") if retry
                        else (domain + relay, recipient, orig_to)
                    )  # fmt: skip
                    key = zone_host_tag, sent
                    if socket:
                        key = zone_host_tag, sent, b"." in relay
                    if len(sent) > _LONGEST_SENT:
                        key += (socket, delivery.is_here(relay[_RELAY:]))
                elif size_recipients:
                    key = zone_host_tag
                elif refused:
                    whom = refused_client
                    key = (
                        zone_host_tag, refused, reply_code, reply_text, reply_end,
                        queue_id == _NO_ID, whom[:1] == b"[",
                    )  # fmt: skip
                elif failed:
                    whom = (
                        (domain + relay, b"", b"") if retry
                        else (domain + relay, recipient, orig_to)
                    )  # fmt: skip
                    key = zone_host_tag, failed, reply_start, reply_rest
                    times = b""
                elif received:
                    whom = received, logged_in
                    key = zone_host_tag, logged_in != b"", earlier_id != b"", queue_id == _NO_ID
                else:
                    key = zone_host_tag, b"", text_after_id, queue_id == _NO_ID
            elif login:
                whom = login_client, account
                key = zone_host_tag, login
            # What is said before whom a line names may be all of another one, that was cut there.
            elif client:
                whom = client, user
                key = zone_host_tag, dovecot_login, True
            elif finding:
                whom = found_client
                key = zone_host_tag, finding, True
            else:
                key = zone_host_tag, connected or text or text_without_path or warned
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
                    new_templates.append(template)
            if template.event is None:
                if not template.is_of_daemon:
                    foreign += 1
                    if template.lost is not None:
                        then = timestamps.minute(stamp, template.utc_offset)
                        if then is not None:
                            events.losses[then] += template.lost
                continue
            if stamp != last_stamp or template.utc_offset != utc_offset:
                last_stamp, utc_offset = stamp, template.utc_offset
                minute = timestamps.minute(last_stamp, utc_offset)
                if minute is not None:
                    if minute not in events.counted:
                        events.counted[minute] = defaultdict(list)
                    of_minute = events.counted[minute]
                    if self.unplaced:
                        self._place(events, minute)
                    self.minute = minute
            if minute is None:
                unparsed += 1
                self._add_unparsed(_UNDATED)
                continue
            if size_recipients:
                size, _, recipients = size_recipients.partition(b", nrcpt=")
                add_message(
                    (template, queue_id, minute, int(size), int(recipients), b"", b"", "", b"")
                )
                continue
            message = template.message
            if message is not None:
                by, other_id = message.sender, message.other_id
                if received:
                    if logged_in or not earlier_id:
                        by = sender_of(received, logged_in)
                    other_id = earlier_id
                elif queued_as and delivery.is_here(relay[_RELAY:]):
                    other_id = queued_as
                add_message(
                    (
                        template, queue_id or message.queue_id, minute, message.size,
                        message.recipients, times or message.times, whom or template.named, by,
                        other_id,
                    )
                )  # fmt: skip
                if not template.is_counted:
                    continue
            matched += 1
            of_minute[template].append(whom)
        self.matched += matched
        self.foreign += foreign
        self.unparsed += unparsed
        if self._refusals:
            for record, address, number in self._refusals.of_block(block):
                minute = timestamps.minute_before(record.stamp, record.zone)
                if minute is not None:
                    where = minute, record.host, record.instance
                    events.refused.append((*where, address, number))
        return events

    def _add_unparsed(self, event: Event) -> None:
        """Keep a line that nobody can read until its neighbours are known."""
        if event in self.unplaced or len(self.unplaced) < _MOST_UNPLACED:
            self.unplaced[event] += 1
        else:
            self.unplaced[_OTHERS_UNPARSED] += 1

    def place(self, events: Events, minute: int) -> None:
        """Count the lines that nobody can read, where the last line has this minute."""
        if self.unplaced:
            self._place(events, minute)

    def _place(self, events: Events, minute: int) -> None:
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


def _refusals_of(watched: Set[bytes]) -> Refusals:
    # Few ask for an address.
    from check_postfix.maillog.events.refused import Refusals

    return Refusals(watched)


def _template(found: Found) -> LineTemplate:
    """Return the template of a line with an ordinary frame."""
    record = _record(found)
    if found.size_recipients:
        if record.program in active.PROGRAMS:
            return LineTemplate(record, active.TAKEN_UP, message=MessageFacts(b""))
        return LineTemplate(record, None)
    if found.sent or found.failed:
        delivered = _without(DELIVERY, _delivery(found))
        # What it says of its message is another thing in each line.
        facts = MessageFacts(b"") if delivered.kind in OF_A_MESSAGE else None
        return LineTemplate(record, delivered, DELIVERY, facts)
    event = _event(record, found)
    if found.received and event:
        return LineTemplate(record, event, HANDED_IN)
    if event and event.client and (found.login or found.client):
        return LineTemplate(record, _without(CLIENT, event), LOGIN)
    if event and event.client and (found.refused or found.finding):
        return LineTemplate(record, _without(CLIENT, event), CLIENT)
    return LineTemplate(record, event)


def _without(names: tuple[str, ...], event: Event) -> Event:
    """Return an event without whom it names."""
    return event._replace(**dict.fromkeys(names, ""))


def _record(found: Found) -> Record:
    """Return the record of a line, without its stamp; its text is what the recogniser must read.

    Its queue ID and its client are other ones, for all lines that differ in them.
    """
    utc_offset, host, tag = found.zone_host_tag.split(b" ")
    instance, slash, path = tag.partition(b"/")
    text = (
        found.connected or found.text or found.text_without_path or found.dovecot_login
        or found.warned
    )  # fmt: skip
    if found.login:
        text = _WARNING + _ANY_CLIENT + found.login
    elif found.queue_id:
        id = b"NOQUEUE: " if found.queue_id == _NO_ID else _ANY_ID
        text = id + (_REJECT + _client(found) if found.refused else found.text_after_id)
    text = text.removesuffix(b"\r")
    return frame.record(b"", utc_offset, host, instance, slash + path, text)


def _client(found: Found) -> bytes:
    """Return whose reject it is, and at what stage."""
    return b"%b from %b]" % (found.refused, found.refused_client)


def _event(record: Record, found: Found) -> Event | None:
    """Return what a line tells of, None if nothing is counted; not of deliveries."""
    is_noqueue = found.queue_id == _NO_ID
    if found.received:
        if record.program != b"smtpd":
            return None
        account = b"" if found.logged_in else None
        return intake.received(is_noqueue, b"", account, found.earlier_id)
    if found.refused:
        code, text = (
            found.reply_code[2:-1],
            (found.reply_text + found.reply_end).removesuffix(b"\r"),
        )
        refused = reject.refused(record.program, is_noqueue, _client(found), code, text)
        return refused or recognise(record)
    if found.finding:
        is_postscreen = record.program == b"postscreen"
        return screen.found(found.finding, found.found_client) if is_postscreen else None
    if found.client:
        return login.at_dovecot(found.dovecot_login, found.client)
    if found.warned and record.program:  # nothing is read of it but how it starts
        return health.recognise_warning(record, 0)
    return recognise(record) if record.text else None


def _delivery(found: Found) -> Event:
    """Return the event of a plain delivery line."""
    enhanced_code, _, rest = (found.sent or found.failed).partition(b", status=")
    status, _, reply = rest.partition(b" (")
    if found.reply_start:
        reply = _ANY_SERVER + found.reply_start
    reply += found.reply_rest.removesuffix(b"\r")
    relay = found.relay[_RELAY:] + found.socket
    # Whom it names, and its queue ID, stand in each line.
    return delivery.outcome(status, b"", relay, enhanced_code, reply)
