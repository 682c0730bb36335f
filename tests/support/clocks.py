"""This machine's clocks, as a test wants them: for a block of code, or for one run of a check.

    python -m tests.support.clocks WALL BOOT CHECK [ARGUMENT...]

does what `check_postfix_CHECK` does, where the wall clock says WALL (seconds since 1970) and
CLOCK_BOOTTIME says BOOT. Deadlines go on by CLOCK_MONOTONIC, which is left alone.
"""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import NoReturn

from check_postfix.plugin.run import outcome_of
from tests.support.package import ROOT

# Root without these may read what its permissions allow, and no more. Another user may not
# even start a Python that lies in root's home.
_BOUND = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search",
          "--inh-caps", "-dac_override,-dac_read_search"]  # fmt: skip


class Clocks:
    """What the clocks say.

    wall: seconds since 1970
    boot: seconds since the machine was started, by CLOCK_BOOTTIME
    """

    def __init__(self, wall: float, boot: float = 400 * 86400) -> None:
        self.wall = wall
        self.boot = boot

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.wall += seconds
        self.boot += seconds

    @contextmanager
    def told(self) -> Iterator[None]:
        """Let whoever asks for the time be told that of these clocks."""
        real = time.time, time.time_ns, time.clock_gettime, time.clock_gettime_ns

        def clock_gettime(clock: int) -> float:
            if clock == time.CLOCK_REALTIME:
                return self.wall
            return self.boot if clock == time.CLOCK_BOOTTIME else real[2](clock)

        def in_nanoseconds(seconds: float) -> int:
            return int(seconds * 1_000_000_000)

        time.time = lambda: self.wall
        time.time_ns = lambda: in_nanoseconds(self.wall)
        time.clock_gettime = clock_gettime
        time.clock_gettime_ns = lambda clock: in_nanoseconds(clock_gettime(clock))
        try:
            yield
        finally:
            time.time, time.time_ns, time.clock_gettime, time.clock_gettime_ns = real

    def run(
        self, check: str, arguments: list[str], zone: str = "UTC", like_any_user: bool = False
    ) -> tuple[str, int]:
        """Return what a check that is told these times prints, and its exit code.

        check: what follows `check_postfix_` in its executable's name
        zone:  this machine's
        like_any_user: whether permissions hold for it, even where root runs the tests
        """
        if like_any_user and os.geteuid() == 0:
            return self._run_bound(check, arguments, zone)
        # In a process of its own it would say the same, and take five times as long.
        declared = importlib.import_module(f"check_postfix.{check}").CHECK
        errors = io.StringIO()
        with in_zone(zone), self.told(), redirect_stderr(errors):
            said = outcome_of(declared, arguments)
        assert errors.getvalue() == ""
        return said

    def _run_bound(self, check: str, arguments: list[str], zone: str) -> tuple[str, int]:
        """Run a check in a process that gives up what root may do more than others."""
        what = [sys.executable, "-m", __name__, str(self.wall), str(self.boot), check]
        done = subprocess.run(
            [*_BOUND, *what, *arguments],
            cwd=ROOT,
            env={
                "PATH": "/usr/bin:/bin",
                "TZ": zone,
                "PYTHONPATH": os.pathsep.join([str(ROOT / "checks"), str(ROOT)]),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert done.stderr == b""
        return done.stdout.decode(), done.returncode


@contextmanager
def in_zone(name: str) -> Iterator[None]:
    """Let this machine's time zone be another."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def main(wall: str, boot: str, check: str, *arguments: str) -> NoReturn:
    """Run a check as its executable does."""
    programs = importlib.import_module("check_postfix.programs")
    sys.argv = [f"check_postfix_{check}", *arguments]
    with Clocks(float(wall), float(boot)).told():
        getattr(programs, check)()
    raise AssertionError("a check ends the process")


if __name__ == "__main__":
    main(*sys.argv[1:])
