"""Whole runs of check_postfix_queue, on a postqueue that prints what a test wants."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from check_postfix import queue
from check_postfix.mailqueue import advice, instances, postqueue, running, sightings
from check_postfix.plugin.run import outcome_of
from tests.support import perfdata
from tests.support.package import ROOT

NOW = 1795536000
DOWN = (
    "echo 'postqueue: fatal: Queue report unavailable - mail system is down"
    " (Connect to the Postfix showq service: Connection refused)' >&2; exit 69"
)


def message(queue_id, queue="active", age=0, domain="example.net", **more):
    """Return a line of `postqueue -j` about a message of this age at NOW, in seconds."""
    return json.dumps(
        {
            "queue_name": queue,
            "queue_id": queue_id,
            "arrival_time": NOW - age,
            "message_size": 1000,
            "forced_expire": False,
            "sender": "ann@example.com",
            "recipients": [{"address": f"bob@{domain}"} | more],
        }
    )


class Machine:
    """A machine on which a test says what postqueue prints, and what time it is."""

    def __init__(self, directory, monkeypatch):
        self.directory = directory
        self.state = directory / "state"
        self.postqueue = directory / "postqueue"
        self._monkeypatch = monkeypatch
        self.script("exit 0")

    def script(self, text):
        self.postqueue.write_text(f"#!/bin/sh\n{text}\n")
        self.postqueue.chmod(0o755)

    def holds(self, *lines):
        (self.directory / "listing").write_text("".join(f"{line}\n" for line in lines))
        self.script(f"cat {self.directory}/listing")

    def run(self, *arguments, minutes=0, state=True):
        """Run the check so many minutes after NOW; return its first line's words and its code."""
        self._monkeypatch.setattr(time, "time", lambda: NOW + 60 * minutes)
        given = ["--state", str(self.state)] if state else []
        self.text, code = outcome_of(queue.CHECK, [*given, *map(str, arguments)])
        assert "internal error" not in self.text
        return self.text.partition("\n")[0].partition(" | ")[0], code


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setattr(postqueue, "USUAL_PLACES", ())
    monkeypatch.setattr(instances, "USUAL_PLACES", (str(tmp_path / "etc"),))
    monkeypatch.setattr(advice, "SYSTEMD", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Machine(tmp_path, monkeypatch)


# -- a jam


def test_a_retry_of_old_mail_is_no_jam(machine):
    backlog = [message(f"D{n}", "deferred", age=3 * 86400) for n in range(9)]
    machine.holds(*backlog)
    assert machine.run()[1] == 0

    # All are tried again, and five minutes later others are.
    machine.holds(*(line.replace("deferred", "active") for line in backlog[:5]), *backlog[5:])
    tried = machine.run(minutes=1)
    machine.holds(*backlog[:5], *(line.replace("deferred", "active") for line in backlog[5:]))
    again = machine.run(minutes=7)

    assert tried == (
        "POSTFIX QUEUE OK - 9 messages, none stuck in incoming and active, 5 in active",
        0,
    )
    assert again[1] == 0
    assert perfdata.of(machine.text)["active_oldest"].value == 3 * 86400 + 420


def test_mail_that_two_polls_five_minutes_apart_find_in_active_is_a_jam(machine):
    machine.holds(message("A1", age=5 * 3600), message("A2", age=60))

    first = machine.run()
    soon = machine.run(minutes=4)
    then = machine.run(minutes=5)

    assert first == (
        "POSTFIX QUEUE OK - 2 messages, none stuck in incoming and active, all in active"
        " (first look: mail that stays in active is told from now on)",
        0,
    )
    assert soon == (
        "POSTFIX QUEUE OK - 2 messages, none stuck in incoming and active, all in active",
        0,
    )
    assert then == (
        "POSTFIX QUEUE CRITICAL - 2 messages, oldest in incoming and active 5 h 5 min,"
        " all in active",
        2,
    )


def test_mail_that_came_after_the_poll_before_is_in_active_since_it_came(machine):
    machine.run()
    machine.holds(message("A1", age=-30))

    ages = []
    for minutes in (1, 2, 6, 61, 242):
        machine.run(minutes=minutes)
        ages.append(perfdata.of(machine.text)["queue_oldest"].value)

    assert ages == [0, 0, 330, 3630, 14490]
    assert machine.text.startswith("POSTFIX QUEUE CRITICAL")


def test_a_slow_retry_counts_from_when_it_was_found_and_not_by_the_age_of_its_mail(machine):
    # A server that takes connections and says nothing holds each retry for minutes.
    machine.holds(message("D1", "deferred", age=4 * 86400))
    machine.run()
    machine.holds(message("D1", age=4 * 86400))

    found = machine.run(minutes=10)
    later = machine.run(minutes=20)

    assert found[1] == later[1] == 0
    assert later[0].startswith(
        "POSTFIX QUEUE OK - 1 message, oldest in incoming and active 10 min,"
    )


def test_mail_in_incoming_is_judged_at_once(machine):
    machine.holds(message("I1", "incoming", age=3601))

    assert machine.run() == (
        "POSTFIX QUEUE WARNING - 1 message, oldest in incoming and active 1 h 1 s, all in incoming",
        1,
    )


def test_polls_of_two_instances_are_told_apart(machine):
    machine.holds(message("A1", age=5 * 3600))

    machine.run()
    assert machine.run("--config-dir", "/etc/postfix-out", minutes=6)[1] == 0
    assert machine.run("--config-dir", "/etc/postfix-out", minutes=12)[1] == 2


def test_without_a_state_mail_in_active_is_said_not_to_be_judged(machine):
    machine.holds(message("A1", age=5 * 3600))

    for minutes in (0, 6):
        assert machine.run("--no-state", minutes=minutes) == (
            "POSTFIX QUEUE OK - 1 message, none stuck in incoming and active, all in active"
            " (without a state, mail in active is not judged)",
            0,
        )
    assert not machine.state.exists()


@pytest.mark.parametrize(("seconds", "is_said"), [(299, False), (300, True)])
@pytest.mark.parametrize("state", [True, False])
def test_of_mail_that_cannot_be_stuck_yet_nothing_is_said(machine, state, seconds, is_said):
    machine.holds(message("A1", age=seconds))

    words, _ = machine.run(*([] if state else ["--no-state"]), state=state)

    assert ("mail in active" in words or "first look" in words) is is_said


def test_the_state_holds_no_queue_id_and_is_private(machine):
    machine.holds(message("4ABCDEF012"))
    machine.run()

    assert b"4ABCDEF012" not in machine.state.read_bytes()
    assert machine.state.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(machine.state.read_text())["polls"]) == 1


