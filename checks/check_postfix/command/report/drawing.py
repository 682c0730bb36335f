"""Drawing: what only looks need, the extra `report`; everything is said without it, too."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

EXTRA = "pip install 'check-postfix[report]', or install the packages python3-rich python3-jinja2"


def library(name: str) -> ModuleType | None:
    """Return rich or jinja2, or None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
