"""check_postfix_all: ten conditions from one reading, each as its own executable judges it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from check_postfix import programs
from check_postfix.all import ALL
from check_postfix.common.opened_store import OpenedStore
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata
from tests.support.definitions import checks, log_checks, names
from tests.support.package import ROOT

pytestmark = pytest.mark.usefixtures("utc")

RECORDED = ROOT / "tests/recorded/mail.iso.log"
THEN = ["--log", str(RECORDED), "--at", "2026-11-24T18:16Z"]
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
# Of each message that waits there are so many seconds since it came, by another clock
AGES = re.compile(
    r"(?:_oldest|silence|standstill|log_age)=\d+s|oldest \d+ \w+ \d+ \w+|\d+ \w+ old|\d+\.\d+ ms"
)
PSEUDONYM = re.compile(r"\b([a-z]+)-[0-9a-f]{10}\b")


@pytest.fixture(autouse=True)
def postqueue(tmp_path, monkeypatch):
    """A queue with one message; a test may put another program in its place."""
    program = tmp_path / "bin" / "postqueue"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        """echo '{"queue_name": "deferred", "queue_id": "4ABCDEF012", "arrival_time": 1795536000,"""
        """ "message_size": 2048, "sender": "a@example.com", "recipients": [{"address":"""
        """ "b@example.net", "delay_reason": "connect to mx: Connection timed out"}]}'\n"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    return program


def results(text):
    """Return name -> (exit code, text) of what is printed for send_nsca."""
    records = [record.split("\t") for record in text.split("\x17")[:-1]]
    assert {record[0] for record in records} <= {"mx1"}
    return {name: (int(code), said) for _, name, code, said in records}


def told(*arguments):
    text, _ = ALL.outcome_of([*map(str, arguments), "--output", "nsca", "--service-host", "mx1"])
    return results(text)


def one_by_one(options, of_queue=(), of_all=()):
    """Return what the ten executables print when called one after another.

    options, of_queue, of_all: of those that read the log, of that of the queue, and of all
    """
    return {
        check.name.replace(" ", "-"): outcome_of(
            check, [*(options if check in log_checks() else of_queue), *of_all]
        )[::-1]
        for check in checks()
    }


def at_any_time(said):
    """Return results without what is another in each run: ages by the clock, and pseudonyms."""
    return {
        name: (code, PSEUDONYM.sub(r"\1", AGES.sub("", text)))
        for name, (code, text) in said.items()
    }


def test_it_judges_every_condition_that_there_is():
    assert list(ALL.checks) == programs.NAMES
    assert list(ALL.checks.values()) == checks()


@pytest.mark.parametrize("of_all", [[], ["-v"], ["-vv"]])
@pytest.mark.parametrize(
    "more", [[], ["--window", "1m"], ["--host", "mx1"], ["--anonymise"], ["--max-silence", "1m"]]
)
def test_its_answers_are_those_of_the_ten_executables(more, of_all):
    options = [*THEN, "--no-state", *more]

    alone = one_by_one(options, ["--no-state"], of_all)

    assert at_any_time(told(*options, *of_all)) == at_any_time(alone)


def test_its_answers_are_those_of_the_ten_executables_with_a_state(tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING * 9))
    options = ["--log", str(log), "--state", str(tmp_path / "state")]
    first = told(*options)

    alone = one_by_one(options, ["--state", str(tmp_path / "queue.json")])

    assert first["postfix-deferred"][0] == CRITICAL
    assert AGES.sub("", str(told(*options))) == AGES.sub("", str(alone))


def test_its_answers_are_those_of_the_ten_executables_where_something_is_in_the_way(tmp_path):
    options = ["--log", str(tmp_path / "no.log"), "--state", str(tmp_path / "state")]

    said = told(*options)

    queue = ["--state", str(tmp_path / "queue.json")]

    assert at_any_time(said) == at_any_time(one_by_one(options, queue))
    assert said["postfix-log"][0] == CRITICAL
    assert said["postfix-deferred"][0] == UNKNOWN
    assert said["postfix-queue"][0] == OK


def test_the_first_line_names_the_worst_and_a_line_for_each_follows():
    text, code = ALL.outcome_of([*THEN, "--no-state"])
    first, *lines = text.splitlines()

    assert code == CRITICAL
    assert first.startswith(
        "POSTFIX ALL CRITICAL - bounces CRITICAL: 25.9 % of 54 recipients bounced in 15 min, "
    )
    assert "; deferred WARNING: 23.9 % of 71 delivery attempts deferred in 15 min, " in first
    assert [line.split()[1].lower() for line in lines] == programs.NAMES
    assert len(first.partition(" | ")[0]) <= 400


def test_no_label_is_lost_and_none_is_there_twice(tmp_path):
    options = [*THEN, "--state", str(tmp_path / "state")]
    text, _ = ALL.outcome_of(options)
    joined = perfdata.of(text)

    queue = ["--state", str(tmp_path / "queue.json")]
    for name, (_, said) in one_by_one(options, queue).items():
        for label, value in perfdata.of(said).items():
            if label.endswith("_oldest"):
                continue
            renamed = name == "postfix-queue" and label == "deferred"
            assert joined["queue_deferred" if renamed else label] == value


def test_a_label_means_the_same_in_all_conditions_but_for_one():
    meanings: dict[str, set[str]] = {}
    for check in checks():
        for label in check.labels:
            meanings.setdefault(label.name, set()).add(label.meaning)

    assert {name for name, several in meanings.items() if len(several) > 1} == {"deferred"}


def test_the_log_is_read_once(tmp_path, monkeypatch):
    opened = []
    real = OpenedStore.__enter__
    monkeypatch.setattr(OpenedStore, "__enter__", lambda store: (opened.append(1), real(store))[1])

    told(*THEN, "--state", tmp_path / "state")

    assert len(opened) == 1


def test_a_condition_may_look_at_another_time(tmp_path):
    said = told(*THEN, "--state", tmp_path / "state", "--with", "deferred --window 1m")

    assert " in 1 min" in said["postfix-deferred"][1]
    assert " in 15 min" in said["postfix-bounces"][1]


def test_each_condition_remembers_by_itself_when_it_was_run(tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING))
    options = ["--log", str(log), "--state", str(tmp_path / "state")]

    told(*options)
    marks = _marks(tmp_path / "state")
    assert len(marks) == len(log_checks())

    one_by_one(options, ["--state", str(tmp_path / "queue.json")])
    assert _marks(tmp_path / "state") == marks  # they are those of the ten executables


def _marks(state):
    with closing(sqlite3.connect(state)) as database:
        return {row[0] for row in database.execute("SELECT id FROM run")}


def test_what_is_kept_of_the_queue_lies_beside_what_is_kept_of_the_log(tmp_path):
    (tmp_path / "kept").mkdir()

    told(*THEN, "--state", tmp_path / "kept" / "counts")

    assert {"counts", "queue.json"} <= set(os.listdir(tmp_path / "kept"))


def test_without_a_state_nothing_is_kept(tmp_path):
    before = sorted(tmp_path.rglob("*"))

    told(*THEN, "--no-state")

    assert sorted(tmp_path.rglob("*")) == before


def test_postqueue_that_hangs_takes_nothing_from_the_others(postqueue):
    postqueue.write_text("#!/bin/sh\nexec sleep 20\n")

    said = told(*THEN, "--no-state", "--timeout", "3")

    assert said["postfix-queue"][0] == UNKNOWN
    assert "within" in said["postfix-queue"][1]
    assert said["postfix-bounces"][0] == CRITICAL


def test_a_state_that_another_run_holds_takes_nothing_from_the_queue(tmp_path):
    options = [*THEN, "--state", tmp_path / "state", "--timeout", "2"]
    told(*options)
    with closing(sqlite3.connect(tmp_path / "state")) as database:
        database.execute("BEGIN EXCLUSIVE")

        said = told(*options)

    assert said["postfix-bounces"][0] == UNKNOWN
    assert said["postfix-queue"][0] == OK


def test_a_log_that_never_ends_takes_nothing_from_the_queue(monkeypatch):
    monkeypatch.setattr(OpenedStore, "__enter__", lambda _: time.sleep(30))

    said = told(*THEN, "--no-state", "--timeout", "1")

    assert said["postfix-bounces"] == (
        UNKNOWN,
        "POSTFIX BOUNCES UNKNOWN - timed out after 0.9 s; see where with -vvv, or raise"
        " --timeout\n",
    )
    assert said["postfix-queue"][0] == OK


def test_a_postfix_that_is_down_is_critical_whatever_the_log_says(postqueue):
    postqueue.write_text(
        "#!/bin/sh\necho 'postqueue: warning: Mail system is down' >&2\n"
        "echo 'postqueue: fatal: Queue report unavailable - mail system is down' >&2\nexit 69\n"
    )

    assert told(*THEN, "--no-state")["postfix-queue"][0] == CRITICAL


def test_its_services_are_those_of_nagios():
    text = (ROOT / "nagios/postfix-passive.cfg").read_text()
    services = re.findall(r"\n    service_description +(postfix-\w+)\n}", text)

    assert list(told(*THEN, "--no-state")) == services


def test_send_passive_reports_every_condition(tmp_path, postqueue):
    script = (ROOT / "nagios/send_passive").read_text()
    plugins = Path(sys.executable).parent
    assert "/usr/lib/nagios/plugins" in script
    (tmp_path / "send_passive").write_text(script.replace("/usr/lib/nagios/plugins", str(plugins)))
    send_nsca = postqueue.with_name("send_nsca")
    send_nsca.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\ncat >{tmp_path}/sent\n')
    send_nsca.chmod(0o755)

    done = subprocess.run(
        ["sh", tmp_path / "send_passive", "mx1", "monitor"], capture_output=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "asked").read_text() == "-H monitor\n"
    assert [name.removeprefix("postfix-") for name in results((tmp_path / "sent").read_text())] == (
        names(checks())
    )


def test_the_examples_in_the_help_are_right_use():
    import shlex

    for command, _ in ALL.examples:
        words = shlex.split(command.partition(" | ")[0])[1:]
        text, _ = ALL.outcome_of([*words, *THEN, "--no-state"])
        assert "see check_postfix" not in text
