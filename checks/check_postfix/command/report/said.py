"""What a record tells a report: the slow way, by the recogniser, for every form of line."""

from __future__ import annotations

import re

from check_postfix.command.report import addresses
from check_postfix.command.report.entries import Refusal, Trouble, service_of
from check_postfix.maillog.events import fields
from check_postfix.maillog.events.recogniser import (
    COMMANDS,
    delivery,
    is_of_daemon,
    loss,
    recognise,
)
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.command.report.entries import Entries
    from check_postfix.maillog.events.event import Event
    from check_postfix.maillog.syntax.record import Record

_DELIVERED = ("sent", "forwarded", "filtered")
_FAILED = ("deferred", "softbounce", "bounced")
REFUSED = frozenset(
    [
        "rejected_smtpd",
        "rejected_hangup",
        "rejected_postscreen",
        "rejected_size",
        "rejected_proxy",
        "rejected_header_body",
        "rejected_mime",
        "rejected_milter_smtpd",
        "rejected_milter_cleanup",
        "reject_warning",
        "held",
        "discarded",
    ]
)
_match_id = Expression(rb"(?P<id>NOQUEUE|" + fields.QUEUE_ID + rb"): ").match
_CLIENT = fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS + rb")"
match_received = Expression(
    rb"(?P<client>" + _CLIENT + rb")\](?::\d++|)"
    rb"(?:, sasl_method=" + fields.MECHANISM + rb", sasl_username=(?P<account>[^\n,]*+)|)"
).match  # fmt: skip
_match_action = Expression(
    rb"(?:milter-(?:header-|)|proxy-|)(?P<action>[a-z_]++): (?P<stage>[A-Za-z-]++(?: content|))"
    rb"(?: from (?P<client>(?:" + fields.CLIENT_NAME + rb"|)\[(?:" + fields.CLIENT_ADDRESS
    + rb"))\](?::\d++|)|)(?:: | |\Z)"
).match  # fmt: skip
_match_active = Expression(
    rb"from=<(?P<sender>.*)>, size=(?P<size>\d++), nrcpt=\d++ \(queue active\)\Z", re.DOTALL
).match
_match_severity = Expression(
    rb"(?P<severity>warning|error|fatal|panic): (?P<text>.*)", re.DOTALL
).match
_match_tls = Expression(
    rb"(?P<begin>(?:Anonymous|Untrusted|Trusted|Verified) TLS connection (?:established|reused) "
    rb"(?:from|to)) [^\n\]]*+\](?::[^\s:]++|): (?P<end>[A-Za-z0-9.]{1,12}+"
    rb" with cipher [A-Za-z0-9_-]{1,60}+)"
).match
_match_unreachable = Expression(
    rb"connect to (?P<host>[^\s\[\]]++)\[[^\]\s]++\](?::[0-9a-z]++|): (?P<cause>[^\n]++)\Z"
).match
_match_screen = Expression(
    rb"(?P<what>PASS NEW|PASS OLD|(?:ALLOW|WHITE)LISTED) \[[0-9A-Fa-f.:]++\]:\d"
).match
_SCREEN = {
    b"PASS NEW": "screen_pass_new",
    b"PASS OLD": "screen_pass_old",
    b"ALLOWLISTED": "screen_allowlisted",
    b"WHITELISTED": "screen_allowlisted",
}
_MASTER = (b"daemon started -- ", b"reload -- ", b"terminating on signal ")
_ENVELOPE = (b"; from=<", b", from=<")


