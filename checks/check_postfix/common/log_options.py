"""The options of every check of the mail log: what is read, and of which time."""

from __future__ import annotations

import os

from check_postfix.maillog.source.archives import USUAL_ARCHIVES
from check_postfix.plugin import Option, values


def _journal_match(written: str) -> str:
    """Return a field of the journal's entries and its value, as journalctl takes them."""
    field, equals, value = written.partition("=")
    is_name = field.replace("_", "").isalnum() and field.isascii() and field == field.upper()
    if not equals or not value or not is_name or field[0].isdecimal():
        raise ValueError("not FIELD=VALUE")
    return values.text(written)


LOG = Option(
    "--log",
    "mail log; its rotated generations are found in the same directory. Where its name has a"
    " date, write that as strftime does: mail-%Y-%m-%d.log. Several logs: a pattern as a shell"
    " has them, in quotes where one would fill it in:"
    " '/var/lib/docker/containers/*/*-json.log' (default: where Postfix or syslog usually write)",
    metavar="PATH",
    repeatable=True,
    series="log",
)


def _directory(written: str) -> str:
    return os.path.abspath(values.text(written))


ARCHIVES = Option(
    "--archives",
    "directory of rotated generations, as in logrotate's olddir (default: that of the log,"
    f" and {', '.join(USUAL_ARCHIVES)} in it)",
    parse=_directory,
    metavar="DIR",
    repeatable=True,
    example="/var/log/old",
)
FROM_JOURNAL = Option(
    "--journal",
    "read the systemd journal, together with what --log names (default: if there is a"
    " journal and no log file)",
    switch=True,
)
JOURNAL_MATCH = Option(
    "--journal-match",
    "read only the journal's entries with this field, whatever their facility, as for what"
    " docker's or podman's journald driver writes; several of one field: any of them, of"
    " different fields: all (default: what Postfix and Dovecot write on this machine)",
    parse=_journal_match,
    metavar="FIELD=VALUE",
    example="CONTAINER_NAME=postfix",
    repeatable=True,
    series="journal_match",
)
STATE = Option(
    "--state",
    "file that keeps counts and positions, shared by all checks (default: in"
    " /var/lib/check_postfix or the user's home)",
    metavar="PATH",
)
NO_STATE = Option(
    "--no-state",
    "read the log afresh and remember nothing: for old or foreign logs; all processors read a"
    " long one",
    switch=True,
)
WINDOW = Option(
    "--window",
    "how much time is judged",
    default="15m",
    parse=values.window,
    metavar="DURATION",
    series="window_seconds",
)
AT = Option(
    "--at",
    "the end of that time (default: now)",
    metavar="TIME",
    example="16:30, 'yesterday 22:00' or '2026-11-24 16:30'",
)
TIMEZONE = Option(
    "--timezone",
    "time zone of the log's stamps, where they do not name one; kept in the state file for all"
    " checks; what was counted by another is counted again (default: the one that is kept, or"
    " this machine's)",
    parse=values.zone_name,
    metavar="NAME",
    example="Europe/Berlin or UTC",
)
HOST = Option(
    "--host",
    "only lines of this host, as the log spells it",
    metavar="NAME",
    series="host",
    chooses=True,
)
INSTANCE = Option(
    "--instance",
    "only this Postfix instance (its syslog_name: postfix, postfix-out ...)",
    metavar="NAME",
    series="postfix_instance",
    chooses=True,
)
MAX_SILENCE = Option(
    "--max-silence",
    "how long nothing may be logged by Postfix and Dovecot, of the chosen --host and --instance"
    " where there is one; beyond it an OK is UNKNOWN; the default leaves small servers their"
    " weekends",
    default="3d",
    parse=values.window,
    metavar="DURATION",
)
KEEP_TOTALS = Option(
    "--keep-totals",
    "how long sums are kept; the usual level needs 28 days; of all checks that share a state"
    " file, the one that asks for most has its way (default: what the others ask for, or 30d)",
    parse=values.window,
    metavar="DURATION",
    example="30d",
)
KEEP_KEYS = Option(
    "--keep-keys",
    "how long the store keeps what may belong to a person or company: client addresses and"
    " names, accounts, recipient domains and relays; of all checks that share a"
    " state file, the one that asks for least has its way (default: what the others ask for,"
    " or 48h)",
    parse=values.window,
    metavar="DURATION",
    example="48h",
)


def _address(written: str) -> str:
    """Return an address as it is looked for; of a domain or a pattern nothing would be found."""
    name = values.text(written).lower()
    if name.strip("@") != name or name.startswith(("*", "<")):
        raise ValueError("not an address by itself")
    return name


# Of one check, but all look for it once it is asked for.
ADDRESS = Option(
    "--address",
    "only this recipient, such as a list or an alias, by its name, and where its mail comes from;"
    " the state file remembers it, and all checks that read the log look for it",
    parse=_address,
    metavar="ADDRESS",
    repeatable=True,
    series="address",
    example="list@example.com",
)
ANONYMISE = Option(
    "--anonymise",
    "show pseudonyms for client addresses, domains, relays and accounts; they stay the same as"
    " long as the state file lives; accounts of failed logins are shown by pseudonyms anyway",
    switch=True,
)

# What decides which lines are read, and of which time they are
WHICH_LINES = (LOG, ARCHIVES, FROM_JOURNAL, JOURNAL_MATCH, TIMEZONE)
OPTIONS = [
    LOG,
    ARCHIVES,
    FROM_JOURNAL,
    JOURNAL_MATCH,
    STATE,
    NO_STATE,
    WINDOW,
    AT,
    TIMEZONE,
    HOST,
    INSTANCE,
    MAX_SILENCE,
    KEEP_TOTALS,
    KEEP_KEYS,
    ANONYMISE,
]
