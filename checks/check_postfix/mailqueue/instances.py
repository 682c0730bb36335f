"""Instances: the Postfix instances of this machine, as main.cf of the default one names them.

postqueue lets an ordinary user look at these (postfix/src/global/mail_conf.c), and `postmulti`
manages them (MULTI_INSTANCE_README).
"""

from __future__ import annotations

import re
from collections import namedtuple

# Where the default instance's main.cf lies, on Linux and on FreeBSD.
USUAL_PLACES = ("/etc/postfix", "/usr/local/etc/postfix")


class Instance(namedtuple("Instance", "config_dir is_enabled")):
    """One instance.

    config_dir: its configuration directory; None for the default one
    is_enabled: whether postmulti starts it
    """

    __slots__ = ()

    config_dir: str | None
    is_enabled: bool


DEFAULT = Instance(None, True)


def others() -> list[Instance]:
    """Return all instances but the default one, in the order of multi_instance_directories.

    Returns: none if main.cf cannot be read
    """
    for place in USUAL_PLACES:
        value = parameter(place, "multi_instance_directories")
        if value is not None:
            value = re.sub(r"\$(?:config_directory\b|[({]config_directory[)}])", place, value)
            found = [word for word in re.split(r"[,\s]+", value) if word.startswith("/")]
            return [Instance(one, _is_enabled(one)) for one in dict.fromkeys(found)]
    return []


def _is_enabled(config_dir: str) -> bool:
    value = parameter(config_dir, "multi_instance_enable")
    return value is not None and value.lower() == "yes"


def parameter(config_dir: str, name: str) -> str | None:
    """Return the last value of a parameter in main.cf, unexpanded; None if it is not set there."""
    try:
        with open(f"{config_dir}/main.cf", encoding="utf-8", errors="replace") as file:
            lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    except OSError:
        return None
    found = None
    for line in re.split(r"\n(?!\s)", "".join(lines)):
        key, equals, value = line.partition("=")
        if equals and key.strip() == name:
            found = value.strip()
    return found
