"""A real rsyslogd, which writes to files what comes to a socket of its own."""

import signal
import socket
import subprocess
import time
from pathlib import Path

from .waiting import wait_until

MAIL_LOG, MAIL_ISO_LOG = "/var/log/mail.log", "/var/log/mail.iso.log"
BOTH_FORMS = f"""\
mail.* action(type="omfile" file="{MAIL_LOG}" template="RSYSLOG_TraditionalFileFormat")
mail.* action(type="omfile" file="{MAIL_ISO_LOG}" template="RSYSLOG_FileFormat")
"""
# Debian's owner and mode of mail logs: the group adm may read.
_CONFIGURATION = """\
global(workDirectory="{work}")
module(load="imuxsock" SysSock.Name="{socket}" SysSock.RateLimit.Interval="0")
module(load="builtin:omfile" fileOwner="root" fileGroup="adm" fileCreateMode="0640")
{outputs}"""
_MAIL_INFO = 22
LAST_WORDS = "end of the recorded traffic"


def _has_last_words(log: Path) -> bool:
    try:
        return LAST_WORDS in log.read_text()
    except FileNotFoundError:  # it has just been rotated, and the next line makes it again
        return False


class Rsyslog:
    """The log daemon.

    outputs: what it writes, in its own words
    logs:    the files that are
    socket:  what it listens to
    work:    a directory for its configuration and process ID
    """

    def __init__(
        self,
        outputs: str = BOTH_FORMS,
        logs: tuple[str, ...] = (MAIL_LOG, MAIL_ISO_LOG),
        socket: str = "/dev/log",
        work: str = "/run",
    ) -> None:
        self._outputs = outputs
        self._logs = [Path(log) for log in logs]
        self._socket = Path(socket)
        self._work = Path(work)

    def start(self) -> None:
        """Start it and wait for its socket."""
        configuration = self._work / "rsyslog.conf"
        configuration.write_text(
            _CONFIGURATION.format(work=self._work, socket=self._socket, outputs=self._outputs)
        )
        pid = str(self._work / "rsyslogd.pid")
        self._process = subprocess.Popen(["rsyslogd", "-n", "-f", str(configuration), "-i", pid])
        wait_until(self._socket.exists, "rsyslogd")

    def say(self, tag: str, text: str) -> None:
        """Log something, as syslog(3) does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(self._socket))
            stamp = time.strftime("%b %e %H:%M:%S")
            sender.send(f"<{_MAIL_INFO}>{stamp} {tag}: {text}".encode())

    def wait_for_the_last_line(self) -> None:
        """Write a line and wait for it: then all that was logged before it is in the files."""
        self.say("scenario", LAST_WORDS)
        wait_until(lambda: all(map(_has_last_words, self._logs)), "rsyslogd")

    def reopen(self) -> None:
        """Have it open its files anew, as its package does after a rotation."""
        self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Stop it, so that the end of the namespace does not get into the log."""
        self._process.terminate()
        self._process.wait()
