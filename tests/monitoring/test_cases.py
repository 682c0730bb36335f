"""No check is left out of what the monitoring systems are asked."""

from __future__ import annotations

import pytest

from tests.support.definitions import checks, names

from . import cases


@pytest.mark.parametrize("table", ["CASES", "LINES", "PERFDATA", "LABELS"])
def test_every_check_has_its_cases(table):
    assert list(getattr(cases, table)) == names(checks())
