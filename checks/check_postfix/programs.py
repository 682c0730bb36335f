"""Programs: what each executable does, from its first instant."""

from __future__ import annotations

import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def deferred() -> NoReturn:
    """Run check_postfix_deferred."""
    _live_briefly()
    from check_postfix.deferred import CHECK
    from check_postfix.plugin import run

    run(CHECK)


def bounces() -> NoReturn:
    """Run check_postfix_bounces."""
    _live_briefly()
    from check_postfix.bounces import CHECK
    from check_postfix.plugin import run

    run(CHECK)


def auth() -> NoReturn:
    """Run check_postfix_auth."""
    _live_briefly()
    from check_postfix.auth import CHECK
    from check_postfix.plugin import run

    run(CHECK)


def rejects() -> NoReturn:
    """Run check_postfix_rejects."""
    _live_briefly()
    from check_postfix.plugin import run
    from check_postfix.rejects import CHECK

    run(CHECK)


def queue() -> NoReturn:
    """Run check_postfix_queue."""
    _live_briefly()
    from check_postfix.plugin import run
    from check_postfix.queue import CHECK

    run(CHECK)


def _live_briefly() -> None:
    # Looking for what could be freed costs more than it frees in so short a life, half of
    # which is loading: so this comes before whatever is loaded.
    gc.disable()
