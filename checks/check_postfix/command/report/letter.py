"""The letter: a report as mail, with text, HTML and the page attached, sent by sendmail."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

from check_postfix import child
from check_postfix.maillog.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Where sendmail is, if PATH does not say so.
_PLACES = ("/usr/sbin", "/usr/lib", "/usr/local/sbin")
# In seconds
_PATIENCE = 60
_LONGEST_SUBJECT = 150
# One address, without a name: nothing in it can be an option, another header or another address.
is_address = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]*(?:@[A-Za-z0-9.-]+)?"
).fullmatch


def letter(
    to: Sequence[str], subject: str, text: str, html: str = "", page: str = "", name: str = ""
) -> EmailMessage:
    """Return the mail.

    to:   addresses
    html: the same as text, nothing if it cannot be drawn
    page: to be attached as a file of this name, nothing likewise
    """
    host = socket.getfqdn()
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = " ".join(subject.split())[:_LONGEST_SUBJECT]
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = make_msgid("postfix-log", host if is_address(f"x@{host}") else "localhost")
    # RFC 3834: no out-of-office note comes back.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    if html:
        mail.add_alternative(html, subtype="html", cte="quoted-printable")
    if page:
        mail.add_attachment(page.encode(), maintype="text", subtype="html", filename=name)
    return mail


def send(mail: EmailMessage, to: Sequence[str]) -> None:
    """Hand a mail to sendmail.

    Raises: LogError if it does not take it
    """
    program = child.find("sendmail", _PLACES)
    if program is None:
        raise LogError("cannot send mail: the program sendmail is missing; install a mail server")
    try:
        done = subprocess.run(
            [program, "-i", "--", *to], input=mail.as_bytes(), capture_output=True,
            timeout=_PATIENCE, env={**child.environment(), "LOGNAME": _user()}, check=False,
        )  # fmt: skip
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise LogError(f"cannot send mail: {program}: {cause}") from None
    except subprocess.TimeoutExpired:
        raise LogError(
            f"cannot send mail: {program} took longer than {_PATIENCE} s; see whether Postfix runs"
        ) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1] if said else f"exit code {done.returncode}"
        raise LogError(f"cannot send mail: {program}: {why}")


def _user() -> str:
    return os.environ.get("LOGNAME", "root")
