"""Why a journal has no line of Postfix or Dovecot, though it is there and can be read."""

from __future__ import annotations

import os
from contextlib import suppress

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import journalctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ABSENT = "the journal has no line of Postfix or Dovecot"
# Containers or namespaces that are named.
_MOST_NAMED = 3


def reason(notes: Sequence[str], matches: Sequence[str], deadline: float) -> str:
    """Return the most likely cause, and its fix.

    notes:    of journalctl, about files that it has left out
    matches:  by which entries are chosen, none for those of this machine's own mail
    deadline: time.monotonic() up to which to ask it for more
    """
    if notes:
        note = notes[0].rstrip(".")
        note = note[:1].lower() + note[1:]
        return f"{_ABSENT}: {note}; move that file away and restart systemd-journald"
    names = _containers(deadline)
    if matches:
        there = f" ({names})" if names else ""
        return (
            f"the journal has no line of Postfix or Dovecot with {' '.join(matches)}; see which"
            f" containers log there{there}, and name one with --journal-match CONTAINER_NAME=NAME"
        )
    if spaces := _namespaces():
        return (
            f"{_ABSENT}, and its namespace {spaces} is not read; take LogNamespace= out of their"
            " units, or let them write a file and name it with --log"
        )
    if names:
        return (
            f"{_ABSENT}, and what containers write is not read ({names}); name the one that"
            " Postfix is in: --journal-match CONTAINER_NAME=NAME"
        )
    return f"{_ABSENT}; see that they run on this machine, or name the mail log with --log"


def _namespaces() -> str:
    """Return the names of the journal's namespaces, each a directory beside its own."""
    found = set()
    for directory in journalctl.directories():
        above, machine = os.path.split(directory)
        with suppress(OSError):
            names = os.listdir(above)
            found |= {name.removeprefix(f"{machine}.") for name in names if f"{machine}." in name}
    return _listed(found)


def _containers(deadline: float) -> str:
    """Return the names under which docker's and podman's drivers log."""
    try:
        with journalctl.Journalctl(["--field=CONTAINER_NAME"], deadline) as running:
            return _listed(set(running.values()))
    except (LogError, journalctl.TimeUpError):
        return ""


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)[:_MOST_NAMED])
