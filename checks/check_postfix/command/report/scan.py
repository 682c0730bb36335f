"""The scan of a report: from blocks of log lines to the numbers of its book.

One expression reads a block line by line, as the checks' scanner does. It takes the plain forms
of the lines that are most frequent as they stand, and hands every other line that may count to
the recogniser (`said.py`). So what a line means is decided there and nowhere else; the
tests hold both ways to the same numbers. What the checks do not keep is kept here: whole
addresses, sizes and delays by name, the words of other servers.
"""

from __future__ import annotations

import re

from check_postfix.command.report.entries import Refusal, Trouble, service_of
from check_postfix.command.report.said import Said
from check_postfix.maillog.events import fields
from check_postfix.maillog.events.recogniser import (
    ANY_WARNING,
    COMMANDS,
    DOVECOT,
    POSTFIX,
    active,
    connection,
    delivery,
    login,
    loss,
    recognise,
    reject,
    screen,
)
from check_postfix.maillog.events.unparsed import names_mail
from check_postfix.maillog.source.lines import number
from check_postfix.maillog.syntax import frame, repeats
from check_postfix.maillog.syntax.partial_lines import PartialLines
from check_postfix.maillog.syntax.record import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.command.report.entries import Entries
    from check_postfix.maillog.events.recogniser import Shape
    from check_postfix.maillog.syntax.record import Record
    from check_postfix.maillog.syntax.timestamps import Timestamps


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(dict.fromkeys(expressions)) + rb")"


def _openings(shapes: Iterable[Shape]) -> list[bytes]:
    return [opening for shape in shapes for opening in shape.openings]


