"""The story of a message: what became of it, told in a few lines."""

from __future__ import annotations

from datetime import datetime

from check_postfix.command.text import clean
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import tzinfo

    from check_postfix.command.history import Message
    from check_postfix.command.line import Line
    from check_postfix.command.names import Names
    from check_postfix.maillog.events.recogniser.delivery import Delivery
    from check_postfix.mailqueue.listing import QueuedMessage

_STAGES = ("before the queue", "in the queue", "connecting", "transmitting")
# The first stage of a retry: since the message came
_WAITED = "waiting for this attempt"
# Seconds of a stage that are not worth telling
_SHORT = 0.05
# Recipients that are told of one by one
_MOST_RECIPIENTS = 100

_TOLD = {
    b"sent": "sent",
    b"deferred": "deferred",
    b"SOFTBOUNCE": "deferred (soft_bounce)",
    b"bounced": "bounced",
    b"deliverable": "probed, deliverable",
    b"undeliverable": "probed, undeliverable",
    b"undeliverable-but-not-cached": "probed, undeliverable",
}


class Story:
    """Tells of messages.

    local:   from seconds since 1970 to the time on the clock there
    waiting: queue ID -> what postqueue says of it; None if it was not asked
    ends:    up to when the log was read, in seconds since 1970
    shows:   what is shown of whom the log names
    """

    def __init__(
        self,
        local: Callable[[float], str],
        waiting: Mapping[str, QueuedMessage] | None,
        ends: float | None,
        shows: Names,
    ) -> None:
        self._shows = shows
        self._local = local
        self._waiting = waiting
        self._ends = ends

    def title(self, message: Message) -> str:
        """Return who sent it, to how many, and where it came from."""
        host, queue_id = (clean(name) for name in message.key)
        parts = [f"{queue_id} on {host}" if host else queue_id]
        if message.size is not None:
            parts.append(f"from <{self._shows.address(message.sender)}>")
        if number := len(message.deliveries):
            parts.append(f"to {values.amount(number, 'recipient')}")
        if message.size is not None:
            parts.append(values.amount(message.size, "byte"))
        return ", ".join(parts)

    def lines(self, message: Message) -> Iterator[str]:
        """Yield how it came, what became of each recipient, and how it ended."""
        yield self._beginning(message)
        deliveries = list(message.deliveries.items())
        for (recipient, alias), attempts in deliveries[:_MOST_RECIPIENTS]:
            of_alias = f" (for <{self._shows.address(alias)}>)" if alias else ""
            yield f"<{self._shows.address(recipient)}>{of_alias}: {self._outcome(attempts)}"
        if more := len(deliveries[_MOST_RECIPIENTS:]):
            yield f"{values.amount(more, 'further recipient')}, see the lines"
        if message.unclear:
            lines = values.amount(message.unclear, "delivery line")
            yield f"{lines} can be read in more than one way: see for yourself"
        yield self._end(message)

    def _beginning(self, message: Message) -> str:
        when = self._local(message.first)
        if message.client:
            account = self._shows.account(message.account) if message.account else ""
            logged_in = f", logged in as {account}" if account else ""
            return f"came {when} from {self._shows.client(message.client)}{logged_in}"
        if message.uid:
            return f"came {when} from this machine, user ID {message.uid}"
        if message.lines[0].said.startswith(b"message-id="):
            return f"written {when} by Postfix itself, or what brought it is not in the log"
        return f"its beginning is not in the log; the first line about it is of {when}"

    def _outcome(self, attempts: list[tuple[Line, Delivery]]) -> str:
        line, last = attempts[-1]
        told = _TOLD.get(last.status, clean(last.status))
        times = f" after {len(attempts)} attempts" if attempts[1:] else ""
        relay = "" if last.relay == b"none" else f" by {self._shows.relay(clean(last.relay))}"
        return (
            f"{told}{times}{relay} {self._local(line.time)},"
            f" {values.exact_span(last.delay)} after it came"
            f"{_stages(last, is_retry=bool(attempts[1:]))}:"
            f" {self._shows.reply(last.reply, last.dsn)}"
        )

    def _end(self, message: Message) -> str:
        if message.is_cancelled:
            return "not taken in: its client broke off"
        if message.is_forced:
            return "given up by hand, with postsuper; its sender is told"
        if message.is_expired:
            return "given up: it was in the queue for too long, its sender is told"
        if message.is_removed:
            stayed = values.span(message.last - message.first)
            return f"left the queue {self._local(message.last)}, after {stayed}"
        waits = (self._waiting or {}).get(message.key[1].decode("ascii", "replace"))
        if waits is not None:
            reason = waits.reason.encode("utf-8", "replace")
            why = f": {self._shows.reply(reason, b'4.0.0')}" if reason else ""
            return f"not completed: it waits in the queue ({waits.queue}){why}"
        asked = "" if self._waiting is None else ", and postqueue does not list it"
        ends = "" if self._ends is None else f" up to {self._local(self._ends)}, where the log ends"
        return f"not completed{ends}{asked}"


def _stages(delivery: Delivery, is_retry: bool) -> str:
    """Return where the time went, as far as that is worth telling.

    is_retry: whether it was tried before; it has waited in the deferred queue then
    """
    stages = (_WAITED, *_STAGES[1:]) if is_retry else _STAGES
    parts = [
        f"{values.exact_span(seconds)} {stage}"
        for seconds, stage in zip(delivery.stages, stages, strict=True)
        if seconds >= _SHORT
    ]
    return f" ({', '.join(parts)})" if parts else ""


def clock(zone: tzinfo | None) -> Callable[[float], str]:
    """Return what tells the time on a clock, of this machine's zone or another."""

    def told(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")

    return told
