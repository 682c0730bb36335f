"""A real rsyslogd that takes /dev/log and writes the mail facility in both usual forms."""

import subprocess
import syslog
from pathlib import Path

from .waiting import wait_until

MAIL_LOG, MAIL_ISO_LOG = "/var/log/mail.log", "/var/log/mail.iso.log"
# Debian's owner and mode of mail logs: the group adm may read.
CONFIGURATION = f"""\
global(workDirectory="/run")
module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
module(load="builtin:omfile" fileOwner="root" fileGroup="adm" fileCreateMode="0640")
mail.* action(type="omfile" file="{MAIL_LOG}" template="RSYSLOG_TraditionalFileFormat")
mail.* action(type="omfile" file="{MAIL_ISO_LOG}" template="RSYSLOG_FileFormat")
"""
LAST_WORDS = "end of the recorded traffic"


class Rsyslog:
    """The log daemon, and the two files it writes."""

    def start(self) -> None:
        """Start it and wait for its socket."""
        configuration = Path("/run/rsyslog.conf")
        configuration.write_text(CONFIGURATION)
        command = ["rsyslogd", "-n", "-f", str(configuration), "-i", "/run/rsyslogd.pid"]
        self._process = subprocess.Popen(command)
        wait_until(Path("/dev/log").exists, "rsyslogd")

    def wait_for_the_last_line(self) -> None:
        """Write a line and wait for it: then all that was logged before it is in the files."""
        syslog.openlog("scenario", 0, syslog.LOG_MAIL)
        syslog.syslog(LAST_WORDS)
        logs = (MAIL_LOG, MAIL_ISO_LOG)
        wait_until(lambda: all(LAST_WORDS in Path(log).read_text() for log in logs), "rsyslogd")

    def stop(self) -> None:
        """Stop it, so that the end of the namespace does not get into the log."""
        self._process.terminate()
        self._process.wait()
