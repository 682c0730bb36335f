"""Workers: processes that read parts of long logs, and whose answers come in the order of these.

What each part tells is told in the order of the parts, whoever is done first. A worker lays its
answers down in nameless temporary files and says how long each is, so none waits for another.
Where a worker cannot be started, was killed, or there is no room for what it answers, its part is
read here. None outlives this process: it ends where nobody takes its answers.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import tempfile
from collections import deque
from contextlib import ExitStack, suppress
from errno import ENOSPC
from multiprocessing.connection import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from typing import IO, Any

# What a worker sends behind the lengths of the answers of a part.
_END = b""
# In seconds
_PATIENCE = 5
# So many parts of a worker may have answers that nobody has taken yet. Each has a file.
_FILES = 2
# So many parts has it in hand, so that it has another one as soon as one is read.
_IN_HAND = 2
# What ends a run: no worker may take it before it has an answer of its own.
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def most_begun(number: int) -> int:
    """Return how many parts may be begun, and not be told to their end, by so many workers."""
    return number * _FILES


class _Turn:
    """A part whose turn comes, and what is known of its answers.

    file: where they are; None if nobody reads it
    had:  how many of them were taken
    """

    def __init__(self, part: Any) -> None:
        self.part = part
        self.file: IO[bytes] | None = None
        self.lengths: deque[int] = deque()
        self.offset = 0
        self.had = 0
        self.has_ended = False

    def answer(self) -> bytes:
        """Take the next answer."""
        assert self.file is not None
        length = self.lengths.popleft()
        data = os.pread(self.file.fileno(), length, self.offset)
        self.offset += length
        self.had += 1
        return data


class _Worker:
    """A process that reads one part after the other.

    free: the numbers of the files whose answers are taken
    in_hand: what it reads, and what it will read then
    """

    def __init__(
        self, connection: Connection, process: BaseProcess, files: Sequence[IO[bytes]]
    ) -> None:
        self.connection = connection
        self.process = process
        self.files = files
        self.free = deque(range(len(files)))
        self.in_hand: deque[_Turn] = deque()

    def has_room(self) -> bool:
        return len(self.in_hand) < _IN_HAND and bool(self.free)

    def give(self, turn: _Turn) -> None:
        number = self.free.popleft()
        turn.file = self.files[number]
        self.in_hand.append(turn)
        with suppress(BrokenPipeError):  # it was killed, which its end of the pipe tells
            self.connection.send((turn.part, number))


class Workers:
    """Some workers. Use it as a context manager, at whose end none of them is left.

    parts: what is read, in the order in which it is told; each is asked for when it is begun, and
           can be pickled
    read:  reads one part; its answers can be pickled
    """

    def __init__(
        self, number: int, parts: Iterable[Any], read: Callable[[Any], Iterable[Any]]
    ) -> None:
        self._parts = iter(parts)
        self._read = read
        self._workers: list[_Worker] = []
        self._number = number
        self._turns: deque[_Turn] = deque()
        self._files = ExitStack()

    def __enter__(self) -> Workers:
        forks = multiprocessing.get_context("fork")
        for _ in range(self._number):
            try:
                files = [self._file() for _ in range(_FILES)]
                ours, theirs = forks.Pipe()
            except OSError:  # nowhere to lay an answer down
                break
            # Else one of them would keep open what tells another that we are gone.
            not_its_own = [ours, *(worker.connection for worker in self._workers)]
            process = forks.Process(
                target=self._serve, args=(theirs, files, not_its_own), daemon=True
            )
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
            try:
                process.start()
            except OSError:  # there may be no more processes
                ours.close()
                break
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                theirs.close()
            self._workers.append(_Worker(ours, process, files))
        try:
            self._give()
        except BaseException:  # what tells the parts has failed, and nobody else would end them
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.terminate()
            worker.connection.close()
        for worker in self._workers:
            worker.process.join(_PATIENCE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._files.close()

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.TemporaryFile(buffering=0))

    def answers(self) -> Iterator[tuple[Any, Any]]:
        """Yield each part with each of its answers, in order."""
        while (part := self.next()) is not None:
            for answer in self.of_next():
                yield part, answer

    def next(self) -> Any | None:
        """Return the part whose turn it is, None if there is no part any more."""
        self._give()
        if not self._turns:
            for part in self._parts:  # nobody is left to read it
                self._turns.append(_Turn(part))
                break
        return self._turns[0].part if self._turns else None

    def of_next(self) -> Iterator[Any]:
        """Yield the answers of the part whose turn it is; then it is another's."""
        turn = self._turns[0]
        for answer in self._of(turn):
            yield pickle.loads(answer)  # noqa: S301  # our own process wrote it
        if not turn.has_ended:
            for place, again in enumerate(self._read(turn.part)):
                if place >= turn.had:
                    yield again
        self._done(turn)

    def _done(self, turn: _Turn) -> None:
        self._turns.popleft()
        for worker in self._workers:
            if turn.file in worker.files:
                worker.free.append(worker.files.index(turn.file))

    def _give(self) -> None:
        """Let workers begin as many parts as they have room for, each one before any a second."""
        while some := [worker for worker in self._workers if worker.has_room()]:
            worker = min(some, key=lambda one: len(one.in_hand))
            for part in self._parts:
                turn = _Turn(part)
                break
            else:
                return
            self._turns.append(turn)
            worker.give(turn)

    def _of(self, turn: _Turn) -> Iterator[bytes]:
        """Yield the answers of a part, as far as workers give them."""
        while True:
            while turn.lengths:
                yield turn.answer()
                self._hear(0)
            if turn.has_ended or not any(turn in worker.in_hand for worker in self._workers):
                return
            self._hear(None)

    def _hear(self, seconds: float | None) -> None:
        """Hear what workers say, and let those that have room go on.

        seconds: how long to wait until any says something; None for as long as that takes
        """
        at_work = {worker.connection: worker for worker in self._workers if worker.in_hand}
        for connection in wait(list(at_work), seconds):
            worker = at_work[connection]  # type: ignore[index]
            turn = worker.in_hand[0]
            try:
                said = worker.connection.recv_bytes()
            except (EOFError, OSError):  # it was killed
                self._workers.remove(worker)
                worker.connection.close()
                worker.process.join()
                continue
            if said != _END:
                turn.lengths.append(int(said))
                continue
            turn.has_ended = True
            worker.in_hand.popleft()
        self._give()

    # -- in a worker

    def _serve(
        self,
        connection: Connection,
        files: Sequence[IO[bytes]],
        not_its_own: Iterable[Connection],
    ) -> None:
        # Ctrl-C is for the process that tells what it has so far, as is a terminal that is gone.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        for other in not_its_own:
            other.close()
        # As a check does, and for the same reason: it would look through much for nothing.
        gc.disable()
        # What fails here is read again by the process that can say why.
        with suppress(Exception):
            while True:
                part, number = connection.recv()
                file = files[number]
                file.seek(0)
                file.truncate()
                for answer in self._read(part):
                    data = pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
                    if file.write(data) != len(data):
                        raise OSError(ENOSPC, "not all was written")
                    connection.send_bytes(b"%d" % len(data))
                connection.send_bytes(_END)
