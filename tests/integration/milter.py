"""A mail filter that speaks as much of the milter protocol as refusing a message takes.

A packet, either way, is a 4 byte length, a command letter and data (Sendmail's libmilter/mfdef.h).
"""

import socketserver
import struct
import threading

NEGOTIATE, RECIPIENT, END_OF_MESSAGE, HELO = b"O", b"R", b"E", b"H"
CONTINUE, QUARANTINE, REPLY_CODE, DISCARD = b"c", b"q", b"y", b"d"
UNANSWERED = (b"D", b"A", b"Q")
MAY_QUARANTINE = 0x20
VERSION = 6

# What a packet must be, and hold, to be answered otherwise than by CONTINUE.
VERDICTS = {
    (HELO, b"filtered.example.org"): (REPLY_CODE, b"550 5.7.1 Your name is not welcome\0"),
    (RECIPIENT, b"milter-rcpt@"): (REPLY_CODE, b"550 5.7.1 Not to this recipient\0"),
    (RECIPIENT, b"milter-tempfail@"): (REPLY_CODE, b"451 4.7.1 Try again later\0"),
}
# By sender, because END_OF_MESSAGE carries nothing to judge by.
VERDICTS_AT_THE_END = {
    b"virus@": (REPLY_CODE, b"554 5.7.1 Virus found\0"),
    b"suspect@": (QUARANTINE, b"looks odd\0"),
    b"robot@": (DISCARD, b""),
}


class Milter(socketserver.ThreadingTCPServer):
    """The filter, listening."""

    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        """Start to listen."""
        super().__init__((address, port), _Session)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        sender = b""
        while header := self.rfile.read(5):
            length, command = struct.unpack("!I1s", header)
            data = self.rfile.read(length - 1)
            if command == b"M":
                sender = data
            if command == NEGOTIATE:
                self._send(NEGOTIATE, struct.pack("!III", VERSION, MAY_QUARANTINE, 0))
            elif command == END_OF_MESSAGE:
                self._end(sender)
            elif command not in UNANSWERED:
                self._send(*_verdict(command, data))

    def _end(self, sender: bytes) -> None:
        for start, (answer, data) in VERDICTS_AT_THE_END.items():
            if start in sender:
                self._send(answer, data)
                # Quarantine is a wish beside the verdict, not the verdict.
                if answer != QUARANTINE:
                    return
        self._send(CONTINUE)

    def _send(self, answer: bytes, data: bytes = b"") -> None:
        self.wfile.write(struct.pack("!I", len(data) + 1) + answer + data)


def _verdict(command: bytes, data: bytes) -> tuple[bytes, bytes]:
    for (wanted, text), verdict in VERDICTS.items():
        if command == wanted and text in data:
            return verdict
    return CONTINUE, b""
