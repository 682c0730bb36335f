"""Kinds of events that several sections tell of together."""

from __future__ import annotations

from check_postfix.command.report.said import REFUSED

REJECTED = tuple(sorted(kind for kind in REFUSED if kind.startswith("rejected")))
PUT_OFF = ("deferred", "softbounce")
RECEIVED = ("received", "received_noqueue")
