"""A run is wholly there or not at all, however it ends and however many there are.

The long form is in crash.py.
"""

from __future__ import annotations

import os

from tests.maillog import crash


def test_runs_killed_at_any_instant_lose_and_double_nothing(tmp_path: os.PathLike[str]) -> None:
    lost, twice, sound = crash.kills(os.fspath(tmp_path), number=150, seed=1)

    assert (lost, twice, sound) == (0, 0, "ok")


def test_a_crowd_of_runs_counts_each_line_once_and_nobody_fails(
    tmp_path: os.PathLike[str],
) -> None:
    failed, lost, twice = crash.crowd(os.fspath(tmp_path), processes=20, rounds=4, seed=1)

    assert (failed, lost, twice) == (0, 0, 0)
