"""Prometheus: an outcome as node-exporter's textfile collector reads it.

https://prometheus.io/docs/instrumenting/exposition_formats/ gives the form, and
https://prometheus.io/docs/practices/naming/ the names: base units, named last.
"""

from __future__ import annotations

import os

from check_postfix import owner
from check_postfix.plugin.output import STATES
from check_postfix.plugin.threshold import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.plugin.called import Called
    from check_postfix.plugin.label import Label
    from check_postfix.plugin.output import Outcome

# In the line about the state.
_SAYS = b"_state what "
# More than any check writes, in bytes.
_ENOUGH = 64 * 1024

# By unit of perfdata: how a name ends, and what one of it is in Prometheus' base unit.
_BASE_UNITS = {"": ("", 1), "%": ("_ratio", 0.01), "s": ("_seconds", 1), "B": ("_bytes", 1)}


def exposition(check: Called, outcome: Outcome, options: Namespace, now: float) -> str:
    """Return the text of a file: what was measured, the state, and when that was.

    options: where they choose what is measured, they become labels, so that the
             files of several runs of a check can lie side by side
    now:     seconds since 1970
    """
    measured = [
        (name(check, label), label.meaning, outcome.values[label.name] * _BASE_UNITS[label.uom][1])
        for label in check.labels
        if label.name in outcome.values
    ]
    prefix = check.name.replace(" ", "_")
    states = ", ".join(f"{code} {state}" for code, state in enumerate(STATES))
    about_run = [
        (f"{prefix}_state", f"what {check.executable} says: {states}", outcome.exit_code),
        (f"{prefix}_last_run_timestamp_seconds", f"when {check.executable} said so", int(now)),
    ]
    series = _braced(_series(check, options))
    return "".join(
        f"# HELP {metric} {_escaped(meaning)}\n# TYPE {metric} gauge\n"
        f"{metric}{series} {number(value)}\n"
        for metric, meaning, value in [*measured, *about_run]
    )


def name(check: Called, label: Label) -> str:
    """Return the name of a metric: `postfix_queue_oldest_seconds`.

    It does not repeat what the name of the check says already.
    """
    prefix = check.name.replace(" ", "_")
    subject = prefix.rpartition("_")[2]
    unit = _BASE_UNITS[label.uom][0]
    word = unit.removeprefix("_")
    rest = label.name.removeprefix(f"{subject}_").removesuffix(word).rstrip("_")
    if word:
        rest = rest.removeprefix(f"{word}_")
    return "_".join(filter(None, (prefix, rest))) + unit


class OthersFile(Exception):
    """A file holds what another check has measured. The message names that check."""


def write(path: str, text: str) -> None:
    """Put a file in place of another at once, so that no reader sees half of it.

    Raises: OthersFile if the other one is another check's; OSError
    """
    user = owner.of(path)
    if user is None:
        _write(path, text)
    else:
        user.does(_write, path, text)


def _write(path: str, text: str) -> None:
    there = _check_of(_start_of(path))
    if there and there != _check_of(text.encode()):
        raise OthersFile(there)
    # Not even a name of its own may end with .prom, or it is read as well.
    draft = f"{path}.{os.urandom(6).hex()}"
    fd = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC)
    try:
        with open(fd, "wb") as file:
            os.fchmod(fd, 0o644)
            file.write(text.encode("utf-8", "replace"))
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _start_of(path: str) -> bytes:
    """Return the first bytes of a file, none if it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # not there; or what is wrong is said when it is written
        return b""
    try:
        return os.read(fd, _ENOUGH)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _check_of(exposed: bytes) -> str:
    """Return the executable whose state stands in a file that we have written; else nothing."""
    _, said, rest = exposed.partition(_SAYS)
    return rest.partition(b" says: ")[0].decode("ascii", "replace") if said else ""


def _series(check: Called, options: Namespace) -> dict[str, str]:
    """Return by label the values of the options that decide what is measured.

    An option with its default is left out.
    """
    series = {}
    for option in check.options:
        value = getattr(options, option.name, None)
        usual = None if option.default is None else option.parse(option.default)
        if option.series and value not in (None, [], usual):
            written = map(str, value) if option.repeatable else [str(value)]
            series[option.series] = ",".join(written)
    return series


def _braced(series: Mapping[str, str]) -> str:
    """Return labels as they stand after a metric's name."""
    pairs = [
        '{}="{}"'.format(label, _escaped(value).replace('"', r"\""))
        for label, value in series.items()
    ]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
