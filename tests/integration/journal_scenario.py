"""A Postfix that logs to a real journald only, what befalls that journal, and the checks.

    python -m tests.integration.journal_scenario DIRECTORY    (in a namespace, see namespace.py)

leaves in DIRECTORY results.json: what was printed, and what had been done, by occasion.
"""

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from check_postfix.maillog.source.journal_span import Cursor

from .client import Client
from .commands import ENVIRONMENT
from .dovecot import Dovecot
from .journald import (
    PERSISTENT,
    Journald,
    entry,
    import_entries,
    journalctl,
    native,
    unit,
    wait_for_the_last_entry,
)
from .machine import HOSTS, MX1, OUT
from .namespace import PROJECT, furnish, open_the_way, sh
from .peer import Peer
from .postfix import Postfix
from .waiting import wait_until

ADDRESSES = {name: HOSTS[name] for name in ("mx1.example.com", "out.example.com",
                                            "mail.example.net", "client5.example.org")}  # fmt: skip
PARAMETERS = {
    "inet_interfaces": MX1,
    "mynetworks": "192.0.2.0/24, 203.0.113.0/24",
    "relay_domains": "example.net",
    "transport_maps": "texthash:/etc/postfix/transport",
    "smtpd_recipient_restrictions": "check_recipient_access texthash:/etc/postfix/access",
}
TABLES = {
    "transport": "example.net smtp:[mail.example.net]\n",
    "access": "blocked@example.net REJECT\n",
}
CLIENT = Client(HOSTS["client5.example.org"], "client5.example.org")
# U+0085 counts as a control character: plain journalctl prints "[213B blob data]" for the line.
WILD = Client(HOSTS["client5.example.org"], "\x85wild")
CRAFTED = 100_000
JOURNAL_GROUP = "systemd-journal"

# journald tells of what it has dropped with the next line, if it still finds the process of that.
SHOUT = """
import syslog, time
syslog.openlog("postfix/smtpd", 0, syslog.LOG_MAIL)
for number in range(20_000):
    syslog.syslog(f"line {number}")
time.sleep(1.5)
syslog.syslog("last line")
time.sleep(0.5)
"""


