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
    "rejects": "POSTFIX REJECTS WARNING - 60 rejects in 15 min, usual not known yet,"
    " all from 203.0.113.66: relay denied",
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
    " gaps=0;;;0 not_understood=0;;;0",
    "rejects": "rejects=60;50;;0 gaps=0;;;0 not_understood=0;;;0",
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
        *("auth_accounts", "auth_worst_account", "gaps", "not_understood"),
    ],
    "rejects": ["rejects", "gaps", "not_understood"],
    "queue": [
        *("queue_size", "queue_oldest", "active", "deferred", "hold", "incoming", "maildrop"),
        *("queue_bytes", "active_oldest", "deferred_oldest", "hold_oldest", "incoming_oldest"),
        *("maildrop_oldest", "deferred_age"),
    ],
}


def at_any_time(printed: str) -> str:
    """Return an output without what differs from one run to the next, however soon it follows.

    That is the age of what lies in the queue, and without a state the accounts' pseudonyms.
    """
    printed = re.sub(r"oldest \d+ \w+(?: \d+ \w+)?", "oldest N s", printed)
    printed = re.sub(r"_oldest=[1-9]\d*s", "_oldest=Ns", printed)
    return re.sub(r"\baccount-[0-9a-f]{10}\b", "account-X", printed)


def arguments(variables: Mapping[str, object]) -> list[str]:
    """Return the command line that the variables of a case stand for."""
    return [
        word
        for name, value in variables.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
