"""A child: another program that is run, read as it prints, and ended in time.

It has a session of its own, so that the children of a wrapper end with it.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# In bytes
CHUNK = 1 << 16
# Of what it says on standard error: a program may warn about each of many files, and its
# first and its last words tell what happened. In bytes.
FIRST_WORDS = LAST_WORDS = 1 << 15
# What a program may take to end by itself, and to end what it has started elsewhere: a wrapper
# that reaches into a container can pass on a request, but not a kill. In seconds.
ASK_SECONDS = 0.3
# A killed process that waits for a dead disk does not end; nor do we wait for it. In seconds.
KILL_WAIT_SECONDS = 0.5


class Child:
    """A running program. Use it as a context manager: nothing that it started outlives that.

    status: of its exit once all that it prints is read, -N when signal N ended it; None before
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it; it hears nothing on its standard input.

        Raises: OSError
        """
        self.status: int | None = None
        self._said = bytearray()
        self._process = subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            try:
                self._signal(signal.SIGTERM)
                self._let_it_end()
            finally:
                self._signal(signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(KILL_WAIT_SECONDS)
        for stream in filter(None, (self._process.stdout, self._process.stderr)):
            stream.close()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _let_it_end(self) -> None:
        """Wait a little for its end; its number stays its own, for the rest of its group."""
        deadline = time.monotonic() + ASK_SECONDS
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        with suppress(ChildProcessError):  # its end is known already
            while time.monotonic() < deadline and not os.waitid(os.P_PID, self._process.pid, flags):
                time.sleep(0.005)

    @property
    def words(self) -> str:
        """What it has said on standard error so far, without the middle of very much."""
        return self._said.decode("utf-8", "replace")

    def chunks(self, deadline: float) -> Iterator[bytes]:
        """Yield what it prints, as it prints it, until it has ended.

        deadline: of time.monotonic
        Raises:   TimeoutError at the deadline
        """
        output, errors = self._process.stdout, self._process.stderr
        assert output is not None
        assert errors is not None
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(errors, selectors.EVENT_READ)
            while selector.get_map():
                left = deadline - time.monotonic()
                ready = selector.select(left) if left > 0 else []
                if not ready:
                    raise TimeoutError
                for key, _ in ready:
                    chunk = os.read(key.fd, CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is output:
                        yield chunk
                    else:
                        self._said += chunk
                        del self._said[FIRST_WORDS:-LAST_WORDS]
        try:
            self.status = self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None


def environment() -> dict[str, str]:
    """Return the environment for a program whose words are to be understood."""
    # strerror() follows the locale; and what it starts itself is found as we would find it.
    return {**os.environ, "PATH": ":".join(_places()) or os.defpath, "LC_ALL": "C"}


def _places() -> list[str]:
    """Return where programs are looked for."""
    # A relative place, such as the empty one, would depend on where the check was started:
    # whoever may write there could have his own program run.
    return [place for place in os.environ.get("PATH", "").split(":") if place.startswith("/")]


def find(program: str, usual_places: Sequence[str] = ()) -> str | None:
    """Return the path of a program in PATH or one of the usual places.

    Returns: the first that may be executed, else the first that is there; None if none is
    """
    files = [f"{place}/{program}" for place in (*_places(), *usual_places)]
    there = [file for file in files if os.path.isfile(file)]
    return next((file for file in there if os.access(file, os.X_OK)), there[0] if there else None)
