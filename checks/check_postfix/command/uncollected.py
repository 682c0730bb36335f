"""Uncollected: work of many small values, none of which refers to itself.

Python looks for values that refer to each other whenever there are some hundred more of them. Of
those that a line of a log makes, none does.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """Have Python not look for them meanwhile."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()
