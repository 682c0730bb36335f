"""Rows: how values with line counts are kept as rows of a table, and made of them again."""

from __future__ import annotations

from operator import itemgetter

from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store import schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.source.journal_span import JournalSpan
    from check_postfix.maillog.source.value import Value

    Row = tuple[Any, ...]
    V = TypeVar("V", bound=Value)


def chosen(table: str, names: Sequence[str]) -> Callable[[Row], Row]:
    """Return what takes these columns out of a whole row of a table."""
    columns = schema.columns_of(table)
    return itemgetter(*[columns.index(name) for name in names])


def reader(kind: type[V], table: str) -> Callable[[Row], V]:
    """Return what makes a value of a kind of a whole row of its table.

    kind: its line counts, the last of its fields, have several columns
    """
    fields = kind.FIELDS[:-1]
    number = len(fields)
    values_of = chosen(table, (*fields, *LineCounts._fields))

    def read(row: Row) -> V:
        values = values_of(row)
        return kind(*values[:number], LineCounts(*values[number:]))

    return read


def save(db: sqlite3.Connection, table: str, value: Generation | JournalSpan, log: int) -> None:
    """Keep a value of a log in its table; give it its number if it has none."""
    fields = value.FIELDS[:-1]
    row = *(getattr(value, name) for name in fields), *value.line_counts, log
    columns = ", ".join(f'"{name}"' for name in (*fields, *LineCounts._fields))
    value.id = db.execute(
        f"INSERT OR REPLACE INTO {table} ({columns}, log)"
        f" VALUES (nullif(?, 0){', ?' * (len(row) - 1)}) RETURNING id",
        row,
    ).fetchone()[0]
