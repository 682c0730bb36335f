"""The scenario, and then the checks: run by root and by others, in every situation it offers.

    python -m tests.integration.observations DIRECTORY      (in a namespace, see namespace.py)

leaves in DIRECTORY what the scenario leaves, and results.json: what the commands printed.
"""

import json
import sys
from pathlib import Path

from .commands import READER, STRANGER, Commands
from .driver import Driver
from .history import with_earlier_days
from .namespace import PROJECT, open_the_way
from .rsyslog import MAIL_ISO_LOG, MAIL_LOG
from .scenario import play

LOG_CHECKS = ("deferred", "bounces", "auth", "rejects")
USERS = ("root", READER)
# Thresholds that the scenario is known to exceed in the way the tests say.
THRESHOLDS = {
    "deferred": "-w 1 -c 100",
    "bounces": "-w 1 -c 2",
    "auth": "-w 1 -c 1000 --warning-client 1000 --critical-client 1000",
    "rejects": "-w 1000 -c 1000 --warning-count 1 --critical-count 1000",
    "queue": "-w 1 -c 1000",
}
ONE_GUESSER = "-w 1000 -c 1000 --warning-client 1 --critical-client 10"
HISTORY = Path("/run/history/mail.log")


def observe(driver: Driver) -> dict[str, object]:
    """Run everything; return the results by name, `user/check/occasion`."""
    commands = Commands()
    for user in USERS:
        state = _state_of(commands, user)
        for occasion in ("first", "second"):
            for check in LOG_CHECKS:
                options = f"--log {MAIL_LOG} --state {state} {THRESHOLDS[check]}"
                commands.check(f"{user}/{check}/{occasion}", user, check, *options.split())
            queue = THRESHOLDS["queue"].split()
            commands.check(f"{user}/queue/{occasion}", user, "queue", *queue)
        _observe_instances(commands, user, driver)
        _observe_defaults(commands, user)
    _observe_limits(commands)
    _observe_history(commands)
    driver.main.command("postfix", "stop")
    for user in USERS:
        commands.check(f"{user}/queue/postfix down", user, "queue")
    return commands.as_json()


def _observe_instances(commands: Commands, user: str, driver: Driver) -> None:
    for check in LOG_CHECKS:
        options = ["--log", MAIL_LOG, "--no-state", "--instance", driver.out.name]
        commands.check(f"{user}/{check}/second instance", user, check, *options)
    second = ["--config-dir", str(driver.out.config)]
    commands.check(f"{user}/queue/second instance", user, "queue", *second)


def _observe_defaults(commands: Commands, user: str) -> None:
    """Run the log checks without --log, and on the other form of the log."""
    state = f"{_state_of(commands, user)}-bare"
    for check in LOG_CHECKS:
        commands.check(f"{user}/{check}/bare", user, check, "--state", state)
        other = ["--log", MAIL_ISO_LOG, "--no-state"]
        commands.check(f"{user}/{check}/RFC 3339", user, check, *other)


def _observe_limits(commands: Commands) -> None:
    """Run what must not count as usual: a single guesser, a log that may not be read."""
    log = ["--log", MAIL_LOG, "--no-state"]
    commands.check("root/auth/one guesser", "root", "auth", *log, *ONE_GUESSER.split())
    for check in LOG_CHECKS:
        commands.check(f"stranger/{check}/unreadable", STRANGER, check, *log)


def _observe_history(commands: Commands) -> None:
    """Run the rejects check on a log that also tells of a week of days like this, but calmer."""
    HISTORY.parent.mkdir()
    HISTORY.write_text(with_earlier_days(Path(MAIL_LOG).read_text()))
    log = ["--log", str(HISTORY), "--no-state"]
    commands.check("root/rejects/after a week", "root", "rejects", *log)


def _state_of(commands: Commands, user: str) -> Path:
    """Return a state file in a directory of the user's own."""
    directory = Path("/run/state", user)
    directory.mkdir(parents=True, exist_ok=True)
    commands.give(directory, user)
    return directory / "state.sqlite"


def main(directory: Path) -> None:
    """Let the scenario happen, run the checks, and leave the record of both."""
    driver = play(directory)
    open_the_way([PROJECT, sys.prefix, sys.base_prefix])
    (directory / "results.json").write_text(json.dumps(observe(driver), indent=1) + "\n")
    driver.machine.rsyslog.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
