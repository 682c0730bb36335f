"""Root runs a check by hand while the owner of its state exchanges the files under it.

The owner, user nobody, puts links to root's files in the place of the state and of its journal,
and takes them away again, as fast as can be. The long form, from the project's root, as root:

    python -m tests.maillog.store.exchange_race --runs 10000

prints how often root has made, changed or given away a file of its own.
"""

from __future__ import annotations

import argparse
import os
import pwd
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from check_postfix import deferred
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log

_USER = pwd.getpwnam("nobody")
_FAILED = 4
_CONTENT = b"root's own\n" * 9


class Race:
    """A log, a state in a directory of user nobody, and a directory of root's.

    directory: where all of it lies; empty, and everybody may enter it
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.log = mail_log.write(directory / "mail.log", mail_log.lines(mail_log.EVERYTHING))
        self.log.chmod(0o600)
        self.theirs = directory / "theirs"
        self.theirs.mkdir(mode=0o700)
        os.chown(self.theirs, _USER.pw_uid, _USER.pw_gid)
        self.state = self.theirs / "state"
        self.own = directory / "own"
        self.own.mkdir(mode=0o755)
        self._there = self.own / "there"
        self._there.write_bytes(_CONTENT)
        self._there.chmod(0o644)
        self._random = random.Random(seed)

    def is_won(self) -> bool:
        """Tell whether anything of root's is not as it was; make it so again."""
        status = self._there.lstat()
        sound = (
            os.listdir(self.own) == [self._there.name]
            and self._there.read_bytes() == _CONTENT
            and (status.st_uid, status.st_mode & 0o777) == (0, 0o644)
        )
        if not sound:
            for path in self.own.iterdir():
                path.unlink()
            self._there.write_bytes(_CONTENT)
            self._there.chmod(0o644)
        return not sound

    def exchange_for_ever(self) -> None:
        """Be the owner."""
        os.setgroups([])
        os.setgid(_USER.pw_gid)
        os.setuid(_USER.pw_uid)
        draft = str(self.theirs / "draft")
        while True:
            name = f"{self.state}{self._random.choice(['', '', '', '-journal'])}"
            target = str(self.own / self._random.choice(["new", self._there.name]))
            os.symlink(target, draft)
            is_kept = os.path.lexists(name) and self._random.random() < 0.8
            with suppress(FileNotFoundError):  # the run has just deleted its journal
                if is_kept:
                    os.rename(name, f"{name}.kept")
            os.rename(draft, name)
            time.sleep(self._random.choice([0, 0.0001, 0.001]))
            with suppress(FileNotFoundError):
                os.unlink(name)
                if is_kept:
                    os.rename(f"{name}.kept", name)
            time.sleep(self._random.choice([0.0001, 0.001, 0.03]))

    def run(self) -> tuple[str, int]:
        """Run a check as root does by hand."""
        return outcome_of(
            deferred.CHECK, ["--log", str(self.log), "--state", str(self.state), "--timeout", "2"]
        )


def play(directory: Path, runs: int, seed: int = 0) -> tuple[int, int, int]:
    """Return how many of these runs the owner has won, how many have counted, and how many failed.

    A run has failed that does not say in our words what was in its way.
    """
    directory.chmod(0o755)
    race = Race(directory, seed)
    owner = os.fork()
    if not owner:
        try:
            race.exchange_for_ever()
        finally:
            os._exit(1)
    won = counted = failed = 0
    try:
        for _ in range(runs):
            child = os.fork()
            if not child:
                status = _FAILED
                try:
                    said, code = race.run()
                    if "internal error" not in said:
                        status = code
                finally:
                    os._exit(status)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            counted += status in (0, 1, 2)
            failed += status == _FAILED
            won += race.is_won()
    finally:
        os.kill(owner, signal.SIGKILL)
        os.waitpid(owner, 0)
    return won, counted, failed


def main() -> int:
    """Run the long form."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        won, counted, failed = play(Path(directory), options.runs, options.seed)
    print(f"{options.runs} runs, of which {counted} could count: {won} won, {failed} failed")
    return int(won + failed > 0)


if __name__ == "__main__":
    sys.exit(main())
