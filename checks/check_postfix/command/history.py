"""The history of a message: from its lines to what became of it.

All lines of one queue ID on one host are about one message, until it is removed: short queue
IDs are used again. A message goes on under another ID when it comes back from a content filter,
is forwarded by an alias, reaches another server of the same log, or when Postfix tells its
sender. Lines name that ID at fixed places (postfix/src/local/forward.c,
bounce/bounce_notify_util.c; of a filter the reply, which repeats smtpd's).
"""

from __future__ import annotations

import re

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.recogniser import active, delivery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from check_postfix.command.line import Line
    from check_postfix.maillog.events.recogniser.delivery import Delivery

    # Host and queue ID
    Key = tuple[bytes, bytes]

_ID = rb"(?P<id>[0-9A-Za-z]{6,64})(?![0-9A-Za-z])"
_match_forwarded = re.compile(rb"forwarded as " + _ID).match
_search_queued = re.compile(rb"[ :(]queued as " + _ID).search
_match_here = re.compile(rb"(?:localhost|127\.[\d.]+|::1)(?:\[|\Z)|\S*/|\S+\[(?:127\.|::1\])").match
_match_notification = re.compile(
    rb"(?:sender|postmaster) (?:non-delivery|delivery status|delay) notification: " + _ID + rb"\Z"
).match
_match_client = re.compile(
    rb"client=(?P<client>(?:" + fields.CLIENT_NAME + rb")\[(?:" + fields.CLIENT_ADDRESS + rb")\])"
).match
_search_account = re.compile(rb", sasl_username=(?P<account>[^\s,]+)").search
_search_original = re.compile(rb", orig_queue_id=" + _ID).search
_match_uid = re.compile(rb"uid=(?P<uid>\d+) from=<").match
_search_size = re.compile(rb">, size=(?P<size>\d+), nrcpt=\d+ \(queue active\)\Z").search
_FROM = b"from=<"
_EXPIRED = b", status=expired, returned to sender"
_FORCE_EXPIRED = b", status=force-expired, returned to sender"
_REMOVED = (b"removed", b"removed (canceled)")

# What ends, and what comes out of it, are logged by different processes, perhaps on machines
# whose clocks differ. In seconds.
_DISORDER = 60


