"""The scan of a report: from blocks of log lines to the numbers of its book.

One expression reads a block line by line, as the checks' scanner does. It takes the plain forms
of the lines that are most frequent as they stand, and hands every other line that may count to
the recogniser (`said.py`). So what a line means is decided there and nowhere else; the
tests hold both ways to the same numbers. What the checks do not keep is kept here: whole
addresses, sizes and delays by name, the words of other servers.
"""

from __future__ import annotations

import re
from types import SimpleNamespace

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
    health,
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
    from collections.abc import Callable, Iterable

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
_REMOVED = rb"removed(?=\r?(?:\n|\Z))(?P<removed>)"
_REJECT = rb"reject: "
_REFUSED = (
    _REJECT + rb"(?P<refused>[A-Z][A-Z-]++(?: content|)) from (?P<refused_name>"
    + fields.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?P<refused_address>" + fields.CLIENT_ADDRESS + rb")\]"
    rb"(?::\d++|): (?P<answer>[245]\d\d (?:" + fields.ENHANCED_CODE + rb" |)"
    + reject.PLAIN_MESSAGE + rb")(?P<envelope>[^\n]*+)"
)  # fmt: skip
_WARNING = b"warning: "
_LOGIN = (
    _WARNING + fields.CLIENT_NAME + rb"\[(?P<login_address>" + fields.CLIENT_ADDRESS
    + rb")\]" + login.PLAIN_FAILED
)  # fmt: skip
# How it begins and ends; what stands between names the other side.
_TLS = (
    rb"(?=[AUTV])(?P<tls>(?:Anonymous|Untrusted|Trusted|Verified) TLS connection "
    rb"(?:established|reused) (?:from|to)) [^\n\]]*+\](?::[^\s:]++|): "
    rb"(?P<tls_end>[A-Za-z0-9.]{1,12}+ with cipher [A-Za-z0-9_-]{1,60}+)"
)
_CONNECTED = re.escape(connection.SMTPD) + rb"(?P<connected>)"
_SCREENED = re.escape(connection.POSTSCREEN) + rb"(?P<screened>)"
# What many lines without a queue ID begin with, of which nothing is told.
_NOT_TOLD = [rb"lost connection after ", rb"statistics: ", rb"DISCONNECT \["]
_DISCONNECT = rb"disconnect from "
# Of smtpd, where its sessions are asked for.
_DISCONNECTED = _DISCONNECT + rb"(?P<disconnected>[^\s\[\]]++\[[0-9A-Fa-f.:]++)\]"
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


def _without_an_id(with_sessions: bool) -> bytes:
    shapes = [shape for shape in _WITHOUT_ID if shape is not ANY_WARNING]
    words = _openings(shape for shape in shapes if shape.words != _ANY_WORD)
    odd_ids = _openings(shape for shape in shapes if shape.words == _ANY_WORD)
    passed_over = _NOT_TOLD if with_sessions else [*_NOT_TOLD, _DISCONNECT]
    return (
        rb"(?!"
        + _any(passed_over)
        + rb")"
        + _any(
            [
                _CONNECTED,
                _SCREENED,
                *([_DISCONNECTED] if with_sessions else []),
                _TLS,
                _LOGIN,
                rb"(?=[A-Z])" + screen.FINDING,
                rb"(?P<text>"
                + _any([*_OTHER_TEXTS, *words, *odd_ids, frame.WRAPPER])
                + rb"[^\n]*+)",
                # What no other shape begins with is a warning, and nothing else.
                _WARNING + rb"(?P<warning>[^\n]*+)",
                rb"(?P<severity>error): (?P<warned>[^\n]*+)",
            ]
        )
    )


# A line whose tag has no path is Dovecot's or another program's.
_WITHOUT_PATH = rb"(?!" + login.DOVECOT_IDLE + rb")" + _any(
    [
        login.DOVECOT_FAILED,
        rb"(?P<logged_in>" + login.DOVECOT_LOGGED_IN + rb")",
        rb"(?P<text_without_path>"
        + _any(
            [
                *_openings(DOVECOT), *loss.OPENINGS, frame.WRAPPER, frame.STAMPED,
                health.BEFORE_MAIN_CF,
            ]
        )
        + rb"[^\n]*+)",
    ]
)  # fmt: skip


