"""The scenario, run once for all tests that ask about it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import namespace, packages
from .machine import PACKAGES
from .outcome import Outcome, run_scenario


@pytest.fixture(scope="session")
def real_programs() -> None:
    """Have the programs installed; skip where that, or a namespace, is nobody's to have."""
    if reason := namespace.why_impossible():
        pytest.skip(reason)
    packages.install(*PACKAGES)


@pytest.fixture(scope="session")
def scenario(real_programs: None) -> Iterator[Outcome]:
    """What happened at a real Postfix, and what the checks said."""
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as directory:
        yield run_scenario(Path(directory))


@pytest.fixture(scope="session")
def pflogsumm(real_programs: None) -> str:
    """The name of a real pflogsumm."""
    packages.install("pflogsumm")
    return "pflogsumm"
