"""A log that is rotated while a subcommand reads it is read anew, and each line told once."""

from __future__ import annotations

import pytest

from check_postfix.command.logs import Logs
from check_postfix.command.rotated import Readings
from check_postfix.maillog.errors import LogError
from tests.support import mail_log

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def rotating(tmp_path, monkeypatch):
    """Return a log, and what has it rotated so many times once its files are listed."""
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines([mail_log.DEFERRED]))

    def rotate(times: int) -> None:
        left = list(range(times))

        def entered(logs: Logs) -> Logs:
            if left:
                # Each older one has a name of its own, as with dateext.
                log.rename(log.with_name(f"mail.log-2026110{left.pop()}"))
                mail_log.write(log, mail_log.lines([mail_log.TAKEN_UP], minutes_ago=1))
            return logs

        monkeypatch.setattr(Logs, "__enter__", entered)

    return log, rotate


TRACE = ("trace", "--no-queue", "ann@example.net")
REPORT = ("report", "--jobs", "1")
TOP = ("top", "--no-state", "--by", "recipient", "--timezone", "UTC")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (TRACE, "<ann@example.net>: deferred by mail.example.net[192.0.2.25]:25"),
        (REPORT, "2 lines read, 1 of them counted"),
        (TOP, "1        0     0  ann@example.net"),
    ],
    ids=["trace", "report", "top"],
)
def test_what_was_rotated_meanwhile_is_told_once(command, told, rotating, say):
    log, rotate = rotating
    rotate(1)

    status, lines, errors = say(*command, "--log", log)

    assert (status, errors) == (0, "")
    assert sum(told in line for line in lines) == 1


@pytest.mark.parametrize("command", [TRACE, REPORT, TOP], ids=["trace", "report", "top"])
def test_a_log_that_is_rotated_all_the_time_is_said(command, rotating, say):
    log, rotate = rotating
    rotate(9)

    status, _, errors = say(*command, "--log", log)

    assert status == 3
    assert errors == (
        "postfix-log: the log was rotated each time while it was read; try once more\n"
    )


def test_what_else_goes_wrong_is_not_tried_again():
    readings, tried = Readings(), []

    def read() -> None:
        while True:
            with readings:
                tried.append(1)
                raise LogError("damaged")

    with pytest.raises(LogError, match="damaged"):
        read()

    assert tried == [1]
