"""Lines: from a stream of bytes to blocks of whole lines.

A newline is the byte 0x0A and nothing else: HELO names and addresses can hold
any of the characters that Unicode counts as line ends.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A block and the rest of a line before it stay below 128 KiB: from that size on malloc
# asks the kernel for each block anew.
BLOCK = 120 * 1024
# No syslog daemon writes a line of this size. A longer one is not Postfix's: it is passed
# over and costs no memory.
LONGEST = 1024 * 1024


def blocks(read: Callable[[int], bytes], start: int) -> Iterator[tuple[bytes, int]]:
    """Yield the whole lines of a stream, block by block.

    read:   returns at most so many further bytes, b"" at the end
    start:  the offset of the first byte, which begins a line
    Yields: (block, end): every line of the block has a newline before it and none
            after it; `end` is the offset after its last line and that line's newline.
            An unfinished last line is part of no block, and a line longer than
            LONGEST is passed over.
    """
    end = start
    rest = b"\n"  # what is left of a block, with the newline before it
    passed = 0  # bytes after `end` that are not kept
    overlong = False  # whether they are the start of a line
    while data := read(BLOCK):
        data = rest + data
        cut = data.rfind(b"\n")
        if not cut:
            # A log that was truncated under its writer begins with NUL bytes, as many
            # as it was long before. The line after them is a whole line.
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