class Scenario:
    """What happens, and the results of the checks on the way."""

    def __init__(self, log: Path) -> None:
        """Start everything."""
        furnish(log, ADDRESSES, [], "mx1")
        open_the_way([PROJECT, sys.prefix, sys.base_prefix])
        self.journald = Journald()
        Peer(HOSTS["mail.example.net"])
        out = Path("/run/postfix-out")
        self.main = Postfix(
            "postfix", Path("/etc/postfix"), Path("/var/spool/postfix"), Path("/var/lib/postfix")
        )
        self.out = Postfix("postfix-out", out / "etc", out / "spool", out / "data")
        self.main.lay_out(PARAMETERS, f"{MX1}:25 inet n - n - - smtpd\n", TABLES)
        # Not the facility mail: only its unit tells that this is a Postfix.
        self.out.lay_out(
            {
                **PARAMETERS,
                "inet_interfaces": OUT,
                "syslog_facility": "local3",
                "syslog_name": "mailout",
            },
            f"{OUT}:25 inet n - n - - smtpd\n",
            {},
        )
        self.main.start()
        with unit("system-postfix.slice/postfix@out.service"):
            self.out.start()
        self.sent = self.rejected = 0
        self.results: dict[str, Any] = {}

    def send(self, messages: int = 1, server: str = MX1, by: Client = CLIENT) -> None:
        """Send mail that is delivered, and wait until that stands in the journal."""
        for _ in range(messages):
            assert by.send(server, "ops@example.org", ["ann@example.net"]).data == 250
        postfix = self.main if server == MX1 else self.out
        wait_until(lambda: not postfix.queue(), "the queue")
        self.sent += messages
        wait_for_the_last_entry()

    def reject(self, by: Client) -> None:
        """Send mail that is refused."""
        with by_helo(by) as smtp:
            assert smtp.docmd("MAIL FROM:<ops@example.org>")[0] == 250
            assert smtp.docmd("RCPT TO:<blocked@example.net>")[0] == 554
        self.rejected += 1
        wait_for_the_last_entry()

    def check(self, occasion: str, *options: str, check: str = "deferred", **who: Any) -> None:
        """Run a check and keep what it said, with what had been done till then."""
        executable = Path(sys.executable).with_name(f"check_postfix_{check}")
        begun = time.monotonic()
        done = subprocess.run(
            [str(executable), *(options or ("--journal", "--state", "/run/state"))],
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **who,
        )
        self.results[occasion] = {
            "stdout": done.stdout,
            "stderr": done.stderr,
            "exit_code": done.returncode,
            "seconds": time.monotonic() - begun,
            "sent": self.sent,
            "rejected": self.rejected,
        }

    # -- what happens

    def life_of_a_journal(self) -> None:
        """From the machine's start through rotations and a crash."""
        self.send(3)
        self.check("first")
        self.check("second")
        self.journald.flush()
        self.check("moved from /run to /var")
        self.send(2)
        self.check("new mail")
        self.journald.rotate()
        self.check("rotated")
        self.send(2)
        self.journald.rotate()
        self.send(1)
        self.check("rotated in between")
        self.journald.kill()
        self.journald.start()
        self.send(1)
        self.check("journald has crashed")
        self.send(4, OUT)
        self.check("an instance with another facility")
        self.check("one instance", "--journal", "--state", "/run/state", "--instance", "mailout")
        self.reject(WILD)
        self.check("a line that is no plain text", check="rejects")
        self.results["a line that is no plain text"]["binary"] = any(
            line == "MESSAGE" for line in journalctl("--output-fields=MESSAGE").splitlines()
        )
        Dovecot().start()
        assert not any(CLIENT.imap_logins(MX1, "bob", "one", "two"))
        wait_until(lambda: "auth failed" in journalctl("--output-fields=MESSAGE"), "Dovecot's line")
        self.check("failed logins", check="auth")
        self.check("without state", "--journal", "--no-state")
        self.check("found by itself", "--state", "/run/found")
        self.results["order of a life"] = order()

    def containers(self) -> None:
        """What docker's driver writes there, of two containers."""
        said = (
            "Nov 24 17:44:04 inner postfix/smtp[9]: 4F5A6B7C8D: to=<u@d.example>, relay=none,"
            " delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
        )
        for name in ("postfix", "postfix", "postfix", "relay", "web"):
            native(
                MESSAGE=said if name != "web" else "GET / 200", PRIORITY="6", CONTAINER_NAME=name,
                CONTAINER_ID="0123456789ab", SYSLOG_IDENTIFIER="0123456789ab",
            )  # fmt: skip
        wait_for_the_last_entry()
        state = "--state", "/run/containers"
        one, other = "CONTAINER_NAME=postfix", "CONTAINER_NAME=relay"
        for occasion in ("one container", "one container again"):
            self.check(occasion, "--journal-match", one, *state)
        self.check("two containers", "--journal-match", one, "--journal-match", other, *state)
        self.check("a container without mail", "--journal-match", "CONTAINER_NAME=web", *state)

    def users(self) -> None:
        """Who may read it, and who may not."""
        nobody, group = 65534, 65534
        self.check("nobody", "--journal", "--no-state", user=nobody, group=group, extra_groups=[])
        member = int(sh("getent", "group", JOURNAL_GROUP).split(":")[2])
        self.check(
            "member", "--journal", "--no-state", user=nobody, group=group, extra_groups=[member]
        )
        # An ordinary user has a journal of his own. Of that, and of nothing else, journalctl
        # shows him what he asks for, and is content.
        subprocess.run(
            ["logger", "-p", "mail.info", "-t", "postfix/sendmail", "mine"], user=1234, check=True
        )
        wait_for_the_last_entry()
        own = PERSISTENT / "user-1234.journal"
        own.chmod(0o644)
        shown = subprocess.run(
            ["journalctl", "-o", "export", "SYSLOG_FACILITY=2"],
            user=1234, group=1234, extra_groups=[], capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.results["journalctl of an ordinary user"] = {
            "exit_code": shown.returncode,
            "stderr": shown.stderr,
            "entries": shown.stdout.count("__CURSOR="),
        }
        self.check(
            "ordinary user", "--journal", "--no-state", user=1234, group=1234, extra_groups=[]
        )

    def losses(self) -> None:
        """What is removed or dropped before it is read."""
        self.check("before the loss")
        time.sleep(1.1)  # what is lost comes in a later second
        self.send(2)
        self.journald.rotate()
        self.send(1)
        self.journald.rotate()
        self.send(1)
        sh("journalctl", "--vacuum-files=3")  # two are active
        self.sent -= 2
        self.check("vacuumed", "--journal", "--state", "/run/state", "-vv")
        self.journald.stop()
        self.journald.start(burst=100)
        with unit("postfix.service"):
            shouting = subprocess.Popen([sys.executable, "-c", SHOUT])
        assert shouting.wait() == 0
        wait_for_the_last_entry()
        self.check("lines dropped", "--journal", "--no-state", "-vv")

    def damage(self) -> None:
        """A file that was cut short."""
        (PERSISTENT / "system@b-1-1.journal").write_bytes(b"LPKSHHRH" + bytes(100))
        self.check("damaged file", "--journal", "--state", "/run/state", "-vv")

    def _killed_again_and_again(self) -> None:
        """Runs that are killed, at any time, while they read a long journal."""
        state = ("--journal", "--state", "/run/killed", "--window", "1h")
        executable = Path(sys.executable).with_name("check_postfix_deferred")
        kills = 0
        for hundredth in range(5, 125, 5):
            running = subprocess.Popen([str(executable), *state], stdout=subprocess.DEVNULL)
            time.sleep(hundredth / 100)
            kills += running.poll() is None
            running.kill()
            running.wait()
        for _ in range(10):
            self.check("history after kills", *state)
        self.results["history after kills"]["kills"] = kills

    def _all_at_once(self) -> None:
        """Eight runs at once, which have no state yet."""
        state = ("--journal", "--state", "/run/crowd", "--window", "1h", "--timeout", "60")
        executable = Path(sys.executable).with_name("check_postfix_deferred")
        crowd = [
            subprocess.Popen([str(executable), *state], stdout=subprocess.DEVNULL) for _ in range(8)
        ]
        for one in crowd:
            one.wait()
        self.check("history after a crowd", *state)

    def history(self) -> None:
        """A long journal, of several files whose entries alternate."""
        self.main.command("postfix", "stop")
        self.out.command("postfix", "stop")
        self.journald.stop()
        for file in PERSISTENT.iterdir():
            file.unlink()
        start = time.time() - CRAFTED / 100 - 5

        def text(number: int) -> str:
            return (
                f"4F5A6B7C8D{number:06X}: to=<u{number}@d{number % 300}.example>,"
                " relay=mx.example.net[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.4.1,"
                f" status=deferred (connect to mx.example.net[192.0.2.9]:25: timed out)"
            )

        for part, name in enumerate(("system.journal", "system@a-1-1.journal")):
            entries = (
                entry(start + number / 100, "postfix/smtp", text(number), boot=number // 30_000 + 1)
                for number in range(CRAFTED)
                if number // 1000 % 2 == part
            )
            import_entries(entries, PERSISTENT / name)
        runs = 0
        while runs == 0 or "goes on in the next runs" in self.results["history"]["stdout"]:
            self.check("history", "--journal", "--state", "/run/long", "--window", "1h", "-vv")
            runs += 1
        self.results["history"]["runs"] = runs
        self.check("history again", "--journal", "--state", "/run/long", "--window", "1h")
        self._killed_again_and_again()
        self._all_at_once()
        # Nothing goes on in a later run here, however slow the machine is.
        whole = "--journal", "--no-state", "--window", "1h", "--timeout", "120"
        self.check("history without state", *whole)
        self.results["order"] = order()


def order() -> dict[str, int]:
    """Return how many entries there are, and how many of their cursors are not in their order."""
    cursors = [
        Cursor(line.removeprefix("__CURSOR="))
        for line in journalctl().splitlines()
        if line.startswith("__CURSOR=")
    ]
    misplaced = sum(
        not later.is_after(earlier) or earlier.is_after(later)
        for earlier, later in itertools.pairwise(cursors)
    )
    return {"entries": len(cursors), "misplaced": misplaced}


def by_helo(client: Client) -> Any:
    """Connect and greet with bytes that smtplib would not send."""
    import smtplib

    smtp = smtplib.SMTP(MX1, 25, "x", 10, (client.address, 0))
    smtp.send(b"EHLO " + client.helo.encode() + b"\r\n")
    assert smtp.getreply()[0] == 250
    return smtp


def main(directory: Path) -> None:
    """Let it happen and leave the results."""
    log = directory / "log"
    log.mkdir()
    scenario = Scenario(log)
    scenario.life_of_a_journal()
    scenario.containers()
    scenario.users()
    scenario.losses()
    scenario.damage()
    scenario.history()
    (directory / "results.json").write_text(json.dumps(scenario.results, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
