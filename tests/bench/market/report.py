"""The report: tables in Markdown, as the README shows them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence

from tests.bench.race import Times

from .programs import Market
from .runners import OURS

# Wall times spread wider than this are the neighbours' doing: then CPU time decides.
NOISY = 0.25


def machine(market: Market, command: str) -> list[str]:
    """Return what was run where, with which versions, and what could not be had."""
    with open("/proc/cpuinfo") as file:
        models = [line.partition(": ")[2].strip() for line in file if "model name" in line]
    cpu = models[0] if models else "an unknown processor"
    versions = ", ".join(f"{name} {market.versions[name]}" for name in sorted(market.versions))
    lines = [
        f"Command: `{command}`",
        f"Machine: {os.cpu_count()} cores of {cpu}, Linux {platform.release()},"
        f" {_system()}; pinned to one core.",
        f"Versions: {versions}.",
    ]
    lines += [f"Absent: {name} ({why})." for name, why in sorted(market.absent.items())]
    return lines


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def ratio(ours: Times, theirs: Times) -> tuple[float, str]:
    """Return our time divided by theirs, and of what: CPU time where wall time is noise."""
    if max(ours.spread, theirs.spread) > NOISY:
        return ours.cpu / theirs.cpu, " (CPU)"
    return ours.wall / theirs.wall, ""


def standings(
    title: str,
    times: Mapping[str, Times],
    goals: Mapping[str, float],
    aims: Mapping[str, float] | None = None,
    truth: int | None = None,
) -> list[str]:
    """Return the table of one race, the fastest first.

    goals, aims: name -> the factor that ours should not exceed
    truth:       the true number of what the runners counted, if they say one
    """
    ours = times[OURS]
    rows = []
    for name, theirs in sorted(times.items(), key=lambda pair: pair[1].wall):
        row = [
            name,
            _milliseconds(theirs.wall),
            _milliseconds(theirs.cpu),
            "" if theirs.rss is None else f"{theirs.rss:.0f}",
        ]
        if truth is not None:
            row.append(_count(theirs.said, truth if theirs.truth is None else theirs.truth))
        if name == OURS:
            row += ["", ""]
        else:
            factor, kind = ratio(ours, theirs)
            row += [
                f"{factor:.2f}{kind}",
                _verdict(factor, goals.get(name), (aims or {}).get(name)),
            ]
        rows.append(row)
    heads = ["", "wall ms", "CPU ms", "RSS MiB"]
    if truth is not None:
        heads.append("says deferred")
    return [f"### {title}", "", *table([*heads, "ours / this", "goal"], rows), ""]


def _verdict(factor: float, goal: float | None, aim: float | None) -> str:
    parts = []
    for word, limit in (("", goal), ("aim ", aim)):
        if limit is not None:
            parts.append(f"{word}<= {limit:g}: {'met' if factor <= limit else 'MISSED'}")
    return ", ".join(parts)


def _count(said: int | None, truth: int) -> str:
    if said is None:
        return "does not say"
    return f"{said:,}" if said == truth else f"{said:,}, not {truth:,}"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f}"


def met(value: float, limit: float) -> str:
    """Return a limit and whether it is kept."""
    return f"<= {limit:g}: {'met' if value <= limit else 'MISSED'}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    return [line(heads), line(rule), *(line(row) for row in rows)]
