"""Recognise delivery lines: `QID: to=<...>, relay=..., ..., status=WORD (TEXT)`.

Recipient and text are chosen by strangers, and either may hold what looks like
the rest of a delivery line. So the place decides, never a search: where exactly
one tail (the fields from `, relay=` to `status=WORD (`) stands in the line, it is
the truth. Of several tails it is the one after a recipient that seems to end there, if
all later tails agree on the status: until Postfix 3.4, and by a setting, no recipient is
quoted. What stays open is counted as that, and no status is taken from it.

Source: postfix/src/global/log_adhoc.c, the only writer of such lines.
"""

from __future__ import annotations

import re
from collections import namedtuple

from check_postfix.maillog.events import fields, reasons
from check_postfix.maillog.events.event import DELIVERED, TRIES, Event
from check_postfix.maillog.events.recogniser.unknown import unknown
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

# What of a `sent` says that the message comes again under another queue ID: an
# alias's target (local/forward.c), or what amavisd answers when it has handed the
# message back to a server on its own machine.
COMES_AGAIN = (
    rb"(?:forwarded as |250 2\.\d\.0 (?:Ok, id=[^\s,]++, |)from MTA\((?:smtp:|)"
    rb"\[(?:127\.|::1\]))"
)
# What the server that takes a message says of its new queue ID, behind that or alone.
QUEUED_AS = rb"(?:[0-9.\]:]*+\): |)250 2\.\d\.0 Ok: queued as "
_match_queued_as = Expression(
    rb"(?:" + COMES_AGAIN + rb"|)" + QUEUED_AS + rb"(?P<queue_id>" + fields.OTHER_ID + rb")\)\Z"
).match
_FORWARDED = b"forwarded as "
_FROM_FILTER = b"from MTA("
_match_comes_again = Expression(COMES_AGAIN).match
# A UNIX socket in the place of an address: a server on this machine, under this machine's name
# (smtp/smtp_connect.c, lmtp_connect.c).
SOCKET = rb"\[(?:private|public|)/"
# Without a dot it looks like one of Postfix's own transports already.
_is_socket = Expression(rb"[^.\[]*+\.[^\[]*+" + SOCKET).match
_HERE = b"localhost", b"127.", b"::1"
_match_here = Expression(rb"(?:localhost|127\.[\d.]++|::1)(?:\[|\Z)").match

_TAIL = (
    rb">, relay=(?P<relay>" + fields.RELAY + rb")" + fields.BEFORE_TIMES
    + rb"(?P<times>" + fields.TIMES + rb")" + fields.MORE_FIELDS
    + rb", dsn=(?P<dsn>" + fields.ENHANCED_CODE + rb")" + fields.MORE_FIELDS
    + rb", status=(?P<status>" + fields.STATUS + rb") \("
)  # fmt: skip
_find_tails = Expression(_TAIL).finditer

_match_strict = Expression(
    rb"to=<(?P<recipient>(?:" + fields.QUOTED_LOCAL + rb"|"
    + fields.UNQUOTED_LOCAL + rb")(?:@(?P<domain>" + fields.DOMAIN + rb"))?)"
    + rb"(?:>, orig_to=<(?P<orig_to>" + fields.ADDRESS + rb"))?(?=" + _TAIL + rb")"
).match  # fmt: skip

_match_retry = Expression(fields.BEFORE_STAGES + fields.RETRY + rb"/").match

# A recipient that Postfix itself cannot parse goes to the error transport with
# this text, after everything that the recipient could forge.
_search_bad_syntax = Expression(
    rb">, relay=none" + fields.DELAYS
    + rb", dsn=[45]\.1\.3, status=(?P<status>bounced|SOFTBOUNCE) \(bad address syntax\)\Z"
).search  # fmt: skip

_drop_addresses = Expression(rb"<[^<>]*+>?").sub
_find_names = Expression(rb"(?:\A|(?<= ))[a-z][a-z_-]{1,15}+=").finditer
# What is looked at for the names of fields, in bytes, and how many are shown.
_NAMES_WITHIN = 400
_MOST_NAMES = 10

