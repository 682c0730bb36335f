"""The real logrotate, in each way it is used: every line is counted once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import logbook

from . import packages

pytestmark = pytest.mark.integration

ROTATIONS = 6
LINES = 5
# As many minutes as there are lines: each line has its own.
NOW = logbook.FIRST + ROTATIONS * LINES * 2

# A name, and what logrotate is told. Two rotations within a second would share a date, and
# logrotate skip the second of them, so a number makes the names differ.
WAYS = [
    ("create", ["create"]),
    ("delaycompress", ["create", "compress", "delaycompress"]),
    ("compressed at once", ["create", "compress"]),
    ("dateext", ["create", "compress", "dateext", "dateformat -%Y%m%d-ROTATION"]),
    ("copytruncate", ["copytruncate", "compress", "delaycompress"]),
    ("nocreate", ["nocreate"]),
    ("olddir", ["create", "compress", "delaycompress", "olddir old"]),
    ("olddir elsewhere", ["create", "compress", "olddir ELSEWHERE"]),
    ("olddir, copied", ["copytruncate", "compress", "olddir ELSEWHERE"]),
    ("xz", ["create", "compress", "compresscmd /usr/bin/xz", "compressext .xz"]),
    (
        "zstd",
        [
            "create",
            "compress",
            "compresscmd /usr/bin/zstd",
            "compressoptions --rm -q",
            "compressext .zst",
        ],
    ),
]


@pytest.fixture(scope="module", autouse=True)
def programs() -> None:
    """Have logrotate and what it compresses with."""
    if os.geteuid() != 0:
        pytest.skip("installing logrotate and the compressors needs root")
    packages.install("logrotate", "gzip", "xz-utils", "zstd")


@pytest.mark.parametrize("every", [1, 2, 5], ids=lambda every: f"run after {every}")
@pytest.mark.parametrize(("name", "directives"), WAYS, ids=[name for name, _ in WAYS])
def test_every_line_is_counted_once_whatever_logrotate_does(
    tmp_path: Path, name: str, directives: list[str], every: int
) -> None:
    del name  # it stands in the test's own name
    log, store, config = tmp_path / "mail.log", str(tmp_path / "store"), tmp_path / "config"
    elsewhere = tmp_path / "elsewhere"
    for directory in (elsewhere, tmp_path / "old"):
        directory.mkdir()
    written = []
    for rotation in range(1, ROTATIONS + 1):
        for _ in range(LINES):
            written.append(logbook.FIRST + len(written))
            logbook.write(log, logbook.line(written[-1]))
        if rotation % every == 0:
            logbook.ingest(store, str(log), NOW, archives=[str(elsewhere)])
        told = [
            line.replace("ROTATION", str(rotation)).replace("ELSEWHERE", str(elsewhere))
            for line in directives
        ]
        config.write_text("\n".join([f"{log} {{", "rotate 20", *told, "}", ""]))
        config.chmod(0o644)
        subprocess.run(["logrotate", "-f", "-s", str(tmp_path / "state"), str(config)], check=True)
    logbook.write(log, logbook.line(logbook.FIRST + len(written)))
    written.append(logbook.FIRST + len(written))

    coverage = logbook.ingest(store, str(log), NOW, archives=[str(elsewhere)])

    assert logbook.counted(store) == dict.fromkeys(written, 1)
    assert list(coverage.gaps) == []
