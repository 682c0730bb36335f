"""What the checks measure reaches a real carbon, and graphite-web finds it for the dashboard."""

from __future__ import annotations

import pytest

from . import feeding, icinga2, into_graphite
from .arrivals import expected, found
from .conftest import observation as observed

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def graphite():
    """What was measured, and what Graphite answered."""
    with observed("into_graphite", *icinga2.PACKAGES, *into_graphite.PACKAGES) as seen:
        yield seen


def in_paths(host: str) -> str:
    """Return how Icinga spells a host for Graphite, where a dot separates levels."""
    return host.replace(".", "_")


def test_the_dashboard_offers_the_hosts_that_have_a_postfix(graphite):
    assert graphite["hosts"] == [in_paths(host) for host in feeding.HOSTS]


@pytest.mark.parametrize("host", feeding.HOSTS)
def test_every_label_is_found_by_the_queries_of_the_dashboard(host, graphite):
    answers = graphite["answers"][in_paths(host)]

    assert found(answers) == expected(graphite["measured"], host)
