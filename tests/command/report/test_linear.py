"""A hostile line costs a report work in proportion to its length."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from check_postfix.command.report import addresses
from tests.maillog.events.test_linear import FLOOR, GROWTH, NESTING, SHAPES, SIZES

from .reading import book_of

pytestmark = pytest.mark.usefixtures("utc")
ROUNDS = 3
_QMGR = b"Nov 24 16:40:01 mx1 postfix/qmgr[2200]: 64D05240927: from=<"
_SMTPD = b"Nov 24 16:40:01 mx1 postfix/smtpd[2200]: "
OWN = {
    "TLS": (_SMTPD + b"Anonymous TLS connection established from ", b"a[1]: "),
    "TLS protocols": (_SMTPD + b"Anonymous TLS connection established to a[1]: ", b"TLSv1.3 with "),
    "a warning of one word": (_SMTPD + b"warning: ", b"a"),
    "a warning of words": (_SMTPD + b"warning: ", b"ab. "),
    "connect to": (_SMTPD + b"connect to ", b"a[1]:25: "),
    "envelopes": (_SMTPD + b"NOQUEUE: reject: RCPT from a[1]: 554 x", b"; from=<a> to=<b>"),
    "milters": (_SMTPD + b"NOQUEUE: ", b"milter-header-"),
}  # fmt: skip


def _cost(line: bytes) -> float:
    costs = []
    for _ in range(ROUNDS):
        start = time.process_time()
        book_of([line], with_sessions=True)
        costs.append(time.process_time() - start)
    return min(costs)


@pytest.mark.parametrize("shape", [*SHAPES, *OWN])
def test_a_hostile_line_costs_a_report_work_in_proportion_to_its_length(shape):
    start, repeated = {**SHAPES, **OWN}[shape]
    book_of([start])  # compiled once
    lines = [start + repeated * (size * 1024 // len(repeated)) for size in SIZES]

    costs = [_cost(line) for line in lines]

    floor = max(FLOOR, NESTING if "nesting" in shape else 0) + 0.005  # an empty book
    assert costs[-1] <= floor or all(
        longer <= GROWTH * max(shorter, floor) for shorter, longer in pairwise(costs)
    ), costs


@pytest.mark.parametrize("sign", [b"!", b"a!", b"-1", b"bounce-1-", b"@", b"a@", b"="])
def test_so_does_the_spelling_of_an_address(sign):
    spelled = addresses.spelling(ignores_case=True, verp=2, bang_paths=True)
    address = (sign * 64 * 1024)[: 64 * 1024]

    start = time.process_time()
    for length in (100, 320, len(address)):
        spelled(address[:length])

    assert time.process_time() - start < 0.1
