"""The scanner: the fast way from a block of an ordinary log to its events.

What one expression finds in a line is the key of a template, which is made once for all lines that
differ only in their time, in whom they name, and in their message. What has another frame than the
ordinary one is read as it stands.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from check_postfix.maillog.events import line_template
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.events.found import NO_ID, Found, find
from check_postfix.maillog.events.line_template import BEFORE_RELAY, RELAY, LineTemplate
from check_postfix.maillog.events.recogniser import delivery, recognise
from check_postfix.maillog.events.sender import Senders
from check_postfix.maillog.events.unparsed import names_mail
from check_postfix.maillog.events.unparsed import unparsed as unparsed_event
from check_postfix.maillog.syntax import frame, repeats
from check_postfix.maillog.syntax.partial_lines import PartialLines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

    from check_postfix.maillog.events.line_template import Whom
    from check_postfix.maillog.events.refused import Refusals
    from check_postfix.maillog.syntax.timestamps import Timestamps

    # Template, queue ID, minute, size, recipients, how long a delivery took, whom it names, sender,
    # other queue ID
    MessageLine = tuple[LineTemplate, bytes, int, int, int, bytes, Whom, str, bytes]

# So many templates are remembered at a time.
_MOST_TEMPLATES = 8_000
# Bytes of lines that they are known by; a stranger may make lines of 64 KB.
_MOST_TEMPLATE_BYTES = 8 << 20
# So many different ones are kept apart until their minute is known.
_MOST_UNPLACED = 1_000
_OTHERS_UNPARSED = Event(kind="unparsed", reason="others")
_UNDATED = Event(kind="unparsed", reason="no such date")
# No enhanced code makes what was sent longer; only that it comes again does.
_LONGEST_SENT = len(b"2.100.100, status=sent (")
_NO_RELAY = RELAY + delivery.NO_RELAY


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
        for found in find(block):
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
                        key += (socket, delivery.is_here(relay[BEFORE_RELAY:]))
                elif size_recipients:
                    key = zone_host_tag
                elif refused:
                    whom = refused_client
                    key = (
                        zone_host_tag, refused, reply_code, reply_text, reply_end,
                        queue_id == NO_ID, whom[:1] == b"[",
                    )  # fmt: skip
                elif failed:
                    if relay == _NO_RELAY:
                        relay = RELAY + delivery.next_hop(delivery.NO_RELAY, reply_rest)
                    whom = (
                        (domain + relay, b"", b"") if retry
                        else (domain + relay, recipient, orig_to)
                    )  # fmt: skip
                    key = zone_host_tag, failed, reply_start, reply_rest
                    times = b""
                elif received:
                    whom = received, logged_in
                    key = zone_host_tag, logged_in != b"", earlier_id != b"", queue_id == NO_ID
                else:
                    key = zone_host_tag, b"", text_after_id, queue_id == NO_ID
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
                    template = templates[key] = line_template.of_found(Found._make(found))
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
                elif queued_as and delivery.is_here(relay[BEFORE_RELAY:]):
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
