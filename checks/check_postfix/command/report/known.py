"""Known texts: what is said in many lines, and is taken apart once."""

from __future__ import annotations

from check_postfix.command.report.entries import Refusal, Trouble, service_of
from check_postfix.maillog.events.recogniser import delivery, recognise, reject
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.command.report.writer import Writer

# So many are remembered at a time, and so many bytes of them.
_MOST = 8_000
_MOST_BYTES = 4 << 20
_ANY_SERVER = b"host mail[::1]"


class Known:
    """What is known of the replies, rejects and failed logins so far."""

    def __init__(self) -> None:
        self._troubles: dict[tuple[bytes, ...], Trouble] = {}
        self._refusals: dict[tuple[bytes | bool, ...], Refusal] = {}
        self._logins: dict[tuple[bytes, ...], bytes] = {}
        self._number = self._bytes = 0

    def trouble(self, failed: bytes, reply_start: bytes, reply_rest: bytes) -> Trouble:
        """Return what a delivery that failed is counted by.

        failed:      its enhanced code and status
        reply_start: what stands behind the name of the server that replied, nothing if none did
        reply_rest:  the rest of what is told
        """
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

    def refusal(
        self, program: bytes, is_noqueue: bool, stage: bytes, name: bytes, address: bytes,
        code: bytes, text: bytes, end: bytes,
    ) -> Refusal | None:  # fmt: skip
        """Return what a reject is counted by, None if the whole line must be read.

        name, address: the client's
        text, end:     of the reply, before and after what differs
        """
        key = program, is_noqueue, stage, not name, code, text, end
        refusal = self._refusals.get(key)
        if refusal is None:
            about = stage + b" from " + name + b"[" + address + b"]"
            message = (text + end).removesuffix(b"\r")
            event = reject.refused(program, is_noqueue, about, code, message)
            if event is None:
                return None
            self._make_room((text, end))
            refusal = self._refusals[key] = Refusal(event, stage)
        return refusal

    def login(self, writer: Writer, said: bytes) -> bytes | None:
        """Return what a failed login is counted by besides its client, None as above.

        said: what stands behind the client
        """
        host, instance, path = writer.frame
        key = path, said
        service = self._logins.get(key)
        if service is None:
            text = b"warning: unknown[::1]" + said.removesuffix(b"\r")
            event = recognise(frame.record(b"", b"", host, instance, path, text))
            if event is None or event.kind != "auth_failed":
                return None
            self._make_room(key)
            service = self._logins[key] = service_of(event)
        return service

    def _make_room(self, key: tuple[bytes, ...]) -> None:
        """Forget what is known if it is too much."""
        self._bytes += sum(map(len, key))
        self._number += 1
        if self._number > _MOST or self._bytes > _MOST_BYTES:
            self._troubles.clear()
            self._refusals.clear()
            self._logins.clear()
            self._number = self._bytes = 0
