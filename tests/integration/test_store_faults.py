"""Each system call by which the store reaches the disk fails once, or is the last one.

strace makes the Nth call of a kind fail or kill the run there, for every N that a
run comes to. Whatever happens: the state is the old one or the new one, and the
next run counts every line once.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support import logbook
from tests.support.older import make_older

from . import packages

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NOW = logbook.FIRST + 100
BEFORE, AFTER = range(3), range(3, 9)
NONE, SAME, OLDER = "no state", "a state", "an older state"
STATES = [NONE, SAME, OLDER]
FAULTS = ["error=EIO", "error=ENOSPC", "signal=KILL"]
# Of the calls each kind of fault befalls another third; with CHECK_POSTFIX_FUZZ=3 all.
SHARE = max(1, 3 // int(os.environ.get("CHECK_POSTFIX_FUZZ", "1")))
CALLS = ["openat", "pread64", "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink"]

# What a check does with the log, and how it ended.
RUN = """
import sys
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.store.damage import set_aside
from tests.support import logbook
store, log, now = sys.argv[1:]
for _ in range(2):
    try:
        logbook.ingest(store, log, int(now))
    except DamagedStore as error:
        # A read that failed looks like damage. What is sound must not be set aside.
        if aside := set_aside(store):
            print("set aside as", aside, error)
            break
    except StoreError as error:
        print("refused:", error)
        break
    else:
        print("done")
        break
"""


@pytest.fixture(scope="module", autouse=True)
def strace() -> None:
    """Have strace."""
    if os.geteuid() != 0:
        pytest.skip("installing strace needs root")
    packages.install("strace")


class Place:
    """A log, and a state in a directory of its own.

    before: the state that the run finds: none, one of this version, an older one
    """

    def __init__(self, directory: Path, before: str) -> None:
        self.log = directory / "mail.log"
        self.directory = directory / "state"
        self.store = self.directory / "counts"
        self.with_state = before != NONE
        self.directory.mkdir(parents=True)
        if self.with_state:
            self._write(BEFORE)
            logbook.ingest(str(self.store), str(self.log), NOW)
        if before == OLDER:
            make_older(self.store)
        self._write(AFTER)

    def _write(self, minutes: range) -> None:
        logbook.write(
            self.log, b"".join(logbook.line(logbook.FIRST + minute) for minute in minutes)
        )

    @property
    def states(self) -> list[set[int]]:
        """What may be counted: as before the run, or all."""
        before = set(BEFORE) if self.with_state else set()
        return [before, before | set(AFTER)]

    def traced(self, *injected: str) -> tuple[str, list[str]]:
        """Run under strace; return what was said, and the calls that reached the state."""
        trace = self.directory.with_suffix(".trace")
        paths = [self.directory, self.store, Path(f"{self.store}-journal")]
        done = subprocess.run(
            [
                "strace", "-qq", "--signal=none", "-o", trace,
                f"--trace={','.join(CALLS)}",
                *(f"--trace-path={path}" for path in paths), *injected,
                sys.executable, "-c", RUN, str(self.store), str(self.log), str(NOW),
            ],
            cwd=ROOT, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.strip(), trace.read_text().splitlines()

    def counted(self) -> dict[int, int]:
        if not self.store.exists() or not self._has_tables():
            return {}
        return {minute - logbook.FIRST: n for minute, n in logbook.counted(str(self.store)).items()}

    def _has_tables(self) -> bool:
        db = sqlite3.connect(self.store)
        try:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return bool(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        finally:
            db.close()


def calls_of_a_run(directory: Path, before: str) -> Counter[str]:
    """Return how often a run makes each call."""
    said, calls = Place(directory, before).traced()
    assert said == "done"
    return Counter(call.partition("(")[0] for call in calls)


def injections(directory: Path, before: str, how: str) -> list[str]:
    """Return strace's option for each call that is made to fail like this."""
    made = [
        f"--inject={call}:{how}:when={number}"
        for call, times in sorted(calls_of_a_run(directory, before).items())
        for number in range(1, times + 1)
    ]
    assert len(made) > 20
    return made[(FAULTS.index(how) + STATES.index(before)) % SHARE :: SHARE]


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("how", FAULTS)
def test_whatever_call_fails_the_state_is_whole_and_the_next_run_counts_all_once(
    tmp_path: Path, how: str, before: str
) -> None:
    for option in injections(tmp_path / "probe", before, how):
        place = Place(tmp_path / option.replace("=", "-"), before)

        said, _ = place.traced(option)

        where = f"{option}: {said}"
        counts = place.counted()
        assert set(counts) in place.states, where
        assert set(counts.values()) <= {1}, where
        if "KILL" in how:
            assert said == "", where
        else:
            assert said == "done" or said.startswith("refused: cannot "), where
            assert said != "done" or set(counts) == place.states[1], where
        logbook.ingest(str(place.store), str(place.log), NOW)
        assert place.counted() == dict.fromkeys(place.states[1], 1), where


def test_a_quota_that_is_used_up_is_named(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    logbook.write(log, logbook.line(logbook.FIRST))

    done = subprocess.run(
        [
            "strace", "-qq", "--signal=none", "-o", tmp_path / "trace", "--trace=pwrite64,write",
            # SQLite's, and the first one of what asks the disk why; the next one is what is said
            "--inject=pwrite64:error=EDQUOT", "--inject=write:error=EDQUOT:when=1",
            Path(sys.executable).parent / "check_postfix_deferred",
            "--log", log, "--state", tmp_path / "s",
        ],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == (
        f"POSTFIX DEFERRED UNKNOWN - cannot write {tmp_path}/s: the disk quota of user root is used"
        " up; raise it, or delete files of that user\n"
    )
