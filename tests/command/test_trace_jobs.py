"""Several processes that read the logs of a trace: the same answer."""

from __future__ import annotations

import re

import pytest

from check_postfix.command import cli, logs, parts, search
from check_postfix.maillog.source.logfile import look
from tests.support.long_log import mixed

pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Let a log of a megabyte or two be cut."""
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    monkeypatch.setattr(parts, "WORTH_IT_BYTES", 0)
    monkeypatch.setattr(logs, "BLOCK_BYTES", 100_000)
    monkeypatch.setattr(search, "BLOCK_BYTES", 100_000)


TRACED = [
    ["status=bounced"], ["status=deferred", "d1.example"], ["198.51.100"], ["connect from"],
    ["nothing-of-this"], ["4AB", "sent"], ["Relay access denied"], ["status=bounced", "-C", "3"],
    ["Relay access denied", "-C", "20"],
]  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("shape", ["an ordinary day", "200 hosts", "1,000 recipients a message"])
def test_a_trace_by_several_processes_tells_the_same(say, tmp_path, shape):
    log = mixed(tmp_path / "mail.log", shape)
    data = log.read_bytes()
    middle = data.index(b"\n", len(data) // 2) + 1
    (tmp_path / "mail.log.1").write_bytes(data[:middle])
    log.write_bytes(data[middle:])
    id = re.search(rb"smtp\[\d+\]: (\w+): to=<[^\n]*status=deferred", data)[1].decode()

    told = 0
    for patterns in (*TRACED, [id]):
        asked = ["trace", "--no-queue", "--log", log, *patterns]
        alone, together = (say(*asked, "--jobs", number) for number in (1, 3))

        assert together == alone
        told += len(alone[1].splitlines())
    assert told > 1000


def test_lines_around_are_those_of_the_whole_log_where_several_processes_read(say, tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    asked = ["trace", "--no-queue", "--log", log, "connect from", "-C", "2"]

    alone, together = (say(*asked, "--jobs", number) for number in (1, 3))

    assert together == alone
    assert alone[1].count("\n| ") > 1000


def test_blocks_of_a_trace_s_parts_are_those_of_the_whole(tmp_path):
    log = mixed(tmp_path / "mail.log", "an ordinary day")
    file = logs.File(0, look(str(log)), None)
    cut = parts.for_several([file], 2, 100_000)

    by_part = [block for part in cut for block in file.blocks(part.start, part.end)]

    assert len(cut) > 5
    assert by_part == list(file.blocks())


@pytest.fixture
def say(capsys):
    def run(*arguments: object) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main(list(map(str, arguments)))
        printed = capsys.readouterr()
        return end.value.code, printed.out, printed.err

    return run
