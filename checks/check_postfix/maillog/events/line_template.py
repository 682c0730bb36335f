"""Line templates: what lines say that differ only in their time, whom they name, and their message.

Such lines are read once, by the recogniser or by what it is made of.
"""

from __future__ import annotations

from check_postfix.maillog.events.event import LINKS, OF_A_MESSAGE, TRIES, MessageFacts
from check_postfix.maillog.events.found import NO_ID, REJECT
from check_postfix.maillog.events.recogniser import (
    active,
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
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.events.found import Found
    from check_postfix.maillog.syntax.record import Record

    # Bytes as they stand in a line, or several: see DELIVERY, CLIENT and LOGIN
    Whom = Any

# Of whom a line names, the fields of its event. As it stands in the line that is
# three: `@DOMAIN>, relay=HOST`, or `>, relay=HOST`; the recipient, and whom it was for before
# aliases, up to `>`, if it is the first try
DELIVERY = ("domain", "relay")
CLIENT = ("client", "client_name")  # `NAME[ADDRESS`, or an address alone
HANDED_IN = ("client", "account")  # a pair: `NAME[ADDRESS`, and the account or nothing
LOGIN = (*CLIENT, "account")  # a pair: the same, and the account as it stands there or nothing
NOBODY_NAMED = ()

# They stand for the ID of any message, for any server, and for any client.
_ANY_ID = b"000000: "
_ANY_SERVER = b"host mail[::1]"
_ANY_CLIENT = b"unknown[::1]"
# So long is what stands before the server of a delivery.
BEFORE_RELAY = len(b", relay=")


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
    origin, adds: number of host and instance, and what each line adds to. Whoever counts the
                lines sets both, once for each new template
    """

    __slots__ = (
        "adds", "event", "is_counted", "is_of_daemon", "is_try", "kind", "logged_in", "lost",
        "message", "named", "names", "origin", "times", "utc_offset", "written_by",
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
        self.adds: Any = None


def of_found(found: Found) -> LineTemplate:
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
        text = health.WARNING + _ANY_CLIENT + found.login
    elif found.queue_id:
        id = b"NOQUEUE: " if found.queue_id == NO_ID else _ANY_ID
        text = id + (REJECT + _client(found) if found.refused else found.text_after_id)
    text = text.removesuffix(b"\r")
    return frame.record(b"", utc_offset, host, instance, slash + path, text)


def _client(found: Found) -> bytes:
    """Return whose reject it is, and at what stage."""
    return b"%b from %b]" % (found.refused, found.refused_client)


def _event(record: Record, found: Found) -> Event | None:
    """Return what a line tells of, None if nothing is counted; not of deliveries."""
    is_noqueue = found.queue_id == NO_ID
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
    relay = found.relay[BEFORE_RELAY:] + found.socket
    # Whom it names, and its queue ID, stand in each line.
    return delivery.outcome(status, b"", relay, enhanced_code, reply)
