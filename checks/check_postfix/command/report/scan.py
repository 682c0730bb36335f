"""The scan of a report: from blocks of log lines to the numbers of its book.

One expression reads a block line by line, as the checks' scanner does. It takes the plain forms
of the lines that are most frequent as they stand, and hands every other line that may count to
the recogniser (`said.py`). So what a line means is decided there and nowhere else; the
tests hold both ways to the same numbers. What the checks do not keep is kept here: whole
addresses, sizes and delays by name, the words of other servers.
"""

from __future__ import annotations

from types import SimpleNamespace

from check_postfix.command.report import expression
from check_postfix.command.report.entries import service_of
from check_postfix.command.report.expression import NO_ID, WARNING
from check_postfix.command.report.said import Said
from check_postfix.command.report.writer import Writer
from check_postfix.maillog.events.recogniser import COMMANDS, delivery, login, screen
from check_postfix.maillog.events.unparsed import names_mail
from check_postfix.maillog.source.lines import number
from check_postfix.maillog.syntax import frame, repeats
from check_postfix.maillog.syntax.partial_lines import PartialLines
from check_postfix.maillog.syntax.record import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from check_postfix.command.report.entries import Entries
    from check_postfix.command.report.known import Known
    from check_postfix.command.report.writer import Origins
    from check_postfix.maillog.syntax.record import Record
    from check_postfix.maillog.syntax.timestamps import Timestamps

# So many writers are remembered at a time.
_MOST_WRITERS = 8_000
_LONGEST_SENT = len(b"2.100.100, status=sent (")
_POSTSCREEN = b"postscreen"
_WITH_TLS = (b"smtpd", b"smtp", b"lmtp", b"tlsproxy")


