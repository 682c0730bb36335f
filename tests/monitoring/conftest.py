"""The monitoring systems, each started once for all tests that ask about it."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration import namespace, packages

from . import icinga2, nagios4
from .one_director import PACKAGES as DIRECTOR_PACKAGES

# Generous: the slowest takes a minute on two cores.
SECONDS = 300


@contextmanager
def observation(module: str, *needs: str) -> Iterator[dict[str, Any]]:
    """Run a module in a namespace of its own; give what it has observed."""
    if reason := namespace.why_impossible():
        pytest.skip(reason.replace("a private Postfix", "a private monitoring system"))
    packages.install("postfix", *needs)
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as directory:
        namespace.run_inside(f"tests.monitoring.{module}", directory, timeout=SECONDS)
        yield json.loads(Path(directory, "observed.json").read_text())


@pytest.fixture(scope="session")
def one_icinga() -> Iterator[dict[str, Any]]:
    """What an Icinga 2 on the mail server has seen."""
    with observation("one_icinga", *icinga2.PACKAGES) as observed:
        yield observed


@pytest.fixture(scope="session")
def cluster() -> Iterator[dict[str, Any]]:
    """What an Icinga 2 master with three agents has seen."""
    with observation("cluster", *icinga2.PACKAGES, "curl") as observed:
        yield observed


@pytest.fixture(scope="session")
def one_nagios() -> Iterator[dict[str, Any]]:
    """What a Nagios 4 has seen, with NRPE and NSCA."""
    with observation("one_nagios", *nagios4.PACKAGES) as observed:
        yield observed


@pytest.fixture(scope="session")
def one_director() -> Iterator[dict[str, Any]]:
    """What an Icinga Director holds after it has imported the basket."""
    with observation("one_director", *DIRECTOR_PACKAGES) as observed:
        yield observed
