"""A pattern: what somebody looks for in the log.

It is a text that stands in a line, not an expression: addresses have dots in them. Upper and
lower case are the same. What looks like a name is a whole one: `ann@example.com` is not found
in `joann@example.com`, nor `192.0.2.1` in `192.0.2.10`. A domain is found in the names below
it, an IPv6 network (`2001:db8::/64`, as the checks name clients) in its addresses, and anything
else wherever it stands: a part of a queue ID, or a word of a server's reply.

Two things that the checks say stand in no line. A pseudonym (`client-3f9a2c41d0`) is found where
the line names whom it stands for, and a class of reasons (`unknown user`), or of faults of this
machine (`no SASL server`, `a daemon died`), in the lines of that class as well as where these words
stand; of a fault with the table that it is about, in those about that.
"""

from __future__ import annotations

import re

from check_postfix.command.names import Pseudonyms
from check_postfix.maillog.counts import network
from check_postfix.maillog.events import fields, reasons
from check_postfix.maillog.events.recogniser import recognise
from check_postfix.maillog.events.recogniser.health import ABOUT, DIED, NEXT_STEPS, fault
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_is_queue_id = re.compile(fields.QUEUE_ID.removesuffix(rb"(?=: )")).fullmatch
# What a name consists of, but for its dots.
_SIGNS = rb"[0-9A-Za-z_+\-]"
_is_name = re.compile(r"[^\s<>\[\]@:.][^\s<>\[\]]*[@.:][^\s<>\[\]:.]+").fullmatch
_is_address = re.compile(r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|[^@]+@.*").fullmatch
_match_domain_before = re.compile(_SIGNS).match
_match_address_before = re.compile(_SIGNS[:-1] + rb".:]").match
_match_address = re.compile(rb"[0-9a-f:.]*").match
_NETWORK = "::/64"
_match_after = re.compile(rb"\.?" + _SIGNS).match


class Pattern:
    """A text to look for.

    text: as it was written
    """

    def __init__(self, text: str) -> None:
        self._text = text.encode()
        self._network = text.lower() if text.endswith(_NETWORK) and ":" in text else ""
        self._needle = text.removesuffix(_NETWORK if self._network else "").encode().lower()
        self._has_letters = self._needle.upper() != self._needle
        self._is_name = bool(_is_name(text))
        is_address = bool(_is_address(text))
        self._match_before = _match_address_before if is_address else _match_domain_before

    def queue_id(self) -> bytes:
        """Return the text if it is one as they stand in a log, else nothing."""
        return self._text if _is_queue_id(self._text) else b""

    def found(self, block: bytes) -> Iterator[int]:
        """Yield where in a block of lines the text stands, once for each line."""
        searched = block.lower() if self._has_letters else block
        length = len(self._needle)
        at = searched.find(self._needle)
        while at >= 0:
            if self._is_whole(searched, at, at + length):
                yield at
                at = searched.find(b"\n", at)
                if at < 0:
                    return
            at = searched.find(self._needle, at + 1)

    def _is_whole(self, searched: bytes, start: int, end: int) -> bool:
        if self._network:
            is_within = start > 0 and _match_address_before(searched, start - 1)
            address = _match_address(searched, start)
            assert address is not None  # an empty one would do
            return not is_within and network.of(address[0].decode("ascii")) == self._network
        if not self._is_name:
            return True
        is_within = start > 0 and self._match_before(searched, start - 1)
        return not is_within and not _match_after(searched, end)


# Kind of pseudonym -> where a line may name whom it stands for
_NAMED = {
    "client": re.compile(rb"\[(?P<name>[0-9A-Fa-f.:]{3,45})\]|\brip=(?P<other>[0-9A-Fa-f.:]+)"),
    "domain": re.compile(rb"@(?P<name>[^\s<>@,;:()\[\]]+)>"),
    "relay": re.compile(rb", relay=(?P<name>[^\s,\[]+)"),
    "account": re.compile(rb"sasl_username=(?P<name>[^\s,]+)|user=<(?P<other>[^>\s]*)>"),
    "address": re.compile(rb"<(?P<name>[^<>\s]+@[^<>\s]+)>"),
    "recipient": re.compile(rb"[ _]to=<(?P<name>[^>]+)>"),
}
_match_pseudonym = re.compile(
    r"(client|domain|relay|account|address|recipient)-[0-9a-f]{10}"
).fullmatch
# So many names are known not to be the one.
_MOST_KNOWN = 100_000
_search_failure = re.compile(rb", status=(?:deferred|bounced|SOFTBOUNCE) \(|reject: ").search


class Pseudonym(Pattern):
    """A pseudonym to look for.

    text:  as a check has shown it
    shows: what makes pseudonyms of names
    """

    def __init__(self, text: str, shows: Pseudonyms) -> None:
        super().__init__(text)
        self._pseudonym = text
        kind = text.partition("-")[0]
        self._finditer = _NAMED[kind].finditer
        self._shown: Callable[[str], str] = getattr(shows, kind)
        self._known: dict[bytes, bool] = {}

    def found(self, block: bytes) -> Iterator[int]:
        """Yield where in a block of lines somebody is named who has this pseudonym."""
        end = -1
        for match in self._finditer(block):
            if match.start() > end and self._is_meant(match[match.lastgroup or "name"]):
                yield match.start()
                end = block.find(b"\n", match.start())
                if end < 0:
                    return

    def _is_meant(self, name: bytes) -> bool:
        is_meant = self._known.get(name)
        if is_meant is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            shown = self._shown(name.decode("utf-8", "replace"))
            # An address is shown with its domain.
            is_meant = self._known[name] = shown.partition("@")[0] == self._pseudonym
        return is_meant


_search_fault = re.compile(
    rb"warning: |error: |entering |: status=deferred \(| lookup problem"
).search


_search_death = re.compile(rb"fatal: |panic: ").search


class ReasonPattern(Pattern):
    """A class of reasons to look for, or the words of its name.

    text:   one of reasons.REASONS, or of NEXT_STEPS of recogniser/health.py, or DIED
    search: finds what each line has that may be of this class
    """

    def __init__(self, text: str, search: Callable[[bytes, int, int], object]) -> None:
        super().__init__(text)
        self._reason = text.lower()
        self._search = search

    def found(self, block: bytes) -> Iterator[int]:
        """Yield where in a block of lines one is of this class, or has these words."""
        words = iter([*super().found(block), len(block)])
        word = next(words)
        begin = 0
        while begin < len(block):
            end = block.find(b"\n", begin)
            end = len(block) if end < 0 else end
            if word <= end and word < len(block):
                yield word
                word = next(words)
            elif self._search(block, begin, end) and self._is_meant(block[begin:end]):
                yield begin
            begin = end + 1

    def _is_meant(self, line: bytes) -> bool:
        record = frame.parse(line)
        event = None if record is None else recognise(record)
        if event is None:
            return False
        named = DIED if event.kind == "daemon_died" else event.reason
        return f"{named}{ABOUT}".lower().startswith(f"{self._reason}{ABOUT}")


def of(text: str, secret: Callable[[], bytes]) -> Pattern:
    """Return the pattern that somebody has written.

    secret: gives that of the state file, by which pseudonyms are made
    """
    if _match_pseudonym(text):
        return Pseudonym(text, Pseudonyms(secret()))
    for classes, search in (
        (reasons.REASONS, _search_failure),
        (NEXT_STEPS, _search_fault),
        ((DIED,), _search_death),
    ):
        if text.lower() in {reason.lower() for reason in classes} or (
            classes is NEXT_STEPS and fault(text).lower() in map(str.lower, NEXT_STEPS)
        ):
            return ReasonPattern(text, search)
    return Pattern(text)
