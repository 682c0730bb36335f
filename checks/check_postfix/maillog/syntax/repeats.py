"""Repeats: `last message repeated N times`, as syslogd writes on BSD and on old Linux systems.

Such a line has no tag and means the line that its host sent before. It is rewritten in
the words of rsyslog, which quote the line that was repeated.
"""

from __future__ import annotations

import re

from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.expression import Expression

WORDS = b"last message repeated "

_FRONT = (
    rb"(?P<stamp>(?:" + frame.BSD_MINUTE + rb"|" + frame.ISO_MINUTE + rb")" + frame.SECONDS
    + rb"(?:" + frame.ZONE + rb")?) (?P<host>[A-Za-z0-9._-]++) "
)  # fmt: skip
_said_again = Expression(
    rb"\n" + _FRONT + rb"(?:syslogd(?:\[\d++\])?: )?(?:--- )?"
    + WORDS + rb"(?P<times>[1-9]\d{0,8}) times?(?: ---)?(?=\r?(?:\n|\Z))"
).sub  # fmt: skip
_match_said = Expression(_FRONT + rb"(?P<tag>[^\s:]++:) (?P<text>[^\n]*+)").match

# The line that is meant stands not far above, whatever other hosts write in between.
_LINES_ABOVE = 50
# Nothing longer is Postfix's.
_LONGEST = 2100


def expanded(block: bytes, before: bytes) -> bytes:
    """Return a block in which each such line quotes the line that was repeated.

    block:  lines, each with a newline before it
    before: the last line before the block
    """

    def expand(again: re.Match[bytes]) -> bytes:
        said = _said_before(block, again, before)
        if not said or len(said["text"]) > _LONGEST:
            return again[0]
        return b"\n%b %b %b message repeated %b times: [ %b]" % (
            again["stamp"], again["host"], said["tag"], again["times"],
            said["text"].removesuffix(b"\r"),
        )  # fmt: skip

    return _said_again(expand, block)


def _said_before(block: bytes, again: re.Match[bytes], before: bytes) -> re.Match[bytes] | None:
    """Return the line that the same host sent last before this one."""
    end = again.start()
    for _ in range(_LINES_ABOVE):
        start = block.rfind(b"\n", 0, end)
        said = _match_said(block[start + 1 : end] if end > 0 else before)
        if said and said["host"] == again["host"] and not said["text"].startswith(WORDS):
            return said
        if end <= 0:
            break
        end = start
    return None