_NO_ID = b"NOQUEUE"
_ADDRESS = fields.UNQUOTED_LOCAL + rb"(?:@" + fields.DOMAIN_NAME + rb"|)"
# A reply is known again without the name of the server that gave it, and without the recipient
# before it.
_REPLY = (
    rb"(?P<reply>(?:host [^\s\[\]]++\[[^\]\s]++\](?P<reply_start> said: [245]\d\d[ -](?:"
    + fields.ENHANCED_CODE + rb" |))(?:<[^\s@<>]++@[^\s@<>]++>: |)|)(?P<reply_rest>[^\n]*+))"
)  # fmt: skip
_DELIVERY = (
    rb"to=<(?<!" + _NO_ID + rb": to=<)(?P<recipient>" + _ADDRESS
    + rb")>(?:, orig_to=<" + _ADDRESS
    + rb">|), relay=(?P<relay>[^\t-\r ,\[]++[^\t-\r ,]*+)"
    rb"(?:, conn_use=\d++|), delay=(?P<delay>" + fields.SECONDS + rb"), delays=(?P<stages>"
    + rb"/".join([fields.SECONDS] * 4) + rb")" + fields.MORE_FIELDS
    + rb", dsn=(?![^\n]*, relay=)(?:"
    rb"(?P<sent>" + fields.ENHANCED_CODE
    + rb", status=sent \((?:" + delivery.COMES_AGAIN + rb"|))"
    rb"|(?P<failed>" + fields.ENHANCED_CODE + rb", status=(?:deferred|bounced) \()" + _REPLY + rb")"
)  # fmt: skip
_ACTIVE = (
    rb"from=<(?<!" + _NO_ID + rb": from=<)(?P<sender>" + _ADDRESS + rb")>, size=(?P<size>"
    + active.SIZE + rb"), nrcpt=" + active.RECIPIENTS + rb" \(queue active\)(?=\r?(?:\n|\Z))"
)  # fmt: skip
_CLIENT = fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS + rb")"
_RECEIVED = (
    rb"client=(?<!" + _NO_ID + rb": client=)(?P<received>" + _CLIENT + rb")\](?::\d++|)"
    rb"(?:, sasl_method=" + fields.MECHANISM
    + rb", sasl_username(?P<logged_in_as>=[^\r\n,]*+)[^\n]*+|(?=\r?(?:\n|\Z)))"
)  # fmt: skip
_REMOVED = rb"(?P<removed>removed)(?=\r?(?:\n|\Z))"
_REJECT = rb"reject: "
_REFUSED = (
    _REJECT + rb"(?P<refused>[A-Z][A-Z-]++(?: content|)) from (?P<refused_client>(?:"
    + fields.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?:" + fields.CLIENT_ADDRESS + rb"))\]"
    rb"(?::\d++|): (?P<answer>[245]\d\d (?:" + fields.ENHANCED_CODE + rb" |)"
    + reject.PLAIN_ABOUT + rb"(?=[A-Za-z])"
    rb"(?P<reply_text>" + reject.SERVICE + rb"[^;\n\[]*+(?:\[(?=[0-9A-Fa-f.:]++\])|))"
    rb"[0-9A-Fa-f.:]*+(?P<reply_end>[^;\n]*+))(?P<envelope>[^\n]*+)"
)  # fmt: skip
_ACCOUNT = rb", sasl_username="
_LOGIN = (
    rb"warning: (?P<login_client>" + _CLIENT + rb")\](?::\d++|)(?P<login>: SASL "
    + fields.MECHANISM + fields.AUTHENTICATION_FAILED
    + rb"[^,\n]*+(?:" + _ACCOUNT + rb"\(unavailable\)(?=\r?(?:\n|\Z))|))"
    rb"(?:" + _ACCOUNT + rb"(?P<account>[^,\n]++)|)(?=\r?(?:\n|\Z))"
)  # fmt: skip
# How it begins and ends; what stands between names the other side.
_TLS = (
    rb"(?P<tls>(?:Anonymous|Untrusted|Trusted|Verified) TLS connection (?:established|reused) "
    rb"(?:from|to)) [^\n\]]*+\](?::[^\s:]++|): (?P<tls_end>[A-Za-z0-9.]{1,12}+"
    rb" with cipher [A-Za-z0-9_-]{1,60}+)"
)
_CONNECTED = (
    rb"(?P<connected>" + _any(map(re.escape, (connection.SMTPD, connection.POSTSCREEN))) + rb")"
)  # fmt: skip
# Of smtpd, where its sessions are asked for.
_DISCONNECTED = rb"disconnect from (?P<disconnected>[^\s\[\]]++\[[0-9A-Fa-f.:]++)\]"
# Texts without a queue ID that count for the report and not for the checks.
_OTHER_TEXTS = (
    rb"fatal: ", rb"panic: ", rb"connect to ",
    rb"PASS (?:NEW|OLD) \[", rb"(?:ALLOW|WHITE)LISTED \[",
    # of the master
    rb"daemon started -- ", rb"reload -- ", rb"terminating on signal ",
)  # fmt: skip
_ANY_WORD = (b"",)
_WITHOUT_ID = [shape for shape in POSTFIX if not shape.id]
_AFTER_ID = rb"(?!message-id=)" + _any(
    [
        _DELIVERY,
        _ACTIVE,
        _RECEIVED,
        _REMOVED,
        _REFUSED,
        rb"(?P<text_after_id>"
        + _any(_openings(shape for shape in POSTFIX if shape.id)) + rb"[^\n]*+)",
    ]
)  # fmt: skip
_WARNED = rb"(?P<severity>warning|error): (?P<warned>[^\n]*+)"


def _plain_warning() -> bytes:
    """Return the expression of a warning that nobody reads but who counts all of them."""
    others = [shape for shape in _WITHOUT_ID if shape is not ANY_WARNING]
    return rb"(?!" + _any(_openings(others)) + rb")warning: (?P<warning>[^\n]++)"


