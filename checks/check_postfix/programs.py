"""Programs: what each executable does, from its first instant."""

from __future__ import annotations

import gc

from check_postfix import ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def _program(name: str) -> Callable[[], NoReturn]:
    """Return what runs the check of the module of this name."""

    def program() -> NoReturn:
        ending.say_at_once(f"POSTFIX {name.upper()}")
        # Looking for what could be freed costs more than it frees in so short a life, half
        # of which is loading: so this comes before whatever is loaded.
        gc.disable()
        # importlib is a package, which would have to be loaded first.
        module = __import__(f"check_postfix.{name}", fromlist=["CHECK"])
        from check_postfix.plugin import run

        run(module.CHECK)

    return program


deferred = _program("deferred")
bounces = _program("bounces")
auth = _program("auth")
rejects = _program("rejects")
queue = _program("queue")
