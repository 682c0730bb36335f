"""A real journald: what it keeps is counted once, and what it loses is said."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import journald, namespace, packages
from .journal_scenario import CRAFTED
from .outcome import perfdata

pytestmark = pytest.mark.integration

SECONDS = 240
REFUSED = (
    "POSTFIX DEFERRED UNKNOWN - cannot read {}: permission denied; add user {} to group"
    " systemd-journal, and restart what runs this check\n"
)


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Any]]:
    """What the checks said, by occasion."""
    if reason := namespace.why_impossible():
        pytest.skip(reason)
    packages.install(*journald.PACKAGES)
    with tempfile.TemporaryDirectory(prefix="check_postfix-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        namespace.run_inside("tests.integration.journal_scenario", name, timeout=SECONDS)
        yield json.loads((directory / "results.json").read_text())


@pytest.mark.parametrize(
    "occasion",
    [
        "first",
        "second",
        "moved from /run to /var",
        "new mail",
        "rotated",
        "rotated in between",
        "journald has crashed",
        "an instance with another facility",
        "without state",
        "found by itself",
        "member",
        "before the loss",
    ],
)
def test_every_mail_is_counted_once(results: dict[str, Any], occasion: str) -> None:
    result = results[occasion]

    assert result["stderr"] == ""
    assert perfdata(result["stdout"])["sent"] == result["sent"]
    assert "lost" not in result["stdout"]


def test_an_instance_is_told_apart_by_its_tag(results: dict[str, Any]) -> None:
    assert perfdata(results["one instance"]["stdout"])["sent"] == 4


def test_a_line_that_is_no_plain_text_is_counted(results: dict[str, Any]) -> None:
    assert results["a line that is no plain text"]["binary"]
    assert perfdata(results["a line that is no plain text"]["stdout"])["rejects"] == 1


def test_failed_logins_at_dovecot_are_counted(results: dict[str, Any]) -> None:
    assert perfdata(results["failed logins"]["stdout"])["auth_failures"] == 2


@pytest.mark.parametrize(
    ("occasion", "sent"), [("one container", 3), ("one container again", 3), ("two containers", 4)]
)
def test_what_containers_write_is_counted_once(
    results: dict[str, Any], occasion: str, sent: int
) -> None:
    assert results[occasion]["stderr"] == ""
    assert perfdata(results[occasion]["stdout"])["sent"] == sent


def test_a_container_without_mail_is_told_with_the_names_there_are(results: dict[str, Any]) -> None:
    result = results["a container without mail"]

    assert result["exit_code"] == 3
    assert (
        "with CONTAINER_NAME=web; see which containers log there (postfix, relay, web)"
        in (result["stdout"])
    )


# -- who may read it


def test_a_user_who_may_not_read_it_is_told_which_group_to_join(results: dict[str, Any]) -> None:
    result = results["nobody"]

    assert (result["exit_code"], result["stderr"]) == (3, "")
    path = result["stdout"].partition("cannot read ")[2].partition(":")[0]
    assert Path(path).parent == journald.PERSISTENT
    assert result["stdout"] == REFUSED.format(path, "nobody")


def test_a_user_who_may_read_his_own_journal_only_does_not_get_an_ok(
    results: dict[str, Any],
) -> None:
    # What makes this necessary: journalctl is content, and shows one entry of many.
    assert results["journalctl of an ordinary user"] == {
        "exit_code": 0,
        "stderr": "",
        "entries": 1,
    }
    assert results["ordinary user"]["exit_code"] == 3
    assert "add user 1234 to group systemd-journal" in results["ordinary user"]["stdout"]


# -- what is lost


def test_what_was_vacuumed_unread_is_said(results: dict[str, Any]) -> None:
    result = results["vacuumed"]

    assert perfdata(result["stdout"])["sent"] == result["sent"]
    assert "log lines lost between" in result["stdout"].splitlines()[0]


def test_what_journald_dropped_is_said(results: dict[str, Any]) -> None:
    assert "log lines lost between" in results["lines dropped"]["stdout"].splitlines()[0]


def test_a_damaged_file_is_mentioned_in_the_details(results: dict[str, Any]) -> None:
    result = results["damaged file"]

    assert (result["exit_code"], result["stderr"]) == (0, "")
    assert "ignoring file." in result["stdout"].splitlines()[-1]


# -- a long journal


@pytest.mark.parametrize(
    "occasion",
    [
        "history",
        "history again",
        "history without state",
        "history after kills",
        "history after a crowd",
    ],
)
def test_a_long_journal_in_several_files_is_counted_once(
    results: dict[str, Any], occasion: str
) -> None:
    assert perfdata(results[occasion]["stdout"])["deferred"] == CRAFTED


def test_runs_were_killed_while_they_read(results: dict[str, Any]) -> None:
    assert results["history after kills"]["kills"] > 10


def test_a_long_journal_is_read_quickly(results: dict[str, Any], record_property: Any) -> None:
    each = results["history without state"]["seconds"] / CRAFTED
    record_property("microseconds an entry", round(each * 1e6, 1))

    # 26 on an idle machine
    assert each < 500e-6
    # 0.06 on an idle machine, of which 0.01 are journalctl's
    assert results["history again"]["seconds"] < 2


def test_the_order_of_cursors_is_that_of_journalctl(results: dict[str, Any]) -> None:
    assert results["order"]["entries"] >= CRAFTED
    assert results["order"]["misplaced"] == 0
    assert results["order of a life"]["misplaced"] == 0
