"""States of older versions: what they kept is kept, and nothing is read twice or lost."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from check_postfix.maillog.counts.account import Accounts
from check_postfix.maillog.counts.families import MANY, WATCHED
from check_postfix.maillog.counts.series import of_watched
from check_postfix.maillog.errors import DamagedStore, StoreError
from check_postfix.maillog.store import daily_most, damage, migration, schema, tried, watched
from check_postfix.maillog.store.store import Store
from tests.maillog.store import states
from tests.support import kept, logbook, older

OLDER = range(1, schema.VERSION)
Rows = dict[str, Counter[Any]]


class Place:
    """A log, and the state that an older version has made of it."""

    def __init__(self, directory: Path, version: int) -> None:
        self.log = str(directory / "mail.log")
        self.state = str(directory / "state")
        states.history(self.log, lambda _: None)
        states.restore(version, self.state, self.log)

    def run(self, minute: int = 31) -> None:
        """Read what is new, as a check does."""
        logbook.ingest(self.state, self.log, states.FIRST + minute)

    def open(self, seconds: float = 60) -> None:
        """Open the state, which is what brings it to this version."""
        with Store(self.state, seconds):
            pass


def sql(state: str, *statements: str) -> list[Any]:
    """Return what the last of some statements yields."""
    with closing(sqlite3.connect(state, isolation_level=None)) as db:
        db.create_function("noted", -1, lambda *_: None)  # which triggers call, since version 4
        return [db.execute(statement).fetchall() for statement in statements][-1]


def of(state: str, pragma: str) -> Any:
    return sql(state, f"PRAGMA {pragma}")[0][0]


def rows(state: str) -> Rows:
    """Return what is in each table, however packed, without what belongs to a place."""
    found: Rows = {}
    version = of(state, "user_version")
    for (table,) in sql(state, "SELECT name FROM sqlite_master WHERE type='table'"):
        # No version before has kept how long deliveries took, nor who sends and gets how much.
        if table in ("directory", "checksum", "delay", "quarter_key", "daily_most"):
            continue
        found[table] = Counter()
        for row in sql(state, f'SELECT * FROM "{table}"'):
            if table == "keyed" and row[0].startswith("by_"):
                continue
            if table in ("total", "keyed", "quarter", "tried") and version >= 2:
                found[table] += packed_rows(row, table != "quarter" and version >= 6)
                continue
            if table == "log":  # what only newer versions know of its stamps starts empty
                row = row[:4]
            elif table == "seen":  # log, generation and note
                row = row[0], *(row[2:] if len(row) <= 4 else row[3:5])
            elif table == "gap":
                row = row[:3]
            found[table][row] += 1
    return found


def packed_rows(row: tuple[Any, ...], is_of_all: bool) -> Counter[Any]:
    """Return the rows of each origin that a row is, or is made of; names in any order.

    is_of_all: whether it has several origins side by side
    """
    *where, text = row
    if not is_of_all:
        return Counter({(*where, pairs(text)): 1})
    # Of keys, their number follows on the origin.
    return Counter(
        {
            (*where[:2], origin, size, pairs(own))
            if len(where) == 3
            else (*where, origin, pairs(own)): 1
            for origin, (size, own) in older.by_origin(text).items()
        }
    )


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    numbers, *names = text.split("\n")
    return tuple(sorted(zip(names, numbers.split(), strict=True)))


@pytest.fixture(params=OLDER)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.param)


def grow(place: Place, minutes: int = 1500) -> None:
    """Add so much to a state of version 2 that work on it takes some time; 1 MB of keys."""
    keys = "\n".join(f"{n}.example\tmx.{n}.example" for n in range(20))
    with closing(sqlite3.connect(place.state)) as db, db:
        db.executemany(
            "INSERT INTO keyed VALUES ('sent', ?, 1, 20, ?)",
            [(states.FIRST - minute, f"{'1 ' * 19}1\n{keys}") for minute in range(1, minutes)],
        )


def test_a_state_of_each_version_before_is_kept() -> None:
    there = {path.name for path in states.KEPT.iterdir()}

    assert there == {f"version-{version}.dump" for version in OLDER}


def test_a_state_is_as_if_this_version_had_made_it(place: Place, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    new = states.make(str(tmp_path / "new"), logbook.ingest)
    states.finish(new, place.log)

    place.open()

    assert rows(place.state) == rows(new)


def test_a_state_has_the_tables_and_pages_of_a_new_one(place: Place, tmp_path: Path) -> None:
    new = str(tmp_path / "new")
    with Store(new, 1):
        pass

    place.open()

    for pragma in ("user_version", "application_id", "auto_vacuum", "integrity_check"):
        assert of(place.state, pragma) == of(new, pragma)
    query = "SELECT name, sql FROM sqlite_master ORDER BY name"
    assert sql(place.state, query) == sql(new, query)
    assert not os.path.exists(place.state + "-journal")


def test_a_new_state_can_give_back_room(tmp_path: Path) -> None:
    with Store(str(tmp_path / "new"), 1):
        pass

    assert of(str(tmp_path / "new"), "auto_vacuum") == 2


def test_the_secret_and_so_the_pseudonyms_stay(place: Place) -> None:
    with Store(place.state, 1) as store:
        assert store.key == states.SECRET
        keys = store.answers.keys("auth_failed", states.FIRST, states.FIRST + 2, [1])

    name = Accounts(states.SECRET).pseudonym
    assert sorted(keys) == sorted(
        [
            (("203.0.113.5", "", "PLAIN", "submission", name(b"ann")), 1),
            (("203.0.113.5", "", "PLAIN", "submission", name(b"ben")), 1),
        ]
    )


def test_what_was_read_is_not_read_again(place: Place) -> None:
    place.open()
    before = kept.totals(place.state)

    place.run()

    assert kept.totals(place.state) == before
    assert sql(place.state, "SELECT log, first, last FROM gap") == [
        (1, states.FIRST + 20, states.FIRST + 30)
    ]


def test_what_is_logged_later_finds_the_messages_of_before(place: Place) -> None:
    states.go_on(place.log)

    place.run(41)

    minute = states.FIRST + 40
    assert {what: n for what, n in kept.totals(place.state).items() if what[0] == minute} == {
        (minute, "sent"): 2,
        (minute, "bytes_delivered"): 9000,
        (minute, "accepted"): 1,
        (minute, "bytes_received"): 5000,
    }
    assert sql(place.state, "SELECT * FROM pending") == []


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (thing)",
        "DROP TABLE log",
        "DROP TABLE total",
        "ALTER TABLE generation DROP COLUMN tail_size",
        "ALTER TABLE seen DROP COLUMN note",
        "PRAGMA user_version=-1",
    ],
)
def test_a_state_with_other_tables_than_its_version_had_is_damaged(
    place: Place, change: str
) -> None:
    for (trigger,) in sql(place.state, "SELECT name FROM sqlite_master WHERE type='trigger'"):
        sql(place.state, f"DROP TRIGGER {trigger}")  # or SQLite would not drop columns
    sql(place.state, change)
    before = rows(place.state)

    with pytest.raises(DamagedStore) as caught:
        place.open()

    assert str(caught.value) == f"{place.state}: has other tables than it should"
    assert rows(place.state) == before
    assert not os.path.exists(place.state + "-journal")


def test_counts_of_an_older_state_that_cannot_be_copied_are_damage(place: Place) -> None:
    sql(place.state, "PRAGMA ignore_check_constraints=ON", "UPDATE secret SET key=x''")

    with pytest.raises(DamagedStore, match="has lost its key"):
        place.open()


def test_a_state_that_there_is_no_time_for_stays_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(place.state)
    monkeypatch.setattr(migration, "_INSTRUCTIONS", 1)

    with pytest.raises(StoreError) as caught:
        place.open(0)

    assert not isinstance(caught.value, DamagedStore)
    assert str(caught.value) == (
        f"{place.state}: is of an older version, and there was no time to bring it to this one;"
        " run this check once by hand with --timeout 300"
    )
    assert rows(place.state) == before
    assert not os.path.exists(place.state + "-journal")
    place.open()
    assert of(place.state, "user_version") == schema.VERSION


def test_counts_are_kept_where_pages_cannot_be_laid_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = iter([1, 0])  # no time for the first, any for the second

    def give_time(db: sqlite3.Connection, _: float) -> None:
        limit = next(limits)
        db.set_progress_handler(lambda: limit, 1)

    monkeypatch.setattr(migration, "_give_time", give_time)

    place.run()

    assert of(place.state, "auto_vacuum") == 0
    assert of(place.state, "user_version") == schema.VERSION
    assert kept.by_minute(place.state, "bounced") == {states.FIRST + 10: 1}


def of_origins(tmp_path: Path, *statements: str) -> Place:
    """Return a state of version 5, each origin with rows of its own, changed by some statements."""
    place = Place(tmp_path, 5)
    sql(place.state, *statements)
    return place


def test_what_each_origin_had_for_itself_stands_side_by_side(tmp_path: Path) -> None:
    quarter, day = states.FIRST // 15, states.FIRST // 1440
    place = of_origins(
        tmp_path,
        "DELETE FROM quarter_key",
        f"INSERT INTO quarter_key VALUES ('by_account', {quarter}, 2, '7 5\nann\nben')",
        f"INSERT INTO quarter_key VALUES ('by_account', {quarter}, 1, '3\nann')",
        f"INSERT INTO quarter_key VALUES ('by_uid', {quarter}, 1, '4\nuid')",
        f"INSERT INTO daily_most VALUES ('by_account', {day - 1}, 1, '9\nann')",
        f"INSERT INTO daily_most VALUES ('by_account', {day - 1}, 2, '8\nann')",
        f"INSERT INTO tried VALUES ({states.FIRST // 60}, 2, '6\n192.0.2.9\tben')",
    )

    with Store(place.state, 5) as store:
        assert sql(place.state, "SELECT * FROM quarter_key") == [
            ("by_account", quarter, "3 7 5\n1\tann\n2\tann\n2\tben"),
            ("by_uid", quarter, "4\n1\tuid"),
        ]
        assert sql(place.state, "SELECT * FROM daily_most") == [
            ("by_account", day - 1, "9 8\n1\tann\n2\tann")
        ]
        asked = states.FIRST, states.FIRST + 60
        assert store.answers.tried(*asked, [2]) == [(("192.0.2.9", "ben"), 6)]
        assert sum(n for _, n in store.answers.tried(*asked, [1])) == 5
        damage.read_everything(store)


def test_what_is_too_much_side_by_side_is_bounded_as_where_it_is_added_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour, quarter = states.FIRST // 60, states.FIRST // 15
    many = "1 1 1 1\na\tx\nb\tx\nc\tx\nd\tx"
    place = of_origins(
        tmp_path,
        "DELETE FROM tried",
        *(f"INSERT INTO tried VALUES ({hour}, {origin}, '{many}')" for origin in range(1, 6)),
        "DELETE FROM quarter_key",
        *(
            f"INSERT INTO quarter_key VALUES ('by_uid', {quarter}, {n}, '{n + 9} {n}\nann\nben')"
            for n in range(1, 6)
        ),
    )
    for module in (tried, daily_most):
        monkeypatch.setattr(module, "MOST_KEPT", 4)
        monkeypatch.setattr(module, "MOST_OF_ALL", 6)

    with Store(place.state, 5) as store:
        found = store.answers.tried(states.FIRST, states.FIRST + 60, [5])
        assert found == [((MANY, MANY), 4)]
        assert sql(place.state, "SELECT keys FROM quarter_key") == [
            ("14 13 12 11 10 5\n5\tann\n4\tann\n3\tann\n2\tann\n1\tann\n5\tben",)
        ]
        damage.read_everything(store)


@pytest.mark.parametrize("text", ["received", "1 2\nreceived", ""])
def test_a_text_that_cannot_be_read_takes_no_other_origins_numbers(
    tmp_path: Path, text: str
) -> None:
    place = of_origins(
        tmp_path,
        f"UPDATE total SET counters='{text}' WHERE origin=1 AND minute={states.FIRST + 3}",
        f"UPDATE total SET counters='1\na\nb' WHERE origin=2 AND minute={states.FIRST + 3}",
    )

    with Store(place.state, 5) as store:
        assert store.answers.totals(states.FIRST, states.FIRST + 3, [1])["sent"] == 1
        with pytest.raises(DamagedStore, match="has counts that cannot be read"):
            store.answers.totals(states.FIRST, states.FIRST + 4, [2])


def test_an_origin_is_forgotten_when_nothing_that_there_was_is_kept_any_more(
    place: Place,
) -> None:
    def told() -> list[tuple[str]]:
        return sql(place.state, "SELECT host FROM origin ORDER BY 1")

    with Store(place.state, 5) as store:
        for days, hosts in ((0, [("mx1",), ("mx2",)]), (1, [])):
            with store.transaction():
                store.db.execute("DELETE FROM pending")
                store.db.execute("UPDATE log SET read=NULL")  # or it is forgotten as a whole
                store.forgetting.older(
                    states.FIRST + days * 1440 + 60, states.FIRST + days * 1440 + 60
                )
            assert told() == hosts


def together(*acts: Callable[[], object]) -> list[int]:
    """Let each act in a process of its own, all at the same moment.

    Returns: their exit codes: 0, 1 if it failed, 2 if a newer version was there
    """
    ready, go = os.pipe()
    children = []
    for act in acts:
        child = os.fork()
        if not child:
            status = 1
            try:
                os.close(go)
                os.read(ready, 1)  # ends when the parent closes the other end
                act()
                status = 0
            except StoreError as error:
                status = 2 if "was written by a newer check_postfix" in str(error) else 1
            finally:
                os._exit(status)
        children.append(child)
    os.close(ready)
    os.close(go)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_of_many_runs_that_find_an_older_state_all_count_right(place: Place) -> None:
    states.go_on(place.log)

    assert together(*[lambda: place.run(41)] * 10) == [0] * 10

    assert kept.by_minute(place.state, "sent") == {
        states.FIRST: 1, states.FIRST + 10: 1, states.FIRST + 40: 2,
    }  # fmt: skip
    assert of(place.state, "integrity_check") == "ok"


def test_runs_of_two_versions_at_once_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This version is the older one here."""
    place = Place(tmp_path, schema.VERSION - 1)
    place.open()
    states.go_on(place.log)
    now = schema.statements()

    def be_newer() -> None:
        more = {"more": "CREATE TABLE more (thing TEXT NOT NULL) STRICT"}
        monkeypatch.setattr(schema, "statements", lambda: now | more)
        monkeypatch.setattr(schema, "_SUM", schema.sum_of((now | more).values()))
        kept_names = {name: migration.Table(name) for name in [*schema.columns(), "checksum"]}
        monkeypatch.setitem(migration.TABLES_OF, schema.VERSION, kept_names)
        monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
        place.run(41)

    statuses = together(*[be_newer, lambda: place.run(41)] * 10)

    assert statuses[::2] == [0] * 10
    assert set(statuses[1::2]) <= {0, 2}
    assert of(place.state, "user_version") == schema.VERSION + 1
    assert kept.by_minute(place.state, "sent") == {
        states.FIRST: 1, states.FIRST + 10: 1, states.FIRST + 40: 2,
    }  # fmt: skip


