"""Damage that SQLite takes for content is found, said, and what it has hidden is counted again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from check_postfix.maillog.errors import DamagedStore
from check_postfix.maillog.store import damage, schema
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place
from tests.maillog.store import flips, states
from tests.support import effort, kept, logbook

FLIPS = effort.examples(40, least=10)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, flips.Results]:
    return flips.all_ways(str(tmp_path_factory.mktemp("server")), FLIPS, seed=1)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "way", ["nothing new", "new lines", "a hot journal, in the state", "a hot journal, in it"]
)
def test_no_bit_that_flips_makes_a_number_wrong_without_a_word(
    results: dict[str, flips.Results], way: str
) -> None:
    outcomes, wrong = results[way]

    assert wrong == []
    assert outcomes.keys() == {"as before", "said"}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    state = tmp_path / "state"
    with Store(str(state), 1):
        pass
    with closing(sqlite3.connect(state)) as db:
        yield db


def test_each_column_of_each_table_takes_part(db: sqlite3.Connection) -> None:
    there = {
        table: [name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    }

    assert there.pop("checksum") == ["slice", "sum"]
    assert schema.columns() == there


def test_all_statements_are_known_by_their_sum() -> None:
    assert hex(schema._SUM) == hex(schema.sum_of(schema.statements().values()))


def test_no_column_holds_what_another_sqlite_might_give_back_otherwise(
    db: sqlite3.Connection,
) -> None:
    types = {
        kind
        for table in schema.columns()
        for (kind,) in db.execute("SELECT type FROM pragma_table_info(?)", (table,))
    }

    assert types <= {"INTEGER", "TEXT", "BLOB"}


@pytest.fixture
def full(tmp_path: Path) -> str:
    """Return a state that has rows in most tables."""
    state = states.make(str(tmp_path), logbook.ingest)
    states.finish(state, str(tmp_path / "mail.log"))
    return state


def tables_with_rows(state: str) -> list[str]:
    with closing(sqlite3.connect(state)) as db:
        return [
            table for table in schema.columns() if db.execute(f"SELECT 1 FROM {table}").fetchone()
        ]


def silently(state: str, statement: str) -> None:
    """Change a state without a trigger's knowledge."""
    with closing(sqlite3.connect(state)) as db, db:
        db.execute("PRAGMA synchronous=OFF")
        triggers = "SELECT name, sql FROM sqlite_master WHERE type='trigger'"
        there = db.execute(triggers).fetchall()
        for name, _ in there:
            db.execute(f"DROP TRIGGER {name}")
        db.execute(statement)
        for _, sql in there:
            db.execute(sql)


def test_a_row_that_vanishes_from_any_table_is_missed(full: str) -> None:
    for table in tables_with_rows(full):
        data = Path(full).read_bytes()
        key = ", ".join(f'"{name}"' for name in schema.columns()[table])
        of_one = f"({key}) IS (SELECT {key} FROM {table} LIMIT 1)"
        silently(full, f"DELETE FROM {table} WHERE {of_one}")
        with pytest.raises(DamagedStore), Store(full, 1) as store:
            damage.read_everything(store)
        Path(full).write_bytes(data)


def test_each_column_that_changes_is_noticed(full: str) -> None:
    for table in tables_with_rows(full):
        for name in schema.columns()[table]:
            data = Path(full).read_bytes()
            silently(
                full,
                f'UPDATE {table} SET "{name}" = CASE typeof("{name}")'
                f" WHEN 'integer' THEN \"{name}\" + 1000 WHEN 'text' THEN \"{name}\" || 'x'"
                f" WHEN 'blob' THEN CAST(\"{name}\" || 'x' AS BLOB) ELSE 5 END",
            )
            with pytest.raises(DamagedStore), Store(full, 1) as store:
                damage.read_everything(store)
            Path(full).write_bytes(data)


def test_a_damaged_total_is_found_by_whoever_adds_it_up_even_after_more_was_added(
    place: Place,
) -> None:
    place.write(0, 0, 0)
    place.run()
    silently(
        place.store, "UPDATE total SET counters='1' || char(10) || '1' || char(9) || 'received'"
    )
    place.write(0)
    place.run()

    with Store(place.store, 1) as store, pytest.raises(DamagedStore) as caught:
        store.answers.totals(logbook.FIRST, logbook.FIRST + 1, [1])

    assert str(caught.value) == (
        f"{place.store}: has other rows in its table total than were written"
    )


def test_a_state_that_a_run_has_changed_is_sound(full: str) -> None:
    with kept.changed(full) as db:
        db.execute("UPDATE log SET backlog=3")

    with Store(full, 1) as store:
        damage.read_everything(store)


def test_another_version_than_was_written_is_damage_and_no_newer_program(place: Place) -> None:
    place.write(0)
    place.run()
    silently(place.store, f"PRAGMA user_version={schema.VERSION + 4}")

    with pytest.raises(DamagedStore, match="has another version than it was given"):
        place.run()
