"""Entries: what one line adds to the book of a report, once it is known what it means."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime

from check_postfix.command.report import addresses
from check_postfix.command.report.book import MICROSECONDS, REJECTED, SEPARATOR
from check_postfix.command.report.tally import LONGEST_NAME, ONE
from check_postfix.maillog.counts import network
from check_postfix.maillog.events import reasons
from check_postfix.maillog.syntax.expression import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    from check_postfix.command.report.book import Book
    from check_postfix.command.report.span import Span
    from check_postfix.command.report.underway import Underway
    from check_postfix.maillog.events.event import Event

_search_envelope = re.compile(
    rb"(?:;|,|\A) from=<(?P<sender>[^<>\n]*+)>,? to=<(?P<recipient>[^<>\n]*+)>"
).search
_ENVELOPE = b" from=<"
_UNCLEAR = b"?"
_TO_A_RECIPIENT = (reasons.UNKNOWN_USER, reasons.RECIPIENT_REFUSED)
# Two warnings of a kind differ in words with a digit in them, or with a sign of names, addresses
# and paths; a full stop may end a word.
_is_ours = Expression(rb"[^0-9@/<>\[\]=\".]++\.?\Z").match
_MANY = b"... ..."
_shorten = Expression(rb"\.\.\.(?: \.\.\.)++").sub
# Of a warning, so many bytes tell what kind it is.
_LOOKED_AT = 300
# Sessions that wait for their end, at most: more than there are processes of smtpd.
_MOST_SESSIONS = 10_000
# Dovecot cuts a name at 80 characters, Postfix at 100 bytes.
_LONGEST_ACCOUNT = 80
_MOST_REFUSALS = 10_000
# IPv6 addresses whose networks are remembered, and words of warnings
_MOST_NETWORKS = _MOST_WORDS = 5_000
# Delays that are remembered: Postfix writes them with two digits (delay_logging_resolution_limit).
_MOST_DELAYS = 2_000
# Blocks of lines between two looks at how much there is in memory
_BLOCKS = 4


class Trouble:
    """What a delivery that failed is counted by.

    words: kind, reason, reply code, enhanced code
    """

    __slots__ = ("also", "is_bounce", "kind", "reason", "words")

    def __init__(self, event: Event) -> None:
        self.kind = event.kind
        self.also = event.also
        self.reason = SEPARATOR + event.reason.encode()
        self.is_bounce = event.kind == "bounced"
        self.words = (event.kind, event.reason, event.reply_code, event.enhanced_code)


class Refusal:
    """What a reject, or what came near to it, is counted by.

    group: one of GROUPS
    words: kind, stage, reason, reply code, block list
    whom:  how the name begins that it is counted by, before whom it is about
    """

    __slots__ = ("group", "is_reject", "kind", "of_recipient", "of_sender", "whom", "words")

    def __init__(self, event: Event, stage: bytes) -> None:
        self.kind = kind = event.kind
        self.is_reject = kind.startswith("rejected")
        self.of_recipient = event.reason in _TO_A_RECIPIENT
        self.of_sender = event.reason == reasons.SENDER_REFUSED
        where = stage.decode("ascii", "replace")
        self.words = kind, where, event.reason, event.reply_code, event.blocklist
        self.group = REJECTED if self.is_reject else kind
        self.whom = SEPARATOR.join((stage, event.reason.encode(), b""))


def service_of(event: Event) -> bytes:
    """Return what a failed login is counted by besides its client: service and mechanism."""
    return f"{event.service}\t{event.mechanism}".encode("utf-8", "replace")


class Entries:
    """Enters what lines tell into a book.

    book, underway: where it is kept
    span:     minutes that the report is about
    zone:     of the clock by which hours are told; None for this machine's
    spelled:  brings an address to the form that it is counted by
    with_sender: whether rejects are told with their sender

    of_hour:    counters of the hour where it is, None outside the span
    is_outside: whether the last line that has told its time was outside the span
    """

    def __init__(
        self,
        book: Book,
        underway: Underway,
        span: Span,
        zone: tzinfo | None,
        spelled: Callable[[bytes], tuple[bytes, bytes]],
        with_sender: bool = False,
    ) -> None:
        self.book = book
        self.underway = underway
        self._span = span
        self._zone = zone
        self._spelled = spelled
        self._with_sender = with_sender
        self.hour = ""
        self.of_hour: dict[str, int] | None = None
        self.is_outside = False
        self._messages = underway.known
        self._senders, self._sending_domains = book.senders.rows, book.sending_domains.rows
        self._clients, self._accounts = book.clients.rows, book.accounts.rows
        self._recipients, self._domains = book.recipients.rows, book.domains.rows
        self._networks: dict[bytes, bytes] = {}
        self._times: dict[bytes, tuple[float, int]] = {}
        self._words: dict[bytes, bytes] = {}  # as it stands in a warning -> as it is told
        self._delays: list[bytes] = []
        self._stages: list[bytes] = []
        # Whose example the book has, and those among them since the book was tidied
        self._refused_once: set[Refusal] = set()
        self._refused_again: list[Refusal] = []
        self._sessions: dict[bytes, int] = {}
        self._blocks = 0

    def at(self, minute: int) -> dict[str, int] | None:
        """Go to a minute; return the counters of its hour, None if it is outside the span."""
        if self.see_whether_outside(minute):
            self.of_hour = None
            return None
        book = self.book
        if book.first is None or minute < book.first:
            book.first = minute
        if book.last is None or minute > book.last:
            book.last = minute
        self.hour = _hour(datetime.fromtimestamp(minute * 60, self._zone))
        self.of_hour = book.hours[self.hour]
        return self.of_hour

    def see_whether_outside(self, minute: int) -> bool:
        """Tell whether a minute is before or after the span, and remember it."""
        since, until = self._span
        self.is_outside = not since <= minute < until
        return self.is_outside

    def go_to(self, hour: str) -> None:
        """Go to an hour that is known by its name; to none where there is no name."""
        self.hour = hour
        self.of_hour = self.book.hours[hour] if hour else None

    def end_of_block(self) -> None:
        """Make room in memory, now and then."""
        self._blocks += 1
        if self._blocks == _BLOCKS:
            self._blocks = 0
            self.tidy()

    def tidy(self) -> None:
        """Make room in memory."""
        book = self.book
        if self._delays:
            together, *stages = book.delays
            together.note_all(self._delays)
            each = b"/".join(self._stages).split(b"/")
            for place, tally in enumerate(stages):
                tally.note_all(each[place :: len(stages)])
            self._delays.clear()
            self._stages.clear()
        for refusal, times in Counter(self._refused_again).items():
            book.rejects.add(refusal.words, b"", times)
        self._refused_again.clear()
        if len(self._refused_once) > _MOST_REFUSALS:
            self._refused_once.clear()
        self.underway.tidy()
        book.shelf.tidy()
        for remembered, most in (
            (self._sessions, _MOST_SESSIONS), (self._times, _MOST_DELAYS),
        ):  # fmt: skip
            if len(remembered) > most:
                remembered.clear()

    def count(self, counter: str, times: int = 1) -> None:
        """Count what has no more to it."""
        if self.of_hour is not None:
            self.of_hour[counter] += times

    # -- messages

    def taken_up(self, key: bytes, sender: bytes, size: int) -> None:
        """The queue manager has taken a message up."""
        whom = self.underway.take_up(key, size)
        of_hour = self.of_hour
        if whom is None or of_hour is None:
            return
        of_hour["accepted"] += 1
        of_hour["bytes_received"] += size
        client, account = whom
        if sender:
            sender, domain = self._spelled(sender)
        else:
            sender = domain = addresses.NULL_SENDER
        if domain is sender and client != addresses.PICKUP:
            domain = addresses.of_client(client)[:LONGEST_NAME]
        both = ONE + size
        senders, domains, clients = self._senders, self._sending_domains, self._clients
        senders[sender] = senders.get(sender, 0) + both
        domains[domain] = domains.get(domain, 0) + both
        client = self._network(client.rpartition(b"[")[2])
        clients[client] = clients.get(client, 0) + both
        if account:
            accounts, account = self._accounts, account[:LONGEST_NAME]
            accounts[account] = accounts.get(account, 0) + both

    def sent(
        self, kind: str, key: bytes, recipient: bytes, delay: bytes, stages: bytes, times: int = 1
    ) -> None:
        """A message was sent to a recipient; kinds that only hand it on count no recipient."""
        of_hour = self.of_hour
        if of_hour is None:
            return
        of_hour[kind] += times
        if kind != "sent":
            return
        size = self._messages.get(key)
        if type(size) is not int and (size := self.underway.size(key)) is None:
            of_hour["sizeless"] += times
            size = 0
        if times > 1:
            size *= times
        of_hour["bytes_delivered"] += size
        recipient, domain = self._spelled(recipient)
        recipients = self._recipients
        recipients[recipient] = recipients.get(recipient, 0) + ONE * times + size
        row = self._domains.get(domain)
        if row is None:
            row = self.book.domains.row(domain)
        seconds, microseconds = self._times.get(delay) or self._time(delay)
        row[0] += times
        row[1] += size
        row[4] += microseconds * times
        if seconds > row[5]:
            row[5] = seconds
        self._delays.append(delay)
        self._stages.append(stages)

    def _time(self, delay: bytes) -> tuple[float, int]:
        """Return a delay in seconds, and in whole microseconds, the least that Postfix writes.

        Sums of these do not depend on their order.
        """
        seconds = float(delay)
        time = self._times[delay] = seconds, round(seconds * MICROSECONDS)
        return time

    def add_sizes(self, key: bytes, sent: Iterable[tuple[str, bytes, int]]) -> None:
        """Add the size of a message to what was counted as sent without one, if it is known now.

        sent: name of the hour, recipient, and how often
        """
        size = self.underway.size(key)
        if size is None:
            return
        book = self.book
        for hour, recipient, times in sent:
            of_hour = book.hours[hour]
            of_hour["sizeless"] -= times
            of_hour["bytes_delivered"] += size * times
            recipient, domain = self._spelled(recipient)
            book.recipients.add(recipient, 0, size * times)
            book.domains.row(domain)[1] += size * times

    def failed(
        self, trouble: Trouble, key: bytes, recipient: bytes, relay: bytes, delay: bytes,
        reply: bytes, times: int = 1,
    ) -> None:  # fmt: skip
        """A delivery was deferred or bounced."""
        of_hour = self.of_hour
        if of_hour is None:
            return
        of_hour[trouble.kind] += times
        for counter in trouble.also:
            of_hour[counter] += times
        book = self.book
        book.troubles.add(trouble.words, reply, times)
        domain = self._spelled(recipient)[1]
        row = self._domains.get(domain)
        if row is None:
            row = book.domains.row(domain)
        if trouble.is_bounce:
            row[3] += times
            book.relays.add(relay + trouble.reason, times)
            return
        row[2] += times
        seconds = float(delay)
        if seconds > row[5]:
            row[5] = seconds
        book.deferred.note(key)

    # -- clients

    def refused(
        self, refusal: Refusal, address: bytes, said: bytes, envelope: bytes, times: int = 1
    ) -> None:
        """A client's command or message was refused, or would have been, or was held.

        address:  the client's, or nothing
        said:     the reply
        envelope: what follows it, with `from=<...> to=<...>`
        """
        of_hour = self.of_hour
        if of_hour is None:
            return
        of_hour[refusal.kind] += times
        book = self.book
        if refusal in self._refused_once and times == 1:
            self._refused_again.append(refusal)
        else:
            self._refused_once.add(refusal)
            book.rejects.add(refusal.words, said, times)
        whom = address = self._network(address)
        if refusal.is_reject:
            if times == 1:
                book.refused_clients.note(address)
            else:
                book.refused_clients.add(address, times)
        if refusal.of_recipient or refusal.of_sender or self._with_sender:
            sender, recipient = _envelope(envelope)
            sender = self._spelled(sender)[0] or addresses.NULL_SENDER
            if refusal.of_recipient:
                whom = self._spelled(recipient)[0]
            elif refusal.of_sender:
                whom = sender
            if self._with_sender:
                whom += b"  (" + sender + b")"
        if times == 1:
            book.refused[refusal.group].note(refusal.whom + whom)
        else:
            book.refused[refusal.group].add(refusal.whom + whom, times)

    def failed_login(self, service: bytes, address: bytes, account: bytes, times: int) -> None:
        """A login has failed.

        service: with its mechanism after a tab
        address: the client's
        account: as it is written
        """
        of_hour = self.of_hour
        if of_hour is None:
            return
        of_hour["auth_failed"] += times
        if len(account) > _LONGEST_ACCOUNT:
            account = account[:_LONGEST_ACCOUNT]
        account = account.lower()
        if SEPARATOR in account:
            account = account.replace(SEPARATOR, b" ")
        name = self._network(address) + SEPARATOR + account
        book = self.book
        if times == 1:
            book.logins.note(name)
            book.services.note(service)
        else:
            book.logins.add(name, times)
            book.services.add(service, times)

    def _network(self, address: bytes) -> bytes:
        """Return the network of an IPv6 address; anything else as it is."""
        if b":" not in address:
            return address[:LONGEST_NAME] if len(address) > LONGEST_NAME else address
        known = self._networks.get(address)
        if known is None:
            if len(self._networks) > _MOST_NETWORKS:
                self._networks.clear()
            found = network.of(address.decode("ascii", "replace").lower()).encode()[:LONGEST_NAME]
            known = self._networks[address] = found
        return known

    def unreachable(self, host: bytes, cause: bytes) -> None:
        """Our own client did not get a connection."""
        if self.of_hour is not None:
            self.book.unreachable.note(cause.lower() + SEPARATOR + host)

    # -- the machine

    def warned(self, severity: bytes, program: bytes, text: bytes, times: int = 1) -> None:
        """A warning, an error, or the end of a daemon."""
        if self.of_hour is not None:
            known = self._words
            if len(known) > _MOST_WORDS:
                known.clear()
            words = text[:_LOOKED_AT].split()
            for word in words:
                if word not in known:
                    known[word] = word if _is_ours(word) else b"..."
            kind = b" ".join([known[word] for word in words])
            if _MANY in kind:
                kind = _shorten(b"...", kind)
            self.book.warn(severity, program, kind, text, times)

    def session_begun(self, process: bytes, second: int) -> None:
        """A process of smtpd has a client."""
        self._sessions[process] = second

    def session_ended(self, process: bytes, client: bytes, second: int) -> None:
        """The client is gone."""
        begun = self._sessions.pop(process, None)
        if begun is None or self.of_hour is None:
            return
        length = max(0, second - begun)
        book = self.book
        of_hour = book.session_hours.setdefault(self.hour, [0, 0, 0])
        for row in (of_hour, book.sessions.row(addresses.of_client(client))):
            row[0] += 1
            row[1] += length
            row[2] = max(row[2], length)

    # -- what one process tells another

    def sessions(self) -> dict[bytes, int]:
        """Return the processes of smtpd that have a client, and since when."""
        return self._sessions

    def end_session_of(self, process: bytes) -> None:
        """Forget the client of a process."""
        self._sessions.pop(process, None)


def _hour(time: datetime) -> str:
    """Return a time as `2026-11-24 16`."""
    return time.isoformat(" ", "hours")[: len("2026-11-24 16")]


def _envelope(text: bytes) -> tuple[bytes, bytes]:
    """Return sender and recipient, a sign for each if that is not clear."""
    if text.count(_ENVELOPE) == 1 and (found := _search_envelope(text)):
        return found["sender"], found["recipient"]
    return _UNCLEAR, _UNCLEAR
