"""The mail log as a source: the checks of the log get their window from here."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from check_postfix.common import not_understood
from check_postfix.common.log_options import OPTIONS
from check_postfix.common.log_remarks import remarks
from check_postfix.common.missed import LatestWindow, Runs
from check_postfix.common.opened_store import OpenedStore, is_set_aside
from check_postfix.common.span import AskedSpan
from check_postfix.maillog.errors import DamagedStore, LogError, StoreError
from check_postfix.maillog.store import location
from check_postfix.plugin import Label, Remark, Source, Unknown, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from check_postfix.maillog.window.window import Window

# Of the timeout, what may be spent on waiting and reading; judging is quick.
_READING = 0.8


@contextmanager
def _open(options: Namespace) -> Iterator[Window]:
    """Bring the store up to the log and give the window that the options ask for.

    Raises: Unknown
    """
    deadline = time.monotonic() + options.timeout * _READING
    span = AskedSpan(options, time.time())
    path = None
    try:
        path = None if options.no_state else options.state or location.default_store()
        # What is read every minute leaves the other processors to the mail server.
        jobs = len(os.sched_getaffinity(0)) if options.no_state else 1
        with OpenedStore(path, options, span, deadline, jobs) as opened:
            yield opened.window()
    except DamagedStore as error:  # seen only when the counts were looked at
        then = (
            "it is set aside, and built again by"
            if is_set_aside(path, deadline)
            else "see what is said by"
        )
        raise Unknown(f"{error}; {then} the next run") from None
    except LogError as error:
        raise Unreadable(str(error)) from None
    except StoreError as error:
        raise Unknown(str(error)) from None


def _measure(window: Window) -> dict[str, float]:
    return {
        "gaps": len(window.coverage.gaps_in(window.start, window.end)),
        "not_understood": not_understood.number(window),
    }


def _missed(window: Window, options: Namespace, state_of: Callable[[Window], int]) -> Remark | None:
    if not isinstance(window, LatestWindow):
        return None
    return Runs(window.store, options).missed(window, state_of)


def _where(window: Window, _: Namespace) -> list[str]:
    if not window.logs:
        return []
    return [f"read: {', '.join(window.logs)}", f"state: {window.state or 'none'}"]


def _about(window: Window, _: Namespace) -> list[str]:
    # Few runs are asked for it.
    from check_postfix.common.log_about import about

    return about(window)


FROM_LOG = Source(
    options=OPTIONS,
    open=_open,
    measure=_measure,
    labels=[
        Label("gaps", "parts of the window whose log lines were destroyed before they were read"),
        Label("not_understood", "log lines about mail in the window that were not understood"),
    ],
    remarks=remarks,
    where=_where,
    about=_about,
    missed=_missed,
)
