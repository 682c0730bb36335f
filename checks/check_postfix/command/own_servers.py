"""Own servers: what to do about mail that this machine itself does not take.

That is a mailbox server behind a socket, a filter behind 127.0.0.1, and Postfix's own local(8) and
virtual(8). Nobody elsewhere can help there.
"""

from __future__ import annotations

import re

from check_postfix.maillog.events import reasons
from check_postfix.mailqueue import reason

_NO_ANSWER = (reasons.REFUSED, reasons.TIMED_OUT, reasons.LOST)
# Where Postfix's own sockets lie
_QUEUE_DIRECTORY = "$(postconf -h queue_directory)"
_search_no_answer = re.compile(r"^(?:[^:]*: )?connect to |lost connection with|timed out ").search
_AGAIN = "then postqueue -f"

_OF_SOCKET = {
    reasons.MAILBOX_FULL: "the mailbox on this machine has no room: doveadm quota get -u USER, if"
    f" Dovecot has it; make room or raise the quota, {_AGAIN}",
    reasons.UNKNOWN_USER: "Postfix takes mail for a user whom the server behind {place} does not"
    " know: doveadm user USER, if it is Dovecot; what waits: postsuper -d QUEUE_ID",
}
_FROM_OWN_LOG = "see what the server behind {place} says in its own log (Dovecot: journalctl -u"
_FROM_OWN_LOG += " dovecot; doveadm log find), and: postfix-log trace QUEUE_ID"
_NO_SOCKET = "nothing answers at {place} on this machine: see that the server behind it runs"
_NO_SOCKET += " (Dovecot: systemctl status dovecot) and who may open it: ls -l {path}; " + _AGAIN
_NO_FILTER = "nothing answers at {place} on this machine: start the filter or server that belongs"
_NO_FILTER += " there (ss -ltnp tells who listens; content_filter, smtpd_proxy_filter), " + _AGAIN
_FROM_FILTER_LOG = "see what the filter or server at {place} on this machine says in its own log"

# What local(8) and virtual(8) say -> what helps; the first that is found holds
_OF_MAILBOX = (
    (r"quota|No space left", "make room on this machine: df -h, df -i, quota -u USER; " + _AGAIN),
    (r"Permission denied|Read-only", "see who may write the mailbox and its directories: namei -l"
     " PATH, as the answer names it; " + _AGAIN),
    (r"File too large", "the mailbox has reached its limit: postconf mailbox_size_limit"
     " virtual_mailbox_limit; " + _AGAIN),
    (r"\block\b|temporarily unavailable", "another program holds the mailbox: fuser -v PATH, as"
     " the answer names it; if none does, wait"),
)  # fmt: skip
_OF_AGENT = (
    "read the warnings of the delivery agent beside it: postfix-log trace QUEUE_ID -C 3; mend"
)
_OF_AGENT += " the table or setting that they name, " + _AGAIN


def remedy(words: str, kind: str) -> tuple[str, str] | None:
    """Return where the fault is and what to do about it; None where it is not on this machine.

    words: why mail waits, in Postfix's words
    kind:  their class
    """
    if place := reason.own_place(words):
        if "/" not in place:
            is_silent = kind in _NO_ANSWER
            return place, (_NO_FILTER if is_silent else _FROM_FILTER_LOG).format(place=place)
        if what := _OF_SOCKET.get(kind):
            return place, what.format(place=place)
        path = place if place.startswith("/") else f"{_QUEUE_DIRECTORY}/{place}"
        what = _NO_SOCKET if _search_no_answer(words) else _FROM_OWN_LOG
        return place, what.format(place=place, path=path)
    if reason.is_own_delivery(words):
        for said, what in _OF_MAILBOX:
            if re.search(said, words, re.IGNORECASE):
                return "a mailbox here", what
        return "delivery here", _OF_AGENT
    return None
