"""Text: what strangers wrote, made fit for terminals, pipes and mails; how lines are printed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import IO


def clean(said: bytes) -> str:
    """Return text of one line in which nothing acts: no control, format or bidirectional sign.

    What is not UTF-8, or would act, becomes `?`. A tab becomes a blank.
    """
    text = said.decode("utf-8", "replace")
    if text.isprintable():
        return text
    text = text.replace("\t", " ")
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def clean_all(said: Sequence[bytes]) -> list[str]:
    """Return what `clean` returns of each text, none of which has a newline; of many far sooner."""
    text = b"\n".join(said).decode("utf-8", "replace")
    if said and text.replace("\n", "").isprintable():
        return text.split("\n")
    return [clean(one) for one in said]


def printed(lines: Generator[str, None, int], file: IO[str]) -> int:
    """Print all lines as they come; return what `lines` returns."""
    while True:
        try:
            print(next(lines), file=file)
        except StopIteration as end:
            file.flush()
            return int(end.value)
