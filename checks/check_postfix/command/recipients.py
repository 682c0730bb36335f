"""Recipients: how often mail to each was deferred, bounced and sent, by the log's own lines.

No state keeps them. However many there are, they are counted exactly: what does not fit into
memory goes to a nameless temporary file, which nobody else can read.
"""

from __future__ import annotations

import re
import sqlite3

from check_postfix.maillog.events.recogniser import delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from check_postfix.command.line import Line
    from check_postfix.command.logs import Logs

KINDS = ("deferred", "bounced", "sent")
# A kind of event -> its place in KINDS
_PLACES = {"deferred": 0, "softbounce": 0, "bounced": 1, "sent": 2}
# So many are added up in memory.
_MOST_HELD = 50_000
_find_deliveries = re.compile(rb": [0-9A-Za-z]{6,64}: to=<").finditer
_ADD = """
INSERT INTO recipient VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    deferred = deferred + excluded.deferred, bounced = bounced + excluded.bounced,
    sent = sent + excluded.sent
"""


class Recipients:
    """Counts recipients. Use it as a context manager."""

    def __init__(self) -> None:
        self._held: dict[str, list[int]] = {}
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            """
            BEGIN;  -- the file is thrown away: nothing need be safe on disk
            CREATE TABLE recipient (
                address TEXT PRIMARY KEY, deferred INTEGER, bounced INTEGER, sent INTEGER
            ) WITHOUT ROWID;
            """
        )

    def __enter__(self) -> Recipients:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def count(
        self,
        logs: Logs,
        span: tuple[float, float],
        host: str | None,
        instance: str | None,
        progress: Callable[[str, int], None],
    ) -> None:
        """Count what is in the log.

        span: from and up to when, in seconds since 1970
        host, instance: only of these, None of all
        progress: is told of each block: the file's name and how many bytes
        Raises: LogError; Rotated
        """
        wanted = [part and part.encode() for part in (host, instance)]
        for file in logs.files:
            if file.modified < span[0]:
                continue
            for start, block in file.blocks():
                progress(file.name, len(block))
                # A stranger may write the same somewhere in a line.
                last = -1
                for match in _find_deliveries(block):
                    begin = block.rfind(b"\n", 0, match.start()) + 1
                    if begin == last:
                        continue
                    last = begin
                    line = file.line(block, start, match.start())
                    if line is None or not span[0] <= line.time < span[1]:
                        continue
                    if all(
                        name is None or name == there
                        for name, there in zip(
                            wanted, (line.record.host, line.record.instance), strict=True
                        )
                    ):
                        self._add(line)
        self._flush()

    def _add(self, line: Line) -> None:
        if not line.said.startswith(b"to=<"):
            return
        text = line.record.text
        start = len(text) - len(line.said)
        place = _PLACES.get(delivery.recognise(line.record, start).kind)
        if place is None:
            return
        read = delivery.read(text, start)
        # One that reads in two ways may still have one status.
        address = "" if read is None else read.recipient.decode("utf-8", "replace").lower()
        self._held.setdefault(address, [0, 0, 0])[place] += 1
        if len(self._held) >= _MOST_HELD:
            self._flush()

    def _flush(self) -> None:
        rows = [(address, *numbers) for address, numbers in self._held.items()]
        self._database.executemany(_ADD, rows)
        self._held.clear()

    def most(self, rows: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield the recipients with most failures, and how often of each of KINDS."""
        for address, *numbers in self._database.execute(
            "SELECT * FROM recipient"
            " ORDER BY deferred + bounced DESC, deferred DESC, sent DESC, address LIMIT ?",
            (rows,),
        ):
            yield address, tuple(numbers)

    def rest(self, rows: int) -> tuple[int, ...]:
        """Return how many there are besides the first ones, and their numbers; () if none."""
        number, *sums = self._database.execute(
            "SELECT count(*), sum(deferred), sum(bounced), sum(sent) FROM recipient"
        ).fetchone()
        if number <= rows:
            return ()
        for _, numbers in self.most(rows):
            sums = [total - one for total, one in zip(sums, numbers, strict=True)]
        return (number - rows, *sums)
