"""What tests of several rooms need, and the option --quick."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections import Counter

import pytest
from hypothesis import settings

from tests.integration import packages
from tests.support import effort

LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="leave out what installs or starts programs or takes long, and try fewer examples",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Debian gives it to root alone, but what the tests start is run by anybody.
    os.environ["PATH"] += ":/usr/sbin"
    # Where a shell has put this into the background, nothing that the tests start would end by it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    effort.quick = config.getoption("quick")
    config.stash[LEFT_OUT] = Counter()
    # The same examples each time, so that a change is to blame when a test turns red.
    # HYPOTHESIS_PROFILE=wild looks for new ones; what it finds becomes a test of its own.
    number = effort.examples(100)
    settings.register_profile(
        "same", derandomize=True, database=None, deadline=None, max_examples=number
    )
    settings.register_profile("wild", deadline=None, max_examples=number)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a quick run has no time for."""
    if not effort.quick:
        return
    marks = {item: next(filter(item.get_closest_marker, effort.LEFT_OUT), None) for item in items}
    config.stash[LEFT_OUT].update(mark for mark in marks.values() if mark)
    config.hook.pytest_deselected(items=[item for item in items if marks[item]])
    items[:] = [item for item in items if not marks[item]]


def pytest_collection_finish() -> None:
    """Let no search for garbage go through all that was loaded and collected, which stays."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of pytest-xdist tell its controller, which collects nothing."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(session.config.stash[LEFT_OUT])
        session.config.workeroutput["installed"] = packages.installed


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a worker has left out, of which each has the same, and what it installed."""
    told = getattr(node, "workeroutput", {})
    node.config.stash[LEFT_OUT] = Counter(told.get("left_out", {}))  # type: ignore[attr-defined]
    packages.installed.extend(told.get("installed", []))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was installed, and what a quick run has left out."""
    if packages.installed:
        terminalreporter.section("installed")
        terminalreporter.write_line(" ".join(sorted(set(packages.installed))))
    if not effort.quick:
        return
    terminalreporter.section("left out")
    for mark, number in config.stash[LEFT_OUT].items():
        terminalreporter.write_line(f"{number:4} {mark}: {effort.LEFT_OUT[mark]}")
    terminalreporter.write_line(
        f"Of what is tried at random, 1 example in {effort.ONE_IN} was tried."
        " All of it: tests/run --all"
    )


@pytest.fixture
def utc(monkeypatch):
    """Let this machine's time zone be UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
