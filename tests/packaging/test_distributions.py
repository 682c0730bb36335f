"""Wheel and sdist contain what they should, and the wheel comes from what is in the sdist."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.definitions import commands

from .debian import ROOT

pytestmark = pytest.mark.heavy  # builds fetch setuptools

PACKAGE = ROOT / "checks" / "check_postfix"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A directory with sdist and wheel, the wheel built from the unpacked sdist."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", directory, ROOT],
        check=True,
        capture_output=True,
    )
    return directory


def source_files() -> set[str]:
    paths = [*PACKAGE.rglob("*.py"), PACKAGE / "py.typed"]
    return {str(path.relative_to(PACKAGE.parent)) for path in paths}


def examples() -> set[str]:
    """Return the files of icinga/, nagios/ and checks/schedule/, as they lie once installed."""
    return {
        str(path.relative_to(place.parent))
        for place in (ROOT / "icinga", ROOT / "nagios", ROOT / "checks/schedule")
        for path in place.rglob("*")
        if path.is_file()
    }


def test_the_wheel_holds_the_package_the_examples_the_licence_and_nothing_else(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    described = {name for name in names if ".dist-info/" in name}
    data = {name for name in names if ".data/" in name}

    assert names - described - data == source_files()
    shared = {name.partition(".data/data/share/check_postfix/")[2] for name in data}
    assert shared == examples()
    assert {name.partition("/")[2] for name in described} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt",
    }  # fmt: skip


def test_the_sdist_holds_what_the_wheel_is_built_from(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {member.name.partition("/")[2] for member in sdist.getmembers() if member.isfile()}

    shown = {f"checks/{name}" if name.startswith("schedule/") else name for name in examples()}
    assert {f"checks/{name}" for name in source_files()} | shown <= names
    # setuptools puts tests/test*.py into every sdist; that does no harm.
    others = {name for name in names if not name.startswith(("checks/check_postfix", "tests/test"))}
    assert others - shown == {
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "PKG-INFO",
        "setup.cfg",
    }


def test_installed_from_the_sdist_alone_it_brings_all_executables_and_examples(built, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True)
    subprocess.run(
        [tmp_path / "bin/pip", "install", "--quiet", next(built.glob("*.tar.gz"))],
        check=True, capture_output=True,
    )  # fmt: skip
    executables = sorted(path.name for path in (tmp_path / "bin").glob("check_postfix_*"))
    said = [
        subprocess.run([tmp_path / "bin" / name, "-V"], capture_output=True, text=True, check=False)
        for name in executables
    ]

    assert executables == sorted(check.executable for check in commands())
    version = next(built.glob("*.whl")).name.split("-")[1]
    assert [done.stdout for done in said] == [f"{name} {version}\n" for name in executables]
    shared = tmp_path / "share/check_postfix"
    brought = {str(path.relative_to(shared)) for path in shared.rglob("*") if path.is_file()}
    assert brought == examples()
