"""Clients: those of a window by address, with the verified name beside it."""

from __future__ import annotations

from check_postfix.maillog.counts.counts import MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.common.filter import Choice
    from check_postfix.maillog.window.window import Window

# A longer name loses its begin: who it belongs to is told by its end. In characters.
_LONGEST = 40


def names(window: Window, family: str, choice: Choice) -> dict[str, str]:
    """Return what is said beside the addresses of a family's clients: ` (mx.example.net)`.

    It is the name under which most of a client's events came; a client without a
    name there, or whose names were too many to be kept apart, is left out.
    """
    most: dict[str, str] = {}
    for (client, name), _ in window.keys(family, "client", "client_name", choice=choice):
        most.setdefault(client, name)
    return {
        client: f" ({_shortened(window.name('client_name', name))})"
        for client, name in most.items()
        if window.name("client_name", name) not in ("", MANY)
    }


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else "+" + name[len(name) - _LONGEST + 1 :]
