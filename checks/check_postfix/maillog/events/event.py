"""An event: one thing that happened to mail, and what it is worth counting by."""

from __future__ import annotations

from collections import namedtuple


class Event(
    namedtuple(
        "Event",
        "kind domain relay reply_code enhanced_code client reason times also"
        " blocklist mechanism service client_name account uid other_id recipient orig_to",
        defaults=("", "", "", "", "", "", 1, (), "", "", "", "", b"", "", b"", b"", b""),
    )
):
    """What a recogniser made of one record.

    kind:          the counter it belongs to, one of KINDS, or one of LINKS
    domain:        the recipient's, lower case (deliveries)
    relay:         the next hop's host name, or `none`, `local` ... (deliveries)
    reply_code:    the three digits of the SMTP reply
    enhanced_code: x.y.z of RFC 3463
    client:        address of the host that connected to us
    reason:        why, one of reasons.REASONS (failed deliveries, rejects); how its last words
                   begin (daemons that died)
    times:         how many such events the line stands for
    also:          further counters that the line belongs to
    blocklist:     name of the block list that the client is on (rejects), or that did not answer
    mechanism:     SASL mechanism, upper case (failed logins)
    service:       `smtp`, `submission`, `imap` ... (failed logins); the program (daemons that died)
    client_name:   the client's name, lower case, if smtpd has verified it (rejects,
                   failed logins); else nothing
    account:       whose login failed, as it is written (bytes). Only its pseudonym may be
                   kept. It is a hint only: Postfix may name the account that was tried
                   before, and a name may be a mistyped password. Of mail that was taken in:
                   whose login had succeeded
    uid:           number of the user of this machine who handed mail in
    other_id:      queue ID (bytes) that mail which is taken in had before, or that mail has now
                   which a content filter has handed back
    recipient:     whom a delivery is tried for, as it is written (bytes), if it is the first
                   try. Only its pseudonym may be kept
    orig_to:       whom it was for before aliases, likewise
    """

    __slots__ = ()

    kind: str
    domain: str
    relay: str
    reply_code: str
    enhanced_code: str
    client: str
    reason: str
    times: int
    also: tuple[str, ...]
    blocklist: str
    mechanism: str
    service: str
    client_name: str
    account: bytes
    uid: str
    other_id: bytes
    recipient: bytes
    orig_to: bytes


class MessageFacts(
    namedtuple(
        "MessageFacts",
        "queue_id size recipients times sender other_id",
        defaults=(0, 0, b"", "", b""),
    )
):
    """What a line says of the one message that its event is about.

    queue_id:   bytes
    size:       in bytes (active)
    recipients: how many it is still to be delivered to (active)
    times:      how long its delivery took, `T, delays=A/B/C/D` (sent, filtered)
    sender:     who has handed it in, as sender.py writes it (received)
    other_id:   queue ID (bytes) that it had before (received), or has now (filtered)
    """

    __slots__ = ()

    queue_id: bytes
    size: int
    recipients: int
    times: bytes
    sender: str
    other_id: bytes


