"""All that a state file has, to compare it with what another run has made of the same log."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from check_postfix.maillog.counts import cells
from check_postfix.maillog.store.store import Store

# Checksums follow from the rest; when a file was looked at, and by which clock, is chance.
_LEFT_OUT = {"checksum", "clock_mark", "directory", "run", "seen"}

# The table whose rows have histograms
_OF_CELLS = "delay"

Tables = dict[str, list[tuple[object, ...]]]


def twins(directory: Path, names: list[str]) -> list[Path]:
    """Return new state files that have the same secret."""
    first, *others = (directory / name for name in names)
    with Store(str(first), 5):
        pass
    for other in others:
        shutil.copy(first, other)
    return [first, *others]


def everything(path: Path) -> Tables:
    """Return the rows of each table; of what is packed the names have no order."""
    with closing(sqlite3.connect(path)) as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        return {
            name: sorted(
                (
                    tuple(map(_cells if name == _OF_CELLS else _in_order, row))
                    for row in db.execute(f'SELECT * FROM "{name}"')
                ),
                key=repr,
            )
            for (name,) in tables
            if name not in _LEFT_OUT
        }


def differences(one: Path, other: Path) -> dict[str, int]:
    """Return table -> how many rows differ, of those that do."""
    first, second = everything(one), everything(other)
    assert first.keys() == second.keys()
    return {
        name: len(set(map(repr, first[name])) ^ set(map(repr, second[name])))
        for name in first
        if first[name] != second[name]
    }


def _cells(value: object) -> object:
    return sorted(cells.unpacked(value).items()) if isinstance(value, bytes) else value


def _in_order(value: object) -> object:
    if not isinstance(value, str) or "\n" not in value:
        return value
    numbers, *names = value.split("\n")
    return tuple(sorted(zip(names, numbers.split(" "), strict=True)))
