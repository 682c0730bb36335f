"""What the store keeps, adds up and forgets."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from itertools import pairwise

import pytest

from check_postfix.maillog.counts.account import Accounts
from check_postfix.maillog.counts.counts import Counts
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.errors import StoreError
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.ingest import ingest
from check_postfix.maillog.store import damage, key_quota, retention, run_mark
from check_postfix.maillog.store.checksum import Checksums
from check_postfix.maillog.store.run_mark import RunMark
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place
from tests.support import logbook
from tests.support.package import existing, of_room

DAY = 24 * 60


def failed(client: str) -> Event:
    """Return a failed login from this address."""
    return Event(kind="auth_failed", client=client)


def test_counts_of_one_minute_and_key_add_up() -> None:
    with Store(None, 1) as store:
        for _ in range(2):
            counts = Counts(store.key)
            counts.add(70, 1, failed("192.0.2.1"), 3)
            counts.add(70, 1, failed("192.0.2.1"), 1)
            with store.transaction():
                store.ledger.add(counts)

        assert store.answers.totals(70, 71, [1]) == {"auth_failed": 8}
        assert store.answers.keys("auth_failed", 70, 71, [1]) == [
            (("192.0.2.1", "", "", "", ""), 8)
        ]


@pytest.mark.parametrize("number", [1, 99, 100, 301])
def test_any_number_of_rows_is_added_each_to_its_own(number: int) -> None:
    with Store(None, 1) as store:
        for _ in range(2):
            counts = Counts(store.key)
            for minute in range(number):
                counts.add(minute, 1, failed(f"192.0.2.{minute % 250}"), minute + 1)
            with store.transaction():
                store.ledger.add(counts)

        for minute in range(number):
            twice = 2 * (minute + 1)
            assert store.answers.totals(minute, minute + 1, [1]) == {"auth_failed": twice}
            assert kept(store, minute, minute + 1) == [(f"192.0.2.{minute % 250}", twice)]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with room for few keys."""
    monkeypatch.setattr(key_quota, "KEYS_PER_HOUR", 10)
    monkeypatch.setattr(key_quota, "KEYS_PER_MINUTE", 2)
    monkeypatch.setattr(key_quota, "COARSE_KEYS", 3)


def kept(store: Store, start: int = 0, end: int = 10_000) -> list[tuple[str, int]]:
    """Return the clients and numbers kept of these minutes."""
    return [(key[0], number) for key, number in store.answers.keys("auth_failed", start, end, [1])]


def add(store: Store, *rows: tuple[int, Event, int]) -> None:
    counts = Counts(store.key)
    for minute, event, times in rows:
        counts.add(minute, 1, event, times)
    with store.transaction():
        store.ledger.add(counts)


@pytest.mark.usefixtures("narrow")
def test_too_many_keys_in_a_minute_are_kept_as_their_sum() -> None:
    with Store(None, 1) as store:
        for first in (0, 6, 12):
            add(store, *((60, failed(f"192.0.2.{n:02}"), 1) for n in range(first, first + 6)))
        add(store, (200, failed("198.51.100.1"), 3))

        assert kept(store, 60, 120) == [
            (MANY, 6), *((f"192.0.2.{n:02}", 1) for n in range(12)),
        ]  # fmt: skip
        assert kept(store, 120, 240) == [("198.51.100.1", 3)]


@pytest.mark.usefixtures("narrow")
def test_the_most_frequent_of_every_minute_are_kept_whatever_came_before() -> None:
    with Store(None, 1) as store:
        add(store, *((60, failed(f"192.0.2.{n}"), 1) for n in range(100)))
        for minute in (61, 119):
            add(store, *((minute, failed(f"198.51.100.{n}"), n) for n in range(1, 8)))

            assert kept(store, minute, minute + 1) == [
                (MANY, 15), ("198.51.100.7", 7), ("198.51.100.6", 6),
            ]  # fmt: skip


