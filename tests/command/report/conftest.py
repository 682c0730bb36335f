"""A report, as somebody asks for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from check_postfix.command import cli


class Said:
    """What the command printed, and its exit code."""

    def __init__(self, status: int, text: str, errors: str) -> None:
        self.status = status
        self.text = text
        self.errors = errors

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def section(self, title: str) -> list[str]:
        """Return the lines below a title."""
        start = self.lines.index(title) + 1
        end = next((n for n, line in enumerate(self.lines) if n > start and not line), None)
        return self.lines[start:end]

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found


@pytest.fixture
def report(capsys):
    def run(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as end:
            cli.main(["report", *map(str, arguments)])
        printed = capsys.readouterr()
        return Said(int(end.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def log(tmp_path):
    """Return what writes lines of one host, a minute apart, and returns the file."""

    def write(*texts: str, start: str = "2026-11-24T16", name: str = "mail.log"):
        path = tmp_path / name
        path.write_text(
            "".join(
                f"{start}:{minute:02}:00+00:00 mx1 {text}\n" for minute, text in enumerate(texts)
            )
        )
        return path

    return write
