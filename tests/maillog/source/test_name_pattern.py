"""A name pattern: which files it finds, which logs these are, and which one is written to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from check_postfix.maillog.source.name_pattern import NamePattern, has_wildcards, is_dated

pytestmark = pytest.mark.usefixtures("utc")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()


def found(directory: Path, pattern: str, *names: str) -> dict[str, str]:
    """Return path -> log of what a pattern finds of some files, all below a directory."""
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    files = NamePattern(f"{directory}/{pattern}").find()
    return {
        file.path.removeprefix(f"{directory}/"): file.log.removeprefix(f"{directory}/")
        for file in files
    }


@pytest.mark.parametrize(
    ("pattern", "does", "does_not"),
    [
        ("*.log", ["a.log", ".x/../b.log"], [".hidden.log", "a.log.1", "d/a.log"]),
        ("mail**.log", ["mail.log", "mail-1.log"], ["mai.log"]),
        ("mail?", ["mail1", "mailx"], ["mail", "mail12"]),
        ("mail[0-9]", ["mail1"], ["mailx", "mail"]),
        ("mail[!0-9]", ["mailx"], ["mail1"]),
        ("mail[!^]", ["mail1"], ["mail^"]),
        ("mail[]^x]", ["mail]", "mail^", "mailx"], ["mail["]),
        ("mail[x", ["mail[x"], ["mailx"]),
        ("a.b+(c)", ["a.b+(c)"], ["axb+(c)", "a.bb(c)"]),
        (".h*", [".hidden"], ["hidden"]),
        ("*/*-json.log", ["a/a-json.log", "b/c-json.log"], ["a-json.log", ".a/a-json.log"]),
    ],
)
def test_wildcards_are_those_of_a_shell(tmp_path, pattern, does, does_not):
    plain = [name for name in does if ".." not in name]

    assert set(found(tmp_path, pattern, *plain, *does_not)) == set(plain)


def test_without_dates_each_file_is_a_log(tmp_path):
    assert found(tmp_path, "*/mail.log", "a/mail.log", "100%b/mail.log") == {
        "100%b/mail.log": "100%b/mail.log",
        "a/mail.log": "a/mail.log",
    }


def test_with_dates_the_name_of_a_log_keeps_its_dates(tmp_path):
    names = ["a/2026-11-23.log", "a/2026-11-24.log", "100%b/2026-11-24.log"]

    assert found(tmp_path, "*/%F.log", *names) == {
        "100%b/2026-11-24.log": "100%%b/%Y-%m-%d.log",
        "a/2026-11-23.log": "a/%Y-%m-%d.log",
        "a/2026-11-24.log": "a/%Y-%m-%d.log",
    }


def test_a_log_is_known_as_one_of_its_pattern():
    dated, plain = NamePattern("/x/*/%F.log"), NamePattern("/x/*.log")

    assert dated.has_made("/x/100%%b/%Y-%m-%d.log")
    assert not dated.has_made("/x/a/2026-11-24.log")
    assert not dated.has_made("/x/a/b/%Y-%m-%d.log")
    assert plain.has_made("/x/a.log")
    assert not plain.has_made("/y/a.log")


@pytest.mark.parametrize(
    "name", ["mail-2026-13-01.log", "mail-2026-1-1.log", "mail-2026-00-00.log", "mail-x.log"]
)
def test_what_is_no_date_is_not_found(tmp_path, name):
    assert found(tmp_path, "mail-%Y-%m-%d.log", name) == {}


def test_dates_of_one_path_that_differ_are_none(tmp_path):
    names = ["2026/2026-11.log", "2025/2026-11.log"]

    assert list(found(tmp_path, "%Y/%Y-%m.log", *names)) == ["2026/2026-11.log"]


@pytest.mark.parametrize(
    ("pattern", "names", "newest"),
    [
        ("%F", ["2026-11-23", "2026-11-24", "2025-12-31"], "2026-11-24"),
        ("%d-%m-%Y", ["30-10-2026", "01-11-2026"], "01-11-2026"),
        ("%F", ["2026-11-23", "2026-11-25"], "2026-11-25"),  # a zone that is ahead
        ("%F", ["2026-11-23", "2026-11-26"], "2026-11-23"),
        ("%F", ["2027-11-23"], "2027-11-23"),
        ("%G-W%V", ["2026-W09", "2026-W10"], "2026-W10"),
        ("%Y%j", ["2026099", "2026100"], "2026100"),
        ("%Y%m%d%H", ["2026112409", "2026112410"], "2026112410"),
    ],
)
def test_the_file_that_is_written_to_is_that_of_the_latest_date(tmp_path, pattern, names, newest):
    for name in names:
        (tmp_path / name).touch()
    made = NamePattern(f"{tmp_path}/{pattern}")

    assert made.newest(made.find(), NOON) == f"{tmp_path}/{newest}"


def test_a_path_that_is_there_is_no_pattern(tmp_path):
    for name in ("mail[1]", "mail-%Y"):
        assert has_wildcards(f"{tmp_path}/{name}") or is_dated(f"{tmp_path}/{name}")
        (tmp_path / name).touch()
        assert not has_wildcards(f"{tmp_path}/{name}")
        assert not is_dated(f"{tmp_path}/{name}")


@pytest.mark.parametrize("name", ["mail%20log", "100%", "100%%", "%%Y.log"])
def test_a_percent_sign_without_a_field_is_no_date(name):
    assert not is_dated(f"/no/{name}")


def test_a_pattern_with_many_stars_is_quick_on_a_hostile_name(tmp_path):
    (tmp_path / ("a" * 250)).touch()

    assert found(tmp_path, "*a*a*a*b") == {}


@pytest.mark.parametrize("name", ["[z-a].log", "x/[z-a].log"])
def test_a_pattern_that_cannot_be_one_is_refused_with_the_part_that_is_wrong(name):
    with pytest.raises(ValueError, match=r"^\[z-a\]\.log is no pattern: bad character range z-a$"):
        NamePattern(f"/var/log/{name}")
