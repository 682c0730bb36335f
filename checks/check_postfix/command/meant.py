"""What is meant by a word that stands where none of its kind is taken."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from ipaddress import ip_network

from check_postfix import programs
from check_postfix.command import users
from check_postfix.command.moment import AT, DAY, SINCE, UNTIL
from check_postfix.mailqueue.listing import QUEUES
from check_postfix.plugin import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Collection, Sequence

# What is an option of other subcommands -> what may be meant by it
_OPTIONS = {
    DAY: (SINCE,),
    SINCE: ("--window",),
    UNTIL: (AT,),
    "--window": (SINCE,),
    AT: (UNTIL,),
}
# An option without a subcommand -> the one that takes it and says most
_SUBCOMMANDS = {
    SINCE: "report",
    UNTIL: "report",
    DAY: "report",
    "--window": "now",
    AT: "now",
    "--by": "queue",
}
_TIMES = (SINCE, UNTIL, DAY, AT)
# What may be written behind an option, besides what argparse knows of
_VALUES = {"--queue": QUEUES}
_STATE_ENDS = ".sqlite3"
_match_id = re.compile(r"[0-9A-F]{6,21}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z\w+").fullmatch
_match_domain = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}").fullmatch


def by_option(written: str, parser: ArgumentParser) -> str:
    """Return the option that is meant by another; nothing if none is."""
    known = flags(parser)
    flag = written.partition("=")[0]
    near = [meant for meant in _OPTIONS.get(flag, ()) if meant in known]
    near = near or difflib.get_close_matches(flag, known, n=1)
    return near[0] if near else ""


def by_words(written: Sequence[str], parser: ArgumentParser) -> str:
    """Return what is meant by words where only options are; nothing if nobody knows."""
    known, first = flags(parser), written[0]
    found = _time(" ".join(written), known) or _choice(first, parser)
    found = found or _time(first, known) or _path(first, known) or _name(first, known)
    if not found and _may_be_found(first):
        return shlex.join(["postfix-log", "trace", first])
    return found


def by_subcommand(arguments: Sequence[str], names: Collection[str]) -> str:
    """Return what is meant by a command line without a subcommand; nothing if nobody knows.

    names: of the subcommands
    """
    word = arguments[0]
    if word == "help":
        return "postfix-log --help"
    flag = word.partition("=")[0]
    if name := _SUBCOMMANDS.get(flag):
        return shlex.join(["postfix-log", name, *arguments])
    near = difflib.get_close_matches(word.lower(), names, n=1)
    if near:
        return shlex.join(["postfix-log", near[0], *arguments[1:]])
    if time := _time(word, (DAY, SINCE)):
        return f"postfix-log report {time}"
    return shlex.join(["postfix-log", "trace", *arguments]) if _may_be_found(word) else ""


def in_quotes(arguments: Sequence[str]) -> str:
    """Return what is wrong with a time of two words that has no quotes; nothing if none has."""
    for at, flag in enumerate(arguments[:-2]):
        first, second = arguments[at + 1 : at + 3]
        # Words and numbers alone may be something that is looked for.
        is_of_time = ":" in second or second.isalpha() or moment.is_ago(second)
        if flag not in _TIMES or not is_of_time:
            continue
        try:
            moment.read(f"{first} {second}", None)
        except ValueError:
            continue
        return (
            f"{flag} {first}: the time has a second word, {second}; quote it: {flag}"
            f" {shlex.quote(f'{first} {second}')}"
        )
    return ""


def near(written: str, choices: Sequence[str]) -> str:
    """Return the choice that is spelled nearly so; nothing if none is."""
    return next(iter(difflib.get_close_matches(written, choices, n=1)), "")


def flags(parser: ArgumentParser) -> list[str]:
    """Return all options of a parser."""
    return [flag for action in parser._actions for flag in action.option_strings]


def _choice(written: str, parser: ArgumentParser) -> str:
    if not written.isalpha():
        return ""
    of_flag = {
        action.option_strings[0]: _VALUES.get(action.option_strings[0], action.choices)
        for action in parser._actions
        if action.option_strings
    }
    known = {choice: flag for flag, choices in of_flag.items() for choice in choices or ()}
    found = written if written in known else near(written, list(known))
    return f"{known[found]} {found}" if found else ""


def _time(written: str, flags: Collection[str]) -> str:
    try:
        moment.read(written, None)
    except ValueError:
        return ""
    wanted = [SINCE, "--window" if moment.is_ago(written) else AT]
    if moment.is_day(written):
        wanted.insert(0, DAY)
    flag = next((flag for flag in wanted if flag in flags), "")
    return f"{flag} {shlex.quote(written)}" if flag else ""


def _path(written: str, flags: Collection[str]) -> str:
    if not (written == "-" or written.startswith("/") or os.path.isfile(written)):
        return ""
    is_state = written.endswith(_STATE_ENDS) or "--log" not in flags
    flag = "--state" if is_state else "--log"
    return f"{flag} {shlex.quote(written)}" if flag in flags else ""


def _name(written: str, flags: Collection[str]) -> str:
    """Return what is meant by the name of a check, or of a user."""
    if written in programs.NAMES:
        return f"check_postfix_{written}"
    if "--user" not in flags:
        return ""
    try:
        return f"--user {users.named(written).name}"
    except KeyError:
        return ""


def _may_be_found(written: str) -> bool:
    """Tell whether it may be an address, a domain, a client or a queue ID."""
    if "@" in written or _match_id(written) or _match_domain(written):
        return True
    try:
        ip_network(written, strict=False)
    except ValueError:
        return False
    return not written.isdigit()
