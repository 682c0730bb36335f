"""Trouble with mail, one kind for each check of the log: enough of it to be CRITICAL.

Of the check of the log itself it is a WARNING.
"""

from __future__ import annotations

from tests.support import mail_log

_STAMPED = "{stamp} mx1 postfix/{said}\n"

# What each check is there to see
TROUBLE = {
    "deferred": mail_log.DEFERRED,
    "bounces": mail_log.BOUNCED_550,
    "auth": mail_log.login_failed(account="ann"),
    "rejects": mail_log.rejected(),
    "volume": mail_log.TAKEN_IN,
    "delay": mail_log.VERY_SLOW,
    "senders": mail_log.SUBMITTED[0],
    "recipients": mail_log.SENT,
    "log": mail_log.TROUBLE[0],
}
# What a check is asked for that judges nothing unasked.
ASKED = {"recipients": ["--critical-messages", "100"]}
# What an ordinary quarter of an hour has of all of it
ORDINARY = [
    *[mail_log.SENT] * 60,
    mail_log.DEFERRED,
    mail_log.BOUNCED_550,
    *[mail_log.rejected()] * 4,
    *[mail_log.login_failed(account="bob")] * 2,
]
MUCH = 300

# Other programs of a machine whose lines can stand in the same file
OTHERS = [
    "2026-11-24T15:50:00+00:00 mx1 CRON[811]: (root) CMD (command -v debian-sa1 > /dev/null)\n",
    "2026-11-24T15:50:01+00:00 mx1 systemd[1]: Started session-4.scope - Session 4 of User root.\n",
    "2026-11-24T15:50:02+00:00 mx1 exim[4711]: 1t0000-000001-AA == ann@example.net R=dnslookup"
    " T=remote_smtp defer (-44): SMTP error from remote mail server: 451 4.3.0 later\n",
    "2026-11-24T15:50:03+00:00 mx1 sendmail[99]: 4AO0AAxx000099: to=<ann@example.net>,"
    " relay=mail.example.net., dsn=4.0.0, stat=Deferred: Connection refused\n",
    # what our own check of the queue makes Postfix say
    "2026-11-24T15:50:04+00:00 mx1 postfix/postqueue[77]: fatal: Queue report unavailable -"
    " mail system is down\n",
]


def in_an_unknown_frame(said: str, minute: int, times: int = 1) -> str:
    """Return lines as no logger that we know writes them, of a minute after 15:00."""
    return f"24.11.2026 at 15h{minute:02}m00 mx1 > postfix/{said}\n" * times


def of_others(minutes: range) -> str:
    """Return what other programs say in these minutes after 15:00."""
    return "".join(
        line.replace("T15:50:", f"T{15 + minute // 60:02}:{minute % 60:02}:")
        for minute in minutes
        for line in OTHERS
    )
