"""The command, run in this process."""

from __future__ import annotations

import pytest

from check_postfix.command import cli


@pytest.fixture
def say(capsys):
    """Return what runs `postfix-log` and returns exit code, lines, and standard error."""

    def run(*arguments: object) -> tuple[int, list[str], str]:
        with pytest.raises(SystemExit) as end:
            cli.main(list(map(str, arguments)))
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out.splitlines(), printed.err

    return run
