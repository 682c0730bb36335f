"""A line that a container's logger wrote in several parts is one line, and no part is another."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.syntax.partial_lines import PartialLines
from tests.support import corpus

TEXT = "Nov 24 16:43:26 mx1 postfix/smtpd[9]: 64D05240927: client=unknown[203.0.113.6]"
# What a stranger's text would be if it were a line.
FORGED = "Nov 24 16:43:26 mx1 postfix/smtpd[9]: 64D05240666: client=unknown[203.0.113.9]"
LONG = "Nov 24 16:43:26 mx1 app[9]: "


def _cri(text: str, flag: str = "F", stream: str = "stdout") -> bytes:
    return f"2026-11-24T16:43:27.123456789Z {stream} {flag} {text}".encode()


def _docker(text: str, stream: str = "stdout") -> bytes:
    return json.dumps(
        {"log": text, "stream": stream, "time": "2026-11-24T16:43:27.1Z"}, separators=(",", ":")
    ).encode()


def _found(*blocks: list[bytes], before: bytes = b"") -> list[str]:
    scan = Scan(corpus.timestamps(), before)
    return [
        happening.event.kind
        for lines in blocks
        for happening in corpus.scanned(b"".join(b"\n" + line for line in lines), scan)
        for _ in range(happening.times)
    ]


@pytest.mark.parametrize("cut", range(0, len(TEXT) + 1, 3))
def test_a_line_in_two_parts_counts_once(cut):
    assert _found([_cri(TEXT[:cut], "P"), _cri(TEXT[cut:])]) == ["received"]


def test_a_line_in_many_parts_counts_once():
    cuts = [0, 9, 33, 50, len(TEXT)]
    parts = [_cri(TEXT[begin:end], "P") for begin, end in pairwise(cuts)]

    assert _found([*parts, _cri("")]) == ["received"]


def test_its_parts_may_be_in_two_blocks():
    assert _found([_cri(TEXT[:40], "P")], [_cri(TEXT[40:]), _cri(TEXT)]) == ["received"] * 2


def test_its_first_part_may_be_before_the_first_block():
    before = b"\n" + _cri(TEXT[:40], "P") + b"\n"

    assert _found([_cri(TEXT[40:])], before=before) == ["received"]


def test_what_the_other_stream_says_in_between_is_a_line_of_its_own():
    lines = [
        _cri(TEXT[:40], "P"), _cri(TEXT[:20], "P", "stderr"), _cri(TEXT[40:]),
        _cri(TEXT[20:], stream="stderr"),
    ]  # fmt: skip

    assert _found(lines) == ["received"] * 2


def test_a_part_without_an_end_is_no_line():
    assert _found([_cri(TEXT, "P")]) == []


@pytest.mark.parametrize("flag", ["", "X", "p", "FP"])
def test_another_flag_is_none(flag):
    assert _found([_cri(TEXT, flag)]) == []


def test_a_last_part_that_looks_like_a_line_is_none():
    assert _found([_cri("Nov 24 16:43:26 mx1 postfix/cleanup[9]: 64D05240927: message-id=<", "P"),
                   _cri(FORGED)]) == []  # fmt: skip
    assert _found([_cri(LONG, "P")], [_cri(FORGED)]) == []
    assert _found([_cri(FORGED)], before=b"\n" + _cri(LONG, "P") + b"\n") == []


def test_a_middle_part_that_looks_like_a_line_is_none():
    assert _found([_cri(LONG, "P"), _cri(FORGED, "P"), _cri("x")]) == []


def test_a_line_longer_than_any_of_postfix_is_passed_over_with_all_its_parts():
    lines = [_cri(LONG, "P"), _cri("a" * 16384, "P"), _cri(FORGED, "P"), _cri(FORGED), _cri(TEXT)]

    assert _found(lines) == ["received"]
    assert _found([_cri(TEXT + "a" * 4096, "P"), _cri("")]) == []


def test_behind_the_end_of_so_long_a_line_nobody_knows_whether_a_part_follows():
    assert _found([_cri(FORGED), _cri(TEXT)], before=b"a" * 4096 + b"\n") == ["received"]


@pytest.mark.parametrize(
    "line",
    [
        _cri(TEXT),
        _cri(TEXT, stream="stderr"),
        _docker(TEXT + "\n"),
        _docker(TEXT + "\n") + b"\r",
        _docker(TEXT + "\n").replace(b"unknown", b"\\u003cunknown\\u003e\\u0026"),
    ],
)
def test_a_line_in_one_piece_is_taken_out_of_its_container(line):
    time = b"2026-11-24T16:43:27.1Z" if b"{" in line else b"2026-11-24T16:43:27.123456789Z"
    inner = time + TEXT[len("Nov 24 16:43:26") :].encode()
    if b"\\u" in line:
        inner = inner.replace(b"unknown", b"<unknown>&")

    assert PartialLines(b"", []).merged(b"\n" + line) == b"\n" + inner


ZONED = TEXT.replace("Nov 24 16:43:26", "2026-11-24T16:43:26.123456+01:00")


@pytest.mark.parametrize("line", [_cri(ZONED), _docker(ZONED + "\n")])
def test_with_a_zone_it_keeps_its_own_stamp(line):
    assert PartialLines(b"", []).merged(b"\n" + line) == b"\n" + ZONED.encode()


def test_whole_lines_are_taken_out_alike_beside_parts_and_without_any():
    lines = [_cri(TEXT), _cri(ZONED, stream="stderr"), _cri("x"), _cri(TEXT)[:40], b"x"]
    block = b"".join(b"\n" + line for line in lines)
    parts = b"\n" + _cri("", "P") + b"\n" + _cri("")

    alone, beside = PartialLines(b"", []), PartialLines(b"", [])

    assert beside.merged(block + parts).startswith(alone.merged(block) + b"\n")


@pytest.mark.parametrize(
    "line",
    [
        _cri(""),
        _cri(" " + TEXT),
        _cri("\0" + TEXT),
        _cri("-- Boot 0123456789abcdef0123456789abcdef --"),
        _cri(_cri(TEXT).decode()),
        _cri(_docker(TEXT + "\n").decode()),
        _docker(_cri(TEXT).decode() + "\n"),
        _docker(TEXT + "\r\n"),
        _docker(TEXT + "\n").replace(b'"2026-', b'"20 26-'),
        _cri("INFO    " + TEXT[20:]),
        _cri(TEXT[16:]),
        _cri("Nov 24 16:43:26 " + TEXT),
        _docker(TEXT + "\u0085\n"),
        _docker(TEXT + "\x01\n"),
        _docker(TEXT + "\n").replace(b'"time"', b'"log"'),
        _docker(TEXT + "\n") + b" ",
    ],
)
def test_a_line_that_could_then_be_read_otherwise_stays_in_its_container(line):
    assert PartialLines(b"", []).merged(b"\n" + line) == b"\n" + line


def test_a_line_of_docker_without_its_newline_goes_on_in_the_next():
    long = "a" * 16384
    lines = [_docker(LONG + long), _docker(FORGED), _docker(FORGED + "\n"), _docker(TEXT + "\n")]

    assert _found(lines) == ["received"]
    assert _found(lines[:2], lines[2:]) == ["received"]


def test_what_is_passed_over_is_no_line_that_was_not_understood():
    lines = [_docker(LONG), _docker(FORGED + "\n"), _cri(LONG + "a" * 4096, "P"), _cri("x")]
    scan = Scan(corpus.timestamps())

    assert corpus.scanned(b"".join(b"\n" + line for line in lines), scan) == []
    assert scan.unparsed == 0


def test_a_backslash_and_an_n_are_no_newline():
    assert _found([_docker(LONG + "\\n"), _docker(FORGED + "\n"), _docker(TEXT + "\n")]) == [
        "received"
    ]


def test_in_a_log_that_is_no_containers_parts_are_nothing():
    lines = [TEXT.encode(), _cri(TEXT[:40], "P"), _cri(TEXT[40:])]

    assert _found(lines) == ["received"]


@given(st.data())
def test_lines_cut_anywhere_count_as_often_as_whole_ones(data):
    texts = data.draw(st.lists(st.sampled_from([TEXT, FORGED, LONG + FORGED, ""]), max_size=6))
    lines = []
    for text in texts:
        cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=3).map(sorted))
        lines += [
            _cri(text[begin:end], "P") for begin, end in pairwise([0, *cuts, len(text)])
        ][:-1]  # fmt: skip
        lines.append(_cri(text[cuts[-1] if cuts else 0 :]))
    at = data.draw(st.integers(0, len(lines)))

    expected = ["received"] * sum(text in (TEXT, FORGED) for text in texts)
    assert _found(lines[:at], lines[at:]) == expected
