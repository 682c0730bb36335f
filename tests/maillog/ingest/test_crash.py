"""A run is wholly there or not at all, however it ends and however many there are.

The long form is in crash.py.
"""

from __future__ import annotations

import os
import tempfile

from tests.maillog.ingest import crash
from tests.support import effort


def test_runs_killed_at_any_instant_lose_and_double_nothing(tmp_path: os.PathLike[str]) -> None:
    lost, twice, sound = crash.kills(os.fspath(tmp_path), number=effort.examples(150), seed=1)

    assert (lost, twice, sound) == (0, 0, "ok")


def test_a_crowd_of_runs_of_two_users_counts_each_line_once_and_nobody_fails() -> None:
    with tempfile.TemporaryDirectory() as directory:  # which the other user can get into
        failed, lost, twice = crash.crowd(
            directory, processes=20, rounds=effort.examples(4), seed=1
        )

    assert (failed, lost, twice) == (0, 0, 0)