def test_a_run_does_not_write_into_a_state_that_became_newer_while_it_was_open(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, schema.VERSION - 1)

    with Store(place.state, 1) as store:
        newer = schema.VERSION + 1
        sql(place.state, f"UPDATE checksum SET sum={newer} WHERE slice='version'")
        sql(place.state, f"PRAGMA user_version={newer}")
        with (
            pytest.raises(StoreError, match="was written by a newer check_postfix"),
            store.transaction(),
        ):
            pytest.fail("a transaction was begun")


@pytest.mark.heavy
def test_a_run_killed_at_any_instant_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    place = Place(tmp_path, 2)
    grow(place)
    old = Path(place.state).read_bytes()
    started = time.monotonic()
    old_rows = rows(place.state)
    place.open()
    longest = 1.2 * (time.monotonic() - started)
    new_rows = rows(place.state)
    chance = random.Random(1)
    left: Counter[tuple[int, int]] = Counter()

    for _ in range(100):
        Path(place.state).write_bytes(old)
        child = os.fork()
        if not child:
            try:
                place.open()
            finally:
                os._exit(0)
        time.sleep(longest * chance.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

        version, layout = of(place.state, "user_version"), of(place.state, "auto_vacuum")
        assert rows(place.state) == (old_rows if version == 2 else new_rows)
        assert of(place.state, "integrity_check") == "ok"
        left[version, layout] += 1

    assert left.keys() == {(2, 0), (2, 2), (schema.VERSION, 2)}
    place.run()
    assert of(place.state, "user_version") == schema.VERSION


def test_messages_for_a_watched_address_are_counted_once_by_the_queue_ids_there_were(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, 6)
    first = states.FIRST
    address = "list@example.com"
    sql(
        place.state,
        f"INSERT INTO watched VALUES ('{address}', 0, {first}), ('new@x', {first + 25}, {first})",
        f"INSERT INTO keyed VALUES ('watched', {first + 1}, 2, '3 1\n1\tA\t{address}\n1\tB\tb@x')",
        f"INSERT INTO keyed VALUES ('watched', {first + 3}, 2,"
        f" '2 9 7\n1\tA\t{address}\n1\tC\t{address}\n2\tA\t{address}')",
        f"INSERT INTO keyed VALUES ('watched', {first + 20}, 1, '2\n1\tA\t{address}')",
        f"INSERT INTO keyed VALUES ('watched', {first + 21}, 2, '2 5\n1\tE\t{address}\n1\t*\t*')",
        "INSERT INTO retention VALUES (43200, 20)",
    )

    with Store(place.state, 5) as store:
        assert store.answers.keys(WATCHED, first, first + 3, [1]) == [
            (("b@x",), 1),
            ((address,), 1),
        ]
        assert store.answers.keys(WATCHED, first, first + 30, [1, 2]) == [
            ((address,), 4),
            (("b@x",), 1),
        ]
        quarters = store.answers.quarters(of_watched(address), first // 15, first // 15 + 9, [1, 2])
        assert quarters == {first // 15: 3, first // 15 + 1: 1}
        # Keys were kept for 20 minutes, and the last run was in the minute 30.
        assert watched.since(store, address) == first + 10
        assert watched.since(store, "new@x") == first + 25
        damage.read_everything(store)


@pytest.mark.parametrize("text", ["1", "1\n1\tA", "x\n1\tA\tb@x"])
def test_queue_ids_for_a_watched_address_that_cannot_be_read_are_damage(
    tmp_path: Path, text: str
) -> None:
    place = Place(tmp_path, 6)
    sql(place.state, f"INSERT INTO keyed VALUES ('watched', {states.FIRST}, 1, '{text}')")

    with pytest.raises(DamagedStore, match="has counts that cannot be read"):
        place.open()
