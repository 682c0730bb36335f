"""States: a state file of each version there was, for test_migration.py to open.

    PYTHONPATH=checks python -m tests.maillog.store.states

keeps one of this version, as states/version-N.dump. Do that before a table changes. Where
a state is kept, all that this version keeps should be in it, so add to the history what is new.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tests.support import kept

KEPT = Path(__file__).parent / "states"
# 2026-03-01 00:00:00, in minutes
FIRST = 29_538_720
# So that what is made with it can be compared.
SECRET = bytes(range(32))
# Where the log is in a state that is kept.
LOG = "/var/log/mail.log"

_OLDEST = "s=0000000000000001;i=1;b=0000000000000002;m=1;t=1;x=1"
_NEWEST = "s=0000000000000001;i=9;b=0000000000000002;m=9;t=9;x=9"
# What the journal would have told, in the columns of its table.
_SPAN = (1, _OLDEST, _NEWEST, FIRST, FIRST + 9, FIRST * 60 + 600, 1, 9, 5, 4, 2, 1, 2)


def _lines(minute: int, *texts: str, host: str = "mx1") -> str:
    stamp = datetime.fromtimestamp((FIRST + minute) * 60, UTC).isoformat()
    return "".join(f"{stamp} {host} {text}\n" for text in texts)


def _taken_in(queue_id: str) -> str:
    return f"postfix/smtpd[11]: {queue_id}: client=client.example[192.0.2.7]"


def _active(queue_id: str, size: int) -> str:
    return f"postfix/qmgr[12]: {queue_id}: from=<a@b.example>, size={size}, nrcpt=1 (queue active)"


def _tried(queue_id: str, result: str) -> str:
    return (
        f"postfix/smtp[13]: {queue_id}: to=<c@d.example>, relay=mx.d.example[198.51.100.1]:25,"
        f" delay=1, delays=0/0/0/1, {result}"
    )


def _sent(queue_id: str) -> str:
    return _tried(queue_id, "dsn=2.0.0, status=sent (250 ok)")


def _deferred(queue_id: str) -> str:
    return _tried(
        queue_id, "dsn=4.2.0, status=deferred (host mx.d.example[198.51.100.1] said: 450 4.2.0 no)"
    )


def _bounced(queue_id: str) -> str:
    return _tried(
        queue_id, "dsn=5.1.1, status=bounced (host mx.d.example[198.51.100.1] said: 550 5.1.1 no)"
    )


def _removed(queue_id: str) -> str:
    return f"postfix/qmgr[12]: {queue_id}: removed"


def _failed_login(client: int, account: str) -> str:
    return (
        f"postfix/submission/smtpd[14]: warning: unknown[203.0.113.{client}]: SASL PLAIN"
        f" authentication failed: (reason unavailable), sasl_username={account}"
    )


_REJECT = (
    "postfix/smtpd[11]: NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 554 5.7.1"
    " <x@elsewhere.example>: Relay access denied; from=<a@b.example> to=<x@elsewhere.example>"
    " proto=ESMTP helo=<h.example>"
)


def history(log: str, read: Callable[[int], object]) -> None:
    """Write and rotate a log; have it read now and then, in a minute since FIRST.

    In the end two messages are on their way: 4F0000000D is active, 4F0000000F taken in.
    """

    def write(text: str, mode: str = "a") -> None:
        with open(log, mode) as file:
            file.write(text)

    def rotate() -> None:
        if os.path.exists(log + ".1"):
            os.rename(log + ".1", log + ".2")
        os.rename(log, log + ".1")

    mails = [f"4F0000000{digit}" for digit in "ABCDEF"]
    a, b, c, d, e, f = mails
    write(_lines(0, "cron[1]: not about mail", _taken_in(a), _active(a, 1000), _sent(a)))
    write(_lines(1, _removed(a), _REJECT, _failed_login(5, "ann"), _failed_login(5, "ben")))
    write(_lines(1, _taken_in(b), _active(b, 2000), _deferred(b), "no frame of ours"))
    read(2)
    write(
        _lines(3, _failed_login(5, "ann"), _failed_login(6, "ann"), _taken_in(c), _active(b, 2000))
    )
    write(_lines(3, "postfix-out/smtp[1]: 4F00000001: removed", _REJECT, host="mx2"))
    write(_lines(3, _deferred(b)))
    read(4)
    rotate()
    write(_lines(10, _active(c, 3000), _bounced(c), _removed(c), _active(b, 2000), _sent(b)))
    write(_lines(11, _removed(b), _taken_in(e), _active(e, 500)))
    write(
        _lines(12, f"postfix/qmgr[12]: {e}: from=<a@b.example>, status=expired, returned to sender")
    )
    read(13)
    rotate()
    write(_lines(20, _failed_login(7, "eve"), _taken_in(d), _removed(e)))
    read(21)
    write(_lines(22, _REJECT))
    # Cut before the last line was read.
    write(_lines(30, _active(d, 4000), _taken_in(f)), "w")
    read(31)


def go_on(log: str) -> None:
    """Write what becomes of the messages that were on their way."""
    d, f = "4F0000000D", "4F0000000F"
    with open(log, "a") as file:
        file.write(_lines(40, _sent(d), _removed(d), _active(f, 5000), _sent(f), _removed(f)))


def begin(state: str) -> None:
    """Give a state that is empty the secret of all states that are kept."""
    with kept.changed(state) as db:
        db.execute("UPDATE secret SET key=?", (SECRET,))


def finish(state: str, log: str) -> None:
    """Add to a state what it would have of the journal; let it be of another place's log."""
    with kept.changed(state) as db:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        (span,) = names & {"stretch", "journal_span"}
        db.execute(f"INSERT INTO {span} VALUES ({', '.join('?' * len(_SPAN))})", _SPAN)
        db.execute("INSERT INTO log (id, path, backlog) VALUES (2, 'journal', 0)")
        db.execute("UPDATE log SET path=? WHERE id=1", (log,))


def dump(state: str) -> str:
    """Return a state as SQL."""
    with closing(sqlite3.connect(state)) as db:
        marks = [
            f"PRAGMA {name}={db.execute(f'PRAGMA {name}').fetchone()[0]};"
            for name in ("application_id", "user_version")
        ]
        return "\n".join([*marks, *db.iterdump(), ""])


def restore(version: int, state: str, log: str) -> None:
    """Make the state of a version again, for the log at this place."""
    with closing(sqlite3.connect(state)) as db:
        # What the triggers of newer versions call; checksums are written anew by the migration.
        db.create_function("noted", -1, lambda *_: None)
        db.executescript((KEPT / f"version-{version}.dump").read_text())
        with db:
            db.execute("UPDATE log SET path=? WHERE id=1", (log,))
    os.chmod(state, 0o600)


def make(directory: str, ingest: Callable[[str, str, int], object]) -> str:
    """Have the history read; return the path of the state.

    ingest: reads a log into a state, in a minute since 1970
    """
    log, state = os.path.join(directory, "mail.log"), os.path.join(directory, "state")
    Path(log).touch()
    ingest(state, log, FIRST)
    begin(state)
    history(log, lambda minute: ingest(state, log, FIRST + minute))
    return state


def main() -> None:
    """Keep a state of this version."""
    from check_postfix.maillog.store import schema
    from tests.support import logbook

    with tempfile.TemporaryDirectory() as directory:
        state = make(directory, logbook.ingest)
        finish(state, LOG)
        text = dump(state)
    (KEPT / f"version-{schema.VERSION}.dump").write_text(text)


if __name__ == "__main__":
    sys.exit(main())
