"""The program journalctl: the only reader of the journal that is on every machine with one."""

from __future__ import annotations

import os

from check_postfix import child, user
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import export

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from check_postfix.maillog.source.export import Fields

# Where journald keeps it, in a directory named like the machine.
DIRECTORIES = ("/var/log/journal", "/run/log/journal")
MACHINE_ID = "/etc/machine-id"
USUAL_PLACES = ("/usr/bin", "/bin")


class TimeUpError(Exception):
    """The deadline has come while journalctl was silent."""


def has_journal() -> bool:
    """Tell whether this machine has a journal, readable or not, and journalctl."""
    try:
        _find()
    except LogError:
        return False
    return any(os.path.isdir(directory) for directory in directories())


def see_that_all_is_readable() -> None:
    """See that this user may read the journal of the system.

    journalctl leaves out the files that it may not read; with `-o export` without
    a word about it, as long as there is one that it may.

    Raises: LogError
    """
    found = False
    for directory in directories():
        try:
            names = os.listdir(directory)
        except FileNotFoundError:
            continue
        except PermissionError:
            raise _refused(directory) from None
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            raise LogError(
                f"cannot read {directory}: {cause}; see that its file system is in order"
            ) from None
        for name in names:
            if name.startswith("system") and name.endswith((".journal", ".journal~")):
                path = os.path.join(directory, name)
                if not os.access(path, os.R_OK) and os.path.lexists(path):
                    raise _refused(path)
                found = True
    if not found:
        raise LogError(
            f"no journal of this machine in {' or '.join(DIRECTORIES)};"
            " see that systemd-journald runs, or name the mail log with --log"
        )


def directories() -> list[str]:
    """Return where the journal of this machine can be."""
    try:
        with open(MACHINE_ID, encoding="ascii", errors="replace") as file:
            machine = file.read().strip()
    except OSError:
        return []
    return [os.path.join(directory, machine) for directory in DIRECTORIES] if machine else []


def _refused(path: str) -> LogError:
    # Nearly all runs may read it.
    from check_postfix.maillog.source import refusal

    return LogError(f"cannot read {path}: permission denied; {refusal.join('systemd-journal')}")


class Journalctl:
    """A running journalctl. Use it as a context manager; it ends with that.

    arguments: what to print, and of what
    deadline:  time.monotonic() up to which to wait for it
    """

    def __init__(self, arguments: Sequence[str], deadline: float) -> None:
        """Start it.

        Raises: LogError
        """
        self._deadline = deadline
        self._program = program = _find()
        try:
            self._child = child.Child(
                [program, "--no-pager", "--quiet", "--output=export", *arguments],
                # Its words follow the locale, and SYSTEMD_ variables what it does.
                {"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            )
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            raise LogError(
                f"journalctl: cannot run {program}: {cause}; run it by hand as {user.me()}"
            ) from None

    def __enter__(self) -> Journalctl:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.__exit__()

    def entries(self) -> Iterator[Fields]:
        """Yield the entries that it prints, as it prints them.

        Raises: TimeUpError; LogError at the end, if it failed
        """
        chunks = self._chunks()
        try:
            yield from export.entries(lambda: next(chunks, b""))
        except export.EndsEarly:
            raise LogError(
                "journalctl: its output ends in the middle of an entry;"
                f" run journalctl -o export by hand as {user.me()}"
            ) from None

    def values(self) -> list[str]:
        """Return the values of a field, where it was called with --field.

        Raises: TimeUpError, LogError
        """
        return b"".join(self._chunks()).decode("utf-8", "replace").splitlines()

    def notes(self) -> list[str]:
        """Return what it has said so far about files that it left out."""
        return [line for line in self._child.words.splitlines() if "ignoring file" in line]

    def _chunks(self) -> Iterator[bytes]:
        """Yield what it prints; at its end see whether it was content."""
        try:
            yield from self._child.chunks(self._deadline)
        except TimeoutError:
            raise TimeUpError from None
        if self._child.status:
            raise self._failure(self._child.status)

    def _failure(self, status: int) -> LogError:
        said = [line for line in self._child.words.splitlines() if line.strip()]
        words = said[-1] if said else ""
        words = words.removeprefix(f"{self._program}: ")
        if "insufficient permissions" in words:
            return _refused(DIRECTORIES[0])
        if "unrecognized option" in words:
            return LogError(f"journalctl: {words}; systemd 236 or later is needed")
        if status < 0:
            return LogError(
                f"journalctl: was killed by signal {-status}; see the kernel's messages,"
                " and try journalctl --verify"
            )
        cause = words or f"ended with exit code {status}"
        return LogError(f"journalctl: {cause}; run it by hand as {user.me()}")


def _find() -> str:
    program = child.find("journalctl", USUAL_PLACES)
    if program is None:
        raise LogError(
            f"journalctl: not found in PATH or {' or '.join(USUAL_PLACES)};"
            " install systemd, or name the mail log with --log"
        )
    return program
