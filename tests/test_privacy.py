"""What is kept and shown about persons: as little as the job needs, and no longer."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from check_postfix import auth, deferred, senders
from check_postfix.maillog.counts.counts import RECEIPTS
from check_postfix.maillog.store.forgetting import Forgetting
from check_postfix.plugin.run import outcome_of
from tests.maillog.events.test_forgery import FORGED
from tests.support import mail_log
from tests.support import postfix_writes as writes
from tests.support.definitions import log_checks

CANARIES = 10_000
# Kinds of lines of somebody whose login has succeeded.
LET_IN = (*RECEIPTS, "auth_succeeded")
HOUR = 3600


def run(check, log, state, *arguments):
    return outcome_of(check, ["--log", str(log), "--state", str(state), *arguments])[0]


def everything_in(state):
    """Return the bytes of a state file and of whatever lies beside it."""
    return b"".join(
        path.read_bytes() for path in state.parent.iterdir() if path.name.startswith(state.name)
    )


def test_no_name_or_password_of_a_stranger_is_kept_or_shown(tmp_path, capfd):
    """Canaries in every field that a stranger writes, of every kind of line.

    But for the verified name of a client that is refused or fails to log in: it is
    public, stands beside the address, and is kept for as long. And for the account whose
    login has succeeded: whoever is told that it was stolen must know which it is.
    """
    numbers, known = count(), count()

    def canary():
        return b"Kanari%06d" % next(numbers)

    def name():
        return b"Bekannt%06d" % next(known)

    stamp = f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}+00:00".encode()
    lines = []
    while next(numbers) < CANARIES:
        for forged in FORGED.values():
            is_let_in = forged.expected and forged.expected.kind in LET_IN and forged.own
            text = forged.write(name if "client_name" in forged.own or is_let_in else canary)
            line = writes.line(forged.tag, text)
            lines.append(line.replace(b"Nov 24 16:40:01", stamp))
    log, state = tmp_path / "mail.log", tmp_path / "state"
    log.write_bytes(b"\n".join(lines) + b"\n")
    assert log.read_bytes().count(b"Kanari") >= CANARIES

    shown = {check.name: run(check, log, state, "-vvv") for check in log_checks()}
    odd = [run(check, log, state, "--domain", "x", "-vvv") for check in log_checks()]

    assert "others" not in "".join(shown.values())
    assert b"example.net" in everything_in(state)  # it would have been found
    assert re.search("at [0-9]+ accounts: guessing", shown[auth.CHECK.name])  # they were looked at
    assert b"bekannt" in everything_in(state)
    assert not re.search(b"kanari", everything_in(state), re.IGNORECASE)
    assert not re.search("kanari", "".join([*shown.values(), *odd]), re.IGNORECASE)
    assert capfd.readouterr() == ("", "")


def test_an_account_that_has_sent_is_named_for_as_long_as_keys_are_kept(tmp_path):
    day_ago = mail_log.lines(mail_log.SUBMITTED, minutes_ago=24 * 60)
    log = mail_log.write(tmp_path / "mail.log", day_ago)
    state = tmp_path / "state"

    kept = run(senders.CHECK, log, state, "--window", "2d", "-v")
    hidden = run(senders.CHECK, log, state, "--window", "2d", "-v", "--anonymise")
    there = b"carol@example.com" in everything_in(state)
    run(senders.CHECK, log, state, "--keep-keys", "2h")

    assert "carol@example.com: 1 message" in kept
    assert re.search("busiest sender-[0-9a-f]{10}: 1 message to 4 recipients", hidden)
    assert "carol" not in hidden
    assert there
    assert b"carol" not in everything_in(state)


def test_of_the_days_only_a_daily_most_under_a_pseudonym_is_kept(tmp_path):
    days = [
        mail_log.lines(mail_log.SUBMITTED * day, minutes_ago=day * 24 * 60)
        for day in range(9, 0, -1)
    ]
    log = mail_log.write(tmp_path / "mail.log", *days, mail_log.lines([mail_log.SENT]))
    state = tmp_path / "state"

    run(senders.CHECK, log, state, "--keep-keys", "2h")

    assert b"carol" not in everything_in(state)
    with closing(sqlite3.connect(state)) as database, database:
        kept = database.execute(
            "SELECT keys FROM daily_most WHERE family='by_account' ORDER BY day"
        ).fetchall()
    shapes = [re.fullmatch("([0-9]+)\n[0-9]+\t([0-9a-f]{10})", keys) for (keys,) in kept]
    assert [int(shape[1]) for shape in shapes] == [9, 8, 7, 6, 5, 4, 3, 2, 1][: len(shapes)]
    assert len(shapes) >= 7
    assert len({shape[2] for shape in shapes}) == 1


def test_anonymised_nobody_is_named_and_everybody_has_one_name(tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING))
    state = tmp_path / "state"

    first, again = (
        "".join(run(check, log, state, "--anonymise", "-v") for check in log_checks())
        for _ in range(2)
    )
    per = run(deferred.CHECK, log, state, "--anonymise", "--per", "domain", "--min-attempts", "1")

    assert not re.search(r"example|203\.0\.113|2001:db8", first + per)
    assert first == again
    domain = re.search(r"domain-[0-9a-f]{10}", per)[0]
    assert domain in first
    assert len(set(re.findall(r"client-[0-9a-f]{10}", first))) == 3


def test_accounts_are_kept_as_pseudonyms_that_another_state_does_not_share(tmp_path):
    said = [mail_log.login_failed(account=name) for name in ("Ann@example.net", "ann@example.net")]
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(said))

    first, again, other = (
        run(auth.CHECK, log, tmp_path / state, "-v") for state in ("one", "one", "other")
    )

    of_one, of_other = (re.findall("account-[0-9a-f]{10}", said) for said in (first, other))
    assert len(of_one) == len(of_other) == 1
    assert first == again
    assert of_one != of_other
    assert b"ann@" not in everything_in(tmp_path / "one").lower()


def test_whoever_knows_the_name_of_an_account_can_ask_for_it(tmp_path):
    said = [mail_log.login_failed(account=name) for name in ("ann", "ANN", "bob", "j\u00f6rg", "")]
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(said))

    found = {
        wanted: int(
            re.search(
                "([0-9]+) failed", run(auth.CHECK, log, tmp_path / "state", *wanted.split())
            )[1]
        )
        for wanted in (
            "--account Ann", "--account bo", "--account J\u00d6RG", "--account ann --account bob",
            "--ignore-account ann", "--ignore-account anna",
            "--account ann --account bob --ignore-account ann",
        )
    }  # fmt: skip

    assert found == {
        "--account Ann": 2, "--account bo": 0, "--account J\u00d6RG": 1,
        "--account ann --account bob": 3, "--ignore-account ann": 3, "--ignore-account anna": 5,
        "--account ann --account bob --ignore-account ann": 1,
    }  # fmt: skip


@pytest.fixture
def day_old(tmp_path):
    """Return a log whose lines are a day old, its state, and what must not outlive its time."""
    log = mail_log.write(
        tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING, minutes_ago=24 * 60)
    )
    state = tmp_path / "state"
    run(deferred.CHECK, log, state)
    names = [b"example.net", b"203.0.113.77", b"203.0.113.5", b"2001:db8::/64", b"mx.example.com"]
    assert all(name in everything_in(state) for name in names)
    return log, state, names


def test_what_can_belong_to_a_person_is_gone_from_the_file_when_its_time_is_over(day_old):
    log, state, names = day_old
    with log.open("a") as file:
        file.write(mail_log.lines([mail_log.REMOVED]))

    run(deferred.CHECK, log, state, "--keep-keys", "2h")

    assert [name for name in names if name in everything_in(state)] == []
    kept = run(deferred.CHECK, log, state, "--window", "2d", "--keep-keys", "2h")
    assert " attempts=10;" in kept  # the sums stay


def test_it_is_gone_in_time_though_nothing_more_is_logged(day_old):
    log, state, names = day_old

    run(deferred.CHECK, log, state, "--keep-keys", "2h")

    assert [name for name in names if name in everything_in(state)] == []


def test_the_state_is_readable_by_its_owner_only(day_old):
    assert os.stat(day_old[1]).st_mode & 0o077 == 0


def test_nothing_is_forgotten_before_its_time(day_old, monkeypatch):
    log, state, names = day_old
    forgotten = []
    monkeypatch.setattr(Forgetting, "older", lambda *limits: forgotten.append(limits))

    run(deferred.CHECK, log, state, "--keep-keys", "25h")

    assert forgotten == []
    assert all(name in everything_in(state) for name in names)
    assert time.time() - state.stat().st_mtime < HOUR


# -- what is damaged


def damage(state):
    """Overwrite a page of a state in which nothing of a person stands."""
    with closing(sqlite3.connect(state)) as database, database:
        (root,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name='generation'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with state.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


def hours_pass(monkeypatch, hours):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + hours * HOUR)


def test_a_damaged_state_that_was_set_aside_is_kept_no_longer_than_keys(day_old, monkeypatch):
    log, state, names = day_old
    damage(state)
    aside = state.with_name("state.damaged")
    said = run(deferred.CHECK, log, state)
    assert "state file was damaged and is built again" in said
    assert all(name in aside.read_bytes() for name in names)
    aside.with_name("state.damaged-journal").write_bytes(b"203.0.113.77")

    hours_pass(monkeypatch, 47)
    run(deferred.CHECK, log, state)
    assert aside.exists()
    hours_pass(monkeypatch, 2)
    run(deferred.CHECK, log, state)

    assert [path.name for path in sorted(state.parent.iterdir())] == ["mail.log", "state"]


def test_who_keeps_keys_for_less_long_keeps_what_was_set_aside_for_less_long(day_old, monkeypatch):
    log, state, _ = day_old
    damage(state)
    run(deferred.CHECK, log, state, "--keep-keys", "2h")

    hours_pass(monkeypatch, 3)
    run(deferred.CHECK, log, state, "--keep-keys", "2h")

    assert not state.with_name("state.damaged").exists()


@pytest.mark.parametrize("content", [b"", b"somebody's own\n" * 999])
def test_another_file_that_was_set_aside_by_mistake_is_never_removed(day_old, monkeypatch, content):
    log, state, _ = day_old
    aside = state.with_name("state.damaged")
    aside.write_bytes(content)

    hours_pass(monkeypatch, 24 * 365)
    run(deferred.CHECK, log, state)

    assert aside.read_bytes() == content


def test_what_cannot_be_removed_in_time_is_said(day_old, monkeypatch):
    log, state, _ = day_old
    damage(state)
    run(deferred.CHECK, log, state)

    def refused(_):
        raise PermissionError(1, "Operation not permitted")

    hours_pass(monkeypatch, 49)
    monkeypatch.setattr(os, "unlink", refused)
    said = run(deferred.CHECK, log, state)

    assert (
        f"cannot remove {state}.damaged: operation not permitted; remove it, it holds clients and"
        " domains" in said
    )


def columns_of_text(state):
    with closing(sqlite3.connect(state)) as database, database:
        found = database.execute(
            "SELECT s.name, c.name FROM sqlite_master s, pragma_table_info(s.name) c"
            " WHERE s.type='table' AND c.type='TEXT'"
        ).fetchall()
    # What these hold is shown, as it is meant to be.
    return set(found) - {
        ("log", "path"), ("log", "zone"), ("origin", "host"), ("origin", "instance"),
        ("seen", "note"),
    }  # fmt: skip


@contextmanager
def without_checksums(database: sqlite3.Connection) -> Iterator[None]:
    """Let rows be changed as damage changes them: their checksums stay as they are."""
    triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
    kept = triggers.fetchall()
    for name, _ in kept:
        database.execute(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in kept:
        database.execute(sql)


@pytest.mark.heavy
@pytest.mark.parametrize("canary", [b"203.0.113.99", b"\xff203.0.113.99", b"203.0.113.99 7\n\n"])
def test_damage_is_never_quoted(day_old, canary, capfd):
    log, state, _ = day_old
    sound = state.read_bytes()
    columns = columns_of_text(state)
    assert len(columns) > 5
    for table, column in sorted(columns):
        state.write_bytes(sound)
        with closing(sqlite3.connect(state)) as database, database, without_checksums(database):
            database.execute(f"UPDATE OR IGNORE {table} SET {column}=CAST(? AS TEXT)", (canary,))

        said = "".join(
            run(check, log, state, "-vvv", "--window", "2d", "--anonymise")
            for check in log_checks()
        )

        assert "203.0.113.99" not in said, (table, column)
    assert capfd.readouterr() == ("", "")