class Scan:
    """Reads the blocks of one file, in their order.

    timestamps: reads this file's stamps
    entries:    where what lines tell is entered
    origins:    of what the entries tell
    known:      what lines of any file have said
    instance:   only of this instance of Postfix; nothing for all
    with_sessions: whether the sessions of smtpd are looked at
    """

    def __init__(
        self,
        timestamps: Timestamps,
        entries: Entries,
        origins: Origins,
        known: Known,
        instance: bytes = b"",
        with_sessions: bool = False,
    ) -> None:
        self._timestamps = timestamps
        self.enter_into(entries)
        self._instance = instance
        lines = expression.of(with_sessions)
        self._find = lines.finditer
        at = self._groups = SimpleNamespace(**lines.groupindex)
        self._others: dict[int | None, Callable[[Writer, re.Match[bytes]], bool]] = {
            lines.groupindex[name]: tell
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
            if name in lines.groupindex
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
        self._known = known
        self._origins = origins
        self._writers: dict[bytes, Writer] = {}
        # Those whose lines have nothing new in their frames, as long as the stamp is the same
        self._here: dict[bytes | None, Writer] = {}
        # Of the last line that has told its time; nothing where the next one must be asked
        self._stamp = self._utc_offset = b""
        self._minute = 0
        self._of_hour: dict[str, int] | None = None
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
        underway, here = entries.underway, self._here
        # Names of their own, since they are asked for in each line
        in_stamp, in_tag, in_id = at.stamp, at.tag, at.queue_id
        is_connected, is_sent, is_taken_up, is_removed = at.connected, at.sent, at.size, at.removed
        is_received, is_submitted = at.received, at.logged_in_as
        in_recipient, in_delay, in_stages, in_sender = at.recipient, at.delay, at.stages, at.sender
        enter_sent, take_up, begin, end = (
            entries.sent, entries.taken_up, underway.begin, underway.end
        )  # fmt: skip
        with_sessions = self._with_sessions
        last_stamp = self._stamp = b""
        matched = connected = received = submitted = 0
        for found in self._find(self._expanded(block)):
            stamp, tag = found.group(in_stamp, in_tag)
            writer = here.get(tag)
            if writer is None or stamp != last_stamp:
                matched += self._of_clients(connected, received, submitted)
                connected = received = submitted = 0
                writer = self._turn(stamp, tag, found)
                last_stamp = self._stamp
                if writer is None:
                    continue
            # The group that has ended last says what the line is.
            kind = found.lastindex
            if kind == is_connected:
                if writer.is_smtpd:
                    connected += 1
                    if with_sessions:
                        entries.session_begun(writer.origin + found["pid"], self._second(found))
            elif kind == is_sent:
                matched += 1
                queue_id, recipient, delay, stages, sent = found.group(
                    in_id, in_recipient, in_delay, in_stages, is_sent
                )
                what = "sent" if len(sent) <= _LONGEST_SENT else self._kind(sent, found["relay"])
                enter_sent(what, writer.origin + queue_id, recipient, delay, stages)
            elif kind == is_taken_up:
                if writer.is_queue_manager:
                    queue_id, sender, size = found.group(in_id, in_sender, is_taken_up)
                    take_up(writer.origin + queue_id, sender, int(size))
            elif kind == is_removed:
                if writer.is_queue_manager:
                    end(writer.origin + found[in_id])
            elif kind == is_received and writer.is_smtpd:
                received += 1
                queue_id, client = found.group(in_id, is_received)
                begin(writer.origin + queue_id, (client, b""))
            elif kind == is_submitted and writer.is_smtpd:
                received += 1
                submitted += 1
                queue_id, client, account = found.group(in_id, is_received, is_submitted)
                begin(writer.origin + queue_id, (client, account[1:]))
            else:
                matched += others[kind](writer, found)
        book.matched += matched + self._of_clients(connected, received, submitted)
        if self._warned_of_logins:
            book.severities["warning", "smtpd"] += self._warned_of_logins
            self._warned_of_logins = 0
        book.lines += number(block)
        entries.end_of_block()

    def _of_clients(self, connected: int, received: int, submitted: int) -> int:
        """Enter what clients have done in the hour that is told; return how many lines tell it.

        submitted: of what was received, after a login
        """
        of_hour = self._entries.of_hour
        if of_hour is not None:
            if connected:
                of_hour["connected_smtpd"] += connected
            if received:
                of_hour["received"] += received
            if submitted:
                of_hour["submission"] += submitted
        return connected + received

    def _turn(self, stamp: bytes, tag: bytes | None, found: re.Match[bytes]) -> Writer | None:
        """Go to the time of a line; return who has written it, None if there is no more to it."""
        if tag is None:
            if line := found["odd_line"]:
                self._odd(line)
                self._stamp = b""
            return None
        writer = self._writers.get(tag) or self._writer(tag)
        if stamp != self._stamp or writer.utc_offset != self._utc_offset:
            if writer.utc_offset != self._utc_offset:
                self._here.clear()
            minute = self._timestamps.minute(stamp, writer.utc_offset)
            if minute is None:
                self._stamp = b""
                self._undated()
                return None
            self._stamp, self._utc_offset, self._minute = stamp, writer.utc_offset, minute
            of_hour = self._entries.at(minute)
            if of_hour is not self._of_hour:
                self._of_hour = of_hour
                self._here.clear()  # outside the span no host was noted
        if self._of_hour is not None:
            self._book.see(writer.frame[0])
        if writer.is_left_out:
            return None
        self._here[tag] = writer
        return writer

    def _writer(self, tag: bytes) -> Writer:
        if len(self._writers) > _MOST_WRITERS:
            self._writers.clear()
            self._here.clear()
        writer = self._writers[tag] = Writer(tag, self._origins)
        writer.is_left_out = bool(self._instance) and writer.instance != self._instance
        return writer

    # -- what a line tells, by the group that has ended last; each tells whether the checks count it

    def _failed(self, writer: Writer, found: re.Match[bytes]) -> bool:
        queue_id, recipient, relay, delay, failed, reply, reply_start, reply_rest = found.group(
            *self._of_failed
        )
        self._entries.failed(
            self._known.trouble(failed, reply_start or b"", reply_rest), writer.origin + queue_id,
            recipient, relay, delay, reply.removesuffix(b"\r").removesuffix(b")"),
        )  # fmt: skip
        return True

    def _refused(self, writer: Writer, found: re.Match[bytes]) -> bool:
        queue_id, stage, name, address, answer, text, end, envelope = found.group(*self._of_refused)
        refusal = self._known.refusal(
            writer.program, queue_id == NO_ID, stage, name, address, answer[:3], text, end
        )
        if refusal is None:
            return self._after_id(writer, found)
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

    def _login(self, writer: Writer, found: re.Match[bytes]) -> bool:
        address, said, account = found.group(*self._of_login)
        service = self._known.login(writer, said)
        if service is None:
            start = found.string.rindex(WARNING, 0, found.start("login_address"))
            return self._text(writer, found.string[start : found.end()])
        if self._entries.of_hour is not None:
            self._warned_of_logins += 1
            account = account.removesuffix(b"\r") if account else b""
            self._entries.failed_login(service, address, account, 1)
        return True

    def _second(self, found: re.Match[bytes]) -> int:
        """Return seconds since 1970."""
        return self._minute * 60 + int(found["seconds"][1:3])

    def _expanded(self, block: bytes) -> bytes:
        """Return a block in which each line says by itself all that it has to say."""
        last_line = block[block.rfind(b"\n") + 1 :]
        if repeats.WORDS in block:
            block = repeats.expanded(block, self._last_line)
        self._last_line = last_line
        return self._partial_lines.merged(block)

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
