"""Drawing: what only looks need, the extra `report`; everything is said without it, too."""

from __future__ import annotations

import importlib
import os
import sys

from check_postfix.command import packaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def library(name: str) -> ModuleType | None:
    """Return rich or jinja2, or None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def how_to_install(name: str) -> str:
    """Return the command that installs rich or jinja2 for this installation."""
    if packaged.is_packaged():
        return f"apt install python3-{name}"
    # Another environment's pip would put it where nobody looks.
    return f"{os.path.join(sys.prefix, 'bin/pip')} install {name}"
