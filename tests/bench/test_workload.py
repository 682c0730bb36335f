"""What the generator says is true is what we count."""

from __future__ import annotations

import time

import pytest

from check_postfix.maillog.ingest import Ingest
from check_postfix.maillog.store import Store

from .ground import history, one_day
from .reference import count
from .workload import BSD, ISO, Workload

SIZE = 2_000_000
pytestmark = pytest.mark.usefixtures("utc")


def counted(path, axes=()):
    """Return what the store holds after one reading: coverage, totals, numbers by key."""
    now = time.time()
    end = int(now) // 60 + 2
    with Store(None, 1) as store:
        coverage = Ingest(store, str(path), None, now, now, 0, time.monotonic() + 60).run()
        log = store.log(str(path))
        streams = [stream[0] for stream in store.streams(log)]
        keys = {
            (axis, key): number
            for axis in axes
            for key, number in store.keys(axis, 0, end, streams)
        }
        return coverage, store.totals(0, end, streams), keys


@pytest.mark.parametrize("form", [ISO, BSD], ids=lambda form: form.stamp)
def test_every_event_of_a_generated_log_is_counted_as_what_it_is(form, tmp_path):
    log = one_day(tmp_path / "mail.log", SIZE, form)

    coverage, totals, keys = counted(log.path, {axis for axis, _ in log.truth.keys})

    assert totals == log.truth.totals
    assert keys == log.truth.keys
    assert (coverage.events, coverage.unframed) == (log.truth.events, 0)


def test_rotated_and_compressed_generations_are_counted_as_if_they_were_one(tmp_path):
    log = history(tmp_path / "mail.log", SIZE, days=14, rotations=7)

    coverage, totals, _ = counted(log.path)

    assert totals == log.truth.totals
    assert coverage.complete


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
