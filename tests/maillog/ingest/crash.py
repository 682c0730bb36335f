"""Kill runs at random instants, and let a crowd of them loose on one store.

The long form, from the project's root:

    PYTHONPATH=checks python -m tests.maillog.ingest.crash --kills 5000 --crowd 50 --rounds 20

prints what it did, and how many lines were lost or counted twice.
"""

from __future__ import annotations

import argparse
import os
import pwd
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter

from tests.support import logbook

# Lines of one minute: so many that the long form stays within the days that are kept.
_LINES = 200
_ARCHIVES = 8
_USER = pwd.getpwnam("nobody")


class Traffic:
    """Writes a log and rotates it in all ways that lose nothing; knows what stands in it."""

    def __init__(self, directory: str, seed: int) -> None:
        self.log = os.path.join(directory, "mail.log")
        self.store = os.path.join(directory, "state.sqlite")
        self.random = random.Random(seed)
        self.written: Counter[int] = Counter()
        self.minute = logbook.FIRST
        self.write()

    def write(self) -> None:
        """Append lines; sometimes stop in the middle of the last for a moment."""
        data = b""
        for _ in range(self.random.randrange(1, 120)):
            if self.written[self.minute] >= _LINES:
                self.minute += 1
            self.written[self.minute] += 1
            size = self.random.choice([0, 0, 300])
            data += logbook.line(self.minute, size, self.written[self.minute])
        cut = self.random.randrange(len(data))
        logbook.write(self.log, data[:cut])
        logbook.write(self.log, data[cut:])

    def rotate(self) -> None:
        """Rotate by renaming, or by copying and cutting."""
        for number, extension in sorted(self._archives(), reverse=True):
            os.rename(f"{self.log}.{number}{extension}", f"{self.log}.{number + 1}{extension}")
        if self.random.random() < 0.7:
            os.rename(self.log, self.log + ".1")
        else:
            shutil.copyfile(self.log, self.log + ".1")
            os.truncate(self.log, 0)
        self.write()

    def compress(self) -> None:
        """Compress the second archive, as delaycompress does."""
        plain = self.log + ".2"
        if os.path.exists(plain):
            with open(plain, "rb") as file:
                data = logbook.compressed(file.read(), ".gz")
            cut = self.random.randrange(len(data))
            logbook.write(plain + ".gz", data[:cut], "wb")
            logbook.write(plain + ".gz", data[cut:])
            os.remove(plain)

    def act(self) -> None:
        """Do one of these."""
        self.random.choice([self.write] * 12 + [self.rotate, self.compress])()

    def run(self) -> None:
        """Ingest once, as a check does."""
        logbook.ingest(self.store, self.log, self.minute, seconds=60)

    def prune(self) -> None:
        """Delete the archives that are too many; only when all of them are counted."""
        for number, extension in self._archives():
            if number > _ARCHIVES:
                os.remove(f"{self.log}.{number}{extension}")

    def _archives(self) -> list[tuple[int, str]]:
        found = []
        for name in os.listdir(os.path.dirname(self.log)):
            number, dot, extension = name.removeprefix("mail.log.").partition(".")
            if number.isdigit():
                found.append((int(number), dot + extension))
        return found

    def errors(self) -> tuple[int, int]:
        """Return how many lines are lost and how many counted too often."""
        counted = Counter(logbook.counted(self.store))
        lost, twice = self.written - counted, counted - self.written
        return sum(lost.values()), sum(twice.values())


def kills(directory: str, number: int, seed: int) -> tuple[int, int, str]:
    """Kill so many runs while the log is written and rotated.

    Returns: (lines lost, lines counted twice, what SQLite says of the store)
    """
    traffic = Traffic(directory, seed)
    for killed in range(number):
        child = os.fork()
        if not child:
            try:
                while True:
                    traffic.run()
            except BaseException:  # noqa: BLE001 - told to the parent
                traceback.print_exc()
                os._exit(1)
        # from while it starts to deep in its third run
        longest = traffic.random.choice([0.002, 0.02, 0.06])
        stop = time.monotonic() + longest * traffic.random.random()
        while time.monotonic() < stop:
            traffic.act()
            time.sleep(traffic.random.random() / 200)
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            raise AssertionError("a run failed by itself")
        if killed % 20 == 19:
            traffic.run()
            if any(traffic.errors()):
                print(f"stopped after {killed + 1} kills", file=sys.stderr)
                break
            traffic.prune()
    traffic.run()
    db = sqlite3.connect(traffic.store)
    try:
        sound = db.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        db.close()
    return *traffic.errors(), sound


def crowd(directory: str, processes: int, rounds: int, seed: int) -> tuple[int, int, int]:
    """Let many runs start at the same moment, round after round, the log growing in between.

    As root, every second one runs as the user to whom the directory belongs.

    Returns: (runs that failed, lines lost, lines counted twice), the last two summed
             up over what each run found in the store when it was done
    """
    mixed = os.geteuid() == 0
    if mixed:
        os.chown(directory, _USER.pw_uid, _USER.pw_gid)
    traffic = Traffic(directory, seed)
    traffic.run()  # loads all modules: the user may not be able to
    failed = lost = twice = 0
    for _ in range(rounds):
        for _ in range(5):
            traffic.act()
        ready, go = os.pipe()
        children = []
        for number in range(processes):
            child = os.fork()
            if not child:
                status = 1
                try:
                    if mixed and number % 2:
                        os.setgroups([])
                        os.setgid(_USER.pw_gid)
                        os.setuid(_USER.pw_uid)
                    os.close(go)
                    os.read(ready, 1)  # ends when the parent closes the other end
                    traffic.run()
                    status = 2 * (traffic.errors()[0] > 0) + 4 * (traffic.errors()[1] > 0)
                except BaseException:  # noqa: BLE001 - told to the parent
                    traceback.print_exc()
                finally:
                    os._exit(status)
            children.append(child)
        os.close(ready)
        os.close(go)
        for child in children:
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            failed += status == 1 or status < 0
            lost += bool(status & 2) and status > 0
            twice += bool(status & 4) and status > 0
        traffic.prune()
    return failed, lost, twice


def main() -> int:
    """Run the long form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=5000)
    parser.add_argument("--crowd", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        lost, twice, sound = kills(directory, options.kills, options.seed)
        print(f"{options.kills} kills: {lost} lost, {twice} counted twice, integrity {sound}")
    with tempfile.TemporaryDirectory() as directory:
        failed, wrong, doubled = crowd(directory, options.crowd, options.rounds, options.seed)
        print(
            f"{options.crowd} processes x {options.rounds} rounds:"
            f" {failed} failed, {wrong} with lines lost, {doubled} with lines counted twice"
        )
    return int(any([lost, twice, sound != "ok", failed, wrong, doubled]))


if __name__ == "__main__":
    sys.exit(main())