def _expression(with_sessions: bool) -> re.Pattern[bytes]:
    front = (
        rb"(?P<stamp>" + frame.ISO_MINUTE + rb"|" + frame.BSD_MINUTE + rb")"
        + (rb"(?P<seconds>" + frame.SECONDS + rb")" if with_sessions else frame.SECONDS)
        + rb"(?P<tag>(?:" + frame.ZONE + rb"|) [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++"
        rb"(?:(?P<path>/)[A-Za-z0-9_./-]*+(?<!/)|))(?:\["
        + (rb"(?P<pid>[0-9]++)" if with_sessions else rb"[0-9]++") + rb"\]|): "
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

    __slots__ = (
        "frame", "instance", "is_left_out", "is_queue_manager", "is_smtpd", "origin", "program",
        "utc_offset",
    )  # fmt: skip

    def __init__(self, tag: bytes, origins: Origins) -> None:
        self.utc_offset, host, names = tag.split(b" ")
        self.instance, slash, path = names.partition(b"/")
        self.frame = host, self.instance, slash + path
        self.program = path.rpartition(b"/")[2]
        self.origin = origins.of(host, self.instance)
        self.is_smtpd = self.program == _SMTPD
        self.is_queue_manager = self.program in active.PROGRAMS
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
        expression = _expression(with_sessions)
        self._find = expression.finditer
        at = self._groups = SimpleNamespace(**expression.groupindex)
        self._others: dict[int | None, Callable[[Writer, re.Match[bytes]], bool]] = {
            expression.groupindex[name]: tell
            for name, tell in (
                ("received", self._after_id),
                ("logged_in_as", self._after_id),
                ("reply", self._failed),
                ("envelope", self._refused),
                ("text_after_id", self._after_id),
                ("screened", self._screened),
                ("disconnected", self._disconnected),
                ("tls_end", self._encrypted),
                ("login", self._login),
                ("account", self._login),
                ("found_client", self._finding),
                ("warning", self._warning),
                ("text", self._without_id),
                ("warned", self._warned),
                ("logged_in", self._logged_in),
                ("client", self._failed_at_dovecot),
                ("text_without_path", self._without_id),
            )
            if name in expression.groupindex
        }
        self._of_refused = (
            at.queue_id, at.refused, at.refused_name, at.refused_address, at.answer,
            at.reply_text, at.reply_end, at.envelope,
        )  # fmt: skip
        self._of_login = at.login_address, at.login, at.account
        self._of_failed = (
            at.queue_id, at.recipient, at.relay, at.delay, at.failed, at.reply, at.reply_start,
            at.reply_rest,
        )  # fmt: skip
        self._with_sessions = with_sessions
        self._warned_of_logins = 0
        self._minute: int | None = None
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
        entries, book, at, others = self._entries, self._book, self._groups, self._others
        underway, writers, timestamps = entries.underway, self._writers, self._timestamps
        # Names of their own, since they are asked for in each line
        in_stamp, in_tag, in_id = at.stamp, at.tag, at.queue_id
        is_connected, is_sent, is_taken_up, is_removed = at.connected, at.sent, at.size, at.removed
        is_received, is_submitted = at.received, at.logged_in_as
        of_sent = in_id, at.recipient, at.delay, at.stages, is_sent
        of_taken_up = in_id, at.sender, is_taken_up
        with_sessions = self._with_sessions
        last_stamp, utc_offset, minute, of_hour = b"", b"", None, None
        matched = 0
        for found in self._find(self._expanded(block)):
            stamp, tag = found.group(in_stamp, in_tag)
            if not tag:
                if line := found["odd_line"]:
                    self._odd(line)
                    last_stamp = b""
                continue
            writer = writers.get(tag)
            if writer is None:
                writer = self._writer(tag)
            if stamp != last_stamp or writer.utc_offset != utc_offset:
                last_stamp, utc_offset = stamp, writer.utc_offset
                minute = self._minute = timestamps.minute(stamp, utc_offset)
                of_hour = None if minute is None else entries.at(minute)
                if of_hour is not None:
                    book.see(writer.frame[0])
            if minute is None:
                self._undated()
                continue
            if writer.is_left_out:
                continue
            # The group that has ended last says what the line is.
            kind = found.lastindex
            if kind == is_connected:
                if writer.is_smtpd:
                    matched += 1
                    if of_hour is not None:
                        of_hour["connected_smtpd"] += 1
                    if with_sessions:
                        entries.session_begun(writer.origin + found["pid"], self._second(found))
            elif kind == is_sent:
                matched += 1
                queue_id, recipient, delay, stages, sent = found.group(*of_sent)
                what = "sent" if len(sent) <= _LONGEST_SENT else self._kind(sent, found["relay"])
                entries.sent(what, writer.origin + queue_id, recipient, delay, stages)
            elif kind == is_taken_up:
                if writer.is_queue_manager:
                    queue_id, sender, size = found.group(*of_taken_up)
                    entries.taken_up(writer.origin + queue_id, sender, int(size))
            elif kind == is_removed:
                if writer.is_queue_manager:
                    underway.end(writer.origin + found[in_id])
            elif kind == is_received and writer.is_smtpd:
                matched += 1
                if of_hour is not None:
                    of_hour["received"] += 1
                queue_id, client = found.group(in_id, is_received)
                underway.begin(writer.origin + queue_id, (client, b""))
            elif kind == is_submitted and writer.is_smtpd:
                matched += 1
                if of_hour is not None:
                    of_hour["received"] += 1
                    of_hour["submission"] += 1
                queue_id, client, account = found.group(in_id, is_received, is_submitted)
                underway.begin(writer.origin + queue_id, (client, account[1:]))
            else:
                matched += others[kind](writer, found)
        book.matched += matched
        if self._warned_of_logins:
            book.severities["warning", "smtpd"] += self._warned_of_logins
            self._warned_of_logins = 0
        book.lines += number(block)
        entries.tidy()

    # -- what a line tells, by the group that has ended last; each tells whether the checks count it

    def _failed(self, writer: Writer, found: re.Match[bytes]) -> bool:
        queue_id, recipient, relay, delay, failed, reply, reply_start, reply_rest = found.group(
            *self._of_failed
        )
        self._entries.failed(
            self._trouble(failed, reply_start or b"", reply_rest), writer.origin + queue_id,
            recipient, relay, delay, reply.removesuffix(b"\r").removesuffix(b")"),
        )  # fmt: skip
        return True

    def _refused(self, writer: Writer, found: re.Match[bytes]) -> bool:
        queue_id, stage, name, address, answer, text, end, envelope = found.group(*self._of_refused)
        is_noqueue, code = queue_id == _NO_ID, answer[:3]
        key = writer.program, is_noqueue, stage, not name, code, text, end
        refusal = self._refusals.get(key)
        if refusal is None:
            about = stage + b" from " + name + b"[" + address + b"]"
            message = (text + end).removesuffix(b"\r")
            event = reject.refused(writer.program, is_noqueue, about, code, message)
            if event is None:
                return self._after_id(writer, found)
            self._make_room((text, end))
            refusal = self._refusals[key] = Refusal(event, stage)
        self._entries.refused(refusal, address, answer, envelope)
        return True

    def _after_id(self, writer: Writer, found: re.Match[bytes]) -> bool:
        """Have a text with a queue ID read as it stands, in a line that another program wrote."""
        return self._text(writer, found.string[found.start("queue_id") : found.end()])

    def _without_id(self, writer: Writer, found: re.Match[bytes]) -> bool:
        return self._text(writer, found[found.lastindex or 0])

    def _screened(self, writer: Writer, _: re.Match[bytes]) -> bool:
        if writer.program != _POSTSCREEN:
            return False
        self._entries.count("connected_postscreen")
        return True

    def _disconnected(self, writer: Writer, found: re.Match[bytes]) -> bool:
        if writer.is_smtpd:
            process = writer.origin + found["pid"]
            self._entries.session_ended(process, found["disconnected"], self._second(found))
        return False

    def _encrypted(self, writer: Writer, found: re.Match[bytes]) -> bool:
        if self._entries.of_hour is not None and writer.program in _WITH_TLS:
            self._book.tls[found["tls"], found["tls_end"]] += 1
        return False

    def _finding(self, writer: Writer, found: re.Match[bytes]) -> bool:
        if writer.program != _POSTSCREEN:
            return False
        self._entries.count(screen.KINDS[found["finding"]])
        return True

    def _warning(self, writer: Writer, found: re.Match[bytes]) -> bool:
        program = writer.program
        self._entries.warned(b"warning", program, found["warning"].removesuffix(b"\r"))
        if program in COMMANDS or program == UNKNOWN:
            return False
        self._entries.count("warning")
        return True

    def _warned(self, writer: Writer, found: re.Match[bytes]) -> bool:
        self._entries.warned(found["severity"], writer.program, found["warned"])
        return False

    def _logged_in(self, _: Writer, found: re.Match[bytes]) -> bool:
        if not login.is_logged_in(found["logged_in"]):
            return False
        self._entries.count("auth_succeeded")
        return True

    def _failed_at_dovecot(self, _: Writer, found: re.Match[bytes]) -> bool:
        said, user, client = found.group("failed_login", "user", "client")
        event = login.failed_at_dovecot(said, client)
        if not event:
            return False
        self._entries.failed_login(service_of(event), client, user, event.times)
        return True

    def _second(self, found: re.Match[bytes]) -> int:
        """Return seconds since 1970."""
        return (self._minute or 0) * 60 + int(found["seconds"][1:3])

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

    def _login(self, writer: Writer, found: re.Match[bytes]) -> bool:
        address, said, account = found.group(*self._of_login)
        key = writer.frame[2], said
        service = self._logins.get(key)
        if service is None:
            host, instance, path = writer.frame
            text = b"warning: unknown[::1]" + said.removesuffix(b"\r")
            event = recognise(frame.record(b"", b"", host, instance, path, text))
            if event is None or event.kind != "auth_failed":
                start = found.string.rindex(_WARNING, 0, found.start("login_address"))
                return self._text(writer, found.string[start : found.end()])
            self._make_room(key)
            service = self._logins[key] = service_of(event)
        if self._entries.of_hour is not None:
            self._warned_of_logins += 1
            account = account.removesuffix(b"\r") if account else b""
            self._entries.failed_login(service, address, account, 1)
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
