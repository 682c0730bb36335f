"""What the generator says is true is what we count."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_postfix.plugin.run import outcome_of
from tests.support import perfdata
from tests.support.definitions import log_checks

from .ground import history, one_day
from .reference import count
from .shapes import SHAPES
from .workload import BSD, ISO, Workload

SIZE = 2_000_000
pytestmark = pytest.mark.usefixtures("utc")


def said(path: Path, state: Path) -> tuple[dict[str, float], str]:
    """Return the perfdata of all checks of a log, and what the last of them has read."""
    values = {}
    for check in log_checks():
        text, _ = outcome_of(
            check,
            [
                "--log",
                str(path),
                "--state",
                str(state),
                "--window",
                "30d",
                "--timeout",
                "60",
                "-vv",
            ],
        )
        values |= {name: label.value for name, label in perfdata.of(text).items()}
    return values, text


def true(truth: Workload) -> dict[str, float]:
    """Return what the perfdata has to be."""
    totals = truth.totals
    attempts = totals["sent"] + totals["deferred"] + totals["bounced"]
    clients = {key: number for (axis, key), number in truth.keys.items() if "auth_failed" in axis}
    ratio = {"deferred_ratio": round(100 * totals["deferred"] / attempts, 1)} if attempts else {}
    return ratio | {
        **{name: totals[name] for name in ("sent", "deferred", "bounced", "bounced_550")},
        "attempts": attempts,
        "received": totals["received"],
        "warnings": totals["warning"],
        "rejects": totals["rejected_smtpd"] + totals["rejected_postscreen"],
        "auth_failures": totals["auth_failed"],
        "auth_clients": len(clients),
        "auth_worst_client": max(clients.values(), default=0),
    }


@pytest.mark.parametrize("form", [ISO, BSD], ids=lambda form: form.stamp)
def test_every_event_of_a_generated_log_is_counted_as_what_it_is(form, tmp_path):
    log = one_day(tmp_path / "mail.log", SIZE, form)

    values, about = said(log.path, tmp_path / "state")

    expected = true(log.truth)
    assert {label: values[label] for label in expected} == expected
    assert f"{log.truth.events} events" in about


@pytest.mark.parametrize("shape", [kind for kind in SHAPES.values() if kind is not Workload])
def test_every_event_of_a_log_of_another_shape_is_counted_as_what_it_is(shape, tmp_path):
    log = one_day(tmp_path / "mail.log", SIZE // 4, truth=shape())

    values, about = said(log.path, tmp_path / "state")

    expected = true(log.truth)
    assert {label: values[label] for label in expected if label in values} == expected
    assert f"{log.truth.events} events" in about


def test_rotated_and_compressed_generations_are_counted_as_if_they_were_one(tmp_path):
    log = history(tmp_path / "mail.log", SIZE, days=14, rotations=7)

    values, about = said(log.path, tmp_path / "state")

    # Clients are kept for two days only.
    expected = {name: n for name, n in true(log.truth).items() if "client" not in name}
    assert {label: values[label] for label in expected} == expected
    assert f"{log.truth.events} events" in about


@pytest.mark.parametrize("form", [ISO, BSD], ids=lambda form: form.stamp)
def test_the_reference_scanner_counts_the_same_deliveries_rejects_and_logins(form, tmp_path):
    log = one_day(tmp_path / "mail.log", SIZE, form)
    with log.path.open("rb", buffering=0) as file:
        said = count(file.read)

    true = log.truth.totals
    assert {status: said[status] for status in ("sent", "deferred", "bounced")} == {
        status: true[status] for status in ("sent", "deferred", "bounced")
    }
    assert said["client"] == true["received"]
    assert said["reject"] == true["rejected_smtpd"] + true["rejected_postscreen"]
    assert said["SASL"] + said["auth"] == true["auth_failed"]
    assert said["Login"] == true["auth_succeeded"]


def test_the_same_seed_gives_the_same_log():
    first, second = (list(Workload(seed=3).log(100_000, 0, 3600)) for _ in range(2))

    assert first == second
