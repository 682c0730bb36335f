"""A real rsyslogd whose log is rotated while messages come: each of them is counted once."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from check_postfix.maillog.store.store import Store
from tests.support import logbook, perfdata

from . import packages
from .commands import run_check
from .rsyslog import Rsyslog
from .waiting import wait_until

pytestmark = pytest.mark.integration

FORMS = ["RSYSLOG_TraditionalFileFormat", "RSYSLOG_FileFormat"]
ROTATIONS = 6
PAUSE = 0.01  # seconds between messages
# Fewer than are kept apart in an hour, more than a test on a machine that is not busy sends.
DOMAINS = 4_000
# Seconds. It mostly notices a HUP at once, on a busy machine at times only after many seconds.
PATIENCE = 120
FULL = 10_000  # bytes after which rsyslog rotates by itself
# What the documentation of $outchannel wants to be called, with one more for compression.
SCRIPT = """\
#!/bin/sh
set -e
number={most}
while [ $number -gt 1 ]; do
    next=$number
    number=$((number - 1))
    if [ -e {log}.$number.gz ]; then mv {log}.$number.gz {log}.$next.gz; fi
done
if [ -e {log}.1 ]; then gzip {log}.1; mv {log}.1.gz {log}.2.gz; fi
mv {log} {log}.1
"""


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """Have rsyslogd."""
    if os.geteuid() != 0:
        pytest.skip("rsyslogd gives its logs to root and adm, and installing it needs root")
    packages.install("rsyslog", "gzip")


class Talk:
    """Messages of deliveries, one after the other, each to the next domain."""

    def __init__(self, rsyslog: Rsyslog) -> None:
        self._rsyslog = rsyslog
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.said = 0

    def _go_on(self) -> None:
        while not self._over.wait(PAUSE):
            number = self.said
            self._rsyslog.say(
                "postfix/smtp[4242]",
                f"{number:010X}: to=<ann@{domain(number)}>, relay=mx.example.net[192.0.2.25]:25,"
                " delay=1, delays=0.1/0.1/0.4/0.4, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
            )
            self.said += 1

    def __enter__(self) -> Talk:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def wait_for_more(self, messages: int) -> None:
        """Return when so many more have been said."""
        enough = self.said + messages
        wait_until(lambda: self.said >= enough, "messages")


def domain(number: int) -> str:
    return f"n{number % DOMAINS}.example"


@contextmanager
def rsyslog(place: Path, outputs: str) -> Iterator[Rsyslog]:
    """Have an rsyslogd write a log in this place."""
    daemon = Rsyslog(outputs, (str(place / "mail.log"),), str(place / "socket"), str(place))
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()


class Checks:
    """The check, run again and again on one log."""

    def __init__(self, place: Path) -> None:
        self._log = place / "mail.log"
        self._state = place / "state"
        self.sent: list[float] = []

    def run(self) -> None:
        """Run it once, and keep what it says."""
        options = ["--log", str(self._log), "--state", str(self._state), "--window", "2h"]
        result = run_check("deferred", options)
        assert result.stderr == ""
        labels = perfdata.of(result.stdout)
        assert labels["gaps"].value == 0, result.stdout
        self.sent.append(labels["sent"].value)

    @contextmanager
    def one_after_the_other(self) -> Iterator[None]:
        """Run it all the time."""
        over = threading.Event()
        faults: list[BaseException] = []

        def go_on() -> None:
            try:
                while not over.is_set():
                    self.run()
            except BaseException as fault:  # noqa: BLE001 - raised where it is waited for
                faults.append(fault)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        if faults:
            raise faults[0]

    def counted(self) -> Counter[str]:
        """Return how often a delivery to each domain is counted."""
        minute = int(time.time()) // 60
        with Store(str(self._state), 5) as store:
            log = store.logs.of(str(self._log))
            assert log
            origins = [origin for origin, *_ in store.origins.of(log)]
            keys = store.answers.keys("sent", minute - 120, minute + 1, origins)
        return Counter({name: number for (name, _), number in keys})


def everything_once(talk: Talk) -> Counter[str]:
    """Return what is counted when nothing is lost or doubled."""
    return Counter(domain(number) for number in range(talk.said))


def written(log: Path) -> int:
    """Return how many of the messages stand in the log and its archives."""
    files = [path for path in log.parent.iterdir() if path.name.startswith(log.name)]
    return sum((logbook.content(str(path)) or b"").count(b"status=sent") for path in files)


def rename(log: Path) -> None:
    """Move the log and its archives on, and compress the last but one: as delaycompress does."""
    for number in range(ROTATIONS, 1, -1):
        packed = log.with_name(f"{log.name}.{number}.gz")
        if packed.exists():
            packed.rename(log.with_name(f"{log.name}.{number + 1}.gz"))
    newest = log.with_name(f"{log.name}.1")
    if newest.exists():
        subprocess.run(["gzip", str(newest)], check=True)
        newest.with_name(f"{newest.name}.gz").rename(log.with_name(f"{log.name}.2.gz"))
    log.rename(newest)


@pytest.mark.parametrize("every", [1, 3], ids=lambda every: f"run after {every}")
@pytest.mark.parametrize("form", FORMS)
def test_a_log_that_is_renamed_and_opened_anew_is_counted_once(
    tmp_path: Path, form: str, every: int
) -> None:
    log, checks = tmp_path / "mail.log", Checks(tmp_path)
    output = f'mail.* action(type="omfile" file="{log}" template="{form}")\n'
    with rsyslog(tmp_path, output) as daemon:
        with Talk(daemon) as talk:
            for rotation in range(1, ROTATIONS + 1):
                talk.wait_for_more(20)
                rename(log)
                # It goes on in the renamed file, whatever it is called, until it is told.
                talk.wait_for_more(20)
                if rotation % every == 0:
                    checks.run()
                daemon.reopen()
                wait_until(log.exists, "the new log", PATIENCE)
                if rotation % every == 0:
                    checks.run()
        daemon.wait_for_the_last_line()

    checks.run()

    assert written(log) == talk.said
    assert checks.counted() == everything_once(talk)
    assert checks.sent[-1] == talk.said


@pytest.mark.parametrize("form", FORMS)
def test_a_log_that_is_renamed_while_the_check_runs_is_counted_once(
    tmp_path: Path, form: str
) -> None:
    log, checks = tmp_path / "mail.log", Checks(tmp_path)
    output = f'mail.* action(type="omfile" file="{log}" template="{form}")\n'
    with rsyslog(tmp_path, output) as daemon:
        with Talk(daemon) as talk:
            talk.wait_for_more(20)
            with checks.one_after_the_other():
                for _ in range(ROTATIONS):
                    rename(log)
                    talk.wait_for_more(20)
                    daemon.reopen()
                    talk.wait_for_more(20)
                    wait_until(log.exists, "the new log", PATIENCE)
        daemon.wait_for_the_last_line()

    checks.run()

    assert written(log) == talk.said
    assert checks.counted() == everything_once(talk)
    assert checks.sent == sorted(checks.sent)
    assert checks.sent[-1] == talk.said


@pytest.mark.parametrize("between", ["runs all the time", "one run at the end"])
def test_a_log_that_rsyslog_rotates_when_it_is_full_is_counted_once(
    tmp_path: Path, between: str
) -> None:
    log, script, checks = tmp_path / "mail.log", tmp_path / "rotate", Checks(tmp_path)
    script.write_text(SCRIPT.format(log=log, most=99))
    script.chmod(0o755)
    output = f"$outchannel mail,{log},{FULL},{script}\nmail.* :omfile:$mail;RSYSLOG_FileFormat\n"
    with rsyslog(tmp_path, output) as daemon:
        with Talk(daemon) as talk:
            talk.wait_for_more(20)
            archive = log.with_name(f"{log.name}.{ROTATIONS}.gz")
            if between == "runs all the time":
                with checks.one_after_the_other():
                    wait_until(archive.exists, "rotations")
            else:
                wait_until(archive.exists, "rotations")
        daemon.wait_for_the_last_line()

    checks.run()

    assert written(log) == talk.said
    assert checks.counted() == everything_once(talk)
    assert checks.sent[-1] == talk.said
