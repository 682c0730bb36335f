"""The tree keeps its shape: imports follow the way of the data and never point back."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys

import pytest

from tests.support.definitions import log_checks
from tests.support.package import MODULES, PACKAGE, ROOT, existing, imported, of_room

# All that a check of the log that finds nothing new may load beside Python's own
# start: what these import themselves is theirs.
STEADY = {"nagiosplugin", "argparse", "sqlite3", "re", "os", "zlib", "fcntl", "signal", "time"}
FORBIDDEN = {
    "dateutil", "importlib.metadata", "importlib.resources", "tomllib", "dataclasses", "typing",
    "pathlib", "subprocess", "hashlib", "multiprocessing", "zoneinfo", "gzip", "bz2", "lzma",
    "difflib", "statistics", "decimal", "secrets",
}  # fmt: skip


def house(name: str) -> str:
    """Return which part of the package a module is in: maillog, mailqueue, plugin or its own."""
    return [*name.split("."), ""][1]


def rooms() -> list[str]:
    """Return the rooms of maillog in the order of its one-line rule."""
    rule = ast.get_docstring(ast.parse((PACKAGE / "maillog" / "__init__.py").read_text()))
    assert rule is not None
    line = next(line for line in rule.splitlines() if " < " in line)
    return line.partition(";")[0].split(" < ")


def room(name: str) -> str:
    """Return the room of maillog that a module is in."""
    return name.split(".")[2]


MAILLOG = of_room("maillog") - {"check_postfix.maillog"}


@pytest.mark.parametrize(
    "name", sorted(of_room("maillog") | of_room("mailqueue") | of_room("plugin"))
)
def test_maillog_mailqueue_and_plugin_do_not_know_each_other(name):
    others = imported(MODULES[name]) - {"check_postfix"}

    alone = {"child", "ending", "main_cf", "owner", "unwritable", "user", "workers"}
    assert {house(other) for other in others} <= {house(name), *alone}


def test_no_check_loads_anything_of_the_command():
    command = of_room("command")

    for name in MODULES.keys() - command:
        assert not imported(MODULES[name]) & command, name


def test_the_rule_of_maillog_names_its_rooms_and_no_other():
    there = {path.name for path in (PACKAGE / "maillog").iterdir() if path.name[0].isalpha()}

    assert {name.removesuffix(".py") for name in there if not name.endswith(".md")} == set(rooms())


@pytest.mark.parametrize("name", sorted(MAILLOG))
def test_a_room_of_maillog_imports_only_from_its_left(name):
    order = rooms()

    for other in imported(MODULES[name]) & MAILLOG:
        assert order.index(room(other)) <= order.index(room(name)), f"{name} imports {other}"


def test_no_circle_of_imports_is_in_the_package():
    left = {name: (imported(path) & MODULES.keys()) - {name} for name, path in MODULES.items()}

    while free := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in free}

    assert not left


def test_the_top_level_holds_nothing_unexpected():
    top = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    allowed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    built = {"build", "dist"}
    assert top - built <= allowed | {"checks", "icinga", "nagios", "tests"}


RUNS = {
    check.name: f"from {check.measure.__module__} import CHECK\n"
    "from check_postfix.plugin.run import outcome_of\n"
    "outcome_of(CHECK, ARGUMENTS)\n"
    for check in log_checks()
} | {
    "postfix all": "from check_postfix.all import ALL\n"
    "ALL.outcome_of([*ARGUMENTS, '--except', 'queue'])\n"
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_with_nothing_new_loads_nothing_it_does_not_need(name, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text("Nov 24 16:43:26 mx postfix/qmgr[1]: 4ABCDEF012: removed\n")
    program = (
        f"import sys\nARGUMENTS = ['--log', {str(log)!r}, '--state', {str(tmp_path / 's')!r}]\n"
        f"{RUNS[name]}sys.stdout.write('\\n'.join(sys.modules))\n"
    )
    command = [sys.executable, "-I", "-c", program]

    subprocess.run(command, check=True, capture_output=True)  # reads the log
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    # Whoever asks postqueue as well starts a program.
    steady = STEADY | ({"subprocess", "selectors"} if name == "postfix all" else set())
    bare = f"import sys, {', '.join(sorted(steady))}\nprint(*sys.modules)"
    floor = subprocess.run(
        [sys.executable, "-I", "-c", bare], check=True, capture_output=True, text=True
    ).stdout.split()
    extra = {n for n in loaded if n not in floor and not n.startswith("check_postfix")}
    assert not {name for name in loaded if name in FORBIDDEN and name not in floor}
    few = {"_blake2", "_locale", "contextlib", "gc", "gettext", "grp", "locale", "pwd"}
    if name in ("postfix delay", "postfix all"):  # its histograms are bytes
        few |= {"_struct", "struct", "_bisect", "bisect"}
    if name == "postfix all":
        few |= {"array"}  # a queue can hold millions of messages
    assert extra <= few
    reading = of_room("maillog.ingest") - existing("maillog.ingest", "maillog.ingest.progress")
    reading |= of_room("maillog.syntax") | of_room("maillog.events.recogniser")
    writing = existing(
        "maillog.store.forgetting", "maillog.store.key_quota", "maillog.store.ledger",
        "maillog.store.pending", "maillog.store.room",
    )  # fmt: skip
    assert not set(loaded) & (
        reading
        | writing
        | existing("maillog.events.found", "maillog.events.line_template", "maillog.events.scanner")
    )


def test_the_command_loads_what_reads_dates_when_there_is_one_to_read():
    program = "import sys, check_postfix.command.report.report\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    )

    assert "check_postfix.command.moment" in done.stdout.split()
    assert "dateutil" not in done.stdout.split()


def test_a_run_loads_what_reads_when_it_has_something_to_read():
    # One of a crowd first waits for another run, and then mostly finds all read by that.
    program = "import sys, check_postfix.maillog.ingest.ingest\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    )

    reading = existing("maillog.ingest.piece", "maillog.events.scanner", "maillog.syntax.frame")
    reading |= of_room("maillog.events.recogniser")
    assert not set(done.stdout.split()) & reading


def test_a_guard_that_looks_for_a_module_that_is_not_there_fails():
    with pytest.raises(LookupError, match=r"maillog\.gone"):
        existing("maillog.gone")


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_a_module_that_no_run_may_load_needlessly_exists(name):
    assert importlib.util.find_spec(name)


def test_an_executable_can_do_something_before_whatever_else_is_loaded():
    program = (
        "import sys\nbefore = set(sys.modules)\nimport check_postfix.programs\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    )

    assert done.stdout == (
        "__future__ check_postfix check_postfix.ending check_postfix.programs gc\n"
    )
