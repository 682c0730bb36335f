"""The cause: the command that shows the messages or lines behind a number."""

from __future__ import annotations

import time

from check_postfix.common.log_options import STATE, WHICH_LINES
from check_postfix.maillog.counts.families import MANY
from check_postfix.plugin.output import LONGEST_LINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from check_postfix.common.filter import Filter
    from check_postfix.maillog.window.window import Window

# How the line with the next step begins
SEE = "see: "


def command(
    window: Window, options: Namespace, patterns: Sequence[str], are_names: bool = True
) -> list[str]:
    """Return the line with the command; none where names are hidden, or nothing is to be found.

    patterns:  that all stand in each of these messages, or in a line of its own
    are_names: whether they are no pseudonyms, which the state alone can tell
    """
    if not patterns or not window.logs or options.anonymise:
        return []
    import shlex

    words = ["postfix-log", "trace"]
    for option in WHICH_LINES if are_names else (*WHICH_LINES, STATE):
        words += option.words(getattr(options, option.name))
    words += ["--since", _moment(window.start)]
    words += ["--until", _moment(window.end)] if options.at is not None else []
    line = f"{SEE}{shlex.join([*words, *patterns])}"
    # Half a command does something else.
    return [line] if len(line.encode("utf-8", "replace")) <= LONGEST_LINE else []


def _moment(minute: int) -> str:
    """Return a time of this machine's clock, that is the same one by any other."""
    return time.strftime("%Y-%m-%dT%H:%M%z", time.localtime(minute * 60))


def worst(window: Window, family: str, field: str, filter: Filter) -> list[str]:
    """Return the most frequent value of a field, as a pattern; none if no value is kept."""
    for (value,), _ in window.keys(family, field, filter=filter):
        if value not in ("", MANY):
            return [value]
    return []
