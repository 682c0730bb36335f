"""Whole runs: the zone of a log's stamps belongs to the log in the state."""

from __future__ import annotations

import time
from datetime import UTC

import pytest
from dateutil import tz

from check_postfix import rejects
from check_postfix.maillog.store import log_zone
from check_postfix.plugin.run import outcome_of
from tests.support import kept, mail_log, perfdata

pytestmark = pytest.mark.usefixtures("utc")

BERLIN = tz.gettz("Europe/Berlin")


class Site:
    """A log, a state, and checks that are run with this and that time zone."""

    def __init__(self, directory, monkeypatch):
        self.log = directory / "mail.log"
        self.state = directory / "state"
        self._monkeypatch = monkeypatch

    def write(self, number, zone=UTC, form="bsd", **when):
        with self.log.open("a") as file:
            file.write(mail_log.lines([mail_log.rejected()] * number, form=form, zone=zone, **when))

    def live_in(self, name):
        """Let the environment say another zone, or none."""
        if name is None:
            self._monkeypatch.delenv("TZ")
        else:
            self._monkeypatch.setenv("TZ", name)
        time.tzset()

    def run(self, *arguments):
        where = ["--log", str(self.log), "--state", str(self.state)]
        return outcome_of(rejects.CHECK, [*where, "-w", "100", "--min-rejects", "1", *arguments])

    def rejects(self, *arguments):
        return perfdata.of(self.run(*arguments)[0])["rejects"].value

    def sql(self, statement):
        with kept.changed(self.state) as database:
            return database.execute(statement).fetchall()

    def zone(self):
        return self.sql("SELECT zone FROM log")[0][0]


@pytest.fixture
def site(tmp_path, monkeypatch):
    return Site(tmp_path, monkeypatch)


def test_a_run_by_hand_in_another_zone_changes_nothing(site):
    site.write(14)
    site.run()
    site.write(501)

    site.live_in("America/New_York")
    by_hand = site.rejects()
    site.live_in("UTC")

    assert (by_hand, site.rejects()) == (515, 515)


def test_a_zone_that_is_named_is_kept_for_runs_that_name_none(site):
    site.write(3, BERLIN)
    site.run("--timezone", "Europe/Berlin")
    site.write(4, BERLIN)

    assert (site.rejects(), site.zone()) == (7, "named Europe/Berlin")


def test_what_was_counted_by_another_zone_than_the_named_one_is_counted_again(site):
    site.write(3, BERLIN)
    (site.log.parent / "mail.log.1").write_text(
        mail_log.lines([mail_log.rejected()] * 2, minutes_ago=9, form="bsd", zone=BERLIN)
    )
    before = site.rejects()
    site.write(4, BERLIN)

    after = site.rejects("--timezone", "Europe/Berlin")

    assert (before, after, site.rejects("--window", "1d")) == (0, 9, 9)


def test_two_zones_that_are_named_are_refused(site):
    site.write(3, BERLIN)
    site.run("--timezone", "Europe/Berlin")

    text, state = site.run("--timezone", "Asia/Tokyo")

    assert state == 3
    assert text.strip() == (
        f"POSTFIX REJECTS UNKNOWN - --timezone Asia/Tokyo: {site.log} is counted by Europe/Berlin"
        " in this state file; name the same zone in all checks, or another file with --state"
    )
    assert site.rejects() == 3


def test_other_names_of_the_same_zone_count_nothing_again(site):
    site.write(3)
    site.run()
    site.write(2)
    first = site.sql("SELECT id, head FROM generation")

    assert site.rejects("--timezone", "Etc/UTC") == 5
    assert (site.zone(), site.sql("SELECT id, head FROM generation")) == ("named Etc/UTC", first)


def test_a_zone_does_not_matter_to_stamps_that_name_their_own(site):
    site.write(3, form="iso")
    site.run()
    site.write(2, form="iso")

    named = [site.rejects("--timezone", name) for name in ("Asia/Tokyo", "Europe/Berlin")]

    assert (named, site.zone()) == ([5, 5], None)


def test_the_machines_zone_is_followed_when_it_changes(site):
    site.live_in(None)
    site.write(3)
    site.run()
    recorded = site.zone()
    site.sql("UPDATE log SET zone='machine Asia/Tokyo'")
    site.sql("UPDATE total SET minute=minute-540")
    site.sql("UPDATE keyed SET minute=minute-540")

    assert site.rejects() == 3
    assert site.zone() == recorded
    assert recorded.startswith("machine ")


def test_the_machines_zone_is_that_of_localtime_whatever_the_environment_says(site):
    site.live_in(None)
    site.write(3)
    site.run()
    site.write(2)

    site.live_in("Asia/Tokyo")

    assert site.rejects() == 5


def test_a_log_that_knows_no_zone_yet_is_read_by_the_environments(site):
    site.live_in("Europe/Berlin")
    site.write(3, BERLIN)

    assert (site.rejects(), site.zone()) == (3, "TZ Europe/Berlin")


@pytest.mark.parametrize(
    ("link", "zone"),
    [
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ("../usr/share/zoneinfo/Etc/UTC", "Etc/UTC"),
        (None, "UTC"),
    ],
)
def test_localtime_names_the_machines_zone(tmp_path, monkeypatch, link, zone):
    localtime = tmp_path / "localtime"
    if link:
        localtime.symlink_to(link)
    monkeypatch.setattr(log_zone, "LOCALTIME", str(localtime))

    assert log_zone.of_machine() == f"machine {zone}"


def test_a_localtime_that_is_a_copy_is_known_by_its_content(tmp_path, monkeypatch):
    localtime = tmp_path / "localtime"
    monkeypatch.setattr(log_zone, "LOCALTIME", str(localtime))
    found = []
    for name in ("Europe/Berlin", "Asia/Tokyo", "Europe/Berlin"):
        with open(f"/usr/share/zoneinfo/{name}", "rb") as file:
            localtime.write_bytes(file.read())
        found.append(log_zone.of_machine())

    assert found[0] == found[2] != found[1]


def test_a_steady_run_writes_nothing_for_the_zone(site):
    site.write(3)
    site.run("--timezone", "UTC")
    site.run()
    before = site.state.stat().st_mtime_ns

    site.run()
    site.run("--timezone", "UTC")

    assert site.state.stat().st_mtime_ns == before
