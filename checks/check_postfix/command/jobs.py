"""Jobs: by how many processes a long log is read."""

from __future__ import annotations

import os

from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

_ALL = "all"


def add(parser: ArgumentParser) -> None:
    """Let a subcommand take --jobs."""
    parser.add_argument(
        "--jobs", metavar="N", default=_ALL,
        help="so many processes read a long log (default: all, one for each processor)",
    )  # fmt: skip


def number(written: str) -> int:
    """Return how many are meant.

    Raises: UsageError
    """
    if written == _ALL:
        return len(os.sched_getaffinity(0))
    try:
        jobs = values.count(written)
    except ValueError as error:
        raise UsageError(f"--jobs {written}: {error}; example: --jobs 4, or all") from None
    if not jobs:
        raise UsageError(f"--jobs {written}: one process reads at least; example: --jobs 1")
    return jobs