_TO, _ORIG_TO = b"to=<", b">, orig_to=<"
_find_times = Expression(
    rb", delay=(" + fields.SECONDS + rb"), delays="
    + rb"/".join([rb"(" + fields.SECONDS + rb")"] * 4)
).search  # fmt: skip


class Delivery(namedtuple("Delivery", "recipient orig_to relay delay stages dsn status reply")):
    """What a delivery line tells.

    recipient, orig_to: addresses as they stand in the log; orig_to is empty without an alias
    relay:  name, address and port, or a word of Postfix's own
    delay:  seconds since the message came in
    stages: of that, in seconds: before the queue, in the queue, for the connection, for the
            transmission
    dsn:    the enhanced status code
    status: the word after `status=`
    reply:  the text in parentheses
    """

    __slots__ = ()

    recipient: bytes
    orig_to: bytes
    relay: bytes
    delay: float
    stages: tuple[float, ...]
    dsn: bytes
    status: bytes
    reply: bytes


# Where no server was reached, or none was asked for this message, Postfix says why, and there whom
# it is about; another server's words come later (smtp/smtp_connect.c, smtp_trouble.c, smtp_proto.c,
# smtp_sasl_glue.c, qmgr/qmgr_message.c).
NO_RELAY = b"none"
_match_next_hop = Expression(
    rb"(?:delivery temporarily suspended: (?:host |)|)(?:(?<=host )|connect to "
    rb"|lost connection with |conversation with |TLS is required, but was not offered by host "
    rb"|SASL authentication failed; (?:cannot authenticate to |)server )"
    rb"(?P<host>[^\t-\r ,<>\[\]]++)\[[^\t-\r ,<>\[\]]++\](?::\d++|)(?:[: ]|\))"
).match

_KIND = {
    b"sent": "sent",
    b"deferred": "deferred",
    b"bounced": "bounced",
    b"SOFTBOUNCE": "softbounce",
    b"deliverable": "probes",
    b"undeliverable": "probes",
    b"undeliverable-but-not-cached": "probes",
}


def recognise(record: Record, start: int) -> Event:
    """Return the event of a delivery line.

    start: where the record's text has `to=`, after a queue ID
    """
    text = record.text
    tails = list(_find_tails(text))
    strict = _match_strict(text, start)
    decided = _decided(text, tails, strict)
    if decided and len(tails) == 1:
        return _delivery(text, decided, strict)
    if record.program in (b"error", UNKNOWN) and (bad := _search_bad_syntax(text)):
        softened = bad["status"] == b"SOFTBOUNCE"
        return Event(
            kind="softbounce" if softened else "bounced",
            relay="none",
            enhanced_code="4.1.3" if softened else "5.1.3",
            reason=reasons.OTHER,
            # A server's reply can end so too, and only the program's name tells.
            also=("delivery_suspicious",) if strict and record.program == UNKNOWN else (),
        )
    if decided:
        return _delivery(text, decided, strict, also=("delivery_suspicious",))
    if strict:
        return Event(kind="delivery_ambiguous")
    if fields.may_be_cut(text) or not text.endswith(b")"):
        return Event(kind="line_truncated")
    return (
        Event(kind="delivery_ambiguous")
        if tails
        else unknown("delivery_unknown", record, _names(text, start))
    )


def _decided(
    text: bytes, tails: list[re.Match[bytes]], strict: re.Match[bytes] | None
) -> re.Match[bytes] | None:
    """Return the tail that is the truth, None if that is open."""
    if len(tails) == 1 and (strict or _is_certain(text)):
        return tails[0]
    if not strict:
        return None
    # Those inside a quoted recipient are not the truth in any form of address.
    first, *others = _find_tails(text, strict.end())  # `strict` looked ahead to it
    return None if any(tail["status"] != first["status"] for tail in others) else first


