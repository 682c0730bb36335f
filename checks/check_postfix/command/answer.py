"""Answer: what is shown of a server's answer where nobody is to be named."""

from __future__ import annotations

import re

from check_postfix.maillog.events import reasons

NOT_SHOWN = "(not shown: it may name somebody)"
_match_codes = re.compile(rb"[245]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?![\d.])").match
_search_next = re.compile(rb"(?:queued|forwarded) as [0-9A-Za-z]{6,64}(?![0-9A-Za-z])").search


def shown(said: bytes, enhanced_code: bytes) -> str:
    """Return what is shown of a server's answer, or of Postfix's own words: codes and class.

    said:          the text in parentheses after the status
    enhanced_code: of the same line
    """
    answer = reasons.match_said(said)
    codes = _match_codes(said, answer.start("code") if answer else 0)
    parts = [codes[0].decode("ascii")] if codes else []
    if enhanced_code.startswith((b"4", b"5")):
        parts.append(reasons.of_delivery(enhanced_code, said, answer))
    elif goes_on := _search_next(said):
        parts.append(goes_on[0].decode("ascii"))
    return " ".join(parts) or NOT_SHOWN
