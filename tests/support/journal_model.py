"""A journal for the reader's tests, and a journalctl that prints it as the real one does.

Each entry of ours has a minute of its own, so that the store's counts tell which
were counted, and how often. That the real one does the same is tested in
tests/integration/test_journal.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from check_postfix.maillog.ingest.journal import Journal
from check_postfix.maillog.source import export
from check_postfix.maillog.source.journal_span import Cursor
from check_postfix.maillog.source.journalctl import TimeUpError
from check_postfix.maillog.store.store import Store
from check_postfix.maillog.window.coverage import Coverage
from tests.support import kept

# 2026-03-01 00:00:00, in minutes
FIRST = 29_538_720

Message = dict[str, Any]


def fields_of(message: Message) -> bytes:
    """Return an entry in the export format; a text with a newline takes the binary form."""
    lines = []
    for name, value in message["fields"].items():
        if b"\n" in value:
            lines.append(name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n")
        else:
            lines.append(name + b"=" + value + b"\n")
    head = b"__CURSOR=%s\n__REALTIME_TIMESTAMP=%d\n" % (cursor(message).encode(), message["t"])
    return head + b"".join(lines) + b"\n"


def cursor(message: Message) -> str:
    """Return the cursor of an entry."""
    return "s={s:032x};i={i:x};b={b:032x};m={m:x};t={t:x};x={x:x}".format(**message)


class Machine:
    """A machine with a journal. Its clock only goes when something happens."""

    def __init__(self) -> None:
        self.messages: list[Message] = []  # in their order
        self.minute = FIRST
        self.sequence = 1
        self.number = 0
        self.boot = 1
        self.booted = FIRST

    def log(self, text: bytes, tag: bytes = b"postfix/smtpd", ours: bool = True, **more: bytes):
        """Log a message in a new minute."""
        self.minute += 1
        self.number += 1
        stamp = self.minute * 60_000_000 + 17
        fields = {b"_HOSTNAME": b"mx1", b"SYSLOG_IDENTIFIER": tag, b"MESSAGE": text}
        fields |= {name.encode(): value for name, value in more.items()}
        message = {
            "s": self.sequence,
            "i": self.number,
            "b": self.boot,
            "m": stamp - self.booted * 60_000_000,
            "t": stamp,
            "x": self.number * 7919,
            "fields": fields,
            "ours": ours,
        }
        self.messages.append(message)
        return message

    def mail(self) -> int:
        """Log a mail received; return its minute."""
        self.log(b"%010X: client=c.example[192.0.2.7]" % self.minute)
        return self.minute

    def other(self) -> None:
        """Log something that is not ours."""
        self.log(b"something", b"cron", ours=False)

    def reboot(self) -> None:
        """Begin a new boot."""
        self.boot += 1
        self.minute += 1
        self.booted = self.minute

    def begin_anew(self) -> None:
        """Let journald begin a new sequence of numbers, as it does after a crash."""
        self.sequence += 1
        self.number = 0

    def flush(self) -> None:
        """Let journald move all entries to another place, where they get new numbers."""
        self.begin_anew()
        for message in self.messages:
            self.number += 1
            message |= {"s": self.sequence, "i": self.number}

    def vacuum(self, entries: int) -> list[Message]:
        """Remove the oldest entries; return them."""
        gone = self.messages[:entries]
        del self.messages[:entries]
        return gone

    def minutes(self) -> set[int]:
        """Return the minutes of the mails in the journal."""
        return {
            message["t"] // 60_000_000
            for message in self.messages
            if message["ours"] and b": client=" in message["fields"][b"MESSAGE"]
        }


class Journalctl:
    """In the place of the real Journalctl.

    left:    entries that can be printed before the time is up, None for any number
    chunk:        bytes printed at a time
    """

    machine: Machine
    left: int | None = None
    chunk = 4096
    started: list[Sequence[str]] = []

    def __init__(self, arguments: Sequence[str], _deadline: float) -> None:
        self._arguments = arguments
        self.started.append(arguments)

    def __enter__(self) -> Journalctl:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def notes(self) -> list[str]:
        return []

    def values(self) -> list[str]:
        return []

    def entries(self) -> Iterator[export.Fields]:
        """Yield what the arguments ask for."""
        chunks = self._chunks()
        return export.entries(lambda: next(chunks, b""))

    def _chunks(self) -> Iterator[bytes]:
        messages = self._chosen()
        left = type(self).left
        printed = b"".join(map(fields_of, messages[:left]))
        if left is not None:
            type(self).left = max(0, left - len(messages))
        for start in range(0, len(printed), self.chunk):
            yield printed[start : start + self.chunk]
        if left is not None and left < len(messages):
            raise TimeUpError

    def _chosen(self) -> list[Message]:
        options = dict(word.split("=", 1) for word in self._arguments if word.startswith("--c"))
        reverse = "--reverse" in self._arguments
        found = list(self.machine.messages)
        if place := options.get("--cursor"):
            wanted = Cursor(place)
            found = [
                message
                for message in found
                if Cursor(cursor(message)).is_of_same_entry(wanted)
                or Cursor(cursor(message)).is_after(wanted) != reverse
            ]
        for word in self._arguments:
            if word.startswith("--until=@"):
                end = int(word.removeprefix("--until=@")) * 1_000_000
                found = [message for message in found if message["t"] <= end]
        if "SYSLOG_FACILITY=2" in self._arguments:
            found = [message for message in found if message["ours"]]
        return found[::-1] if reverse else found


def run(
    store: Store,
    machine: Machine,
    wanted: int | None = None,
    left: int | None = None,
    **more: Any,
) -> Coverage:
    """Read the journal of a machine now.

    left: entries that can be printed before the time is up
    """
    Journalctl.machine = machine
    Journalctl.left = left
    Journalctl.started = []
    return Journal(
        store,
        machine.minute * 60 + 30,
        machine.minute - 15 if wanted is None else wanted,
        machine.minute + 1,
        time.monotonic() + 60,
        **more,
    ).run()


def counted(path: str) -> dict[int, int]:
    """Return how many mails the store has counted, by minute."""
    return kept.by_minute(path, "received")
