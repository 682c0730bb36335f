"""What Postfix makes of a stranger's text before it writes it into the log."""

from __future__ import annotations

import re

# Postfix cuts what it says at so many bytes (util/msg_syslog.c), a severity excluded.
LONGEST = 2000


def printable(text: bytes) -> bytes:
    """Return text as util/printable.c leaves it: no control characters; UTF-8 stays."""
    kept = text.decode("utf-8", "replace").replace("\ufffd", "?")
    return "".join("?" if ord(c) < 32 or ord(c) == 127 else c for c in kept).encode()


def external(local: bytes, domain: bytes) -> bytes:
    """Return an address in the external form (global/info_log_addr_form.c)."""
    if not local or re.search(rb"[\s\x00-\x1f\x7f()<>@,;:\\\"\[\]]|^\.|\.\Z|\.\.", local):
        local = b'"' + re.sub(rb"([\"\\\r])", rb"\\\1", local) + b'"'
    return local + b"@" + domain


def internal(local: bytes, domain: bytes) -> bytes:
    """Return an address as Postfix until 3.4 writes it: as it is."""
    return local + b"@" + domain


def helo(text: bytes) -> bytes:
    """Return a HELO name as smtpd keeps it (NEUTER_CHARACTERS in smtpd/smtpd.h)."""
    return re.sub(rb"[ <>()\\\";@\x00-\x1f\x7f]", b"?", text)


def mechanism(text: bytes) -> bytes:
    """Return the mechanism of `AUTH <text>`: one token of the command (smtpd/smtpd_token.c)."""
    token = b""
    at = 0
    while at < len(text):
        char = text[at : at + 1]
        at += 1
        if char.isspace():
            if token:
                break
        elif char in b'<"':
            token += char
            nested = [b">" if char == b"<" else b'"']
            while at < len(text) and nested:
                inner = text[at : at + 1]
                at += 1
                token += inner
                if inner == b"\\":
                    token += text[at : at + 1]
                    at += 1
                elif inner == nested[-1]:
                    nested.pop()
                elif inner == b'"':
                    nested.append(b'"')
                elif inner == b"<" and nested[-1] == b">":
                    nested.append(b">")
            if nested:  # missing end: smtpd refuses the command
                return b"LOGIN"
        elif char == b"\\":
            token += char + text[at : at + 1]
            at += 1
        else:
            token += char
    return token[:100] or b"LOGIN"


def dns_name(text: bytes) -> bytes:
    """Return the nearest that a verified host name can come to a text."""
    return (re.sub(rb"[^A-Za-z0-9_.-]", b"-", text)[:63] or b"x") + b".example.org"


def line(tag: bytes, text: bytes) -> bytes:
    """Return the line of a text, as long as Postfix lets it be."""
    severity, text = (b"warning: ", text[9:]) if text.startswith(b"warning: ") else (b"", text)
    return b"Nov 24 16:40:01 mx1 " + tag + b"[2211]: " + severity + printable(text)[:LONGEST]
