"""Partial lines: what a container's logger wrote in several parts, put together.

conmon (CRI-O, podman) cuts where its buffer of 8 KiB is full, whatever stands
there; containerd and docker only cut lines longer than 16 KiB. So a line of
Postfix's can come in parts. A part that is not the first begins anywhere, perhaps
with a stranger's text that looks like a line; it does not count as one.

A line in one part is taken out of what the logger put around it, if it reads the
same without that: then it is an ordinary line and is read as fast. A stamp without a
zone gives way to the logger's.

Sources: conmon/src/ctr_logging.c, containerd/internal/cri/io/logger.go,
moby/daemon/logger/copier.go.
"""

from __future__ import annotations

import re

from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.expression import Expression

_match_cri = Expression(
    rb"(?P<time>" + frame.CRI_TIME + rb") (?P<stream>std(?:out|err)) (?:P|(?P<last>F)) "
).match  # fmt: skip
_match_docker = Expression(
    rb"\{\"log\":\"(?:[^\"\\]++|\\[^n]|\\n(?!\"))*(?P<last>\\n)?\""
    rb",\"stream\":\"(?P<stream>std(?:out|err))\""
).match
# An entry of docker's that is one whole line and holds no escapes but the three that docker
# writes for `<`, `>` and `&`.
_match_plain_docker = Expression(
    rb"\{\"log\":\"(?P<line>(?:[^\"\\\x00-\x1f\x80-\xff]++|\\u00(?:3c|3e|26))*)\\n\""
    rb",\"stream\":\"(?P<stream>std(?:out|err))\""
    rb",\"time\":\"(?P<time>" + frame.CRI_TIME + rb")\"\}\r?\Z"
).match
# Stamp, one host name, one tag: what the frame makes the same of whatever the stamp.
_STAMP = rb"(?:" + frame.BSD_MINUTE + rb"|" + frame.ISO_MINUTE + rb")" + frame.SECONDS
_REST = rb" [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++[A-Za-z0-9_./-]*+(?:\[[0-9]++\]|): "
_match_ordinary = Expression(
    _STAMP + rb"(?P<zone>" + frame.ZONE + rb"|)(?P<rest>" + _REST + rb")"
).match
# The same in a whole block. Its group is the time that the stamp gives way to, if it does.
_take_out_of_cri = Expression(
    rb"\n(?=" + frame.AT_MOST_CRI_TIME + rb")(?:"
    rb"(" + frame.CRI_TIME + rb") std(?:out|err) F " + _STAMP + rb"(?=" + _REST + rb")|"
    + frame.CRI_TIME + rb" std(?:out|err) F (?=" + _STAMP + frame.ZONE + _REST + rb"))"
).sub  # fmt: skip
_search_other_than_whole = Expression(
    rb"\n(?:\{\"log\":|" + frame.CRI_TIME + rb" std(?:out|err) P )"
).search
_match_cri_start = Expression(frame.CRI_TIME + rb" std").match
_DOCKER_START = b'{"log":'

_STREAMS = (b"stdout", b"stderr")
# Nothing longer is Postfix's.
_LONGEST = 4096


class PartialLines:
    """Puts lines together, block by block.

    first: the bytes before the first block up to a newline, perhaps the end of a line
    lines: the whole lines between these bytes and the block
    """

    def __init__(self, first: bytes, lines: list[bytes]) -> None:
        # stream -> its line so far; None if that is not known, or too long
        self._open: dict[bytes, bytes | None] = {}
        self._in_container = False
        if first and not lines:
            # So long that it may be one of several parts.
            self._open = dict.fromkeys(_STREAMS)
        for line in lines:
            self._whole(line)

    def merged(self, block: bytes) -> bytes:
        """Return a block with each line in one piece, where its last part stands.

        A line may have lost what a container's logger put around it.

        block: lines, each with a newline before it
        """
        self._in_container = self._in_container or is_of_container(block, 1)
        if not self._in_container:
            return block
        if not self._open and not _search_other_than_whole(block):
            return _take_out_of_cri(_outer_time, block)
        wholes = map(self._whole, block[1:].split(b"\n"))
        return b"".join(b"\n" + whole for whole in wholes if whole is not None)

    def _whole(self, line: bytes) -> bytes | None:
        """Return the whole line that ends with this one, None if no line ends here."""
        part = _match_cri(line) if frame.may_be_cri(line) else None
        # docker's are always too long
        is_short = part is not None
        if line.startswith(_DOCKER_START):
            plain = _match_plain_docker(line)
            if plain and plain["stream"] not in self._open:
                return _taken_out(line, plain["time"], _decoded(plain["line"]))
            part = _match_docker(line)
        if part is None:
            return line
        stream, is_last = part["stream"], bool(part["last"])
        if is_last and stream not in self._open:
            return _taken_out(line, part["time"], line[part.end() :]) if is_short else line
        whole = self._open.pop(stream, b"")
        if whole is not None:
            whole += line[part.end() :]
            if not is_short or len(whole) > _LONGEST:
                whole = None
        if not is_last:
            self._open[stream] = whole
            return None
        return whole and line[: part.end()] + whole


def is_of_container(data: bytes, start: int) -> bool:
    """Tell whether a line that begins there looks like one of a container's logger."""
    return data.startswith(_DOCKER_START, start) or (
        frame.may_be_cri(data, start) and bool(_match_cri_start(data, start))
    )


def _outer_time(taken_off: re.Match[bytes]) -> bytes:
    """Return what remains of the front of a line that is taken out."""
    return b"\n" + (taken_off[1] or b"")


def _decoded(text: bytes) -> bytes:
    """Return a plain text of docker's as it was."""
    if b"\\" not in text:
        return text
    return text.replace(b"\\u003c", b"<").replace(b"\\u003e", b">").replace(b"\\u0026", b"&")


def _taken_out(line: bytes, time: bytes, inner: bytes) -> bytes:
    """Return the inner one of two lines, unless something else could be read of that.

    time: that of the outer one
    """
    match = _match_ordinary(inner)
    if not match:
        return line
    return inner if match["zone"] else time + inner[match.start("rest") :]