class Message:
    """One message, as far as the log tells of it.

    key:   host and queue ID
    lines: in the order of time, at least one

    client, account, uid: where it came from, "" where that is not told
    sender, size: "" and None where that is not told
    deliveries: recipient, and the alias that it stands for -> what was tried, in order
    leads_to:  ID under which it, or word of it, goes on -> the relay that has said so; b"" where
        Postfix says so itself
    comes_from: the ID that the content filter's client says it had, b"" if none is said
    unclear:   delivery lines that can be read in more than one way
    is_removed, is_cancelled, is_expired: whether it has left the queue, was not taken in after
        all, and was given up
    is_forced: whether it was given up by hand, with postsuper
    """

    def __init__(self, key: Key, lines: list[Line]) -> None:
        self.key = key
        self.lines = lines
        self.client = self.account = self.uid = self.sender = ""
        self.size: int | None = None
        self.deliveries: dict[tuple[str, str], list[tuple[Line, Delivery]]] = {}
        self.leads_to: dict[bytes, bytes] = {}
        self.comes_from = b""
        self.unclear = 0
        self.is_removed = self.is_cancelled = False
        self.is_expired = self.is_forced = False
        for line in lines:
            self._take(line)

    @property
    def first(self) -> float:
        """When its first line was written, in seconds since 1970."""
        return self.lines[0].time

    @property
    def last(self) -> float:
        """When its last line was written, in seconds since 1970."""
        return self.lines[-1].time

    def _take(self, line: Line) -> None:
        program, said = line.record.program, line.said
        if said.startswith(b"to=<"):
            self._take_delivery(line)
        elif program == b"smtpd" and (client := _match_client(said)):
            self._take_client(said, client)
        elif program == b"pickup" and (uid := _match_uid(said)):
            self.uid = uid["uid"].decode("ascii")
        elif program in active.PROGRAMS and said.startswith(_FROM):
            self._take_sender(said)
        elif program == b"bounce" and (notification := _match_notification(said)):
            self.leads_to[notification["id"]] = b""
        elif said in _REMOVED:
            self.is_removed = True
            self.is_cancelled = program == b"cleanup"

    def _take_client(self, said: bytes, client: re.Match[bytes]) -> None:
        self.client = client["client"].decode("ascii")
        if account := _search_account(said, client.end()):
            self.account = account["account"].decode("utf-8", "replace")
        if original := _search_original(said, client.end()):
            self.comes_from = original["id"]

    def _take_sender(self, said: bytes) -> None:
        """Take what the queue manager says of a message, behind its sender."""
        if size := _search_size(said):
            self.sender = said[len(_FROM) : size.start()].decode("utf-8", "replace")
            self.size = int(size["size"])
        elif said.endswith(_EXPIRED):
            self.is_expired = True
        elif said.endswith(_FORCE_EXPIRED):
            self.is_expired = self.is_forced = True

    def _take_delivery(self, line: Line) -> None:
        text = line.record.text
        read = delivery.read(text, len(text) - len(line.said))
        if read is None:
            self.unclear += 1
            return
        names = read.recipient.decode("utf-8", "replace"), read.orig_to.decode("utf-8", "replace")
        self.deliveries.setdefault(names, []).append((line, read))
        if read.status != b"sent":
            return
        if forwarded := _match_forwarded(read.reply):
            self.leads_to[forwarded["id"]] = b""
        elif queued := _search_queued(read.reply):
            self.leads_to[queued["id"]] = read.relay

    def may_lead_to(self, other: Message) -> bool:
        """Tell whether another message can be what this one went on as: by name and time.

        Anybody's server may answer that it has queued a message as any ID; only one that comes
        in while it answers is meant.
        """
        if other.comes_from == self.key[1]:
            return self.first - _DISORDER <= other.first <= self.last + _DISORDER
        if other.key[1] not in self.leads_to:
            return False
        named = [
            line.time
            for line in self.lines
            if other.key[1] in line.record.text  # the line that leads there
        ]
        return any(other.first - _DISORDER <= time <= other.last + _DISORDER for time in named)


def is_of(relay: bytes, hosts: Collection[bytes]) -> bool:
    """Tell whether a relay may be one whose lines stand in the log.

    relay: as a delivery names it; b"" for Postfix itself
    hosts: of the log's lines
    """
    name = relay.partition(b"[")[0].lower()
    return not relay or bool(_match_here(relay)) or name in hosts or name.split(b".")[0] in hosts


def begins(line: Line) -> bool:
    """Tell whether a line is how a message comes in."""
    program, said = line.record.program, line.said
    return (program == b"smtpd" and said.startswith(b"client=")) or (
        program == b"pickup" and said.startswith(b"uid=")
    )


def messages(key: Key, lines: Iterable[Line]) -> Iterator[Message]:
    """Yield the messages that have had one queue ID, one after another.

    lines: of this ID and host, in the order of time
    """
    so_far: list[Line] = []
    is_over = False
    for line in lines:
        is_another = is_over and (begins(line) or line.said.startswith(b"message-id="))
        # The log may lack how the one before ended.
        is_another = is_another or (begins(line) and _was_taken_in(so_far))
        if so_far and is_another:
            yield Message(key, so_far)
            so_far, is_over = [], False
        so_far.append(line)
        is_over = is_over or line.said in _REMOVED
    if so_far:
        yield Message(key, so_far)


def _was_taken_in(lines: list[Line]) -> bool:
    return any(begins(line) or line.record.program in active.PROGRAMS for line in lines)