@pytest.mark.usefixtures("narrow")
def test_of_what_is_not_kept_apart_is_kept_what_names_nobody() -> None:
    with Store(None, 1) as store:
        events = [
            (60, Event("deferred", f"d{n}.example", "none", "", f"4.4.{n % 5}", reason="DNS"), 1)
            for n in range(20)
        ]
        add(store, *((60, failed("192.0.2.1")._replace(kind="sent", domain="x"), 9),), *events)
        keys = store.answers.keys("deferred", 0, 100, [1])

    coarse = [(key, number) for key, number in keys if key[0] == MANY]
    assert sum(number for _, number in keys) == 20
    assert len(keys) == 12 + len(coarse)  # the hour's ten, and two of the minute
    assert coarse == [
        ((MANY, MANY, "", "4.4.2", "DNS"), 2),
        ((MANY, MANY, "", "4.4.3", "DNS"), 2),
        ((MANY, MANY, "", "4.4.4", "DNS"), 2),
        ((MANY, MANY, MANY, MANY, MANY), 2),
    ]


def test_a_state_that_is_full_keeps_apart_only_what_strangers_do_not_choose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_quota, "MOST_BYTES", 0)
    with Store(None, 1) as store:
        add(store, *((60, failed(f"192.0.2.{n}")._replace(mechanism="LOGIN"), 2) for n in range(9)))

        assert all_kept(store, 60) == [((MANY, MANY, "LOGIN", "", MANY), 18)]
        assert store.answers.totals(60, 61, [1]) == {"auth_failed": 18}


def test_of_too_many_keys_in_a_window_the_most_frequent_are_told_apart_and_the_sum_is_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("check_postfix.maillog.store.packed.MOST_HELD", 20 * 580)
    with Store(None, 1) as store:
        for hour in range(6):
            often = [(60 * hour, failed("198.51.100.1"), 9)]
            rare = [(60 * hour, failed(f"192.0.{hour}.{n}"), 1) for n in range(9)]
            add(store, *often, *rare)

        rows = kept(store)

    assert ("198.51.100.1", 54) in rows
    assert len(rows) <= 22
    assert sum(number for _, number in rows) == 6 * 18


def tried(client: str, account: str, name: str = "") -> Event:
    """Return a failed login of this address at this account."""
    return failed(client)._replace(account=account.encode(), client_name=name)


def all_kept(store: Store, minute: int) -> list[tuple[tuple[str, ...], int]]:
    return store.answers.keys("auth_failed", minute, minute + 1, [1])


def test_of_an_account_only_the_pseudonym_is_kept() -> None:
    with Store(None, 1) as store:
        add(store, (60, tried("192.0.2.1", "Ann"), 2), (60, tried("192.0.2.1", "ann"), 1))

        pseudonym = Accounts(store.key).pseudonym(b"ann")
        assert all_kept(store, 60) == [(("192.0.2.1", "", "", "", pseudonym), 3)]


@pytest.mark.usefixtures("narrow")
def test_accounts_that_one_client_tries_leave_room_for_other_clients() -> None:
    with Store(None, 1) as store:
        guessed = [(60, tried("192.0.2.1", f"user{n}"), 1) for n in range(100)]
        add(store, *guessed, *((60, failed(f"198.51.100.{n}"), 1) for n in range(5)))

        rows = all_kept(store, 60)

    assert sum(number for _, number in rows) == 105
    by_client = [client for (client, *_), _ in rows]
    assert {*by_client} == {"192.0.2.1", *(f"198.51.100.{n}" for n in range(5))}
    assert (("192.0.2.1", MANY, "", "", MANY), 99) in rows
    assert len(rows) == 7  # half of the hour's ten, and two of the minute


@pytest.mark.usefixtures("narrow")
def test_the_accounts_tried_most_are_told_apart_as_long_as_there_is_room() -> None:
    with Store(None, 1) as store:
        add(store, *((60, tried("192.0.2.1", f"user{n:02}"), 1 + n % 7) for n in range(20)))
        often = {Accounts(store.key).pseudonym(b"user%02d" % n) for n in (6, 13)}

        rows = all_kept(store, 60)

    told = {key[4]: number for key, number in rows}
    assert often <= told.keys()
    assert sum(told.values()) == sum(1 + n % 7 for n in range(20))


