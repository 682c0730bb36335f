"""Text: what strangers wrote, made fit for a terminal, a pipe and a mail."""

from __future__ import annotations


def clean(said: bytes) -> str:
    """Return text of one line in which nothing acts: no control, format or bidirectional sign.

    What is not UTF-8, or would act, becomes `?`. A tab becomes a blank.
    """
    text = said.decode("utf-8", "replace").replace("\t", " ")
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else "?" for sign in text)
