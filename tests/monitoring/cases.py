"""What the checks are asked, and how: by check and state, with the variables that lead to it."""

import re
from collections.abc import Mapping

STATES = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]

# The log is mail_log.quiet and mail_log.trouble; in the queue are 3 messages.
CASES: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "deferred": {
        "OK": {"warning": "50%", "critical": "80%"},
        "WARNING": {},
        "CRITICAL": {"critical": "15"},
        "UNKNOWN": {"log": "/var/log/no.log"},
    },
    "bounces": {
        "OK": {"warning": "50%", "critical": "80%"},
        "WARNING": {"min_failures": "6"},
        "CRITICAL": {"critical": "10", "min_failures": "6"},
        "UNKNOWN": {"instance": "postfix-out"},
    },
    "auth": {
        "OK": {},
        "WARNING": {"warning_client": "10"},
        "CRITICAL": {"critical": "@10:20"},
        "UNKNOWN": {"window": "fortnight"},
    },
    "rejects": {
        "OK": {},
        "WARNING": {"warning_count": "50"},
        "CRITICAL": {"critical_count": "59"},
        "UNKNOWN": {"host": "mx9"},
    },
    "volume": {
        "OK": {},
        "WARNING": {"warning_silence": "@0:2d"},
        "CRITICAL": {"critical_silence": "@0:2d"},
        "UNKNOWN": {"of": "bytes"},
    },
    "delay": {
        "OK": {},
        "WARNING": {"warning": "0.5"},
        "CRITICAL": {"critical": "0.5"},
        "UNKNOWN": {"stage": "smtp"},
    },
    "senders": {
        "OK": {},
        "WARNING": {"warning_messages": "11"},
        "CRITICAL": {"critical_clients": "1"},
        "UNKNOWN": {"host": "mx9"},
    },
    "recipients": {
        "OK": {},
        "WARNING": {"warning_messages": "55", "address": "ann@example.net"},
        "CRITICAL": {"critical_messages": "55"},
        "UNKNOWN": {"host": "mx9"},
    },
    "log": {
        "OK": {},
        "WARNING": {"warning_warnings": "@0"},
        "CRITICAL": {"log": "/var/log/no.log"},
        "UNKNOWN": {"retention": "fortnight"},
    },
    "queue": {
        "OK": {},
        "WARNING": {"warning": "2"},
        "CRITICAL": {"critical": "2"},
        "UNKNOWN": {"config_dir": "/etc/postfix-gone"},
    },
}

