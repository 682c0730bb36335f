"""The scenario, run once for all tests that ask about it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import namespace, packages
from .machine import PACKAGES
from .outcome import Outcome, run_scenario


@pytest.fixture(scope="session")
def scenario() -> Iterator[Outcome]:
    """What happened at a real Postfix, and what the checks said."""
    if reason := namespace.why_impossible():
        pytest.skip(reason)
    packages.install(*PACKAGES)
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as directory:
        yield run_scenario(Path(directory))


@pytest.fixture(scope="session")
def pflogsumm() -> None:
    """Have a real pflogsumm, which anybody can run, but only root install."""
    if packages.missing("pflogsumm") and os.geteuid() != 0:
        pytest.skip("pflogsumm is not installed, and installing it needs root")
    packages.install("pflogsumm")
