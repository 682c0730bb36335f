"""Lines: from a stream of bytes to blocks of whole lines.

A newline is the byte 0x0A and nothing else: HELO names and addresses can hold
any of the characters that Unicode counts as line ends.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK = 128 * 1024
# No syslog daemon writes a line of this size. What is longer is no line of
# Postfix's, and is passed over so that it costs no memory.
LONGEST = 1024 * 1024


def blocks(read: Callable[[int], bytes], start: int) -> Iterator[tuple[bytes, int]]:
    """Yield the whole lines of a stream, block by block.

    read:   returns at most so many further bytes, b"" at the end
    start:  the offset of the first byte, which begins a line
    Yields: (block, end): every line of the block has a newline in front of it
            and none behind it; `end` is the offset behind its last line. An
            unfinished last line is not part of any block. The block is b"" where
            a line longer than LONGEST was passed over.
    """
    rest = b""
    end = start
    while data := read(BLOCK):
        data = rest + data
        cut = data.rfind(b"\n")
        if cut >= 0:
            end += cut + 1
            yield b"\n" + data[:cut], end
            rest = data[cut + 1 :]
        elif len(data) > LONGEST:
            skipped = _skip_line(read)
            if skipped is None:
                return
            passed, rest = skipped
            end += len(data) + passed
            yield b"", end
        else:
            rest = data


def _skip_line(read: Callable[[int], bytes]) -> tuple[int, bytes] | None:
    """Read to the end of a line; return its length and what follows it, None if it has no end."""
    passed = 0
    while data := read(BLOCK):
        cut = data.find(b"\n")
        if cut >= 0:
            return passed + cut + 1, data[cut + 1 :]
        passed += len(data)
    return None
