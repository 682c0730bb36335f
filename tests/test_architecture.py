"""The tree keeps its shape: imports follow the way of the data and never point back."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHECKS = ROOT / "checks"
PACKAGE = CHECKS / "check_postfix"

# From bytes to windows. A module may import those in front of it only.
WAY = [
    "errors", "expression", "shapes", "record", "event", "reasons", "frame", "parts", "repeats",
    "recogniser", "clock", "scanner", "network", "generation", "account", "messages", "counts",
    "lines", "stretch", "export", "logfile", "survey", "coverage", "waiting", "packed", "room",
    "store", "regions", "standing", "reading", "retention", "ingest", "journalctl", "entry",
    "journal", "usual", "window", "pseudonym", "places",
]  # fmt: skip

# All that a check of the log that finds nothing new may load beside Python's own
# start: what these import themselves is theirs.
STEADY = {"nagiosplugin", "argparse", "sqlite3", "re", "os", "zlib", "fcntl", "signal", "time"}
FORBIDDEN = {
    "dateutil", "importlib.metadata", "importlib.resources", "tomllib", "dataclasses", "typing",
    "pathlib", "subprocess", "hashlib", "multiprocessing", "zoneinfo", "gzip", "bz2", "lzma",
    "difflib", "statistics", "decimal", "secrets",
}  # fmt: skip


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return the project's modules that a module imports when it runs or is type-checked."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("check_postfix")}


def room(name: str) -> str:
    """Return which part of the package a module is in: maillog, mailqueue, plugin or its own."""
    return [*name.split("."), ""][1]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_maillog_mailqueue_and_plugin_do_not_know_each_other(path):
    own = path.relative_to(PACKAGE).parts[0]
    if own not in ("maillog", "mailqueue", "plugin"):
        return

    assert {room(name) for name in imported(path)} <= {own, "__version__"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "maillog").rglob("*.py")), ids=lambda p: p.stem)
def test_imports_in_maillog_follow_the_way_of_the_data(path):
    own = path.relative_to(PACKAGE / "maillog").parts[0].removesuffix(".py")
    if own == "__init__":
        assert not imported(path)
        return

    for name in imported(path):
        parts = name.split(".")[2:]
        assert WAY.index(parts[0]) <= WAY.index(own), f"{own} imports {parts[0]}"


def test_the_top_level_holds_nothing_unexpected():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    top = {name.partition("/")[0] for name in tracked}

    allowed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    assert {name for name in top if not name.startswith(".")} <= allowed | {
        "checks", "icinga", "nagios", "tests",
    }  # fmt: skip


@pytest.mark.parametrize("condition", ["deferred", "bounces", "auth", "rejects"])
def test_a_run_with_nothing_new_loads_nothing_it_does_not_need(condition, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text("Nov 24 16:43:26 mx postfix/qmgr[1]: 4ABCDEF012: removed\n")
    program = (
        "import sys\n"
        f"from check_postfix.{condition} import CHECK\n"
        "from check_postfix.plugin.run import outcome_of\n"
        f"outcome_of(CHECK, ['--log', {str(log)!r}, '--state', {str(tmp_path / 's')!r}])\n"
        "sys.stdout.write('\\n'.join(sys.modules))\n"
    )
    command = [sys.executable, "-I", "-c", program]

    subprocess.run(command, check=True, capture_output=True)  # reads the log
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    bare = f"import sys, {', '.join(sorted(STEADY))}\nprint(*sys.modules)"
    floor = subprocess.run(
        [sys.executable, "-I", "-c", bare], check=True, capture_output=True, text=True
    ).stdout.split()
    extra = {n for n in loaded if n not in floor and not n.startswith("check_postfix")}
    assert not {name for name in loaded if name in FORBIDDEN and name not in floor}
    assert extra <= {"_blake2", "_locale", "contextlib", "gc", "gettext", "grp", "locale", "pwd"}
    for reader in ("ingest", "survey", "reading", "scanner", "recogniser", "frame", "clock"):
        assert f"check_postfix.maillog.{reader}" not in loaded


def test_a_run_loads_what_reads_when_it_has_something_to_read():
    # One of a crowd first waits for another run, and then mostly finds all read by that.
    program = "import sys, check_postfix.maillog.ingest\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    )

    for reader in ("reading", "scanner", "recogniser", "frame"):
        assert f"check_postfix.maillog.{reader}" not in done.stdout.split()


def test_an_executable_can_do_something_before_whatever_else_is_loaded():
    program = (
        "import sys\nbefore = set(sys.modules)\nimport check_postfix.programs\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    )

    assert done.stdout == "__future__ check_postfix check_postfix.programs gc\n"
