"""What property tests of messages draw alike."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def alternating(draw: st.DrawFn, of_messages: list[list[T]]) -> list[T]:
    """Draw a log in which the lines of several messages alternate, each message's in its order."""
    log = []
    rests = of_messages
    while rests := [rest for rest in rests if rest]:
        log.append(draw(st.sampled_from(rests)).pop(0))
    return log
