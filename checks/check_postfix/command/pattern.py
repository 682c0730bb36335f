"""A pattern: what somebody looks for in the log.

It is a text that stands in a line, not an expression: addresses have dots in them. Upper and
lower case are the same. What looks like a name is a whole one: `ann@example.com` is not found
in `joann@example.com`, nor `192.0.2.1` in `192.0.2.10`. A domain is found in the names below
it, an IPv6 network (`2001:db8::/64`, as the checks name clients) in its addresses, and anything
else wherever it stands: a part of a queue ID, or a word of a server's reply.
"""

from __future__ import annotations

import re

from check_postfix.maillog.counts import network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

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
        self._network = text.lower() if text.endswith(_NETWORK) and ":" in text else ""
        self._needle = text.removesuffix(_NETWORK if self._network else "").encode().lower()
        self._has_letters = self._needle.upper() != self._needle
        self._is_name = bool(_is_name(text))
        is_address = bool(_is_address(text))
        self._match_before = _match_address_before if is_address else _match_domain_before

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
