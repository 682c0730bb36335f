"""Several processes that read a report's logs: the same report, whatever becomes of them."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from check_postfix.command import logs, parts
from check_postfix.command.report import reading, secret
from check_postfix.maillog.source.lines import BLOCK
from check_postfix.maillog.source.logfile import look
from tests.bench import shapes
from tests.support.long_log import mixed, repeated_hour

pytestmark = pytest.mark.usefixtures("utc")
BERLIN = "Europe/Berlin"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Let a log of a megabyte or two be cut, and a compressed one be told in chapters."""
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    monkeypatch.setattr(parts, "WORTH_IT_BYTES", 0)
    monkeypatch.setattr(reading, "_CHAPTER_BYTES", 200_000)
    monkeypatch.setattr(secret, "of", lambda *_: b"k" * 16)


def cut(path: Path) -> list[parts.Part]:
    return parts.for_several([logs.File(0, look(str(path)), None)], 2, BLOCK)


@pytest.mark.heavy
@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_any_number_of_processes_gives_the_same_report(report, tmp_path, shape):
    log = mixed(tmp_path / "mail.log", shape)
    data = log.read_bytes()
    middle = data.index(b"\n", len(data) // 2) + 1
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress(data[:middle], 1))
    (tmp_path / "mail.log.1").write_bytes(data[middle:])
    log.write_bytes(data[-300_000:].partition(b"\n")[2])
    assert len(cut(tmp_path / "mail.log.1")) > 3

    for more in ([], ["--connections", "--reject-senders", "--instance", "postfix"]):
        asked = ["--log", log, "--json", "--top", "all", *more]
        alone, together = (report(*asked, "--jobs", number) for number in (1, 3))

        assert together.json() == alone.json()
        assert alone.json()["totals"]["sent"] > 100
        assert (together.status, together.errors) == (alone.status, alone.errors)


def test_a_span_that_begins_and_ends_in_the_middle_is_told_alike(report, tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    since, until = (
        datetime.fromtimestamp(time.time() - hours * 3600, UTC).isoformat() for hours in (15, 4)
    )
    asked = ["--log", log, "--json", "--since", since, "--until", until]

    alone, together = (report(*asked, "--jobs", number) for number in (1, 2))

    assert together.json() == alone.json()
    assert alone.json()["totals"]["sent"] > 10


def test_standard_input_is_read_by_several_as_well(report, tmp_path, monkeypatch):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    said = []
    for number in (1, 2):
        with log.open("rb") as file:
            monkeypatch.setattr(sys, "stdin", type("Input", (), {"buffer": file}))
            said.append(report("--log", "-", "--json", "--jobs", number).json())

    assert said[0] == said[1]


def test_in_the_hour_that_is_repeated_no_log_is_cut(report, tmp_path):
    log = repeated_hour(tmp_path / "mail.log", [(1, 400), (2, 3000), (2, 3000), (3, 400)])
    asked = ["--log", log, "--timezone", BERLIN, "--json"]

    alone, together = (report(*asked, "--jobs", number) for number in (1, 2))

    assert together.json() == alone.json()
    assert not [
        part
        for part in parts.for_several([logs.File(0, look(str(log)), reading_zone())], 2, BLOCK)
        if part.before.startswith(b"Oct 25 02")
    ]


def reading_zone():
    from check_postfix.plugin import values

    return values.zone(BERLIN)


def test_a_containers_log_is_not_cut(tmp_path):
    log = tmp_path / "mail.log"
    line = b"2026-11-24T16:43:26.123456789Z stdout F Nov 24 16:43:26 mx1 postfix/smtp[7]: x\n"
    log.write_bytes(line * 6000)

    assert len(cut(log)) == 1


def test_a_log_is_cut_between_its_lines_and_each_is_in_one_part(tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")

    found = cut(log)

    assert [part.start for part in found[1:]] == [part.end for part in found[:-1]]
    data = log.read_bytes()
    for part in found[1:]:
        assert data[: part.start].endswith(b"\n" + part.before + b"\n")


def test_blocks_of_parts_are_those_of_the_whole(tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    file = logs.File(0, look(str(log)), None)

    by_part = [block for part in cut(log) for block in file.scanned(part.start, part.end)]

    assert by_part == list(file.scanned())


@pytest.mark.parametrize("killed", [0, 1, 2])
def test_what_a_killed_process_had_to_read_is_read_all_the_same(
    report, tmp_path, monkeypatch, killed
):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    other = mixed(tmp_path / "other.log", "an attack").read_bytes()
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(other, 1))
    alone = report("--log", log, "--json", "--jobs", 1)
    here, whole = os.getpid(), reading.Reading._chapters

    def chapters(self, part):
        for number, chapter in enumerate(whole(self, part)):
            if os.getpid() != here and (number or part.file) == killed:
                os.kill(os.getpid(), signal.SIGKILL)
            yield chapter

    monkeypatch.setattr(reading.Reading, "_chapters", chapters)

    assert report("--log", log, "--json", "--jobs", 3).json() == alone.json()
    assert not multiprocessing.active_children()


def test_a_damaged_archive_is_told_and_what_stands_before_the_damage_counts(report, tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    other = mixed(tmp_path / "other.log", "an attack").read_bytes()
    packed = bytearray(gzip.compress(other, 1))
    packed[len(packed) // 2 :] = b"\xff" * 100
    (tmp_path / "mail.log.1.gz").write_bytes(packed)

    alone, together = (report("--log", log, "--json", "--jobs", number) for number in (1, 2))

    assert together.json() == alone.json()
    assert together.status == alone.status == 3


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0", "--jobs 0: one process reads at least; use for example 4, or all"),
        ("x", "--jobs x: not a whole number; use for example 4, or all"),
    ],
)
def test_a_number_of_processes_that_there_cannot_be_is_refused(report, tmp_path, written, said):
    answer = report("--log", tmp_path / "mail.log", "--jobs", written)

    assert answer.status == 2
    assert said in answer.errors
