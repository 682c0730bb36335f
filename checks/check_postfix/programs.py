"""Programs: what each executable does, from its first instant."""

from __future__ import annotations

import gc
import os
import sys

from check_postfix import ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

# Of the modules of this package that have a CHECK, in the order of the executables.
NAMES: list[str] = []


def _program(name: str) -> Callable[[], NoReturn]:
    """Return what runs the check of the module of this name."""
    NAMES.append(name)

    def program() -> NoReturn:
        ending.say_at_once(f"POSTFIX {name.upper()}")
        # Looking for what could be freed costs more than it frees in so short a life, half
        # of which is loading: so this comes before whatever is loaded.
        gc.disable()
        # importlib is a package, which would have to be loaded first.
        module = __import__(f"check_postfix.{name}", fromlist=["CHECK"])
        from check_postfix.plugin.run import answer

        # All is said and closed then; to take everything apart would make the run longer.
        os._exit(answer(module.CHECK, sys.argv[1:]))

    return program


deferred = _program("deferred")
bounces = _program("bounces")
auth = _program("auth")
rejects = _program("rejects")
volume = _program("volume")
delay = _program("delay")
senders = _program("senders")
recipients = _program("recipients")
log = _program("log")
queue = _program("queue")


def together() -> NoReturn:
    """Run all checks in one process."""
    ending.say_at_once("POSTFIX ALL")
    gc.disable()
    from check_postfix.all import ALL

    os._exit(ALL.answer(sys.argv[1:]))