def test_what_is_not_asked_for_any_more_is_forgotten(machine):
    machine.run("--config-dir", "/etc/postfix-out")
    machine.run(minutes=49 * 60)

    assert len(json.loads(machine.state.read_text())["polls"]) == 1


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff" * 99, b"[]", b'{"key": "00", "polls": {}}', b'{"key": 1, "polls": 1}',
     b'{"key": "' + b"00" * 32 + b'", "polls": {"a": [1]}}'],
)  # fmt: skip
def test_a_damaged_state_is_begun_anew(machine, damage):
    machine.holds(message("A1", age=5 * 3600))
    machine.state.write_bytes(damage)

    assert [machine.run(minutes=minutes)[1] for minutes in (0, 6)] == [0, 2]


def test_a_clock_that_was_set_back_proves_nothing(machine):
    machine.holds(message("A1", age=5 * 3600))
    machine.run(minutes=60 * 24 * 60)

    assert [machine.run(minutes=minutes)[1] for minutes in (0, 4, 6)] == [0, 0, 2]


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "second name"])
def test_a_state_that_is_no_plain_file_is_left_alone_and_no_ok_is_vouched_for(machine, kind):
    victim = machine.directory / "victim"
    victim.write_text("mine")
    if kind == "link":
        machine.state.symlink_to(victim)
    elif kind == "fifo":
        os.mkfifo(machine.state)
    elif kind == "directory":
        machine.state.mkdir()
    else:
        os.link(victim, machine.state)

    words, code = machine.run()

    assert code == 3
    assert words.startswith("POSTFIX QUEUE UNKNOWN - queue is empty (")
    assert str(machine.state) in words
    assert victim.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write beside a device")