# Every counter, and what one more of it means. The totals of other programs, where they
# agree with ours, are sums of these.
KINDS = {
    "sent": "delivery attempt with status=sent, not handed to an alias",
    "forwarded": "status=sent (forwarded as ...): handed to another queue ID, not delivered",
    "filtered": "status=sent to a content filter on this machine, which has handed it back",
    "deferred": "delivery attempt with status=deferred",
    "softbounce": "delivery attempt with status=SOFTBOUNCE; acts as a deferral",
    "bounced": "delivery attempt with status=bounced",
    "probes": "address probe, no mail",
    "delivery_unknown": "delivery line with a status or fields nobody knows",
    "delivery_ambiguous": "delivery line that reads in more than one way: no status counted",
    "delivery_suspicious": "delivery line with a second tail after the true one",
    "line_truncated": "line cut before the status of a delivery or the account of a message",
    "reject_unknown": "line that opens as a reject, and no rule reads it",
    "login_unknown": "line that opens as a failed login, and no rule reads it",
    "unparsed": "line without a frame that is known, with the name of Postfix or Dovecot in it",
    "sent_to_socket": "status=sent to a UNIX socket, under a name as another machine has",
    "relay_auth_failed": "delivery that failed because the relay refused our login",
    "expired": "message given up after its time in the queue",
    "connected_smtpd": "client that has connected to smtpd",
    "connected_postscreen": "client that has connected to postscreen",
    "received": "mail taken from a client or by pickup",
    "received_noqueue": "mail taken by smtpd in front of a proxy",
    "submission": "mail taken from a client that has logged in",
    "cancelled": "mail that a client began and did not finish",
    "rejected_smtpd": "refused by smtpd",
    "rejected_hangup": "cut off by smtpd without a reply (HANGUP of access(5))",
    "rejected_postscreen": "refused by postscreen",
    "rejected_size": "refused by smtpd for its size, once it had come",
    "rejected_proxy": "refused by the filter behind smtpd (smtpd_proxy_filter)",
    "rejected_header_body": "refused by header or body checks, also of a milter's headers",
    "rejected_mime": "refused for a MIME error",
    "rejected_milter_smtpd": "refused by a milter, told by smtpd",
    "rejected_milter_cleanup": "refused by a milter, told by cleanup",
    "reject_warning": "would have been refused (warn_if_reject, WARN)",
    "held": "put on hold",
    "discarded": "accepted and thrown away",
    "rate_limited": "client turned away by smtpd for asking too often",
    "screen_dnsbl": "postscreen: client on too many block lists",
    "screen_denylisted": "postscreen: client denied by our own list",
    "screen_pregreet": "postscreen: client spoke before it was greeted",
    "screen_hangup": "postscreen: client hung up during the tests",
    "screen_pipelining": "postscreen: client sent commands without waiting",
    "screen_non_smtp": "postscreen: client spoke something else than SMTP",
    "screen_bare_newline": "postscreen: client ended a line with a bare newline",
    "screen_time_limit": "postscreen: client was too slow",
    "screen_count_limit": "postscreen: client sent too many commands",
    "screen_length_limit": "postscreen: client sent too long a command",
    "screen_no_recipient": "postscreen: client sent DATA or BDAT without a recipient",
    "auth_failed": "failed login",
    "auth_succeeded": "Dovecot login",
    "auth_client_error": "SASL dialogue broken by the client, no password tested",
    "auth_backend_error": "login not decided because our own backend failed, or its own error",
    "daemon_died": "fatal: or panic: of a Postfix daemon",
    "fatal": "fatal: of a Postfix daemon: it could not go on",
    "panic": "panic: of a Postfix daemon: it has found a fault in itself",
    "warning": "warning: of a Postfix daemon that is counted as nothing else",
    "local_fault": "warning about this machine's resources, files or services",
    "blocklist_failed": "lookup of a client's address in a block list that was not answered",
    "turned_away": "command or message of a client that was not taken for a fault of this machine",
    "debug_dialogue": "line of an SMTP dialogue in the log: passwords may stand there",
}

# A line that is read, and tells of nothing that is counted.
NOTHING = Event(kind="")

# Kinds that count nothing by themselves: they say more of a message that other lines are
# about, too.
LINKS = {
    "active": "message taken up by the queue manager, for the first time or again",
    "removed": "message that has left the queue",
}

# Kinds of what is a try to deliver mail to somebody.
TRIES = frozenset({"sent", "forwarded", "deferred", "bounced", "softbounce"})

# Kinds of which it is counted how long they took.
DELIVERED = frozenset({"sent", "filtered"})

# Kinds that are about one message, known by its queue ID, that other lines are about, too.
OF_A_MESSAGE = frozenset(
    {
        "received",
        "bounced",
        "deferred",
        "softbounce",
        "held",
        "expired",
        "cancelled",
        *DELIVERED,
        *LINKS,
    }
)
