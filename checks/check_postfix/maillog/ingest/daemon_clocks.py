"""Daemon clocks: which daemons of a host stamp their lines by another zone than the others.

A daemon in a chroot without /etc/localtime writes UTC beside others that write local time. Its
mail is then counted hours from now, and no window ever sees it.

Lines stand in the order in which they came. What stands between two lines of another daemon of
its host, whose stamps are the same or a minute apart, was written then, whatever its own stamp
says. Lines that are kept back on their way prove nothing else: those of all daemons of a host
are kept back together. (Before a line with an earlier stamp, a quiet time proves nothing; so
both neighbours are asked.)
"""

from __future__ import annotations

from check_postfix.maillog.events.recogniser import is_of_daemon
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.window.clock_offset import LATE, LEAST, zone_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from check_postfix.maillog.syntax.record import Record
    from check_postfix.maillog.syntax.timestamps import Timestamps

    # Instance, and path of the tag: `submission/smtpd`
    Daemon = tuple[bytes, bytes]

# Of a piece, so many bytes at its end are looked through.
BYTES = 64 * 1024

# The time of day of stamps that name no zone. Another loggers' stamps have one.
_find_times = Expression(
    rb"\n(?:[A-Z][a-z]{2} [ \d]\d |\d{4}-\d\d-\d\d[T ])(\d\d:\d\d):\d\d(?:[.,]\d++|) "
).finditer


class Off:
    """A daemon whose stamps are off.

    host, instance: who it is of
    name:    as its tag says it after the instance: `smtp`
    minutes: that it runs ahead of other daemons, negative if behind
    minute:  until which that was seen, by these others
    """

    __slots__ = ("host", "instance", "minute", "minutes", "name")

    def __init__(self, host: bytes, daemon: Daemon, minutes: int, minute: int) -> None:
        self.host = host
        self.instance, self.name = daemon
        self.minutes = minutes
        self.minute = minute


def off(block: bytes, timestamps: Timestamps, written: int) -> list[Off]:
    """Return the daemons that are off at the end of a block.

    block:   whole lines, each with a newline before it
    written: minute in which it was written; who is further from that is off
    """
    lines = block[block.find(b"\n", max(0, len(block) - BYTES)) :]
    if not _goes_back(match[1] for match in _find_times(lines)):
        return []  # as nearly always
    hosts: dict[bytes, list[tuple[Daemon, int]]] = {}
    for line in lines.split(b"\n"):
        record = frame.parse(line)
        if record is None or record.zone or not is_of_daemon(record):
            continue
        minute = timestamps.minute(record.stamp, record.zone)
        if minute is not None:
            hosts.setdefault(record.host, []).append((_daemon(record), minute))
    return [found for host, told in hosts.items() for found in _off_at(host, told, written)]


def _goes_back(times: Iterable[bytes]) -> bool:
    """Tell whether a time of day lies half an hour or more before the one above it."""
    last = b""
    for time in times:
        if time < last and _minutes(last) - _minutes(time) >= LEAST - LATE:
            return True
        last = time
    return False


def _minutes(time: bytes) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _daemon(record: Record) -> Daemon:
    path = b"/".join(filter(None, (record.service, record.program)))
    return record.instance, path or record.instance


def _off_at(host: bytes, told: list[tuple[Daemon, int]], written: int) -> Iterator[Off]:
    newest = dict(told)
    distance = {daemon: abs(minute - written) for daemon, minute in newest.items()}
    nearest = min(distance.values(), default=0)
    right = {daemon for daemon in distance if distance[daemon] < nearest + LEAST - LATE}
    found: dict[Daemon, set[int]] = {}
    for (daemon, other), minutes in _differences(told).items():
        if other in right and daemon not in right:
            found.setdefault(daemon, set()).update(map(zone_of, minutes))
        elif daemon in right and other not in right:
            found.setdefault(other, set()).update(-zone_of(number) for number in minutes)
    seen = min(written, max((newest[daemon] for daemon in right), default=0))
    for daemon, zones in found.items():
        if len(zones) == 1 and 0 not in zones:
            yield Off(host, daemon, zones.pop(), seen)


def _differences(told: list[tuple[Daemon, int]]) -> dict[tuple[Daemon, Daemon], set[int]]:
    """Return (daemon, other) -> by how many minutes it is ahead where two of the other's are near.

    told: the lines of a host, each with who wrote it and the minute of its stamp
    """
    last: dict[Daemon, int] = {}
    since: dict[Daemon, dict[Daemon, set[int]]] = {}  # who wrote what since their last line
    found: dict[tuple[Daemon, Daemon], set[int]] = {}
    for daemon, minute in told:
        before = last.get(daemon)
        if before is not None and 0 <= minute - before <= LATE:
            for other, minutes in since[daemon].items():
                differences = {number - before for number in minutes}
                found.setdefault((other, daemon), set()).update(differences)
        last[daemon] = minute
        since[daemon] = {}
        for other, minutes_of in since.items():
            if other != daemon:
                minutes_of.setdefault(daemon, set()).add(minute)
    return found
