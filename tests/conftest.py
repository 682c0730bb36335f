"""What tests of several rooms need."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import settings

# The same examples each time, so that a change is to blame when a test turns red.
# HYPOTHESIS_PROFILE=wild looks for new ones; what it finds becomes a test of its own.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("wild", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture
def utc(monkeypatch):
    """Let this machine's time zone be UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