def test_nobody_is_told_to_remove_a_device(machine):
    machine.state = Path("/dev/null")

    assert "(/dev/null: is a device; name a file with --state, or --no-state" in machine.run()[0]


def test_an_alarm_stays_one_without_the_state(machine):
    machine.holds(message("I1", "incoming", age=5 * 3600))
    machine.state.mkdir()

    assert machine.run()[1] == 2


def test_another_run_that_has_the_state_is_not_waited_for_for_long(machine, monkeypatch):
    import fcntl

    monkeypatch.setattr(sightings, "_WAIT", 0.05)
    machine.run()
    with machine.state.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        words, code = machine.run()

    assert code == 3
    assert words == (
        "POSTFIX QUEUE UNKNOWN - queue is empty"
        f" ({machine.state}: another run has it for more than 0.05 s)"
    )


# -- Postfix is down


@pytest.mark.parametrize(
    ("arguments", "state", "code"),
    [
        ([], "CRITICAL", 2),
        (["--down", "warning"], "WARNING", 1),
        (["--down", "unknown"], "UNKNOWN", 3),
        (["--down", "ok"], "OK", 0),
    ],
)
def test_postfix_that_does_not_run_is_critical_unless_told_otherwise(
    machine, arguments, state, code
):
    machine.script(DOWN)

    assert machine.run(*arguments) == (
        f"POSTFIX QUEUE {state} - postqueue: mail system is down"
        " (Connect to the Postfix showq service: Connection refused);"
        " start it with 'postfix start'",
        code,
    )


@pytest.mark.parametrize("arguments", [[], ["--down", "ok"]])
def test_postfix_that_runs_and_can_start_nothing_new_is_critical(machine, monkeypatch, arguments):
    monkeypatch.setattr(running, "is_running", lambda _: True)
    machine.script("echo 'postqueue: fatal: chdir /srv/queue: No such file or directory' >&2;"
                   "exit 69")  # fmt: skip

    assert machine.run(*arguments) == (
        "POSTFIX QUEUE CRITICAL - postqueue: main.cf is wrong, no program of Postfix starts with"
        " it: chdir /srv/queue: No such file or directory (Postfix still runs, but can start"
        " nothing new); see queue_directory in main.cf, and that its file system is mounted",
        2,
    )


def test_that_postfix_cannot_be_asked_is_unknown(machine):
    machine.script("echo 'postqueue: fatal: User x(1) is not allowed to view the mail queue' >&2;"
                   "exit 69")  # fmt: skip

    assert machine.run()[1] == 3


# -- a listing without an end


MANY = "awk 'BEGIN {{ for (i = 0; i < {n}; i++) printf \"{line}\\n\", i }}'; exec sleep 60"
LINE = (
    '{"queue_name": "deferred", "queue_id": "%06X", "arrival_time": 1795530000,'
    ' "message_size": 7, "recipients": []}'
).replace('"', '\\"')


def endless(n):
    return MANY.format(n=n, line=LINE)


def test_a_listing_that_outlives_the_timeout_says_how_many_there_are_at_least(machine, monkeypatch):
    monkeypatch.setattr(postqueue, "ENOUGH", 500)
    machine.script(endless(500))

    words, code = machine.run("-t", "2", "-w", "400", "-c", "600")

    assert code == 1
    assert words == (
        "POSTFIX QUEUE WARNING - at least 500 messages, none in incoming and active,"
        " all in deferred (oldest 1 h 40 min) (no end of the listing within 1.8 s)"
    )


@pytest.mark.parametrize("limits", [["-w", "60", "-c", "70"], ["-w", "60:", "-c", "~:"]])
def test_what_such_a_listing_does_not_prove_is_unknown(machine, limits, monkeypatch):
    monkeypatch.setattr(postqueue, "ENOUGH", 50)
    machine.script(endless(50))

    assert machine.run("-t", "1", *limits)[1] == 3


