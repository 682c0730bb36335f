"""By root: how root works on a state in the directory of another user."""

from __future__ import annotations

import sqlite3

from check_postfix import owner
from check_postfix.maillog.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")


class _Connection(sqlite3.Connection):
    """A connection all of whose statements are executed as another user.

    What opens, makes or removes a file by name happens in these calls; of the rows that follow
    SQLite reads from what it has opened.
    """

    owner: owner.Owner

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        return self.owner.does(super().execute, *arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        return self.owner.does(super().executemany, *arguments)

    def close(self) -> None:
        self.owner.does(super().close)


def connected(path: str, wait: float) -> sqlite3.Connection:
    """Open a file as the user who could exchange it.

    Raises: sqlite3.Error, StoreError
    """
    user = _owner(path)
    if user is None:
        return sqlite3.connect(path, timeout=wait, isolation_level=None)
    db = user.does(sqlite3.connect, path, timeout=wait, isolation_level=None, factory=_Connection)
    assert isinstance(db, _Connection)
    db.owner = user
    return db


def does(path: str, what: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Call a function as the user who could exchange a file, if that is neither root nor we.

    what: needs no module that is not loaded yet: that user may not be able to read Python's

    Raises: StoreError; what the function raises
    """
    user = _owner(path)
    if user is None:
        return what(*arguments, **named)
    from check_postfix import unwritable  # which says why nothing can be written

    assert unwritable
    return user.does(what, *arguments, **named)


def _owner(path: str) -> owner.Owner | None:
    try:
        return owner.of(path)
    except PermissionError as error:
        cause = (error.strerror or str(error)).lower()
        raise StoreError(
            f"{path}: root cannot act as user {error.filename}, to whom the directory belongs:"
            f" {cause}; run this check as that user, or choose another with --state"
        ) from None
