"""The program postconf: how a Postfix instance is configured."""

from __future__ import annotations

import time

from check_postfix import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# In seconds
_PATIENCE = 5
_USUAL_PLACES = ("/usr/sbin", "/usr/local/sbin")
# Of a time without one; postconf(5) says of each what it is. Those that are asked for mean seconds.
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parameters(names: Sequence[str], config_dir: str | None = None) -> dict[str, str]:
    """Return the values of these parameters of an instance; none where nobody can tell.

    config_dir: None for the default instance
    """
    program = child.find("postconf", _USUAL_PLACES)
    if program is None:
        return {}
    instance = [] if config_dir is None else ["-c", config_dir]
    said = bytearray()
    try:
        with child.Child([program, *instance, *names], child.environment()) as running:
            for chunk in running.chunks(time.monotonic() + _PATIENCE):
                said += chunk
    except (OSError, TimeoutError):
        return {}
    found = {}
    for line in said.decode("utf-8", "replace").splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() in names:
            found[name.strip()] = value.strip()
    return found


def seconds(value: str | None, default: int) -> int:
    """Return a time in seconds, as Postfix writes it: `300s`; the default where it is none."""
    if not value:
        return default
    unit = value[-1:] if value[-1:] in _UNITS else ""
    number = value.removesuffix(unit) if unit else value
    if not number.isascii() or not number.isdecimal():
        return default
    return int(number) * _UNITS[unit or "s"]