# The first line of each in the state WARNING.
LINES = {
    "deferred": "POSTFIX DEFERRED WARNING - 17.9 % of 56 delivery attempts deferred in 15 min,"
    " all to example.net: 4.4.1",
    "bounces": "POSTFIX BOUNCES WARNING - 13 % of 46 recipients bounced in 15 min,"
    " all to example.net: 5.1.1 unknown user",
    "auth": "POSTFIX AUTH WARNING - 15 failed logins in 15 min, 12 from 203.0.113.77",
    "rejects": "POSTFIX REJECTS WARNING - 60 rejects in 15 min, usual not known yet (0 of 7 days),"
    " all from 203.0.113.66: relay denied",
    "volume": "POSTFIX VOLUME WARNING - 12 messages received in 15 min,"
    " usual not known yet (0 of 7 days)",
    "delay": "POSTFIX DELAY WARNING - 95 % of 40 first deliveries within 1 s in 15 min,"
    " mostly for the transmission (1 s)",
    "senders": "POSTFIX SENDERS WARNING - ann@example.com: 12 messages to 0 recipients in 15 min"
    " from 2 networks, usual not known yet (0 of 7 days)",
    "recipients": "POSTFIX RECIPIENTS WARNING - ann@example.net: 56 messages in 15 min,"
    " usual not known yet (0 of 7 days)",
    "log": "POSTFIX LOG WARNING - newest line N min old, 0 other warnings in 15 min",
    "queue": "POSTFIX QUEUE WARNING - 3 messages, none in incoming and active,"
    " all in hold (oldest N s)",
}
PERFDATA = {
    "deferred": "deferred_ratio=17.9%;10;25;0;100 attempts=56;;;0 sent=40;;;0 deferred=10;;;0"
    " bounced=6;;;0 expired=0;;;0 deferred_messages=1;;;0"
    " accepted=0;;;0 bytes_received=0B;;;0 bytes_delivered=0B;;;0"
    " standstill=0s;7200;21600;0 gaps=0;;;0 not_understood=0;;;0",
    "bounces": "bounce_ratio=13%;5;15;0;100 sent=40;;;0 bounced=6;;;0 expired=0;;;0"
    " bounced_550=6;;;0 bounced_554=0;;;0 mailbox_full=0;;;0 gaps=0;;;0 not_understood=0;;;0",
    "auth": "auth_failures=15;100;500;0 auth_worst_client=12;10;100;0 auth_clients=2;;;0"
    " auth_backend_errors=0;;;0 auth_accounts=0;;;0 auth_worst_account=0;;;0"
    " auth_failures_slow=15;;;0 auth_worst_client_slow=12;;;0 auth_worst_account_slow=0;;;0"
    " auth_guessed=0;;0;0 gaps=0;;;0 not_understood=0;;;0",
    "rejects": "rejects=60;50;;0 gaps=0;;;0 not_understood=0;;;0",
    "volume": "received=12;;;0 sent=40;;;0 connections=0;;;0 silence=Ns;@0:172800;;0"
    " gaps=0;;;0 not_understood=0;;;0",
    "delay": "delay_p50=1s;;;0 delay_p95=1s;0.5;600;0 delay_p99=1s;;;0 delay_before_queue=0s;;;0"
    " delay_queue=0s;;;0 delay_connection=0s;;;0 delay_transmission=1s;;;0 deliveries=40;;;0"
    " retried=0;;;0 gaps=0;;;0 not_understood=0;;;0",
    "senders": "senders=1;;;0 sender_worst_messages=12;11;;0 sender_worst_recipients=0;;;0"
    " sender_worst_clients=2;;;0 sender_worst_bounced=0%;;;0;100 gaps=0;;;0 not_understood=0;;;0",
    "recipients": "recipients=1;;;0 recipient_worst_messages=56;55;;0"
    " recipient_worst_clients=0;;;0 recipient_worst_rejects=0;;;0 gaps=0;;;0 not_understood=0;;;0",
    "log": "log_age=Ns;259200;259200;0 lines=144;;;0 lost_messages=0;0;;0 debug_lines=0;0;;0"
    " fatal=0;0;;0 panic=0;0;;0 warnings=0;@0:0;;0 local_faults=0;0;;0 throttled=0;;0;0"
    " no_room=0;;0;0 turned_away=0;;2;0 gaps=0;;;0"
    " not_understood=0;;;0",
    "queue": "queue_size=3;2;2000;0 queue_oldest=0s;3600;14400;0 active=0;;;0 deferred=0;;;0"
    " hold=3;;;0 incoming=0;;;0 maildrop=0;;;0 active_oldest=0s;;;0 deferred_oldest=0s;;;0"
    " hold_oldest=Ns;;;0 incoming_oldest=0s;;;0 maildrop_oldest=0s;;;0 deferred_age=0s;172800;;0",
}
LABELS = {
    "deferred": [
        *("deferred_ratio", "attempts", "sent", "deferred", "bounced", "expired"),
        *("deferred_messages", "accepted", "bytes_received", "bytes_delivered", "standstill"),
        "gaps",
        "not_understood",
    ],
    "bounces": [
        *("bounce_ratio", "sent", "bounced", "expired"),
        *("bounced_550", "bounced_554", "mailbox_full", "gaps", "not_understood"),
    ],
    "auth": [
        *("auth_failures", "auth_worst_client", "auth_clients", "auth_backend_errors"),
        *("auth_accounts", "auth_worst_account", "auth_failures_slow", "auth_worst_client_slow"),
        *("auth_worst_account_slow", "auth_guessed", "gaps", "not_understood"),
    ],
    "rejects": ["rejects", "gaps", "not_understood"],
    "volume": ["received", "sent", "connections", "silence", "gaps", "not_understood"],
    "delay": [
        *("delay_p50", "delay_p95", "delay_p99", "delay_before_queue", "delay_queue"),
        *("delay_connection", "delay_transmission", "deliveries", "retried", "gaps"),
        "not_understood",
    ],
    "senders": [
        *("senders", "sender_worst_messages", "sender_worst_recipients", "sender_worst_clients"),
        *("sender_worst_bounced", "gaps", "not_understood"),
    ],
    "recipients": ["recipients", "recipient_worst_messages", "gaps", "not_understood"],
    "log": [
        *("log_age", "lines", "lost_messages", "debug_lines", "fatal", "panic", "warnings"),
        *("local_faults", "throttled", "no_room", "turned_away", "gaps"),
        "not_understood",
    ],
    "queue": [
        *("queue_size", "queue_oldest", "active", "deferred", "hold", "incoming", "maildrop"),
        *("queue_bytes", "active_oldest", "deferred_oldest", "hold_oldest", "incoming_oldest"),
        *("maildrop_oldest", "deferred_age"),
    ],
}


def at_any_time(printed: str) -> str:
    """Return an output without what differs from one run to the next, however soon it follows.

    That is the age of what lies in the queue; since when an address is asked for, and so how much
    for it was rejected, which those that read the log before that did not look for; from when on
    the cause is to be seen; and without a state the pseudonyms.
    """
    printed = re.sub(r"oldest \d+ \w+(?: \d+ \w+)?", "oldest N s", printed)
    printed = re.sub(r"silence=\d+s", "silence=Ns", printed)
    printed = re.sub(r"_oldest=[1-9]\d*s", "_oldest=Ns", printed)
    printed = re.sub(r"newest line \d+ (\w+) old", r"newest line N \1 old", printed)
    printed = re.sub(r" \(watched since [^)]*\)", "", printed)
    printed = re.sub(r"(?<=days\)), \d+ rejects", "", printed)
    printed = re.sub(r"(recipient_worst_rejects=)\d+", r"\g<1>0", printed)
    printed = re.sub(r" --since \S+", " --since TIME", printed)
    printed = re.sub(r"log_age=[1-9]\d*s", "log_age=Ns", printed)
    return re.sub(r"\b(account|recipient)-[0-9a-f]{10}\b", r"\1-X", printed)


def arguments(variables: Mapping[str, object]) -> list[str]:
    """Return the command line that the variables of a case stand for."""
    return [
        word
        for name, value in variables.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
