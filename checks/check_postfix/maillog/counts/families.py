"""Families: events that are counted by several fields at once, and their keys.

What a counter and a key mean stands here alone: a check with nothing new to count needs no more.
"""

from __future__ import annotations

# Counted where no line tells it: by each run that reads the end of a log.
STAMPS_OFF = "stamps_off"
# Counted where rsyslog or journald say of so many lines that they have dropped them.
LOST_MESSAGES = "lost_messages"

# Messages for addresses that somebody has asked for by name; such numbers, by the quarter-hour, are
# held against what is usual.
WATCHED = "watched"

# The fields of an event that its kind is split by. An account comes last: its pseudonym is
# added when the other fields are joined already.
_FAILED_DELIVERY = ("domain", "relay", "reply_code", "enhanced_code", "reason")
FAMILIES = {
    "sent": ("domain", "relay"),
    "deferred": _FAILED_DELIVERY,
    "bounced": _FAILED_DELIVERY,
    "rejected": ("client", "client_name", "reply_code", "reason", "blocklist"),
    "auth_failed": ("client", "client_name", "mechanism", "service", "account"),
    # what was not understood: who wrote it, and what it looks like
    "not_understood": ("service", "reason"),
    "local_fault": ("reason",),
    # of the kind daemon_died: its last words, as far as no stranger chooses them. Its keys are not
    # called like the kind, for older state files have keys of one field under that name; nothing
    # reads those any more, and they are here to be forgotten
    "died": ("service", "reason"),
    "daemon_died": ("service",),
    "blocklist_failed": ("blocklist",),
    "debug_dialogue": ("client",),
    # who hands mail in: what a number is of, of whom, and for messages of an account from where
    "by_account": ("what", "sender", "network"),
    "by_uid": ("what", "sender"),
    "by_client": ("what", "sender"),
    # whom mail is for, by a pseudonym
    "by_recipient": ("recipient",),
    # mail for addresses that somebody has asked for by name: messages, where they came from, and
    # rejects
    WATCHED: ("address",),
    "watched_from": ("address", "source"),
    "watched_refused": ("address",),
    # runs that saw a daemon's stamps off by so many minutes
    STAMPS_OFF: ("daemon", "minutes"),
    # of messages: so that one message counts once, however many minutes it appears in
    "deferred_messages": ("queue_id", "kind"),
    "expired_messages": ("queue_id", "kind"),
    # deliveries that took long; their times as delays.py has them
    "slow": ("queue_id", "domain", "relay", "times"),
}
# Kinds that are counted with another family.
FAMILY = {
    "softbounce": "deferred",
    "daemon_died": "died",
    "rejected_smtpd": "rejected",
    "rejected_hangup": "rejected",
    "rejected_postscreen": "rejected",
    "rejected_size": "rejected",
    "rejected_proxy": "rejected",
    "rejected_header_body": "rejected",
    "rejected_mime": "rejected",
    "rejected_milter_smtpd": "rejected",
    "rejected_milter_cleanup": "rejected",
    "delivery_unknown": "not_understood",
    "reject_unknown": "not_understood",
    "login_unknown": "not_understood",
    "unparsed": "not_understood",
}

# Kinds of mail that is handed in: their family is that of the sender.
RECEIPTS = ("received", "received_noqueue")

# Kinds whose messages are counted as well.
MESSAGES = {
    "deferred": "deferred_messages",
    "softbounce": "deferred_messages",
    # for whoever asks what has waited, by its queue ID
    "held": "deferred_messages",
    "expired": "expired_messages",
}

# Counters besides the kinds: part of what a kind counts.
BOUNCED_WITH = {"550": "bounced_550", "554": "bounced_554"}
MAILBOX_FULL = "mailbox_full"

# The host and instance that a line is counted for that nobody can read; no other line has
# these. Whoever looks at some hosts only looks at them as well.
NOBODY = b"", b""

# Stands for the values of a field where there were too many to keep them apart.
MANY = "*"
# Stands between the fields of a key, and in none of them.
SEPARATOR = "\t"
# A field is cut to this many characters, the longest domain name.
LONGEST = 253


def key(fields: tuple[str, ...]) -> str:
    """Return a key in one piece."""
    return SEPARATOR.join(fields)


def of_origin(origin: int, name: str) -> str:
    """Return what a counter or a key of an origin is called beside those of others."""
    return f"{origin}{SEPARATOR}{name}"


def fields(key: str) -> tuple[str, ...]:
    """Return the fields of a key."""
    return tuple(key.split(SEPARATOR))
