"""The packet of NRPE 2 has room for the longest first line that a check can have."""

from __future__ import annotations

import pytest

from check_postfix.plugin.output import Outcome, Perfdata
from tests.support.definitions import checks

PACKET = 1024
# What nobody has: a thousand millions of mails in a window, a thousand millions of megabytes, and
# thresholds beyond the former on every label.
MANY, MANY_BYTES, RANGE = 10**9 + 0.123456, 10**15 + 0.123456, "@1000000000:2000000000"


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.executable)
def test_the_longest_first_line_fits(check):
    judged = {threshold.metric for threshold in check.thresholds}
    limits = [RANGE if label.name in judged else "" for label in check.labels]
    perfdata = [
        Perfdata(
            label.name, MANY_BYTES if label.uom == "B" else MANY, label.uom, limit, limit,
            label.minimum, label.maximum,
        )
        for label, limit in zip(check.labels, limits, strict=True)
    ]  # fmt: skip

    outcome = Outcome(check.name, 2, "ü" * PACKET, perfdata)

    assert len(outcome.line.encode()) < PACKET
