"""The packet of NRPE 2 has room for the longest first line that a check can have."""

from __future__ import annotations

import pytest

from check_postfix.plugin.output import Outcome, Perfdata
from tests.support.definitions import checks

from .cases import LABELS

PACKET = 1024
# What nobody has: a million millions of mails, and thresholds beyond them on every label.
MANY, RANGE = 10**12 + 0.123456, "@1000000000000.5:2000000000000.5"


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.executable)
def test_the_longest_first_line_fits(check):
    labels = {*LABELS[check.name.split()[1]], "reject_factor", "rejects_usual"}
    judged = {threshold.metric for threshold in check.thresholds}
    limits = {label: RANGE if label in judged else "" for label in labels}
    perfdata = [Perfdata(label, MANY, "B", limit, limit, 0, 100) for label, limit in limits.items()]

    outcome = Outcome(check.name, 2, "ü" * PACKET, perfdata)

    assert len(outcome.line.encode()) < PACKET
