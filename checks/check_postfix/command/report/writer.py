"""Writers: which program, of which host and instance, has written a line."""

from __future__ import annotations

from check_postfix.maillog.events.recogniser import active

# So many hosts and instances are told apart.
_MOST_ORIGINS = 1_000
_SMTPD = b"smtpd"


class Origins:
    """Numbers of hosts and instances, as keys of messages begin.

    Two of them may use the same queue ID. A log's lines may come from many; those that are too many
    are taken together, as the checks do.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], bytes] = {}

    def known(self) -> list[tuple[bytes, bytes]]:
        """Return hosts and instances, in the order of their numbers."""
        return list(self._known)

    def of(self, host: bytes, instance: bytes) -> bytes:
        """Return the number of a host and instance."""
        known = self._known.get((host, instance))
        if known is None:
            if len(self._known) >= _MOST_ORIGINS:
                return b"* "
            known = self._known[host, instance] = b"%d " % len(self._known)
        return known


class Writer:
    """Who has written a line: what stands in its frame, besides its time.

    origin: of host and instance; two of them may use the same queue ID
    """

    __slots__ = (
        "frame", "instance", "is_left_out", "is_queue_manager", "is_smtpd", "origin", "program",
        "utc_offset",
    )  # fmt: skip

    def __init__(self, tag: bytes, origins: Origins) -> None:
        self.utc_offset, host, names = tag.split(b" ")
        self.instance, slash, path = names.partition(b"/")
        self.frame = host, self.instance, slash + path
        self.program = path.rpartition(b"/")[2]
        self.origin = origins.of(host, self.instance)
        self.is_smtpd = self.program == _SMTPD
        self.is_queue_manager = self.program in active.PROGRAMS
        self.is_left_out = False
