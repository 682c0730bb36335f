"""A mail server at the other end, replying as the table of mailboxes says."""

import socketserver
import threading
from collections import Counter

from .mailboxes import END_OF_DATA, MAILBOXES, Mailbox

TAKEN = "250 2.0.0 Ok: queued as 4XJ2Vw0dHbz9sK1"


class Peer(socketserver.ThreadingTCPServer):
    """Accepts mail at one address; each mailbox's attempts are counted."""

    daemon_threads = True

    def __init__(self, address: str, greeting: str | None = "220 mail.example.net ESMTP") -> None:
        """Start to listen on port 25.

        greeting: without one the client waits until it loses patience
        """
        super().__init__((address, 25), _Session)
        self.greeting = greeting
        self.attempts: Counter[str] = Counter()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def next_reply(self, recipient: str) -> str:
        """Return the reply to the next attempt to deliver to this recipient."""
        reply = MAILBOXES[recipient].reply(self.attempts[recipient])
        self.attempts[recipient] += 1
        return reply


class _Session(socketserver.StreamRequestHandler):
    server: Peer

    def handle(self) -> None:
        if self.server.greeting is None:
            threading.Event().wait()
        self._say(self.server.greeting or "")
        at_end_of_data, seconds = TAKEN, 0.0
        for line in self.rfile:
            match line.decode().strip().upper().split(maxsplit=1):
                case ["DATA"]:
                    self._say("354 End data with <CR><LF>.<CR><LF>")
                    while self.rfile.readline() not in (b".\r\n", b""):
                        pass
                    threading.Event().wait(seconds)
                    self._say(at_end_of_data)
                case ["MAIL", _]:
                    at_end_of_data, seconds = TAKEN, 0.0
                    self._say("250 2.1.0 Ok")
                case ["RCPT", _]:
                    recipient = _address(line.decode())
                    reply = self.server.next_reply(recipient)
                    mailbox = MAILBOXES.get(recipient, Mailbox())
                    seconds += mailbox.seconds
                    if mailbox.stage == END_OF_DATA:
                        at_end_of_data, reply = reply, "250 2.1.5 Ok"
                    self._say(reply)
                case ["QUIT"]:
                    self._say("221 2.0.0 Bye")
                    return
                case _:
                    self._say("250 2.0.0 Ok")

    def _say(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")


def _address(command: str) -> str:
    """Return what stands between the brackets of RCPT TO:<...>, which is all Postfix sends."""
    return command[command.index("<") + 1 : command.rindex(">")]
