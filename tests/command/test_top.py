"""postfix-log top: who leads, by the numbers of the checks."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from check_postfix.command import cli, recipients
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import checks
from tests.support.package import ROOT

RECORDED = ROOT / "tests/recorded/mail.iso.log"
AT = ("--log", str(RECORDED), "--no-state", "--at", "2026-11-24T18:16Z")
pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def top(say):
    return partial(say, "top")


def rows(lines: list[str], what: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the heads of a table, and name -> cells."""
    start = next(at for at, line in enumerate(lines) if line.endswith(f"  by {what}"))
    found = {}
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        *cells, name = re.split(r"  +", line.strip())
        found[name.partition(" (")[0]] = cells
    return re.split(r"  +", lines[start].strip()), found


def said(name: str, *arguments: str) -> str:
    check = next(one for one in checks() if one.executable == f"check_postfix_{name}")
    return outcome_of(check, [*AT, "-v", *arguments])[0]


def attempt(to: str, status: str = "deferred", host: str = "mx1", ago: float = 100,
            text: str = "x") -> str:  # fmt: skip
    stamp = datetime.fromtimestamp(int(time.time() - ago), UTC).isoformat()
    dsn = {"deferred": "4.4.1", "bounced": "5.1.1", "sent": "2.0.0"}[status]
    return (
        f"{stamp} {host} postfix/smtp[7]: 4A00000001: to=<{to}>, relay=mx.example.net"
        f"[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn={dsn}, status={status} ({text})\n"
    )


@pytest.mark.parametrize(
    ("check", "what", "title", "of"),
    [
        ("deferred", "domain", "deferred", "deferrals by recipient domain"),
        ("deferred", "relay", "deferred", "deferrals by relay"),
        ("deferred", "reason", "deferred", "deferrals by reason"),
        ("bounces", "domain", "bounced", "bounces by recipient domain"),
        ("auth", "client", "failed logins", "failed logins by client"),
        ("rejects", "client", "rejects", "rejects by client"),
        ("rejects", "reason", "rejects", "rejects by reason"),
    ],
)
def test_the_numbers_are_those_of_the_checks(top, check, what, title, of):
    _, lines, _ = top(*AT, "--by", what, "--rows", 100)
    heads, table = rows(lines, what)
    told = said(check).partition(f"{of}:\n")[2]
    expected = {}
    for line in told.splitlines():
        match = re.match(r"  +(\d+)  (.+)", line)
        if not match or re.fullmatch(r"in \d+ more", match[2]):
            break
        expected[re.split(r" \(| at \d", match[2])[0]] = match[1]

    assert len(expected) > 1
    assert {name: table[name][heads.index(title)] for name in expected} == expected


def test_the_sums_of_each_table_are_those_of_the_window(top):
    status, lines, _ = top(*AT, "--rows", 3)

    assert status == 0
    assert lines[0] == (
        "2026-11-24 18:01 to 18:16: 40 sent, 17 deferred, 14 bounced, 21 rejects, 15 failed logins"
    )
    for what, numbers in (("domain", "17 14 40"), ("relay", "17 14 40"), ("recipient", "17 14 40")):
        _, table = rows(lines, what)
        sums = [sum(int(cells[at]) for cells in table.values()) for at in range(3)]
        assert " ".join(map(str, sums)) == numbers


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["ann@example.net", "Bob@example.net", "bob@example.net", "\"a b\"@x.test"]
            ),
            st.sampled_from(["deferred", "bounced", "sent"]),
        ),
        min_size=1, max_size=40,
    ),
    st.integers(1, 5),
)  # fmt: skip
def test_recipients_are_counted_exactly_whatever_fits_into_memory(
    top, tmp_path, monkeypatch, told, held
):
    monkeypatch.setattr(recipients, "_MOST_HELD", held)
    log = tmp_path / "mail.log"
    log.write_text("".join(attempt(*one) for one in told))
    expected = Counter((to.lower(), status) for to, status in told)

    _, lines, _ = top("--log", log, "--no-state", "--by", "recipient", "--rows", 10)

    heads, table = rows(lines, "recipient")
    assert {
        (name, status): int(cells[heads.index(status)])
        for name, cells in table.items()
        for status in heads[:-1]
        if int(cells[heads.index(status)])
    } == expected


