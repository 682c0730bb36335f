"""A mail client at an address of its own: sends mail, is refused, guesses passwords."""

import base64
import imaplib
import smtplib
import socket
from collections.abc import Iterable
from dataclasses import dataclass

PATIENCE = 10.0


@dataclass(frozen=True)
class Replies:
    """What the server answered in one mail transaction, as reply codes."""

    mail: int
    recipients: list[int]
    # 0 when no recipient was accepted, so that nothing was sent.
    data: int
    queue_id: str


class Client:
    """One client host. Its address decides what the log says about it."""

    def __init__(self, address: str, helo: str) -> None:
        """Note who it is."""
        self.address = address
        self.helo = helo

    def connect(self, server: str, port: int = 25) -> smtplib.SMTP:
        """Connect and greet."""
        smtp = smtplib.SMTP(server, port, self.helo, PATIENCE, (self.address, 0))
        smtp.ehlo()
        return smtp

    def send(
        self,
        server: str,
        sender: str,
        recipients: Iterable[str],
        text: str = "Subject: hello\r\n\r\nNothing of importance.\r\n",
    ) -> Replies:
        """Carry out one transaction, however the server takes it."""
        with self.connect(server) as smtp:
            return transaction(smtp, sender, recipients, text)

    def talk_early(self, server: str, sender: str, recipient: str) -> int:
        """Speak before the greeting, as spam engines do; return the recipient's reply code."""
        with socket.create_connection((server, 25), PATIENCE, (self.address, 0)) as connection:
            connection.sendall(f"HELO {self.helo}\r\n".encode())
            smtp = smtplib.SMTP(timeout=PATIENCE)
            smtp.sock = connection
            while smtp.getreply()[0] != 250:
                pass
            smtp.docmd(f"MAIL FROM:<{sender}>")
            return smtp.docmd(f"RCPT TO:<{recipient}>")[0]

    def imap_logins(self, server: str, user: str, *passwords: str) -> list[bool]:
        """Try the passwords in one IMAP connection; return which were right."""
        with _ImapFrom(self.address, server) as imap:
            return [_is_right(imap, user, password) for password in passwords]


class _ImapFrom(imaplib.IMAP4):
    """imaplib, connecting from a chosen address."""

    def __init__(self, source: str, server: str) -> None:
        self._source = source
        super().__init__(server)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        del timeout
        return socket.create_connection((self.host, self.port), PATIENCE, (self._source, 0))


def transaction(smtp: smtplib.SMTP, sender: str, recipients: Iterable[str], text: str) -> Replies:
    """Carry out one transaction in a session; the text is sent as it is, but ends in a line end."""
    # Not smtp.mail() and its like: they rewrite addresses and raise where the server refuses.
    mail, _ = smtp.docmd(f"MAIL FROM:<{sender}>")
    codes = [smtp.docmd(f"RCPT TO:<{recipient}>")[0] for recipient in recipients]
    if not any(code == 250 for code in codes):
        return Replies(mail, codes, 0, "")
    data, said = smtp.docmd("DATA")
    if data == 354:
        smtp.send(text + ".\r\n")
        data, said = smtp.getreply()
    return Replies(mail, codes, data, said.decode().rpartition(" ")[2])


def auth_plain(smtp: smtplib.SMTP, user: str, password: str) -> int:
    """Log in with the PLAIN mechanism; return the reply code."""
    return smtp.docmd("AUTH PLAIN", _base64(f"\0{user}\0{password}"))[0]


def auth_login(smtp: smtplib.SMTP, user: str, password: str) -> int:
    """Log in with the LOGIN mechanism; return the last reply code."""
    for step in ("AUTH LOGIN", _base64(user), _base64(password)):
        code, _ = smtp.docmd(step)
    return code


def _is_right(imap: imaplib.IMAP4, user: str, password: str) -> bool:
    quoted_user = '"' + user.replace('"', r"\"") + '"'
    try:
        imap.login(quoted_user, password)
    except imaplib.IMAP4.error as error:
        # Refused for any other reason, no password was tested.
        if "AUTHENTICATIONFAILED" not in str(error):
            raise
        return False
    return True


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
