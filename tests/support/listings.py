"""Listings of the queue, read as a whole: what `postqueue` has printed to its end."""

from __future__ import annotations

from check_postfix.mailqueue import json_form, text_form
from check_postfix.mailqueue.listing import QueuedMessage


def parse_json(data: bytes) -> tuple[QueuedMessage, ...]:
    """Return the messages in the output of `postqueue -j`."""
    return tuple(json_form.messages(data.split(b"\n")))


def parse_text(data: bytes, now: float) -> tuple[QueuedMessage, ...]:
    """Return the messages in the output of `postqueue -p`, as of now in epoch seconds."""
    return tuple(text_form.messages(data.split(b"\n"), now))
