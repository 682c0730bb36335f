"""Other projects' expectations of their own lines are ours, but for reviewed disagreements."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.support import material, other_projects

REVIEWED = Path(__file__).parents[2] / "support" / "disagreements.toml"


def _reviewed() -> dict[str, str]:
    """Return the reason of every disagreement that somebody has looked at, by its case."""
    entries = tomllib.loads(REVIEWED.read_text())["disagreement"]
    return {name: entry["reason"] for entry in entries for name in entry["cases"]}


@pytest.fixture(scope="module")
def claims() -> list[other_projects.Claim]:
    if not material.SHARED.is_dir():
        pytest.skip(f"no corpus of other projects in {material.SHARED}")
    return list(other_projects.claims(material.SHARED))


def test_we_agree_where_nobody_has_found_a_reason_not_to(claims):
    reviewed = _reviewed()
    found = {
        claim.id: difference
        for claim in claims
        if (difference := other_projects.disagreement(claim)) and claim.id not in reviewed
    }

    assert found == {}


def test_every_reviewed_disagreement_is_still_one(claims):
    disagreeing = {claim.id for claim in claims if other_projects.disagreement(claim)}

    assert sorted(_reviewed().keys() - disagreeing) == []


def test_every_disagreement_is_reviewed_once_and_has_a_reason():
    entries = tomllib.loads(REVIEWED.read_text())["disagreement"]
    times = Counter(name for entry in entries for name in entry["cases"])

    assert [name for name, number in times.items() if number > 1] == []
    assert all(len(entry["reason"]) > 40 and entry["cases"] for entry in entries)


def test_the_corpus_was_read_as_a_whole(claims):
    """A reader that finds nothing would agree with everything."""
    projects = Counter(claim.id.partition(":")[0].partition("/")[0] for claim in claims)

    assert len(claims) > 1250
    assert {
        "fail2ban", "logwatch", "logreporter", "postfix-grok-patterns", "pk65", "mchirico",
        "mephistophiles-postfix-log-parser", "sekiltoyai-postfix-log-parser", "lograptor",
    } <= projects.keys()  # fmt: skip