def test_what_a_stranger_writes_names_no_recipient(top, tmp_path):
    log = tmp_path / "mail.log"
    forged = "host x said: 450 : 4B00000001: to=<ann@example.com>, relay=none"
    log.write_text(attempt("bob@example.net", text=forged))

    _, lines, _ = top("--log", log, "--no-state", "--by", "recipient")

    assert list(rows(lines, "recipient")[1]) == ["bob@example.net"]


def test_only_what_is_asked_for_counts(top, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(
        attempt("old@example.net", ago=7200)
        + attempt("one@example.net")
        + attempt("two@example.net", host="mx2")
    )

    _, lines, _ = top("--log", log, "--no-state", "--host", "mx2", "--by", "recipient")

    assert list(rows(lines, "recipient")[1]) == ["two@example.net"]


def test_it_is_told_what_is_usual(top, tmp_path):
    log, state = tmp_path / "mail.log", tmp_path / "state"
    quarters = range(8 * 4, 0, -1)
    log.write_text(
        attempt("x@old.example.com", ago=9 * 3600)
        + "".join(3 * attempt("ann@example.net", ago=900 * n) for n in quarters)
        + 5 * attempt("ann@example.net")
        + attempt("bob@example.org")
    )
    os.utime(log)

    top("--log", log, "--state", state)
    _, lines, _ = top("--log", log, "--state", state, "--by", "domain")

    heads, table = rows(lines, "domain")
    at = heads.index("usual")
    assert table["example.net"][at] == "3"
    assert table["example.org"][at] == "0"


def test_the_command_that_tells_whose_account_it_is_stands_below(top, tmp_path, capsys):
    stamp = datetime.fromtimestamp(int(time.time() - 60), UTC).isoformat()
    log, state = tmp_path / "mail.log", tmp_path / "state"
    log.write_text(
        f"{stamp} mx1 postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN authentication"
        " failed: UGFzc3dvcmQ6, sasl_username=ann@example.com\n"
    )
    _, lines, _ = top("--log", log, "--state", state, "--by", "account")

    (command,) = [line for line in lines if "postfix-log trace" in line]
    words = shlex.split(command.removeprefix("  whose that is: "))
    assert words[:2] == ["postfix-log", "trace"]
    with pytest.raises(SystemExit) as end:
        cli.main(words[1:])
    assert end.value.code == 0
    assert "sasl_username=ann@example.com" in capsys.readouterr().out
    for options in (["--anonymise"], ["--by", "client"]):
        _, lines, _ = top("--log", log, "--state", state, "--by", "account", *options)
        assert any("whose that is" in line for line in lines) == (options[0] == "--by")
    # The key of such a run is gone with it.
    _, lines, _ = top("--log", log, "--no-state", "--by", "account")
    assert not any("whose that is" in line for line in lines)


def test_nobody_is_named_where_names_are_hidden(top, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(attempt("bob@example.net"))

    _, lines, _ = top("--log", log, "--state", tmp_path / "state", "--anonymise")

    assert "example" not in "".join(lines)
    domains = rows(lines, "domain")[1]
    (address,) = rows(lines, "recipient")[1]
    assert address.partition("@")[2] in domains


def test_nothing_at_all_is_nothing_found(top, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(attempt("bob@example.net", ago=7200))

    status, lines, _ = top("--log", log, "--no-state")

    assert status == 1
    assert "0 sent, 0 deferred" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--rows", "x"], 2, "--rows x"),
        (["--by", "colour"], 2, "--by"),
        (["--window", "soon"], 2, "--window soon"),
        (["--log", "/nowhere/mail.log", "--no-state"], 3, "/nowhere/mail.log"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(top, arguments, status, words):
    code, _, error = top(*arguments)

    assert code == status
    assert words in error
    assert error.count("\n") == 1


def test_of_one_thing_the_head_says_one(top, tmp_path):
    refused = attempt("x@y.test").partition(" postfix/")[0]
    refused += (
        " postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 <x@y.test>:"
        " Relay access denied; from=<a@b.test> to=<x@y.test> proto=ESMTP helo=<x>\n"
    )
    (tmp_path / "mail.log").write_text(attempt("x@y.test") + refused)

    _, lines, _ = top("--log", tmp_path / "mail.log", "--no-state", "--by", "reason")

    assert lines[0].endswith(": 0 sent, 1 deferred, 0 bounced, 1 reject, 0 failed logins")