@pytest.mark.usefixtures("narrow")
def test_a_client_with_a_name_of_its_own_for_each_try_stays_one_client() -> None:
    with Store(None, 1) as store:
        add(store, *((60, tried("192.0.2.1", "", f"n{n}.example"), 1) for n in range(50)))
        add(store, *((61, failed(f"198.51.100.{n}"), 1) for n in range(3)))

        assert len(all_kept(store, 60)) <= 7
        assert sum(number for _, number in all_kept(store, 60)) == 50
        assert [client for (client, *_), _ in all_kept(store, 61)] == [
            f"198.51.100.{n}" for n in range(3)
        ]


def test_what_is_older_than_it_may_be_kept_is_forgotten(place: Place) -> None:
    place.write(0, 2)
    place.run(at=2)
    place.write(30 * DAY + 1)

    place.run(at=30 * DAY + 1)

    assert place.counted() == {2: 1, 30 * DAY + 1: 1}


@pytest.mark.heavy
def test_room_of_what_is_forgotten_is_given_back_in_steps_but_for_some(place: Place) -> None:
    with Store(place.store, 1) as store:
        for minute in range(0, 6000, 60):
            add(store, *((minute, failed(f"192.{n % 99}.{n}.1"), 1) for n in range(2000)))
        sizes = [os.path.getsize(place.store)]
        while len(sizes) < 3 or sizes[-1] < sizes[-2]:
            with store.transaction():
                store.forgetting.older(0, 5990)
            sizes.append(os.path.getsize(place.store))

    steps = [before - after for before, after in pairwise(sizes)]
    page = 4096
    # A page more is one that tells where others are.
    assert [step // (256 * page) for step in steps[:2]] == [1, 1]
    assert max(steps) <= 258 * page
    assert 256 * page < sizes[-1] < 300 * page


def test_what_is_too_old_when_it_is_read_is_not_counted(place: Place) -> None:
    place.write(0, 2, 30 * DAY + 1)

    place.run(at=30 * DAY + 1)

    assert place.counted() == {2: 1, 30 * DAY + 1: 1}


def test_a_run_that_remembers_nothing_counts_lines_of_any_age(place: Place) -> None:
    place.write(0, 400 * DAY)

    with Store(None, 1) as store:
        at = logbook.FIRST + 400 * DAY
        logbook.ingest_into(store, place.log, at, keeps=False)
        log = store.logs.of(place.log)
        assert log is not None
        origins = [number for number, *_ in store.origins.of(log)]

        assert store.answers.totals(logbook.FIRST, at + 1, origins) == {"received": 2}


def test_a_run_that_has_waited_for_another_finds_all_read_and_does_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Store):
        """A store whose first transaction has to wait while another run reads all."""

        def transaction(self) -> contextlib.AbstractContextManager[None]:
            if self.path:
                self.path = None
                place.run()
                monkeypatch.setattr(ingest, "Survey", None)  # who looks at the files now, fails
            return super().transaction()

    place.write(0, 1)
    place.run()
    place.write(2)

    with Late(place.store, 5) as store:
        coverage = logbook.ingest_into(store, place.log, logbook.FIRST + 100)

    assert (coverage.line_counts.lines, coverage.line_counts.events) == (3, 3)
    assert place.counted() == {0: 1, 1: 1, 2: 1}


