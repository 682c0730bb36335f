"""A machine whose clock can be set, for whole runs in this process."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from check_postfix import deferred
from check_postfix.maillog.store import clock_mark
from check_postfix.plugin.run import outcome_of
from tests.support import perfdata
from tests.support.builders import NOON

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Machine:
    """A machine whose clock can be set, with a log and a state."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = directory / "mail.log"
        self.state = directory / "state"
        self._true = NOON * 60.0
        self._booted = self._true - 100 * DAY
        self._boot = 1
        self.ahead: float = 0
        monkeypatch.setattr(time, "time", lambda: self._true + self.ahead)
        monkeypatch.setattr(time, "clock_gettime", lambda _: self._true - self._booted)
        monkeypatch.setattr(clock_mark, "boot_id", lambda: f"boot {self._boot}")

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self._true += seconds

    def reboot(self) -> None:
        """Start it anew."""
        self._boot += 1
        self._booted = self._true

    def write(self, *texts: str, ago: float = 0) -> None:
        """Log lines of Postfix, with stamps that are right."""
        stamp = datetime.fromtimestamp(self._true - ago, UTC).isoformat()
        with self.log.open("a") as file:
            file.writelines(f"{stamp} mx1 postfix/{text}\n" for text in texts)

    def write_bsd(self, text: str, zone: tzinfo, ago: float = 0, number: int = 1) -> None:
        """Log a line of Postfix with a stamp that names no zone."""
        then = datetime.fromtimestamp(self._true - ago, zone)
        with self.log.open("a") as file:
            file.write(f"{then:%b} {then.day:2} {then:%H:%M:%S} mx1 postfix/{text}\n" * number)

    def run(self, *arguments: str, check: Any = deferred.CHECK) -> Any:
        """Run a check; return what it prints, and its state."""
        where = ["--log", str(self.log), "--state", str(self.state)]
        return outcome_of(check, [*where, *arguments])

    def run_ahead(self, days: int = 60) -> None:
        """Run a check while the clock is ahead, and set that right again."""
        self.ahead = days * DAY
        self.run()
        self.ahead = 0

    def count(self, label: str, *arguments: str, check: Any = deferred.CHECK) -> Any:
        """Return a number of what a check prints."""
        return perfdata.of(self.run(*arguments, check=check)[0])[label].value

    def keys(self) -> Any:
        """Return how many rows of keys the state has."""
        with closing(sqlite3.connect(self.state)) as database:
            return database.execute("SELECT count(*) FROM keyed").fetchone()[0]
