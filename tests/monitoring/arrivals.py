"""What must have arrived in a store, and what its dashboard found there, in one form.

Both are: by `LABEL (SERVICE)`, as the legend calls it, the newest value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

# The queue grows older between two looks at it; in seconds.
A_MOMENT = 60


def expected(measured: Mapping[str, Mapping[str, float]], host: str) -> dict[str, Any]:
    """Return what the checks of a host have measured."""
    return {
        f"{label} ({service})": pytest.approx(value, abs=A_MOMENT)
        if label.endswith("_oldest")
        else value
        for (watched, service), labels in ((name.split("!"), one) for name, one in measured.items())
        for label, value in labels.items()
        if watched == host
    }


def found(answers: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return what all panels together have found; none may have found nothing."""
    assert [answer["query"] for answer in answers if not answer["newest"]] == []
    return {name: value for answer in answers for name, value in answer["newest"].items()}