def read(text: bytes, start: int) -> Delivery | None:
    """Return what a delivery line tells, None if it can be read in more than one way.

    text:  of a record
    start: where it has `to=`, after a queue ID
    """
    tail = _decided(text, list(_find_tails(text)), _match_strict(text, start))
    if tail is None or not text.startswith(_TO, start):
        return None
    recipient, _, orig_to = text[start + len(_TO) : tail.start()].partition(_ORIG_TO)
    times = _find_times(tail[0])
    assert times is not None  # the tail has them
    try:
        delay, *stages = map(float, times.groups())
    except ValueError:  # of digits and points, and no number
        return None
    return Delivery(
        recipient, orig_to, tail["relay"], delay, tuple(stages), tail["dsn"], tail["status"],
        text[tail.end() :].removesuffix(b")"),
    )  # fmt: skip


def times(text: bytes, start: int) -> bytes:
    """Return how long a delivery took, `T, delays=A/B/C/D`, as its line has it.

    text, start: as of `read`
    Returns:     nothing if that is open
    """
    tail = _decided(text, list(_find_tails(text)), _match_strict(text, start))
    return tail["times"] if tail else b""


def _names(text: bytes, start: int) -> str:
    """Return the names of the fields of a delivery that no rule reads, without their values."""
    # An address may hold what looks like a field's name, and be somebody's.
    plain = _drop_addresses(b"", text[start : start + _NAMES_WITHIN])
    names = [match[0].decode("ascii") for match in _find_names(plain)]
    return " ".join(names[:_MOST_NAMES])


def _is_certain(text: bytes) -> bool:
    """Tell whether there is no room for another tail than the one found, cut off or unknown."""
    whole = text.endswith(b")") and not fields.may_be_cut(text)
    return whole and text.count(b">, relay=") == 1


def _delivery(
    text: bytes,
    tail: re.Match[bytes],
    strict: re.Match[bytes] | None,
    also: tuple[str, ...] = (),
) -> Event:
    domain = (strict["domain"] or b"") if strict else b""
    relay, reply = tail["relay"], text[tail.end() :]
    event = outcome(tail["status"], domain, relay, tail["dsn"], reply, also)
    if event.kind in DELIVERED:
        event = event._replace(other_id=queued_as(relay, reply))
    if strict and event.kind in TRIES and not _match_retry(tail["times"]):
        event = event._replace(recipient=strict["recipient"], orig_to=strict["orig_to"] or b"")
    return event


def queued_as(relay: bytes, reply: bytes) -> bytes:
    """Return the queue ID under which a message comes again from a server on this machine.

    Nothing if it does not, or if that is not said
    """
    match = _match_queued_as(reply)
    return match["queue_id"] if match and is_here(relay) else b""


def next_hop(relay: bytes, reply: bytes) -> bytes:
    """Return by way of whom a delivery that failed was tried, as far as that is known.

    reply: the text after `status=WORD (`
    """
    if relay != NO_RELAY:
        return relay
    match = _match_next_hop(reply)
    return match["host"] if match else relay


def is_here(relay: bytes) -> bool:
    """Tell whether a relay is this machine itself."""
    # Nearly none is, and whoever reads fast asks of each.
    return relay.startswith(_HERE) and _match_here(relay) is not None


def outcome(
    status: bytes,
    domain: bytes,
    relay: bytes,
    dsn: bytes,
    reply: bytes,
    also: tuple[str, ...] = (),
) -> Event:
    """Return the event of a delivery whose fields are known.

    reply: the text after `status=WORD (`; at least the opening words, if it is `sent`
    """
    kind = _KIND.get(status, "delivery_unknown")
    if kind == "sent":
        if reply.startswith(_FORWARDED):
            kind = "forwarded"
        elif _FROM_FILTER in reply and _match_comes_again(reply) and is_here(relay):
            kind = "filtered"
        elif _is_socket(relay):
            also += ("sent_to_socket",)
    code = reason = ""
    if kind in ("deferred", "bounced", "softbounce"):
        said = reasons.match_said(reply)
        if said:
            code = said["code"].decode()
        reason = reasons.of_delivery(dsn, reply, said)
        relay = next_hop(relay, reply)
        if reply.startswith(b"SASL authentication failed; "):
            also += ("relay_auth_failed",)
    return Event(
        kind=kind,
        domain=domain.decode("utf-8", "replace").lower(),
        relay=relay.partition(b"[")[0].decode("utf-8", "replace").lower(),
        reply_code=code,
        enhanced_code=dsn.decode(),
        reason=reason,
        also=also,
    )
