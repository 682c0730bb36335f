"""Faults: what keeps a check from seeing trouble, from the first line to the moment of its run.

Each takes a server and the line of a trouble, writes what is written then, and lets the checks
of the schedule run where they would.
"""

from __future__ import annotations

import os
from datetime import timedelta, timezone

from tests.support import mail_log
from tests.support.server import DAY, Server

from .trouble import MUCH, ORDINARY, in_an_unknown_frame, of_others

BEHIND = timezone(timedelta(hours=-5))
AHEAD = timezone(timedelta(hours=1))
# Of program and text: behind `authentication failed`, and before the status of a delivery
_CUT = 77


def ordinary_days(server: Server, until: int = 0) -> None:
    """Write eight days of an ordinary server, which the checks have seen.

    until: minutes after the end
    """
    for day in range(8, 0, -1):
        server.goes_to(until - day * 1440 - 5)
        server.writes(ORDINARY)
    server.has_been_checked()


def no_fault(server: Server, trouble: str) -> None:
    """Nothing is in the way."""
    ordinary_days(server)
    server.goes_to(-5)
    server.writes([trouble] * MUCH)


def unknown_frame(server: Server, trouble: str) -> None:
    """Lines come in another frame since the logger was changed 2 hours ago."""
    ordinary_days(server)
    server.goes_to(-120)
    server.writes([mail_log.SENT] * 60)
    server.has_been_checked()
    for minute in (47, 52, 57):
        server.goes_to(minute - 60)
        server.appends(in_an_unknown_frame(trouble, minute, MUCH // 3))
        server.has_been_checked()


def silent(server: Server, _: str) -> None:
    """Postfix logs somewhere else since 5 days ago; others go on, our own queue check too."""
    ordinary_days(server, until=-5 * 1440)
    for minute in (30, 45, 55):
        server.goes_to(minute - 60)
        server.appends(of_others(range(minute - 5, minute)))
        server.has_been_checked()


def _written_in(zone: timezone, server: Server, trouble: str) -> None:
    server.form, server.zone = "bsd", zone
    ordinary_days(server)
    for minutes in (-26, -21, -16, -11, -6, -1):
        server.goes_to(minutes)
        server.writes([trouble] * (MUCH // 3))
        server.goes_to(minutes + 0.9)
        server.has_been_checked()


def stamps_behind(server: Server, trouble: str) -> None:
    """Postfix writes the time of UTC-5, and this machine takes it for UTC."""
    _written_in(BEHIND, server, trouble)


def stamps_ahead(server: Server, trouble: str) -> None:
    """Postfix writes the time of UTC+1, and this machine takes it for UTC."""
    _written_in(AHEAD, server, trouble)


def _in_trouble_since_the_last_run(server: Server, trouble: str) -> None:
    ordinary_days(server)
    server.goes_to(-16)
    server.writes([mail_log.SENT] * 10)
    server.has_been_checked()
    server.goes_to(-8)
    server.writes([trouble] * MUCH)
    server.goes_to(-5)


def unreadable_generation(server: Server, trouble: str) -> None:
    """What logrotate made of the log may be read by root alone."""
    _in_trouble_since_the_last_run(server, trouble)
    server.rotates().chmod(0)
    server.goes_to(-3)
    server.writes([mail_log.SENT] * 25)


def unreadable_log(server: Server, trouble: str) -> None:
    """The log itself may be read by root alone since it was rotated."""
    no_fault(server, trouble)
    server.has_been_checked()
    server.rotates()
    server.goes_to(-3)
    server.writes([trouble] * MUCH)
    server.log.chmod(0)


def log_cut(server: Server, trouble: str) -> None:
    """Somebody has emptied the log before a check could read the trouble."""
    _in_trouble_since_the_last_run(server, trouble)
    os.truncate(server.log, 0)
    server.writes([mail_log.SENT] * 25)


def lines_cut(server: Server, trouble: str) -> None:
    """A forwarder cuts each line, most of them before they say what has happened."""
    ordinary_days(server)
    server.goes_to(-5)
    server.writes([trouble[:_CUT]] * MUCH)


def foreign_log(server: Server, _: str) -> None:
    """The log is that of other programs."""
    server.goes_to(-15)
    server.appends(of_others(range(45)))
    server.has_been_checked()
    server.goes_to(-1)
    server.appends(of_others(range(45, 60)))


def taken_over(server: Server, _: str) -> None:
    """Another mail server has taken over the log of Postfix 2 hours ago."""
    ordinary_days(server)
    server.goes_to(-120)
    server.writes(ORDINARY)
    server.has_been_checked()
    server.goes_to(-1)
    server.appends(of_others(range(60)))


def clock_ahead_and_back(server: Server, trouble: str) -> None:
    """The clock of one run was 60 days ahead; the trouble was counted before."""
    no_fault(server, trouble)
    server.has_been_checked()
    server.clocks.wall += 60 * DAY
    server.has_been_checked()
    server.clocks.wall -= 60 * DAY
    server.goes_to(-2)
    server.has_been_checked()


def clock_back_and_right_again(server: Server, trouble: str) -> None:
    """The clock of one run was 60 days behind."""
    no_fault(server, trouble)
    server.has_been_checked()
    server.clocks.wall -= 60 * DAY
    server.has_been_checked()
    server.clocks.wall += 60 * DAY
    server.goes_to(-2)
    server.has_been_checked()


def clock_ahead(server: Server, trouble: str) -> None:
    """The clock is 60 days ahead in this run."""
    no_fault(server, trouble)
    server.has_been_checked()
    server.goes_to(0)
    server.clocks.wall += 60 * DAY


def clock_behind(server: Server, trouble: str) -> None:
    """The clock is 60 days behind in this run."""
    no_fault(server, trouble)
    server.has_been_checked()
    server.goes_to(0)
    server.clocks.wall -= 60 * DAY