def test_a_run_with_nothing_new_writes_nothing_and_imports_little(place: Place) -> None:
    place.write(0, 1)
    place.rename(".1")
    place.compress(".1", ".gz")
    place.write(2)
    place.run()
    program = (
        "import sys, time\n"
        "import os, re, sqlite3, functools, collections, datetime, contextlib, bisect\n"
        "before = set(sys.modules)\n"
        "from check_postfix.maillog.store.store import Store\n"
        "from check_postfix.maillog.ingest.progress import Progress\n"
        "with Store(sys.argv[1], 1) as store:\n"
        "    store.db.execute('PRAGMA query_only=ON')\n"
        f"    progress = Progress(store, sys.argv[2], {logbook.FIRST + 100})\n"
        "    log = progress.log()\n"
        "    assert progress.is_all_read(log)\n"
        "    progress.coverage(log)\n"
        "names = set(sys.modules) - before\n"
        "print(*names)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, place.store, place.log],
        capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip

    assert done.stderr == ""
    imported = set(done.stdout.split())
    ours = {name for name in imported if name.startswith("check_postfix")}
    assert imported - ours <= {"__future__", "_blake2", "errno", "zlib"}
    costly = of_room("maillog.ingest") | of_room("maillog.syntax") | of_room("maillog.events")
    costly -= existing("maillog.ingest", "maillog.ingest.progress")
    assert not ours & (costly - existing("maillog.events", "maillog.events.event"))


def test_a_store_that_is_only_looked_at_loads_nothing_for_changing_it(place: Place) -> None:
    place.write(0)
    place.run()
    program = (
        "import sys\n"
        "from check_postfix.maillog.store import retention\n"
        "from check_postfix.maillog.store.store import Store\n"
        "with Store(sys.argv[1], 1) as store:\n"
        "    assert not retention.is_overdue(store, 0, 0)\n"
        "    assert store.answers.totals(0, 10**9, [1]) == {'received': 1}\n"
        "    assert store.answers.keys('sent', 0, 10**9, [1]) == []\n"
        "print(*sys.modules)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, place.store],
        capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip

    assert done.stderr == ""
    needed = existing(
        "maillog.counts", "maillog.counts.families", "maillog.errors", "maillog.source",
        "maillog.source.generation", "maillog.source.line_counts",
        "maillog.source.value", "maillog.store", "maillog.store.answers", "maillog.store.checksum",
        "maillog.store.database", "maillog.store.failure", "maillog.store.gaps",
        "maillog.store.generations", "maillog.store.logs", "maillog.store.origins",
        "maillog.store.packed", "maillog.store.retention", "maillog.store.rows",
        "maillog.store.schema", "maillog.store.store",
    )  # fmt: skip
    if os.geteuid() == 0:
        needed |= existing("maillog.store.by_root")
    assert set(done.stdout.split()) & of_room("maillog") == needed | existing("maillog")


def test_reading_compiles_what_it_needs_and_no_more() -> None:
    program = (
        "import collections, datetime, json, re, sqlite3, time\n"
        "from check_postfix.maillog.ingest import progress\n"
        "from check_postfix.maillog.store import store\n"
        "compiled = []\n"
        "compile = re.compile\n"
        "re.compile = lambda *what: compiled.append(what) or compile(*what)\n"
        "from check_postfix.maillog.ingest import piece\n"
        "print(len(compiled))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout == "1\n"


def told(place: Place) -> list[tuple[str, str]]:
    """Return host and instance of all that is known to write."""
    with Store(place.store, 1) as store:
        log = store.logs.of(place.log)
        assert log is not None
        return [(host, instance) for _, host, instance, _ in store.origins.of(log)]


def of_host(name: str, minute: int) -> bytes:
    return logbook.line(logbook.FIRST + minute).replace(b"mx1", name.encode())


def test_a_host_that_writes_no_more_is_forgotten_with_its_counts(place: Place) -> None:
    place.write_bytes(of_host("gone", 0) + of_host("mx1", 1))
    place.run(at=2)
    assert told(place) == [("gone", "postfix"), ("mx1", "postfix")]
    place.write(31 * DAY + 1)
    place.run(at=31 * DAY + 1)

    assert told(place) == [("mx1", "postfix")]


def test_a_log_that_is_read_no_more_is_forgotten_with_its_counts(place: Place) -> None:
    other = place.log
    place.write(0)
    place.run(at=0)
    place.log = other + ".other"
    place.write(31 * DAY)

    place.run(at=31 * DAY)

    with Store(place.store, 1) as store:
        assert store.logs.names() == [place.log]
        damage.read_everything(store)


def test_of_too_many_hosts_the_rest_is_counted_together(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("check_postfix.maillog.store.ledger.MOST_ORIGINS", 3)
    place.write_bytes(b"".join(of_host(f"h{number}", number) for number in range(9)))
    place.run()
    place.write_bytes(of_host("h1", 10) + of_host("h7", 11))
    place.run()

    assert told(place) == [(MANY, MANY), *((f"h{number}", "postfix") for number in range(3))]
    assert place.counted() == dict.fromkeys([*range(9), 10, 11], 1)


def hold(path: str, *seconds: float) -> subprocess.Popen[bytes]:
    """Let another process hold a store so long, with a moment in between; wait until it does."""
    program = (
        "import sqlite3, sys, time\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "for seconds in sys.argv[2:]:\n"
        "    db.execute('BEGIN EXCLUSIVE')\n"
        "    print('held', flush=True)\n"
        "    time.sleep(float(seconds))\n"
        "    db.execute('ROLLBACK')\n"
        "    time.sleep(0.3)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, path, *map(str, seconds)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_the_waits_for_other_runs_take_no_longer_together_than_one_may(place: Place) -> None:
    place.write(0)
    place.run()

    with Store(place.store, 4) as store:
        started = time.monotonic()
        holder = hold(place.store, 2.5, 60)
        try:
            assert store.logs.are_there()  # after 2.5 s
            assert holder.stdout is not None
            holder.stdout.readline()  # it holds the store again
            with pytest.raises(StoreError, match="another run has held it for too long"):
                retention.kept(store)
            took = time.monotonic() - started
        finally:
            holder.kill()
            holder.wait()
            holder.stdout.close()

    assert took < 6  # and not 2.5 + 4 and more


def test_a_mark_that_waits_for_nobody_leaves_what_is_read_later_its_patience(tmp_path):
    path = str(tmp_path / "state")
    with (
        Store(path, 5) as store,
        contextlib.closing(
            sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        ) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        run_mark.save(store, "deferred", RunMark(1))  # is not written, and says nothing
        ends = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        ends.start()

        assert run_mark.kept(store, "deferred") is None
        ends.join()


def write(store: Store) -> None:
    """Write to each of some tables."""
    counts = Counts(store.key)
    counts.add(70, 1, failed("192.0.2.1"), 1)
    counts.add(70, 1, Event(kind="sent"), 1)
    counts.delays.add_quick(70, [(1, b"0.5, delays=0.1/0/0.2/0.2")])
    with store.transaction():
        store.logs.add(f"/{len(store.logs.all())}")
        store.ledger.add(counts)


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.logs.names(),
        lambda store: store.answers.totals(60, 120, [1]),
        lambda store: store.answers.keys("auth_failed", 60, 120, [1]),
        lambda store: store.answers.tried(60, 120, [1]),
        lambda store: store.answers.quarters("sent", 0, 10, [1]),
        lambda store: store.answers.delays_of(60, 120, [1]),
    ],
)
def test_what_another_run_writes_while_something_is_read_is_no_damage(tmp_path, monkeypatch, ask):
    path = str(tmp_path / "state")
    sum_of = Checksums._of

    def later(checksums: Checksums, name: str) -> int:
        """Return the sum of rows that were read before another run has ended its writing."""
        monkeypatch.setattr(Checksums, "_of", sum_of)
        with contextlib.suppress(StoreError), Store(path, 0) as other:
            write(other)
        return sum_of(checksums, name)

    with Store(path, 1) as store:
        write(store)
        before = ask(store)
        monkeypatch.setattr(Checksums, "_of", later)

        assert ask(store) == before


def test_what_another_run_writes_while_everything_is_read_is_no_damage(tmp_path, monkeypatch):
    path = str(tmp_path / "state")
    added_up = Checksums._added_up

    def later(checksums: Checksums) -> dict[str, int]:
        monkeypatch.setattr(Checksums, "_added_up", added_up)
        with Store(path, 0) as other:
            write(other)
        return added_up(checksums)

    with Store(path, 1) as store:
        write(store)
        monkeypatch.setattr(Checksums, "_added_up", later)

        damage.read_everything(store)


def test_who_reads_for_long_lets_others_write_meanwhile(tmp_path, monkeypatch):
    path = str(tmp_path / "state")
    reads, sum_of = threading.current_thread(), Checksums._of
    written: list[float] = []

    def slowly(checksums: Checksums, name: str) -> int:
        if threading.current_thread() is reads:
            time.sleep(0.1)
        return sum_of(checksums, name)

    def write_now() -> None:
        with Store(path, 0) as other:
            write(other)
        written.append(time.monotonic())

    with Store(path, 5) as store:
        write(store)
        monkeypatch.setattr(Checksums, "_of", slowly)
        writer = threading.Thread(target=write_now)
        writer.start()
        store.answers.totals(0, 1440, [1])
        ended = time.monotonic()
        writer.join()

    assert written
    assert written[0] < ended
