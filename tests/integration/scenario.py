"""Known traffic through the machine, and the truth about it.

    python -m tests.integration.scenario DIRECTORY      (in a namespace, see namespace.py)

leaves in DIRECTORY the logs, log/mail.log and log/mail.iso.log, and done.json: what was done,
what the checks must therefore say, what is in the queues, and when it was over.
"""

import json
import sys
import time
from pathlib import Path

from . import deliveries, logins, refusals
from .driver import Driver
from .machine import Machine
from .truth import Truth


def happen(driver: Driver) -> None:
    """Do everything, waiting only where one thing must be over before the next."""
    deliveries.to_every_mailbox(driver)
    deliveries.to_a_slow_server(driver)
    deliveries.at_the_second_instance(driver)
    deliveries.to_an_alias_for_others(driver)
    deliveries.with_a_forged_line(driver)
    deliveries.past_postscreen(driver)
    deliveries.probes(driver)
    refusals.by_smtpd(driver)
    refusals.by_smtpd_before_and_after_the_recipients(driver)
    refusals.by_content(driver)
    refusals.by_milter(driver)
    refusals.by_postscreen(driver)
    refusals.not_quite(driver)
    logins.wrong_passwords(driver)
    logins.wrong_imap_passwords(driver)
    logins.guessed_password(driver)
    logins.no_password_tested(driver)
    logins.submissions(driver)
    logins.stolen_account(driver)
    driver.settle()
    deliveries.suspended(driver)
    deliveries.retries(driver)
    logins.without_backend(driver)
    deliveries.expiries(driver)
    deliveries.full_active_queue(driver)
    driver.settle()
    driver.machine.rsyslog.wait_for_the_last_line()


def play(directory: Path) -> Driver:
    """Let it happen and leave the record; return the driver, with everything still running."""
    log = directory / "log"
    log.mkdir()
    driver = Driver(Machine(log))
    happen(driver)
    record = {
        "over": time.time(),
        "truth": {name: vars(truth) for name, truth in driver.truths.items()},
        "perfdata": {
            "everything": sum(driver.truths.values(), Truth()).perfdata(),
            **{name: truth.perfdata() for name, truth in driver.truths.items()},
        },
        "queues": driver.queues,
        "listings": {postfix.name: postfix.queue() for postfix in (driver.main, driver.out)},
    }
    (directory / "done.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    return driver


if __name__ == "__main__":
    play(Path(sys.argv[1])).machine.rsyslog.stop()
