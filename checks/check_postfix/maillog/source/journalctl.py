"""The program journalctl: the only reader of the journal that is on every machine with one."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress

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

_CHUNK = 64 * 1024
# Of what it says on standard error.
_WORDS = 32 * 1024
# A killed process that waits for a dead disk does not end; nor do we wait for it. In seconds.
_KILL_WAIT_SECONDS = 0.5


class TimeUpError(Exception):
    """The deadline has come while journalctl was silent."""


def has_journal() -> bool:
    """Tell whether this machine has a journal, readable or not, and journalctl."""
    try:
        _find(os.environ.get("PATH", ""))
    except LogError:
        return False
    return any(os.path.isdir(directory) for directory in _directories())


def see_that_all_is_readable() -> None:
    """See that this user may read the journal of the system.

    journalctl leaves out the files that it may not read; with `-o export` without
    a word about it, as long as there is one that it may.

    Raises: LogError
    """
    found = False
    for directory in _directories():
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


def _directories() -> list[str]:
    """Return where the journal of this machine can be."""
    try:
        with open(MACHINE_ID, encoding="ascii", errors="replace") as file:
            machine = file.read().strip()
    except OSError:
        return []
    return [os.path.join(directory, machine) for directory in DIRECTORIES] if machine else []


def _refused(path: str) -> LogError:
    import pwd

    user = os.geteuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:  # a container's user need not have an entry
        name = str(user)
    return LogError(
        f"cannot read {path}: permission denied; add user {name} to group systemd-journal,"
        " and restart what runs this check"
    )


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
        self._words = b""
        self._program = program = _find(os.environ.get("PATH", ""))
        try:
            self._process = subprocess.Popen(
                [program, "--no-pager", "--quiet", "--output=export", *arguments],
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Its words follow the locale, and SYSTEMD_ variables what it does.
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                # A group of its own, so that a wrapper's children can be killed with it.
                start_new_session=True,
            )
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            raise LogError(
                f"journalctl: cannot run {program}: {cause}; run it by hand as this user"
            ) from None

    def __enter__(self) -> Journalctl:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_KILL_WAIT_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

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
                " run journalctl -o export by hand as this user"
            ) from None

    def notes(self) -> list[str]:
        """Return what it has said so far about files that it left out."""
        return [line for line in self._said() if "ignoring file" in line]

    def _said(self) -> list[str]:
        return self._words.decode("utf-8", "replace").splitlines()

    def _chunks(self) -> Iterator[bytes]:
        """Yield what it prints; at its end see whether it was content."""
        with selectors.DefaultSelector() as selector:
            for stream in (self._process.stdout, self._process.stderr):
                assert stream is not None
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                left = self._deadline - time.monotonic()
                ready = selector.select(left) if left > 0 else []
                if not ready:
                    raise TimeUpError
                for key, _ in ready:
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is self._process.stdout:
                        yield chunk
                    elif len(self._words) < _WORDS:
                        self._words += chunk
        try:
            status = self._process.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TimeUpError from None
        if status:
            raise self._failure(status)

    def _failure(self, status: int) -> LogError:
        words = next((line for line in reversed(self._said()) if line.strip()), "")
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
        return LogError(f"journalctl: {cause}; run it by hand as this user")


def _find(path: str) -> str:
    """Return the first journalctl that may be executed."""
    # A relative place would depend on where the check was started.
    places = [place for place in path.split(":") if place.startswith("/")]
    for place in (*places, *USUAL_PLACES):
        program = f"{place}/journalctl"
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    raise LogError(
        f"journalctl: not found in PATH or {' or '.join(USUAL_PLACES)};"
        " install systemd, or name the mail log with --log"
    )
