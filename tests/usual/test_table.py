"""What the measured tables are made of; the numbers themselves stand in tests/README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.usual import accounts, table
from tests.usual.rate import rate
from tests.usual.table import Scored
from tests.usual.test_score import by_chance


def month(*alarms: int, size: int = 300, calm: bool = True, **found: int | None) -> Scored:
    """Return a month; `found` has what was expected, as `_40`, and when a spike was seen."""
    spikes = [(float(expected[1:]), after) for expected, after in found.items()]
    return Scored(size, "", calm, [(state, 0, "") for state in alarms], {"x5 15 min": spikes})


def test_without_the_months_it_says_that_it_skips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(table, "BENCH", tmp_path)
    monkeypatch.setattr("sys.argv", ["table"])

    table.main()

    said = capsys.readouterr().out
    assert said.startswith(f"skipped: no {tmp_path}/score.py")
    assert "CHECK_POSTFIX_SHARED_USUAL" in said


def test_alarms_are_by_the_month_with_their_interval() -> None:
    months = [month(1, 2), month(), month(1), month(1), month(2, size=30), month(size=30)]

    assert table.alarms(months)[2:] == [
        "| 30 | 2 | 0.50 ± 0.98 | 0.50 ± 0.98 |",
        "| 300 | 4 | 1.00 ± 0.80 | 0.25 ± 0.49 |",
    ]
    assert rate([3]) == "3.00 ± 0.00"


def test_what_is_found_is_by_the_number_expected_on_calm_servers() -> None:
    months = [month(_40=10, _99=None, _100=5), month(_31=25, _5=None), month(calm=False, _50=None)]

    row = next(line for line in table.found(months) if "5 times as much for 15" in line)
    assert row == "| 5 times as much for 15 min | - | 0 | - | 67 | 100 | - |"


@pytest.mark.heavy
@pytest.mark.parametrize(("number", "a_month"), [(20, 2.0), (200, 5.0)])
def test_honest_accounts_seldom_seem_stolen(number: int, a_month: float) -> None:
    servers = [accounts.months(number, seed) for seed in (1, 2, 3)]
    thresholds = accounts.as_they_are()

    alarms = [accounts.without_cause(server, *thresholds)[0] for server in servers]
    assert sum(alarms) / len(servers) <= by_chance(a_month, len(servers))
    told = [accounts.found(server, 1000, *thresholds)[0] for server in servers]
    assert sum(told) >= 0.95 * number * len(servers)