def _without_an_id(with_sessions: bool) -> bytes:
    words = _openings(shape for shape in _WITHOUT_ID if shape.words != _ANY_WORD)
    odd_ids = _openings(shape for shape in _WITHOUT_ID if shape.words == _ANY_WORD)
    return _any(
        [
            _CONNECTED,
            _DISCONNECTED if with_sessions else rb"(?P<disconnected>(?!))",
            _TLS,
            _LOGIN,
            screen.FINDING,
            _plain_warning(),
            rb"(?P<text>" + _any([*_OTHER_TEXTS, *words, *odd_ids, frame.WRAPPER]) + rb"[^\n]*+)",
            # What no shape begins with is a warning, and nothing else.
            _WARNED,
        ]
    )


# A line whose tag has no path is Dovecot's or another program's.
_WITHOUT_PATH = rb"(?!" + login.DOVECOT_IDLE + rb")" + _any(
    [
        login.DOVECOT_FAILED,
        rb"(?P<logged_in>" + login.DOVECOT_LOGGED_IN + rb")",
        rb"(?P<text_without_path>"
        + _any([*_openings(DOVECOT), *loss.OPENINGS, frame.WRAPPER, frame.STAMPED])
        + rb"[^\n]*+)",
    ]
)  # fmt: skip


def _expression(with_sessions: bool) -> re.Pattern[bytes]:
    front = (
        rb"(?P<stamp>" + frame.ISO_MINUTE + rb"|" + frame.BSD_MINUTE + rb")"
        + (rb"(?P<seconds>" + frame.SECONDS + rb")" if with_sessions else
           rb"(?P<seconds>)" + frame.SECONDS)
        + rb"(?P<tag>(?:" + frame.ZONE + rb"|) [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++"
        rb"(?:(?P<path>/)[A-Za-z0-9_./-]*+(?<!/)|))(?:\["
        + (rb"(?P<pid>[0-9]++)" if with_sessions else rb"(?P<pid>)[0-9]++") + rb"\]|): "
    )  # fmt: skip
    with_path = (
        rb"(?>(?P<queue_id>" + _NO_ID + rb"|" + fields.QUEUE_ID + rb"): |)"
        rb"(?(queue_id)" + _AFTER_ID + rb"|" + _without_an_id(with_sessions) + rb")"
    )
    return re.compile(
        rb"\n(?>" + front + rb"|)(?(tag)(?(path)" + with_path + rb"|" + _WITHOUT_PATH
        + rb")|(?P<odd_line>[^\n]*+))"
    )  # fmt: skip


# So many replies and rejects are remembered at a time, and so many bytes of them.
_MOST_KNOWN = 8_000
_MOST_KNOWN_BYTES = 4 << 20
# So many hosts and instances are told apart.
_MOST_ORIGINS = 1_000
_LONGEST_SENT = len(b"2.100.100, status=sent (")
_ANY_SERVER = b"host mail[::1]"
_SMTPD, _POSTSCREEN = b"smtpd", b"postscreen"
_WITH_TLS = (b"smtpd", b"smtp", b"lmtp", b"tlsproxy")