def test_a_short_listing_without_an_end_proves_nothing(machine, monkeypatch):
    monkeypatch.setattr(postqueue, "ENOUGH", 1001)
    machine.script(endless(1000))

    words, code = machine.run("-t", "1", "-w", "5", "-c", "10")

    assert code == 3
    assert words.startswith("POSTFIX QUEUE UNKNOWN - postqueue: no complete listing within 0.9 s;")


def test_negative_sizes_are_not_those_of_postfix(machine):
    machine.holds(message("A1").replace(": 1000,", ": -1000,"))

    words, code = machine.run()

    assert code == 3
    assert words.startswith("POSTFIX QUEUE UNKNOWN - postqueue: expected one JSON object a message")


# -- several instances


@pytest.fixture
def several(machine):
    """A machine with two more instances, of which one is not enabled and does not run."""
    for name, lines in {
        "etc": "myhostname = mx\n# multi_instance_directories = /no\nmulti_instance_directories ="
        f"\n    {machine.directory}/etc-out,\n# -\n  {machine.directory}/etc-old\n",
        "etc-out": "multi_instance_enable = yes\n",
        "etc-old": "multi_instance_name = postfix-old\n",
    }.items():
        (machine.directory / name).mkdir()
        (machine.directory / name / "main.cf").write_text(lines)
    out = [message("A1", age=5 * 3600), message("A2", "hold", age=60)]
    (machine.directory / "listing").write_text(message("A1", "deferred", age=60) + "\n")
    (machine.directory / "listing-out").write_text("".join(f"{line}\n" for line in out))
    machine.script(
        f"case $2 in {machine.directory}/etc-out) cat {machine.directory}/listing-out;;"
        f" '') cat {machine.directory}/listing;; *) {DOWN};; esac"
    )
    return machine


def test_other_instances_that_are_not_looked_at_are_said(several):
    assert several.run() == (
        "POSTFIX QUEUE OK - 1 message, none in incoming and active,"
        " all in deferred (oldest 1 min)"
        f" (not looked at: {several.directory}/etc-out, {several.directory}/etc-old,"
        " see --all-instances)",
        0,
    )


def test_who_asks_for_one_instance_is_not_told_of_others(several):
    words, _ = several.run("--config-dir", f"{several.directory}/etc-out")

    assert words == (
        "POSTFIX QUEUE OK - 2 messages, none stuck in incoming and active, 1 in active"
        " (first look: mail that stays in active is told from now on)"
    )


def test_all_instances_are_summed_without_those_that_neither_run_nor_should(several):
    several.run("--all-instances")
    words, code = several.run("--all-instances", "-v", minutes=6)

    assert code == 2
    assert words == (
        "POSTFIX QUEUE CRITICAL - 3 messages, oldest in incoming and active 5 h 6 min,"
        " 1 in deferred (oldest 7 min)"
    )
    assert several.text.splitlines()[5:8] == [
        "messages by instance:",
        "  1  main",
        f"  2  {several.directory}/etc-out"[:65],
    ]


def test_one_of_all_instances_that_should_run_and_does_not_is_critical(several):
    several.script(f"case $2 in '') exit 0;; *) {DOWN};; esac")

    words, code = several.run("--all-instances")

    assert code == 2
    assert words.endswith(f"start it with 'postfix -c {several.directory}/etc-out start'")


@pytest.mark.parametrize("option", ["--config-dir /etc/x", "--postqueue 'docker exec a postqueue'"])
def test_all_instances_are_those_of_this_machine(machine, option):
    import shlex

    words, code = machine.run("--all-instances", *shlex.split(option))

    assert code == 3
    other = option.partition(" ")[0]
    assert words == (
        f"POSTFIX QUEUE UNKNOWN - --all-instances: does not go with {other}; leave one out;"
        " see check_postfix_queue --help"
    )


# -- the queue of a container


