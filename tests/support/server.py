"""A mail server of which only the log and the clocks are there, as its checks see them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import NamedTuple

from tests.support import mail_log, perfdata
from tests.support.clocks import Clocks

MINUTE, HOUR, DAY = 60, 3600, 86400
OK, WARNING, CRITICAL, UNKNOWN = range(4)
# When what is played ends: 2026-11-24 16:00 UTC, a Tuesday
END = 1795536000


class Said(NamedTuple):
    """What a check printed, and its exit code.

    line:   the first line's words, without perfdata
    labels: its perfdata
    lines:  all that follows the first line
    """

    line: str
    exit_code: int
    labels: dict[str, perfdata.Label]
    lines: list[str]


class Server:
    """A mail server.

    directory: where everything of it lies; empty
    stateful:  whether its checks keep a state
    like_any_user: whether the permissions of files hold for them
    now:       seconds since 1970
    zone:      of its clock, by which the log is written
    form:      of the log's stamps
    """

    def __init__(
        self,
        directory: Path,
        stateful: bool = True,
        like_any_user: bool = False,
        now: float = END,
        zone: tzinfo = UTC,
        form: str = "iso",
    ) -> None:
        self.directory = directory
        self.log = directory / "mail.log"
        self.clocks = Clocks(now)
        self.zone = zone
        self.form = form
        self._stateful = stateful
        self._like_any_user = like_any_user
        self._state = directory / "state" / "counts"
        self._state.parent.mkdir()
        self._begins_a_log()

    def _begins_a_log(self) -> None:
        self.log.touch()
        # As distributions make it, for a log that everybody can read is trouble of its own.
        self.log.chmod(0o640)
        self._changed()

    def _changed(self) -> None:
        if self.log.exists():
            os.utime(self.log, (self.clocks.wall, self.clocks.wall))

    def goes_to(self, minutes: float) -> None:
        """Let time pass up to so many minutes after END."""
        self.clocks.go_on(END + minutes * MINUTE - self.clocks.wall)

    def writes(
        self,
        said: Sequence[str],
        minutes_ago: float = 0,
        host: str = "mx1",
        instance: str = "postfix",
        zone: tzinfo | None = None,
    ) -> None:
        """Append what Postfix says, each `program[pid]: text`, with the stamps of its clock.

        zone: of this program's clock, if not the server's
        """
        self.appends(
            mail_log.lines(
                list(said), minutes_ago, self.form, host, instance,
                zone or self.zone, self.clocks.wall,
            )
        )  # fmt: skip

    def appends(self, text: str) -> None:
        """Append whole lines."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(text)
        self._changed()

    def rotates(self) -> Path:
        """Rotate the log as logrotate does by default; return where the old one is now."""
        older = self.directory / "mail.log.1"
        self.log.rename(older)
        self._begins_a_log()
        return older

    def has_been_checked(self, *arguments: str, check: str = "deferred") -> None:
        """Let a check of the schedule run, which reads what is new."""
        if not self._stateful:
            return
        self._run(check, arguments)

    def _what_is_read(self) -> list[str]:
        remembers = ["--state", str(self._state)] if self._stateful else ["--no-state"]
        return ["--log", str(self.log), *remembers]

    def says(self, check: str, *arguments: str, zone: str = "UTC") -> Said:
        """Run a check; see that it kept the promises that hold whatever happens.

        zone: TZ of the environment
        """
        text, exit_code = self._run(check, arguments, zone)
        assert exit_code in (0, 1, 2, 3)
        first, *lines = text.removesuffix("\n").split("\n")
        return Said(first.partition(" | ")[0], exit_code, perfdata.of(text), lines)

    def _run(self, check: str, arguments: Sequence[str], zone: str = "UTC") -> tuple[str, int]:
        return self.clocks.run(
            check, [*self._what_is_read(), *arguments], zone, self._like_any_user
        )
