"""Lost and doubled lines: rotations played before a contender, compared with the exact truth.

What is left to chance in a scenario depends on its seed only, so all contenders see
the same lines in files of the same names and times.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from .contender import Entry
from .modes import Mode
from .scene import Scene

# The longest scenario takes 26 days, and counts are kept for 30.
_DAYS = 28


class Score(NamedTuple):
    """What became of the lines of some scenarios: how many were there, were lost, and doubled."""

    lines: int
    lost: int
    doubled: int


def play(entry: Entry, mode: Mode, seed: int, directory: Path) -> Score:
    """Play one scenario before one contender, in an empty directory."""
    scene = Scene(directory, time.time() - _DAYS * 86400, seed, mode.old)
    follower = entry.contender(entry.program, directory / "kept", scene.log, scene.old, mode)
    scene.follower = follower
    mode.play(scene)
    truth = Counter(dict.fromkeys(scene.truth, 1))
    seen = follower.seen()
    return Score(truth.total(), (truth - seen).total(), (seen - truth).total())
