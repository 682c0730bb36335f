"""The scenario, and then the checks: run by root and by others, in every situation it offers.

    python -m tests.integration.observations DIRECTORY      (in a namespace, see namespace.py)

leaves in DIRECTORY what the scenario leaves, and results.json: what the checks printed, by
`user/check/occasion`.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .commands import CHECKS, LOG_CHECKS, READER, ROOT, STRANGER, Result, run_check
from .driver import Driver
from .history import with_earlier_days, with_earlier_deliveries, with_mail_that_stopped
from .namespace import PROJECT, open_the_way
from .rsyslog import MAIL_ISO_LOG, MAIL_LOG
from .scenario import play

USERS = (ROOT, READER)
# Thresholds that the scenario exceeds, each to the state that the tests expect.
THRESHOLDS = {
    "deferred": "-w 1 -c 100",
    "bounces": "-w 1 -c 2",
    "auth": "-w 1 -c 1000 --warning-client 1000 --critical-client 1000",
    "rejects": "-w 1000 -c 1000 --warning-count 1 --critical-count 1000",
    "volume": "--warning-silence @0:2d",
    "delay": "-w 0.000001 -c 1000 --min-attempts 1",
    "senders": "--warning-messages 1",
    "recipients": "--warning-messages 1",
    "log": "--warning-warnings @0:1000000",
    "queue": "-w 1 -c 1000",
}
ONE_GUESSER = "-w 1000 -c 1000 --warning-client 1 --critical-client 10"
FRESH = f"--log {MAIL_LOG} --no-state"
STATES = Path("/run/state")

Named = tuple[str, Result]


def observe(driver: Driver) -> Iterator[Named]:
    """Run everything; Postfix is down at the end."""
    for user in USERS:
        yield from as_scheduled(user)
        yield from elsewhere(user, str(driver.out.config))
    yield _run("one guesser", "auth", f"{FRESH} {ONE_GUESSER}")
    yield _run("slow relay", "delay", f"{FRESH} -v")
    yield _run("asked for", "recipients", f"{FRESH} --address ann@example.net")
    yield from after_a_week()
    yield after_a_week_of_mail()
    for check in LOG_CHECKS:
        yield _run("unreadable", check, FRESH, STRANGER)
    driver.main.command("postfix", "stop")
    for user in USERS:
        yield _run("postfix down", "queue", "", user)


def as_scheduled(user: str) -> Iterator[Named]:
    """Run all of them twice, as an agent does, remembering; then again with the defaults alone."""
    states = STATES / user
    states.mkdir(parents=True)
    if user != ROOT:
        shutil.chown(states, "nobody", "nogroup")
    for occasion in ("first", "second"):
        for check in CHECKS:
            log = f"--log {MAIL_LOG} --state {states}/given"
            remember = log if check in LOG_CHECKS else f"--state {states}/queue"
            yield _run(occasion, check, f"{remember} {THRESHOLDS[check]}", user)
    for check in LOG_CHECKS:
        yield _run("log found by itself", check, f"--state {states}/found", user)


def elsewhere(user: str, second_instance: str) -> Iterator[Named]:
    """Run them on the second instance, and on the log in its other form."""
    for check in LOG_CHECKS:
        yield _run("second instance", check, f"{FRESH} --instance postfix-out", user)
        yield _run("RFC 3339", check, f"--log {MAIL_ISO_LOG} --no-state", user)
    yield _run("second instance", "queue", f"--config-dir {second_instance} --no-state", user)


def after_a_week() -> Iterator[Named]:
    """Run two checks on a log that also tells of a week of days like this, but calmer.

    And that of the log itself on one that ends yesterday, and those of people after a week in
    which alice alone has logged in.
    """
    log = Path("/run/history/mail.log")
    log.parent.mkdir()
    today = Path(MAIL_LOG).read_text()
    log.write_text(with_earlier_days(today))
    until_yesterday = Path("/run/history/yesterday.log")
    until_yesterday.write_text(with_earlier_days(today).removesuffix(today))
    yield _run("after a week", "rejects", f"--log {log} --no-state")
    yield _run("after a calm week", "volume", f"--log {log} --no-state")
    yield _run("since yesterday", "log", f"--log {until_yesterday} --no-state")
    known = Path("/run/history/known.log")
    known.write_text(with_earlier_deliveries(today))
    for check, options in (
        ("auth", "-v"),
        ("senders", "--min-messages 5"),
        ("recipients", "-w 2 --min-messages 5"),
    ):
        yield _run("after a week", check, f"--log {known} --no-state {options}")


def after_a_week_of_mail() -> Named:
    """Run the volume check on a log of a week, in which mail stopped two hours ago."""
    log = Path("/run/history/stopped.log")
    log.write_text(with_mail_that_stopped(Path(MAIL_LOG).read_text()))
    return _run("after a week", "volume", f"--log {log} --no-state")


def _run(occasion: str, check: str, options: str, user: str = ROOT) -> Named:
    return f"{user}/{check}/{occasion}", run_check(check, options.split(), user)


def main(directory: Path) -> None:
    """Let the scenario happen, run the checks, and leave the record of both."""
    driver = play(directory)
    open_the_way([PROJECT, sys.prefix, sys.base_prefix])
    results = {name: asdict(result) for name, result in observe(driver)}
    (directory / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    driver.machine.rsyslog.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