class Said:
    """Enters what records tell.

    entries: where they are entered
    """

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def enter(self, record: Record, origin: bytes) -> bool:
        """Enter what a record tells, at the minute where the entries are.

        origin: of its host and instance
        Returns: whether it tells of something that the checks count
        """
        entries = self._entries
        event = recognise(record)
        times = record.repeats * (event.times if event else 1)
        id = _match_id(record.text)
        queue_id, start = (id["id"], id.end()) if id else (b"", 0)
        if event is None:
            if loss.lost(record) is not None:
                entries.count("lines_dropped", 1)
            elif is_of_daemon(record) or record.program in COMMANDS:
                self._uncounted(record, start, times)
            return False
        self._event(record, start, event, origin + queue_id, times)
        if not id:
            self._severity(record, event.kind, times)
        return True

    def _severity(self, record: Record, kind: str, times: int) -> None:
        """Enter that a line with an event is a warning or an error, if it is."""
        severity = _match_severity(record.text)
        if not severity:
            return
        if kind == "auth_failed" and self._entries.of_hour is not None:
            self._entries.book.severities["warning", "smtpd"] += times
        else:
            # The tag of a start that failed before main.cf was read has no program in it.
            program = record.program or record.instance
            self._entries.warned(severity["severity"], program, severity["text"], times)

    def _event(self, record: Record, start: int, event: Event, key: bytes, times: int) -> None:
        """Enter an event.

        start: of the text behind the queue ID
        key:   of its message
        """
        entries, kind = self._entries, event.kind
        if kind in _DELIVERED or kind in _FAILED:
            self._delivered(record, start, event, key, times)
        elif kind in ("received", "received_noqueue"):
            self._received(record, start, event, key, times)
        elif kind == "active":
            found = _match_active(record.text, start)
            if found:
                entries.taken_up(key, found["sender"], int(found["size"]))
        elif kind in ("removed", "cancelled"):
            entries.underway.end(key)
            if kind == "cancelled":
                entries.count(kind, times)
        elif kind in REFUSED:
            self._refused(record, start, event, times)
        elif kind == "auth_failed":
            address = event.client.encode()
            entries.failed_login(service_of(event), address, event.account, times)
        else:
            entries.count(kind, times)
            if kind == "local_fault" and entries.of_hour is not None:
                entries.book.faults.add((event.reason,), record.text, times)
        for counter in event.also if kind not in _FAILED else ():
            entries.count(counter, times)

    def _delivered(self, record: Record, start: int, event: Event, key: bytes, times: int) -> None:
        entries = self._entries
        told = delivery.read(record.text, start)
        recipient = told.recipient if told else b"?"
        stages = "/".join(map(str, told.stages)) if told else "0/0/0/0"
        delay = str(told.delay) if told else "0"
        if event.kind in _DELIVERED:
            entries.sent(event.kind, key, recipient, delay.encode(), stages.encode(), times)
            return
        reply = told.reply if told else b""
        relay = told.relay if told else b"?"
        entries.failed(Trouble(event), key, recipient, relay, delay.encode(), reply, times)

    def _received(self, record: Record, start: int, event: Event, key: bytes, times: int) -> None:
        entries = self._entries
        entries.count(event.kind, times)
        if event.kind == "received_noqueue":
            return
        found = match_received(record.text, start + len(b"client="))
        whom = addresses.PICKUP if record.text.startswith(b"uid=", start) else b"?"
        account = b""
        if found:
            whom, account = found["client"], found["account"] or b""
        entries.underway.begin(key, (whom, account))

    def _refused(self, record: Record, start: int, event: Event, times: int) -> None:
        text = record.text
        action = _match_action(text, start)
        stage = action["stage"] if action else b""
        address = (action["client"] or b"").rpartition(b"[")[2] if action else b""
        said = text[action.end() :] if action else text[start:]
        message, mark, envelope = said, b"", b""
        for mark in _ENVELOPE:
            if said.count(mark) == 1:
                message, _, envelope = said.partition(mark)
                envelope = mark + envelope
                break
        self._entries.refused(Refusal(event, stage), address, message, envelope, times)

    def _uncounted(self, record: Record, start: int, times: int) -> None:
        """Enter what the report tells and no check counts."""
        entries, text, program = self._entries, record.text, record.program
        if start:
            return
        if severity := _match_severity(text):
            # A refused login of a broken dialogue is one, too.
            entries.warned(severity["severity"], program or UNKNOWN, severity["text"], times)
        elif program in (b"smtpd", b"smtp", b"lmtp", b"tlsproxy") and (tls := _match_tls(text)):
            if entries.of_hour is not None:
                entries.book.tls[tls["begin"], tls["end"]] += times
        elif program == b"postscreen":
            if found := _match_screen(text):
                entries.count(_SCREEN[found["what"]], times)
        elif program == b"master" and text.startswith(_MASTER):
            if entries.of_hour is not None:
                entries.book.master.add(text, times)
        elif program and (found := _match_unreachable(text)):
            entries.unreachable(found["host"], found["cause"])
