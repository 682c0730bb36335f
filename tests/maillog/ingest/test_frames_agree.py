"""What is counted does not depend on the frame: each line in an ordinary one and in another.

Lines with an ordinary frame are read by the scanner's expression, those with another by the
recogniser alone. What follows, up to the state file, has to be the same.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from check_postfix.maillog.store.store import Store
from check_postfix.maillog.syntax import frame
from tests.support import material, stored
from tests.support.logbook import ingest_into

_ORDINARY = re.compile(
    rb"((?:\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} [ \d]\d [\d:]+) [^\s\[\]]+ )"
    rb"([^\s\[\]:]+(?:\[\d+\])?: .*)",
    re.DOTALL,
)
_SEVERITY = b"INFO    "
# Which bytes were read is another thing in another frame.
_OF_BYTES = {"generation"}


def _counted(path: Path, state: Path, lines: list[bytes], now: int) -> None:
    path.write_bytes(b"\n".join(lines) + b"\n")
    with Store(str(state), 60) as store:
        ingest_into(store, str(path), now)


@pytest.mark.parametrize("name", ["recorded", "corpus"])
def test_a_line_counts_the_same_in_an_ordinary_frame_and_in_another(tmp_path, name):
    of = material.recorded_lines() if name == "recorded" else material.corpus_lines()
    lines = [found.groups() for line in of if (found := _ORDINARY.fullmatch(line))]
    lines = [line for line in lines if frame.parse(b"".join(line)) is not None]
    lines = [
        line for line in lines if frame.parse(b"".join(line)) == frame.parse(_SEVERITY.join(line))
    ]
    assert len(lines) > 500
    log = tmp_path / "mail.log"
    now = 29_660_000
    ordinary, other = stored.twins(tmp_path, ["ordinary.state", "other.state"])

    _counted(log, ordinary, [b"".join(line) for line in lines], now)
    _counted(log, other, [_SEVERITY.join(line) for line in lines], now)

    differ = stored.differences(ordinary, other)
    assert {table: rows for table, rows in differ.items() if table not in _OF_BYTES} == {}
