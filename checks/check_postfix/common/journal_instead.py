"""The journal instead of a log file that was left over when mail began to be logged there."""

from __future__ import annotations

from contextlib import suppress

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.events.recogniser import is_of_daemon
from check_postfix.maillog.source import journalctl
from check_postfix.maillog.store.logs import JOURNAL
from check_postfix.maillog.syntax.entry import FIELDS, JournalEntries, choice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.store.store import Store

# How often the journal is asked at most, which starts a program. In seconds.
PAUSE = 600
# So many entries of other programs with Postfix's facility are passed over.
_MOST_ENTRIES = 1000


def goes_on(store: Store, path: str, last: int | None, now: int, deadline: float) -> bool:
    """Tell whether the journal has newer mail than a log file that has fallen silent.

    path:     of that log
    last:     minute of its newest line, None if it has none
    now:      seconds since 1970
    deadline: time.monotonic() at which to stop asking
    Raises:   StoreError
    """
    since = -1 if last is None else last
    journal = store.logs.of(JOURNAL)
    if journal and any((newest or 0) > since for *_, newest in store.origins.of(journal)):
        return True
    log = store.logs.of(path)
    if not journalctl.has_journal() or log is None or 0 <= now - log.asked < PAUSE:
        return False
    newest = None
    # A journal that cannot be read, or not now, leaves us where we were: blind, and saying so.
    with suppress(LogError, journalctl.TimeUpError):
        newest = _newest(deadline)
    with store.transaction():
        log = store.logs.of(path) or log
        log.asked = now
        store.logs.save(log)
    return newest is not None and newest > since


def _newest(deadline: float) -> int | None:
    """Return the minute of the newest line of a daemon of Postfix or Dovecot in the journal.

    Raises: LogError, TimeUpError
    """
    journalctl.see_that_all_is_readable()
    arguments = ("--reverse", "--output-fields=" + ",".join(FIELDS), *choice(()))
    with journalctl.Journalctl(arguments, deadline) as running:
        entries = JournalEntries(running, deadline)
        for _ in range(_MOST_ENTRIES):
            entry = entries.next
            if entry is None:
                break
            if entry.record is not None and is_of_daemon(entry.record):
                return entry.minute
            entries.advance()
    return None
