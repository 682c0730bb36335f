"""Jobs: by how many processes a long log is read."""

from __future__ import annotations

import os

from check_postfix.plugin import Option, values


def _number(written: str) -> int:
    """Return how many are meant."""
    if written == "all":
        return len(os.sched_getaffinity(0))
    number = values.count(written)
    if not number:
        raise ValueError("one process reads at least")
    return number


JOBS = Option(
    "--jobs",
    "so many processes read a long log; all: one for each processor",
    default="all",
    parse=_number,
    metavar="N",
    example="4, or all",
)
