"""How much a run of the tests tries: all there is, or with `pytest --quick` a share of it.

Whole is the default: who names a test by hand, and `tests/run --all`, leaves nothing out.
"""

from __future__ import annotations

import os

# Of what is tried at random or in great number, a quick run tries one in so many.
ONE_IN = 10
# Marks of the tests that a quick run leaves out, and what is said of them.
LEFT_OUT = {
    "integration": "tests that install and start the real programs, or make a whole Debian",
    "bench": "comparisons of CPU times",
    "heavy": "tests that take long, much memory or the network",
}

# Set by conftest.py before any test is collected.
quick = False


def examples(number: int, least: int = 1) -> int:
    """Return how many of so many examples are tried; CHECK_POSTFIX_FUZZ=N tries N times as many."""
    number *= int(os.environ.get("CHECK_POSTFIX_FUZZ", "1"))
    return max(least, number // ONE_IN) if quick else number
