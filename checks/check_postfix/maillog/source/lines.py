"""Lines: from a stream of bytes to blocks of whole lines.

A newline is the byte 0x0A and nothing else: HELO names and addresses can hold
any of the characters that Unicode counts as line ends.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# With the rest of a line in front still below the 128 KiB from which on malloc
# asks the kernel for every block anew.
BLOCK = 120 * 1024
# No syslog daemon writes a line of this size. What is longer is no line of
# Postfix's, and is passed over so that it costs no memory.
LONGEST = 1024 * 1024


def blocks(read: Callable[[int], bytes], start: int) -> Iterator[tuple[bytes, int]]:
    """Yield the whole lines of a stream, block by block.

    read:   returns at most so many further bytes, b"" at the end
    start:  the offset of the first byte, which begins a line
    Yields: (block, end): every line of the block has a newline in front of it
            and none behind it; `end` is the offset behind its last line, which
            is where its last bytes stand. An unfinished last line is part of no
            block, and a line longer than LONGEST is passed over.
    """
    end = start
    rest = b"\n"  # what is left of a block, with the newline in front of it
    passed = 0  # bytes behind `end` that are not kept
    overlong = False  # they began a line
    while data := read(BLOCK):
        data = rest + data
        cut = data.rfind(b"\n")
        if not cut:
            # A log truncated under its writer begins with a run of NUL bytes
            # as long as the old one was; the line behind it is a whole line.
            nothing = not overlong and not data.strip(b"\n\0")
            if nothing or len(data) > LONGEST:
                overlong = not nothing
                passed += len(data) - 1
                data = b"\n"
            rest = data
            continue
        end += passed + cut
        yield data[data.find(b"\n", 1) if overlong else 0 : cut], end
        rest = data[cut:]
        passed = 0
        overlong = False


def number(block: bytes) -> int:
    """Return how many lines a block has."""
    # bytes.count looks at every byte, while this asks memchr: half the time.
    return len(block) - len(block.replace(b"\n", b""))
