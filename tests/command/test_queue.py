"""postfix-log queue: what waits, the largest last, when it is tried next, and what to do."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.command import cli, retry
from check_postfix.command.waits import MOST_APART, Waits
from check_postfix.mailqueue import age
from check_postfix.mailqueue.listing import QUEUES, Listing, QueuedMessage
from check_postfix.mailqueue.reason import relay

NOW = 1_795_536_000
REFUSED = "connect to mx.example.net[192.0.2.25]:25: Connection refused"
GREY = (
    "host mx.example.org[192.0.2.9] said: 450 4.2.0 <bob@example.org>: Greylisted"
    " (in reply to RCPT TO command)"
)
pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture(autouse=True)
def now(monkeypatch):
    monkeypatch.setattr("time.time", lambda: NOW)


def entry(queue_id: str, ago: int = 60, queue: str = "deferred", sender: str = "ann@example.com",
          to: tuple[str, ...] = ("bob@example.net",), reason: str = REFUSED):  # fmt: skip
    recipients = [{"address": one, **({"delay_reason": reason} if reason else {})} for one in to]
    return {
        "queue_name": queue, "queue_id": queue_id, "arrival_time": NOW - ago,
        "message_size": 100, "forced_expire": False, "sender": sender, "recipients": recipients,
    }  # fmt: skip


@pytest.fixture
def queue(tmp_path, monkeypatch, capsys):
    """Run the command on a queue that holds these messages, of a Postfix that has no postconf."""
    monkeypatch.setattr("check_postfix.command.postconf._USUAL_PLACES", ())

    def run(*arguments: object, holds=(), status: int = 0, told: str = ""):
        listing = tmp_path / "listing"
        listing.write_text("".join(f"{json.dumps(one)}\n" for one in holds))
        program = tmp_path / "postqueue"
        program.write_text(
            f'#!/bin/sh\n[ "$1" = -c ] && echo $2 >> {tmp_path}/asked\n'
            f"/bin/cat {listing}\n[ -z '{told}' ] || echo '{told}' >&2\nexit {status}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(SystemExit) as end:
            cli.main(["queue", *map(str, arguments)])
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out.splitlines(), printed.err

    return run


def table(lines: list[str], head: str) -> list[list[str]]:
    """Return the cells of the table whose last head is this."""
    start = next(
        at for at, line in enumerate(lines) if line.startswith(" ") and line.endswith(head)
    )
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        rows.append(re.split(r"  +", line.strip()))
    return rows


def test_a_queue_is_told_by_sender_relay_reason_and_domain_the_largest_last(queue):
    holds = [
        entry("4A00000001", ago=7200),
        entry("4A00000002", ago=600),
        entry("4A00000003", sender="zoe@example.com", to=("bob@example.org",), reason=GREY),
        entry("4A00000004", queue="active", sender="MAILER-DAEMON", reason=""),
    ]

    status, lines, _ = queue("--no-log", holds=holds)

    assert status == 0
    assert lines[0] == "4 messages, 400 bytes, the oldest 2 h"
    assert table(lines, "queue") == [["1", "1 min", "in active"], ["3", "2 h", "in deferred"]]
    assert table(lines, "by sender")[-1] == ["2", "2 h", "ann@example.com"]
    assert sorted(row[-1] for row in table(lines, "by sender")) == [
        "MAILER-DAEMON", "ann@example.com", "zoe@example.com",
    ]  # fmt: skip
    assert table(lines, "by relay")[-1] == ["2", "2 h", "mx.example.net"]
    assert table(lines, "by reason")[-1] == ["2", "2 h", "connect to ...: Connection refused"]
    assert table(lines, "by domain")[-1] == ["3", "2 h", "example.net"]


def test_of_one_instance_that_is_named_no_other_is_told(queue):
    _, lines, _ = queue("--no-log", "--config-dir", "/etc/postfix-out", holds=[entry("4A00000001")])

    assert not any("instance" in line for line in lines)


def test_mail_on_hold_is_not_said_to_be_tried(queue):
    holds = [entry("4A00000001", queue="hold", reason=""), entry("4A00000002", reason="")]

    _, lines, _ = queue("--no-log", holds=holds)

    assert sorted(row[-1] for row in table(lines, "by reason")) == [
        "not tried yet, or being tried now", "on hold, nobody tries it",
    ]  # fmt: skip
    assert "  1 message, in hold: look at it" in "\n".join(lines)


def test_the_ages_are_those_of_qshape_with_the_total_last(queue):
    holds = [entry(f"4A0000000{n}", ago=n * 400) for n in range(1, 6)]

    _, lines, _ = queue("--no-log", "--by", "domain", holds=holds)

    expected = Listing(
        [
            QueuedMessage("deferred", f"4A{n}", NOW - n * 400, 1, False, ("b@example.net",))
            for n in range(1, 6)
        ],
        NOW,
    )
    total, row = age.table(expected, QUEUES)
    assert lines[-1].split() == ["TOTAL", str(total.total), *map(str, total.counts)]
    assert lines[-2].split() == ["example.net", str(row.total), *map(str, row.counts)]


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(QUEUES), st.integers(0, 9), st.sampled_from("abc"),
            st.lists(st.sampled_from(["b@x.test", "c@x.test", "d@y.test"]), max_size=3),
            st.sampled_from([REFUSED, GREY, ""]),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_groups_add_up_to_the_messages_each_counted_once(told):
    messages = [
        QueuedMessage(queue, f"4A{number}", NOW - number, 1, False, tuple(to), reason, sender)
        for queue, number, sender, to, reason in told
    ]
    waits = Waits(NOW, QUEUES)
    waits.take(messages)
    first = {message.queue_id: message for message in reversed(messages)}

    for what in ("sender", "relay", "reason"):
        assert sum(group.messages for group in waits.by[what].values()) == len(first)
    assert {name: group.messages for name, group in waits.by["sender"].items()} == Counter(
        message.sender for message in first.values()
    )
    assert waits.count() == len(first)


def test_a_sea_of_senders_is_kept_apart_up_to_a_number_and_the_rest_is_summed():
    waits = Waits(NOW, QUEUES)
    waits.take(
        QueuedMessage(
            "deferred", f"4A{n}", NOW, 1, False, ("b@example.net",), "", f"{n}@example.com"
        )
        for n in range(MOST_APART + 50)
    )

    assert len(waits.by["sender"]) == MOST_APART + 1
    assert waits.by["sender"]["\0"].messages == 50


@pytest.mark.parametrize(
    ("reason", "host"),
    [
        (REFUSED, "mx.example.net"),
        (GREY, "mx.example.org"),
        (f"delivery temporarily suspended: {REFUSED}", "mx.example.net"),
        ("lost connection with MX.example.net[192.0.2.25] while sending RCPT TO", "mx.example.net"),
        (
            "conversation with mx.example.net[192.0.2.25] timed out while sending end",
            "mx.example.net",
        ),
        ("Host or domain name not found. Name service error for name=x.test", ""),
        ("450 no: connect to forged.example.com[192.0.2.1]:25: Connection refused", ""),
    ],
)
def test_the_relay_is_the_host_that_postfix_itself_names(reason, host):
    assert relay(reason) == host


def log_of_attempts(path, *attempts: tuple[str, int], text: str = "x"):
    """Write a log in which messages were tried so many seconds ago."""
    lines = []
    for queue_id, ago in sorted(attempts, key=lambda one: -one[1]):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(NOW - ago))
        lines.append(
            f"{stamp} mx1 postfix/smtp[7]: {queue_id}: to=<bob@example.net>, relay=none, delay=1,"
            f" delays=0/0/0/1, dsn=4.4.1, status=deferred ({text})\n"
        )
    path.write_text("".join(lines))
    os.utime(path, (NOW, NOW))
    return path


def test_the_next_attempt_follows_from_the_last_one_in_the_log(queue, tmp_path):
    log = log_of_attempts(
        tmp_path / "mail.log", ("4A00000001", 2000), ("4A00000001", 500), ("4A00000002", 60)
    )
    holds = [entry("4A00000001", ago=2100), entry("4A00000002", ago=70), entry("4A00000003")]

    _, lines, _ = queue("--log", log, holds=holds)

    (said,) = [line for line in lines if line.startswith("next attempt: ")]
    # tried 1600 s after it came: next 1600 s after that; the other one after 300 s
    first, last = (time.strftime("%H:%M", time.gmtime(NOW + left)) for left in (240, 1100))
    assert re.search(rf"about \S+ {first} for the first, about \S+ {last} for the last", said)
    assert said.endswith(
        "of 1 message the log tells no attempt (by Postfix's default backoff times)"
    )
    assert table(lines, "by sender")[0][2] == first


def test_backoff_is_as_long_as_the_message_waits_within_its_bounds():
    backoff = retry.Backoff(300, 4000, 300, True)

    assert backoff.next(NOW - 10, NOW) == NOW + 300
    assert backoff.next(NOW - 1000, NOW) == NOW + 1000
    assert backoff.next(NOW - 90_000, NOW) == NOW + 4000


def test_what_a_stranger_writes_is_no_attempt(queue, tmp_path):
    log = log_of_attempts(
        tmp_path / "mail.log", ("4B00000001", 60), text="x: 4A00000001: to=<bob@example.net>"
    )

    _, lines, _ = queue("--log", log, holds=[entry("4A00000001")])

    assert "next attempt: not known: the log does not tell of the last attempts" in lines


def test_backoff_times_are_those_of_the_instance(queue, tmp_path):
    log = log_of_attempts(tmp_path / "mail.log", ("4A00000001", 60))
    postconf = tmp_path / "postconf"
    postconf.write_text(
        "#!/bin/sh\necho minimal_backoff_time = 20m\necho maximal_backoff_time = 4000s\n"
        "echo queue_run_delay = 300s\n"
    )
    postconf.chmod(0o755)

    _, lines, _ = queue("--log", log, holds=[entry("4A00000001", ago=70)])

    wanted = time.strftime("%Y-%m-%d %H:%M", time.gmtime(NOW - 60 + 1200))
    assert f"next attempt: about {wanted}" in lines


def test_a_log_that_cannot_be_read_is_told_and_the_rest_is_there(queue, tmp_path):
    status, lines, _ = queue("--log", tmp_path / "no.log", holds=[entry("4A00000001")])

    assert status == 3
    assert lines[0].startswith("1 message")
    assert lines[-1].startswith(f"-- not read: {tmp_path}/no.log: no such file")


def test_an_empty_queue_is_nothing_found(queue):
    assert queue("--no-log") == (1, ["nothing waits"], "")


def test_a_postfix_that_does_not_run_is_no_empty_queue(queue):
    status, lines, error = queue(
        "--no-log", status=69,
        told="postqueue: fatal: Queue report unavailable - mail system is down",
    )  # fmt: skip

    assert (status, lines) == (3, [])
    assert "down" in error


def test_all_instances_are_looked_at(queue, tmp_path, monkeypatch):
    main = tmp_path / "etc"
    main.mkdir()
    (main / "main.cf").write_text(f"multi_instance_directories = {tmp_path}/out\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/main.cf").write_text("multi_instance_enable = yes\n")
    monkeypatch.setattr("check_postfix.mailqueue.instances.USUAL_PLACES", (str(main),))

    _, lines, _ = queue("--no-log", holds=[entry("4A00000001")])

    assert (tmp_path / "asked").read_text() == f"{tmp_path}/out\n"
    assert table(lines, "instance") == [["1", "the main one"], ["1", f"{tmp_path}/out"]]


def test_what_to_do_is_told_for_each_reason_most_of_the_mail_last(queue):
    holds = [
        entry("4A00000001"), entry("4A00000002"), entry("4A00000003", reason=GREY),
        entry("4A00000004", queue="hold", reason=""),
    ]  # fmt: skip

    _, lines, _ = queue("--no-log", holds=holds)

    told = lines[lines.index("what to do:") + 1 :]
    assert told[-1].startswith("  2 messages, connection refused (for example 4A00000001): ")
    assert any("greylisted" in line and "wait" in line for line in told)
    assert any("in hold" in line and "postsuper -H" in line for line in told)


def test_nobody_is_named_where_names_are_hidden(queue, tmp_path):
    holds = [
        entry("4A00000001"),
        entry("4A00000002", to=("bob@example.org",), reason=GREY),
    ]  # fmt: skip

    _, lines, _ = queue("--no-log", "--anonymise", "--state", tmp_path / "state", holds=holds)

    said = "\n".join(lines)
    assert not re.search(r"example\.|192\.0\.2|bob|ann", said)
    assert re.search(r"address-[0-9a-f]{10}@domain-[0-9a-f]{10}", said)
    assert "greylisted" in said


def test_strangers_text_does_nothing_on_a_terminal(queue):
    holds = [entry("4A00000001", sender="\033[31m\u202e@example.com", reason="host \033]0;x\a")]

    _, lines, _ = queue("--no-log", holds=holds)

    assert "\033" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rows", "many"], "--rows many: not a whole number; use for example 10"),
        (["--queue", "dead"], "--queue dead"),
        (["--by", "size"], "--by"),
    ],
)
def test_wrong_usage_is_told_in_one_line(queue, arguments, words):
    status, _, error = queue(*arguments)

    assert status == 2
    assert words in error
    assert error.count("\n") == 1
