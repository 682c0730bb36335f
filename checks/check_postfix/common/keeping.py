"""Keeping: how long the store of a run keeps what is counted, by a clock that is trusted."""

from __future__ import annotations

import os

from check_postfix.maillog.store import clock_mark, retention
from check_postfix.maillog.store.retention import USUAL, Retention
from check_postfix.maillog.store.schema import ASIDE
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from check_postfix.common.span import AskedSpan
    from check_postfix.maillog.store.store import Store


class Keeping:
    """What of the counts is kept.

    retention:   for how long
    trusted:     by which minute that is told
    is_steady:   whether this machine's clock surely is right
    oldest:      the oldest minute of which sums are kept; all of it if nothing outlives the run
    oldest_keys: the same of keys
    """

    def __init__(self, store: Store, options: Namespace, span: AskedSpan) -> None:
        """Work it out; let what this run asks for have its say in that.

        Raises: StoreError
        """
        self._store = store
        self._now = span.now
        self._before = clock_mark.kept(store)
        is_new = not store.logs.are_there()
        self._mark = clock_mark.look(span.now, self._before, is_new)
        self.is_steady = self._mark.is_steady(span.now)
        self.trusted = self._mark.trusted
        self.retention = _voted(store, options, is_new)
        self._asked = options.keep_keys or 0
        is_kept = store.path is not None
        self.oldest = self.trusted - self.retention.totals if is_kept else 0
        self.oldest_keys = self.trusted - self.retention.keys if is_kept else 0

    def lacks(self, start: int) -> list[str]:
        """Return what to say where a run asks for more than is kept.

        start: first minute that it asks for
        """
        notes = []
        if start < self.oldest:
            notes.append(f"counts are kept for {values.span(self.retention.totals * 60)} only")
        if start < self.oldest_keys or self._asked > self.retention.keys * 60:
            span = values.span(self.retention.keys * 60)
            notes.append(f"clients and domains are kept for {span} only")
        return notes

    def forget(self, has_future: bool) -> None:
        """Forget what nothing new is logged for, and keep since when the clock is steady.

        has_future: whether a line that was read is of a time yet to come
        """
        store = self._store
        # By the clock's own time, for without a mark it would never be trusted.
        minute = int(self._now) // 60
        is_overdue = retention.is_overdue(
            store, minute - self.retention.totals, minute - self.retention.keys
        )
        is_asked = store.is_changed or is_overdue or has_future
        is_marked = is_asked and clock_mark.is_worth_writing(self._mark, self._before)
        is_forgotten = is_overdue and retention.is_overdue(store, self.oldest, self.oldest_keys)
        if is_marked or is_forgotten:
            with store.transaction():
                if is_marked:
                    clock_mark.save(store, self._mark)
                if is_forgotten:
                    store.forgetting.older(self.oldest, self.oldest_keys)

    def forget_what_was_set_aside(self, path: str) -> list[str]:
        """Remove a damaged store when the keys in it are too old to be kept; return what fails."""
        if not os.path.lexists(path + ASIDE):
            return []
        from check_postfix.maillog.store import damage

        try:
            damage.expire(path, self._now, self.retention.keys)
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            return [
                f"cannot remove {path}{ASIDE}: {cause}; remove it, it holds clients and domains"
            ]
        return []


def _voted(store: Store, options: Namespace, is_new: bool) -> Retention:
    """Return how long counts are kept; let what this run asks for have its say in that."""
    totals, keys = (asked and asked // 60 for asked in (options.keep_totals, options.keep_keys))

    def settled() -> Retention:
        if kept is None and is_new:
            return Retention(totals or USUAL.totals, keys)
        return (kept or USUAL).with_votes(totals, keys)

    kept = retention.kept(store)
    if store.path is not None and (kept is None or not kept.is_like(settled())):
        with store.transaction():
            kept = retention.kept(store)  # another run may have had its say
            retention.save(store, settled())
    return settled()
