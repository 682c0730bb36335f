"""A few messages to domains that are dead make no alarm of a quiet night."""

from __future__ import annotations

import pytest

from tests.support import mail_log
from tests.support.server import OK, WARNING, Server

pytestmark = pytest.mark.usefixtures("utc")
DAY = 1440
ALIVE = "alive.example"


def sent(domain):
    return mail_log.SENT.replace("@example.net", f"@{domain}")


def deferred(*domains, times=9):
    """Return so many deferrals, of these domains in turn."""
    said = mail_log.DEFERRED
    of = said.partition("@")[2].partition(">")[0]
    return [said.replace(f"@{of}", f"@{domains[n % len(domains)]}") for n in range(times)]


def night(directory, lines, sent_before=3 * DAY, arguments=()):
    """Return what is said of a night with these deferrals, and mail to ALIVE before and now."""
    server = Server(directory)
    for minutes in range(sent_before, 0, -480):
        server.goes_to(-minutes)
        server.writes([sent(ALIVE)])
    server.has_been_checked(*arguments)
    server.goes_to(-5)
    server.writes([*[sent(ALIVE)] * 40, *lines])
    server.goes_to(0)
    return server.says("deferred", *arguments)


DEAD = ["dead1.example", "dead2.example", "dead3.example"]


def test_they_are_shown_and_not_judged(tmp_path):
    said = night(tmp_path, deferred(*DEAD))

    assert said.exit_code == OK
    assert said.line.startswith("POSTFIX DEFERRED OK - 18.4 % of 49 delivery attempts deferred")
    assert "(fewer than 5 deferred, not judged)" in said.line


@pytest.mark.parametrize(
    "lines",
    [
        deferred(ALIVE),
        deferred(*DEAD, "dead4.example"),
        deferred(*DEAD, times=20),
        [*deferred(ALIVE, times=5), *deferred(*DEAD)],
    ],
    ids=["a domain that took mail", "four domains", "twenty deferrals", "five of one that took"],
)
def test_other_deferrals_are(tmp_path, lines):
    assert night(tmp_path, lines).exit_code >= WARNING


@pytest.mark.parametrize(
    ("sent_before", "arguments"), [(DAY, []), (3 * DAY, ["--keep-keys", "1h"])]
)
def test_where_nobody_knows_what_took_mail_before_all_are_judged(tmp_path, sent_before, arguments):
    assert night(tmp_path, deferred(*DEAD), sent_before, arguments).exit_code == WARNING
