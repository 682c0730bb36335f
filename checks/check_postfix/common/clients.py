"""Clients: the verified names of client addresses."""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from check_postfix.common.filter import Filter
    from check_postfix.maillog.window.window import Window


def names(window: Window, family: str, filter: Filter) -> Callable[[str], str]:
    """Return what gives the name of a client of these events: ` (mx.example.net)`.

    It is the name of most of the client's events. It gives nothing where that is none, or
    where the client had too many names to be kept apart.
    """
    # Only what is shown has need of it.
    from check_postfix.common.most import shortened

    most: dict[str, str] = {}
    for (client, name), _ in window.keys(family, "client", "client_name", filter=filter):
        most.setdefault(client, window.name("client_name", name))

    def named(client: str) -> str:
        name = most.get(client, "")
        return "" if name in ("", MANY) else f" ({shortened(name)})"

    return named
