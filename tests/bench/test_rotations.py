"""We lose no line and count none twice, in a few scenarios of each mode; and a loss would be seen.

The long form, with everybody else in it: python -m tests.bench.market lost
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from . import gate
from .contender import log_tail, ours
from .modes import MODES, Mode
from .rotations import Score, play
from .scene import Scene, line, numbers

SEEDS = [1, 2]
EXECUTABLES = Path(sys.executable).parent


@pytest.mark.heavy
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", MODES, ids=[mode.name for mode in MODES])
def test_every_line_is_counted_once(tmp_path: Path, mode: Mode, seed: int) -> None:
    if mode.held and (why := gate.why_impossible(tmp_path)):
        pytest.skip(f"nobody can be held in the middle of a run here: {why}")
    directory = tmp_path / "scene"
    directory.mkdir()

    score = play(ours(str(EXECUTABLES / "check_postfix_deferred")), mode, seed, directory)

    assert score == Score(score.lines, lost=0, doubled=0)
    assert score.lines > 10


@pytest.mark.parametrize(
    ("name", "loses", "doubles"), [("create", True, False), ("rotated during a run", False, True)]
)
def test_who_loses_or_doubles_lines_is_found_out(
    tmp_path: Path, name: str, loses: bool, doubles: bool
) -> None:
    mode = next(mode for mode in MODES if mode.name == name)
    if mode.held and (why := gate.why_impossible(tmp_path)):
        pytest.skip(f"nobody can be held in the middle of a run here: {why}")
    # It knows nothing of archives, and takes the inode from the path after opening it.
    entry = log_tail(sys.executable)
    scores = []
    for seed in SEEDS:
        directory = tmp_path / str(seed)
        directory.mkdir()
        scores.append(play(entry, mode, seed, directory))

    assert (any(s.lost for s in scores), any(s.doubled for s in scores)) == (loses, doubles)


def test_two_scenes_of_one_seed_are_alike_to_the_byte(tmp_path: Path) -> None:
    start = time.time()
    contents = []
    for name in "ab":
        (tmp_path / name).mkdir()
        scene = Scene(tmp_path / name, start, seed=7)
        scene.write()
        scene.rename()
        scene.write()
        files = (scene.log, *scene.archives)
        contents.append([(file.read_bytes(), file.stat().st_mtime) for file in files])

    assert contents[0] == contents[1]


def test_a_line_is_known_by_its_number_even_when_it_comes_in_two_parts() -> None:
    whole = line(29_538_720)
    after = whole.index(b"status=sent") + len(b"status=sent")

    assert numbers(whole) == [29_538_720]
    assert numbers(whole[:after]) == [29_538_720]
    assert numbers(whole[after:]) == []
    assert numbers(whole[50:]) == [29_538_720]