def wrapper(machine, text):
    """Make a wrapper as docker exec is one: what it starts is in another session."""
    path = machine.directory / "container"
    path.write_text(f"#!/bin/sh\nshift 2\n{text}\n")
    path.chmod(0o755)
    return path


def test_postqueue_of_a_container_is_run_by_a_command_without_a_shell(machine):
    machine.holds(message("A1", "hold"))
    path = wrapper(machine, 'echo "$#: $*" > "$0.called"; exec "$@"')

    words, code = machine.run("--postqueue", f"{path} exec 'ma;il $HOME' {machine.postqueue} '*'")

    assert (words, code) == (
        "POSTFIX QUEUE OK - 1 message, none in incoming and active, all in hold (oldest 0 s)",
        0,
    )
    assert Path(f"{path}.called").read_text() == f"3: {machine.postqueue} * -j\n"


def test_the_instance_of_a_container_is_named_behind_the_command(machine):
    path = wrapper(machine, 'echo "$*" > "$0.called"')

    machine.run("--postqueue", f"{path} exec mail postqueue", "--config-dir", "/etc/postfix-out")

    assert Path(f"{path}.called").read_text() == "postqueue -c /etc/postfix-out -j\n"


@pytest.mark.parametrize("written", ["", "'", "./docker exec mail postqueue", "bin/postqueue"])
def test_what_is_no_command_is_refused(machine, written):
    words, code = machine.run("--postqueue", written)

    assert code == 3
    assert "not a command; use for example 'docker exec mail postqueue'" in words


def inner_runs(machine):
    pid = int((machine.directory / "inner").read_text())
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX":
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize(
    "ends",
    [
        # As sudo and podman do, it passes on what it can.
        "trap 'kill $inner' TERM; setsid sh -c 'echo $$ > {0}/inner; exec sleep 60' & inner=$!\n"
        "wait",
        # docker passes on nothing: what is in the container ends itself.
        "setsid sh -c 'echo $$ > {0}/inner; exec timeout 0.5 sleep 60'; exec sleep 60",
    ],
)
def test_what_runs_in_a_container_ends_with_the_timeout(machine, ends):
    path = wrapper(machine, ends.format(machine.directory))

    words, code = machine.run("-t", "1", "--postqueue", f"{path} exec mail postqueue")

    assert code == 3
    assert words.startswith("POSTFIX QUEUE UNKNOWN - postqueue: no complete listing within 0.9 s;")
    assert not inner_runs(machine)


# -- a very large queue


GENERATE = """\
import sys
line = (
    '{"queue_name": "%s", "queue_id": "4XJ2Vw%07dz9sK1", "arrival_time": 17955%05d,'
    ' "message_size": 12345, "forced_expire": false, "sender": "ann@example.com",'
    ' "recipients": [{"address": "user%d@d%d.example.net", "delay_reason":'
    ' "connect to mx%d.example.net[192.0.2.1]:25: Connection timed out"}]}\\n'
)
for n in range(500_000):
    d = n * 7919 % 100_003
    sys.stdout.write(line % (sys.argv[1], n, n % 36000, n, d, d))
"""
# ru_maxrss would also count the process that this one was forked from.
MEASURED = """\
import sys
from check_postfix.plugin.run import outcome_of
from check_postfix.queue import CHECK
text, code = outcome_of(CHECK, sys.argv[1:])
print(text.partition(",")[0])
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM:")))
"""


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["deferred", "active"])
def test_a_queue_of_500000_messages_needs_64_mib_at_most(machine, name):
    (machine.directory / "generate.py").write_text(GENERATE)
    machine.script(f"exec {sys.executable} {machine.directory}/generate.py {name}")

    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "-t", "120", "-vv", "--state", machine.state],
        env={**os.environ, "PYTHONPATH": str(ROOT / "checks")},
        capture_output=True,
        check=True,
        text=True,
    )

    words, kib = done.stdout.splitlines()
    assert words.startswith("POSTFIX QUEUE CRITICAL - 500000 messages")
    assert int(kib) <= 64 << 10
