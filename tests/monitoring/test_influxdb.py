"""What the checks measure reaches a real InfluxDB, where the dashboard finds it."""

from __future__ import annotations

import pytest

from . import feeding, icinga2, into_influxdb
from .arrivals import expected, found
from .conftest import observation as observed

pytestmark = pytest.mark.integration

EACH_WRITER = pytest.mark.parametrize("writer", into_influxdb.DATABASES)
EACH_HOST = pytest.mark.parametrize("host", feeding.HOSTS)


@pytest.fixture(scope="module")
def influxdb():
    """What was measured, and what InfluxDB answered."""
    with observed("into_influxdb", *icinga2.PACKAGES, *into_influxdb.PACKAGES) as seen:
        yield seen


@EACH_WRITER
def test_the_dashboard_offers_the_hosts_that_have_a_postfix(writer, influxdb):
    assert influxdb["databases"][writer]["hosts"] == list(feeding.HOSTS)


@EACH_HOST
@EACH_WRITER
def test_every_label_is_found_by_the_queries_of_the_dashboard(writer, host, influxdb):
    answers = influxdb["databases"][writer]["answers"][host]

    assert found(answers) == expected(influxdb["measured"], host)
