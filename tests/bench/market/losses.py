"""Lost and doubled lines: the same rotations before everybody, each in a directory of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.contender import Entry
from tests.bench.gate import why_impossible
from tests.bench.modes import Mode
from tests.bench.rotations import Score, play

from .report import table


def standings(
    entries: Sequence[Entry], modes: Sequence[Mode], seeds: Sequence[int], scratch: Path
) -> dict[tuple[str, str], Score]:
    """Return the score of each contender in each mode, by their names."""

    def score(entry: Entry, mode: Mode, seed: int) -> Score:
        with tempfile.TemporaryDirectory(dir=scratch) as directory:
            return play(entry, mode, seed, Path(directory))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        played = {
            (entry.contender.name, mode.name): [
                pool.submit(score, entry, mode, seed) for seed in seeds
            ]
            for mode in modes
            for entry in entries
        }
        return {
            names: Score(*map(sum, zip(*(one.result() for one in scores), strict=True)))
            for names, scores in played.items()
        }


def report(
    entries: Sequence[Entry], modes: Sequence[Mode], seeds: range, scratch: Path
) -> list[str]:
    """Play all, and return the table and what must be known to read it."""
    notes = []
    if any(mode.held for mode in modes) and (why := why_impossible(scratch)):
        modes = [mode for mode in modes if not mode.held]
        notes = [f"A rotation during a run was left out: {why}; it needs root on Linux."]
    scores = standings(entries, modes, seeds, scratch)
    rows = []
    for mode in modes:
        row = [mode.name]
        for entry in entries:
            score = scores[entry.contender.name, mode.name]
            mark = "*" if entry.contender.does_not_promise(mode) else ""
            row.append(f"{score.lost:,} / {score.doubled:,}{mark}")
        rows.append([*row, f"{score.lines:,}"])
    names = [entry.contender.name for entry in entries]
    return [
        "### Lines lost / counted too often", "",
        *table(["", *names, "of lines"], rows), "",
        f"{len(seeds)} scenarios a row, seeds {seeds.start} to {seeds.stop - 1}. Told:", "",
        *(f"- {entry.contender.name}: {entry.contender.told}" for entry in entries), "",
        "\\* Its documentation does not promise it.",
        "The instant of a kill is a random part of the time that a run usually takes, so that"
        " the last row differs a little each time. A killed plugin has said nothing; what a"
        " killed filter has passed on is there.",
        *notes, "",
    ]  # fmt: skip
