"""Heard: which hosts and instances the logs have told of, and when each was last heard of."""

from __future__ import annotations

from check_postfix.common.log_options import HOST, INSTANCE
from check_postfix.maillog.counts.families import NOBODY
from check_postfix.plugin import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from check_postfix.common.named_logs import NamedLog
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.store import Store
    from check_postfix.maillog.window.coverage import Coverage

    # Number, host, instance and minute of the newest line
    Origin = tuple[int, str, str, int | None]

_NOBODY = tuple(name.decode() for name in NOBODY)


class Heard:
    """What the logs of a run have told of.

    last:       name of a log -> minute of its newest line of Postfix or Dovecot
    has_future: whether a line that was read is of a time yet to come
    """

    def __init__(self, store: Store, now: int, is_steady: bool) -> None:
        """now: a minute. is_steady: whether this machine's clock surely is right."""
        self._store = store
        self._now = now
        self._is_steady = is_steady
        self._told: dict[str, list[Origin]] = {}
        self.last: dict[str, int | None] = {}
        self.has_future = False

    def look(self, logs: Sequence[NamedLog], parts: Sequence[Coverage]) -> None:
        """Look up what each log has told of, and when it last did.

        parts: what is covered by each
        """
        self._told, self.last = {}, {}
        for named, part in zip(logs, parts, strict=True):
            found = filter(None, map(self._store.logs.of, named.paths))
            told = [origin for log in found for origin in self._told_by(log)]
            self._told[named.name] = told
            newest = [last for *_, last in told if last is not None]
            if not newest and part.line_counts.ours:
                # nothing was counted of anybody yet
                self.last[named.name] = part.last and min(part.last, self._now)
            else:
                self.last[named.name] = max(newest, default=None)

    def _told_by(self, log: Log) -> list[Origin]:
        """Return what a log has told of, and when it last did, as of now."""
        now = self._now
        told = self._store.origins.of(log)
        if any(last and last > now for *_, last in told):
            self.has_future = True
            if self._is_steady:
                # Logged while a clock was ahead; since when it is silent nobody can tell.
                with self._store.transaction():
                    self._store.origins.cut_newest(log, now)
        # Until that is sure it may be our own clock that is behind.
        return [(number, host, name, last and min(last, now)) for number, host, name, last in told]

    def newest(self) -> int | None:
        """Return the minute of the newest line of Postfix or Dovecot in any of the logs."""
        return max((last for last in self.last.values() if last is not None), default=None)

    def before(self, end: int, start: int, origins: Sequence[Origin]) -> list[tuple[str, int]]:
        """Return the hosts and logs that were last heard of before a minute, and when.

        start: those that were last heard of before that are left out
        """
        of_host: dict[str, int] = {}
        for _, host, _, last in origins:
            if last is not None:
                of_host[host] = max(last, of_host.get(host, 0))
        return [
            (name, last)
            for name, last in [*of_host.items(), *self.last.items()]
            if name and last is not None and start <= last < end
        ]

    def origins(self, options: Namespace) -> list[Origin]:
        """Return the hosts' Postfix instances that options ask for.

        Raises: Unknown if the logs have no such host or instance
        """
        there = [origin for told in self._told.values() for origin in told]
        # Of lines that nobody can read, nobody knows whose they are.
        nobody = [origin for origin in there if origin[1:3] == _NOBODY]
        origins = [origin for origin in there if origin[1:3] != _NOBODY]
        for option, place in ((HOST, 1), (INSTANCE, 2)):
            wanted = getattr(options, option.name)
            if wanted is None:
                continue
            matching = [origin for origin in origins if origin[place] == wanted]
            if not matching:
                known = sorted({str(origin[place]) for origin in origins})
                raise Unknown(
                    f"{option.flag} {wanted}: not in {', '.join(self._told)};"
                    f" there are {', '.join(known) or 'none'}"
                )
            origins = matching
        return origins + nobody


def newest(origins: Sequence[Origin]) -> int | None:
    """Return when any of them was last heard of."""
    return max((last for *_, last in origins if last is not None), default=None)