class Origins:
    """Numbers of hosts and instances, as keys of messages begin.

    Two of them may use the same queue ID. A log's lines may come from many; those that are too many
    are taken together, as the checks do.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], bytes] = {}

    def known(self) -> list[tuple[bytes, bytes]]:
        """Return hosts and instances, in the order of their numbers."""
        return list(self._known)

    def of(self, host: bytes, instance: bytes) -> bytes:
        """Return the number of a host and instance."""
        known = self._known.get((host, instance))
        if known is None:
            if len(self._known) >= _MOST_ORIGINS:
                return b"* "
            known = self._known[host, instance] = b"%d " % len(self._known)
        return known


class Writer:
    """Who has written a line: what stands in its frame, besides its time.

    origin: of host and instance; two of them may use the same queue ID
    """

    __slots__ = ("frame", "instance", "is_left_out", "origin", "program", "utc_offset")

    def __init__(self, tag: bytes, origins: Origins) -> None:
        self.utc_offset, host, names = tag.split(b" ")
        self.instance, slash, path = names.partition(b"/")
        self.frame = host, self.instance, slash + path
        self.program = path.rpartition(b"/")[2]
        self.origin = origins.of(host, self.instance)
        self.is_left_out = False


class Scan:
    """Reads the blocks of one file, in their order.

    timestamps: reads this file's stamps
    entries:    where what lines tell is entered
    instance:   only of this instance of Postfix; nothing for all
    with_sessions: whether the sessions of smtpd are looked at
    """

    def __init__(
        self,
        timestamps: Timestamps,
        entries: Entries,
        origins: Origins,
        instance: bytes = b"",
        with_sessions: bool = False,
    ) -> None:
        self._timestamps = timestamps
        self.enter_into(entries)
        self._instance = instance
        self._find = _expression(with_sessions).findall
        self._origins = origins
        self._writers: dict[bytes, Writer] = {}
        # What is known of a text that stands in many lines
        self._troubles: dict[tuple[bytes, ...], Trouble] = {}
        self._refusals: dict[tuple[bytes | bool, ...], Refusal] = {}
        self._logins: dict[tuple[bytes, ...], bytes] = {}
        self._known = self._known_bytes = 0
        self._last_line = b""
        self._partial_lines = PartialLines(b"", [])

    def enter_into(self, entries: Entries) -> None:
        """Enter what follows there."""
        self._entries = entries
        self._book = entries.book
        self._said = Said(entries)

    def go_on_after(self, line: bytes) -> None:
        """Go on after a line of the ordinary frame, which another scan has read."""
        self._last_line = line
        record = frame.parse(line)
        assert record is not None
        minute = self._timestamps.minute(record.stamp, record.zone)
        assert minute is not None
        self._entries.see_whether_outside(minute)

    def block(self, block: bytes) -> None:
        """Enter what a block tells.

        block: whole lines, each with a newline before it, none at the end
        """
        entries, book = self._entries, self._book
        underway, writers, timestamps = entries.underway, self._writers, self._timestamps
        last_stamp, utc_offset, minute, of_hour = b"", b"", None, None
        matched = 0
        for (
            stamp, seconds, tag, _path, pid, queue_id, recipient, relay, delay, stages, sent,
            failed, reply, reply_start, reply_rest, sender, size, received, logged_in_as, removed,
            refused,
            refused_client, answer, reply_text, reply_end, envelope, text_after_id, connected,
            disconnected, tls, tls_end, login_client, login_said, account, finding, _found_client,
            warning, text, severity, warned, failed_login, dovecot_user, dovecot_client, logged_in,
            text_without_path, odd_line,
        ) in self._find(self._expanded(block)):  # fmt: skip
            if not tag:
                if odd_line:
                    self._odd(odd_line)
                    last_stamp = b""
                continue
            writer = writers.get(tag)
            if writer is None:
                writer = self._writer(tag)
            if stamp != last_stamp or writer.utc_offset != utc_offset:
                last_stamp, utc_offset = stamp, writer.utc_offset
                minute = timestamps.minute(stamp, utc_offset)
                of_hour = None if minute is None else entries.at(minute)
                if of_hour is not None:
                    book.see(writer.frame[0])
            if minute is None:
                self._undated()
                continue
            if writer.is_left_out:
                continue
            program = writer.program
            if queue_id:
                key = writer.origin + queue_id
                if sent:
                    matched += 1
                    kind = "sent" if len(sent) <= _LONGEST_SENT else self._kind(sent, relay)
                    entries.sent(kind, key, recipient, delay, stages)
                elif size:
                    if program in active.PROGRAMS:
                        entries.taken_up(key, sender, int(size))
                elif removed:
                    if program in active.PROGRAMS:
                        underway.end(key)
                elif received and program == _SMTPD:
                    matched += 1
                    if of_hour is not None:
                        of_hour["received"] += 1
                        if logged_in_as:
                            of_hour["submission"] += 1
                    underway.begin(key, (received, logged_in_as[1:]))
                elif failed:
                    matched += 1
                    trouble = self._trouble(failed, reply_start, reply_rest)
                    entries.failed(trouble, key, recipient, relay, delay, _reply(reply))
                elif refused and (
                    refusal := self._refusal(
                        program, queue_id == _NO_ID, refused, refused_client, answer[:3],
                        reply_text, reply_end,
                    )
                ):  # fmt: skip
                    matched += 1
                    entries.refused(refusal, refused_client, answer, envelope)
                else:
                    if received:
                        named = (
                            b", sasl_method=X, sasl_username" + logged_in_as
                            if logged_in_as
                            else b""
                        )
                        text = b"client=" + received + b"]" + named
                    elif refused:
                        client = refused + b" from " + refused_client + b"]"
                        text = _REJECT + client + b": " + answer + envelope
                    else:
                        text = text_after_id
                    matched += self._text(writer, queue_id + b": " + text)
            elif connected:
                if program == _SMTPD and connected == connection.SMTPD:
                    matched += 1
                    if of_hour is not None:
                        of_hour["connected_smtpd"] += 1
                    if pid:
                        entries.session_begun(writer.origin + pid, _second(minute, seconds))
                elif program == _POSTSCREEN and connected == connection.POSTSCREEN:
                    matched += 1
                    if of_hour is not None:
                        of_hour["connected_postscreen"] += 1
            elif login_client:
                matched += self._login(writer, login_client, login_said, account)
            elif tls:
                if of_hour is not None and program in _WITH_TLS:
                    book.tls[tls, tls_end] += 1
            elif finding:
                if program == _POSTSCREEN:
                    matched += 1
                    if of_hour is not None:
                        of_hour[screen.KINDS[finding]] += 1
            elif warning:
                entries.warned(b"warning", program, warning.removesuffix(b"\r"))
                if program not in COMMANDS and program != UNKNOWN:
                    matched += 1
                    if of_hour is not None:
                        of_hour["warning"] += 1
            elif warned:
                entries.warned(severity, program, warned)
            elif disconnected:
                if program == _SMTPD:
                    second = _second(minute, seconds)
                    entries.session_ended(writer.origin + pid, disconnected, second)
            elif logged_in:
                if not login.is_logged_in(logged_in):
                    continue
                matched += 1
                if of_hour is not None:
                    of_hour["auth_succeeded"] += 1
            elif dovecot_client:
                event = login.failed_at_dovecot(failed_login, dovecot_client)
                if event:
                    matched += 1
                    entries.failed_login(
                        service_of(event), dovecot_client, dovecot_user, event.times
                    )
            else:
                matched += self._text(writer, text or text_without_path)
        book.matched += matched
        book.lines += number(block)
        entries.tidy()

    def _expanded(self, block: bytes) -> bytes:
        """Return a block in which each line says by itself all that it has to say."""
        last_line = block[block.rfind(b"\n") + 1 :]
        if repeats.WORDS in block:
            block = repeats.expanded(block, self._last_line)
        self._last_line = last_line
        return self._partial_lines.merged(block)

    def _writer(self, tag: bytes) -> Writer:
        if len(self._writers) > _MOST_KNOWN:
            self._writers.clear()
        writer = self._writers[tag] = Writer(tag, self._origins)
        writer.is_left_out = bool(self._instance) and writer.instance != self._instance
        return writer

    # -- what a line of the ordinary frame tells

    def _text(self, writer: Writer, text: bytes) -> bool:
        host, instance, path = writer.frame
        text = text.removesuffix(b"\r")
        return self._enter(frame.record(b"", writer.utc_offset, host, instance, path, text))

    def _enter(self, record: Record) -> bool:
        """Enter what a record tells, and tell whether that is something the checks count."""
        if self._instance and record.instance != self._instance:
            return False
        return self._said.enter(record, self._origins.of(record.host, record.instance))

    def _kind(self, sent: bytes, relay: bytes) -> str:
        """Return the kind of what was sent and comes again."""
        code, _, rest = sent.partition(b", status=")
        status, _, reply = rest.partition(b" (")
        return delivery.outcome(status, b"", relay, code, reply).kind

    def _trouble(self, failed: bytes, reply_start: bytes, reply_rest: bytes) -> Trouble:
        """Return what a delivery that failed is counted by."""
        key = failed, reply_start, reply_rest
        trouble = self._troubles.get(key)
        if trouble is None:
            code, _, rest = failed.partition(b", status=")
            status, _, _ = rest.partition(b" (")
            reply = (_ANY_SERVER + reply_start if reply_start else b"") + reply_rest
            event = delivery.outcome(status, b"", b"", code, reply.removesuffix(b"\r"))
            self._make_room(key)
            trouble = self._troubles[key] = Trouble(event)
        return trouble

    def _refusal(
        self, program: bytes, is_noqueue: bool, stage: bytes, client: bytes, code: bytes,
        text: bytes, end: bytes,
    ) -> Refusal | None:  # fmt: skip
        """Return what a reject is counted by; None if it is not as it seems."""
        key = program, is_noqueue, stage, client[:1] == b"[", code, text, end
        refusal = self._refusals.get(key)
        if refusal is None:
            about = stage + b" from " + client + b"]"
            message = (text + end).removesuffix(b"\r")
            event = reject.refused(program, is_noqueue, about, code, message)
            if event is None:
                return None
            self._make_room((text, end))
            refusal = self._refusals[key] = Refusal(event, stage)
        return refusal

    def _login(self, writer: Writer, client: bytes, login_said: bytes, account: bytes) -> bool:
        key = writer.frame[2], login_said
        service = self._logins.get(key)
        if service is None:
            host, instance, path = writer.frame
            text = b"warning: unknown[::1]" + login_said.removesuffix(b"\r")
            event = recognise(frame.record(b"", b"", host, instance, path, text))
            if event is None or event.kind != "auth_failed":
                named = _ACCOUNT + account if account else b""
                return self._text(writer, b"warning: " + client + b"]" + login_said + named)
            self._make_room(key)
            service = self._logins[key] = service_of(event)
        if self._entries.of_hour is not None:
            self._book.severities["warning", "smtpd"] += 1
            self._entries.failed_login(service, client, account.removesuffix(b"\r"), 1)
        return True

    def _make_room(self, key: tuple[bytes, ...]) -> None:
        """Forget what is known if it is too much."""
        self._known_bytes += sum(map(len, key))
        self._known += 1
        if self._known > _MOST_KNOWN or self._known_bytes > _MOST_KNOWN_BYTES:
            self._troubles.clear()
            self._refusals.clear()
            self._logins.clear()
            self._known = self._known_bytes = 0

    # -- lines of other frames

    def _odd(self, line: bytes) -> None:
        record = frame.parse(line)
        if record is None:
            if not frame.is_remark(line):
                self._unparsed(line)
            return
        minute = self._timestamps.minute(record.stamp, record.zone)
        if minute is None:
            self._undated()
            return
        if self._entries.at(minute) is not None:
            self._book.see(record.host)
        self._book.matched += self._enter(record)

    def _unparsed(self, line: bytes) -> None:
        book = self._book
        if self._entries.is_outside:
            return
        book.unparsed += 1
        if names_mail(line):
            book.unparsed_mail += 1
            book.unparsed_example = book.unparsed_example or line[:200]

    def _undated(self) -> None:
        self._book.undated += 1


def _reply(said: bytes) -> bytes:
    """Return a reply without the bracket that closes it."""
    return said.removesuffix(b"\r").removesuffix(b")")


def _second(minute: int, seconds: bytes) -> int:
    """Return seconds since 1970."""
    return minute * 60 + int(seconds[1:3])
