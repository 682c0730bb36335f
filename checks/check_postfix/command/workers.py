"""Workers: processes that read parts of long logs, and whose answers come in the order of these.

What each part tells is told in the order of the parts, whoever is done first; answers that are
early wait in a nameless temporary file. Where a worker cannot be started, was killed, or there is
no room for what it answers, its part is read here. None outlives this process: it ends where nobody
takes its answers.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import tempfile
from contextlib import suppress
from errno import ENOSPC
from multiprocessing.connection import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from typing import IO, Any

# What a worker sends behind the last answer of a part.
_END = b""
# In seconds
_PATIENCE = 5


class _Worker:
    """A process that reads one part after the other.

    part: the number of the one that it reads, None if it has none
    """

    def __init__(self, connection: Connection, process: BaseProcess) -> None:
        self.connection = connection
        self.process = process
        self.part: int | None = None

    def give(self, part: int) -> None:
        self.part = part
        with suppress(BrokenPipeError):  # it was killed, which its end of the pipe tells
            self.connection.send(part)


class _Early:
    """Answers of a part whose turn has not come."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._sizes: list[int] = []

    def add(self, answer: bytes) -> None:
        """Keep one more.

        Raises: OSError if there is no room; those before are kept
        """
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        if self._file.write(answer) != len(answer):
            raise OSError(ENOSPC, "not all was written")
        self._sizes.append(len(answer))

    def taken(self) -> Iterator[bytes]:
        """Yield them."""
        if self._file:
            self._file.seek(0)
            for size in self._sizes:
                yield self._file.read(size)
        self.close()

    def close(self) -> None:
        """Forget them."""
        if self._file:
            self._file.close()
        self._file = None


class Workers:
    """Some workers. Use it as a context manager, at whose end none of them is left.

    parts: what is read, in the order in which it is told
    read:  reads one part; its answers can be pickled
    """

    def __init__(
        self, number: int, parts: Sequence[Any], read: Callable[[Any], Iterable[Any]]
    ) -> None:
        self._parts = parts
        self._read = read
        self._workers: list[_Worker] = []
        self._number = min(number, len(parts))
        self._next = 0  # that nobody has begun
        self._early = [_Early() for _ in parts]
        self._had = [0] * len(parts)  # answers of each
        self._has_ended = [False] * len(parts)

    def __enter__(self) -> Workers:
        forks = multiprocessing.get_context("fork")
        for _ in range(self._number):
            ours, theirs = forks.Pipe()
            # Else one of them would keep open what tells another that we are gone.
            not_its_own = [ours, *(worker.connection for worker in self._workers)]
            process = forks.Process(target=self._serve, args=(theirs, not_its_own), daemon=True)
            try:
                process.start()
            except OSError:  # there may be no more processes
                ours.close()
                break
            finally:
                theirs.close()
            self._workers.append(_Worker(ours, process))
        return self

    def __exit__(self, *_: object) -> None:
        for early in self._early:
            early.close()
        for worker in self._workers:
            worker.process.terminate()
            worker.connection.close()
        for worker in self._workers:
            worker.process.join(_PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    def answers(self) -> Iterator[tuple[Any, Any]]:
        """Yield each part with each of its answers, in order."""
        for number, part in enumerate(self._parts):
            for answer in self._of(number):
                yield part, pickle.loads(answer)  # noqa: S301  # our own process wrote it
            if not self._has_ended[number]:
                for place, again in enumerate(self._read(part)):
                    if place >= self._had[number]:
                        yield part, again

    def _of(self, current: int) -> Iterator[bytes]:
        """Yield the answers of a part, as far as workers give them."""
        yield from self._early[current].taken()
        while True:
            for worker in self._workers:
                if worker.part is None and self._next < len(self._parts):
                    worker.give(self._next)
                    self._next += 1
            at_work = {
                worker.connection: worker for worker in self._workers if worker.part is not None
            }
            if all(worker.part != current for worker in at_work.values()):
                # It is read, or nobody is left to read it.
                self._next = max(self._next, current + 1)
                return
            for connection in wait(list(at_work)):
                worker = at_work[connection]  # type: ignore[index]
                answer = self._answer(worker)
                if answer is None:
                    continue
                assert worker.part is not None
                if worker.part == current:
                    self._had[current] += 1
                    yield answer
                    continue
                try:
                    self._early[worker.part].add(answer)
                except OSError:
                    worker.process.kill()
                    self._drop(worker)
                else:
                    self._had[worker.part] += 1

    def _answer(self, worker: _Worker) -> bytes | None:
        """Return a worker's next answer; None if there is none, of this part or at all."""
        assert worker.part is not None
        try:
            answer = worker.connection.recv_bytes()
        except (EOFError, OSError):  # it was killed
            self._drop(worker)
            return None
        if answer != _END:
            return answer
        self._has_ended[worker.part] = True
        worker.part = None
        return None

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()

    # -- in a worker

    def _serve(self, connection: Connection, not_its_own: Iterable[Connection]) -> None:
        # Ctrl-C is for the process that tells what it has so far.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for other in not_its_own:
            other.close()
        # What fails here is read again by the process that can say why.
        with suppress(Exception):
            while True:
                for answer in self._read(self._parts[connection.recv()]):
                    connection.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
                connection.send_bytes(_END)
