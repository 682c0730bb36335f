"""What is wrong with Postfix itself is said beside an alarm that it may explain, and only there."""

from __future__ import annotations

import pytest

from check_postfix.deferred import CHECK
from tests.support.builders import a_window, options


def words(**totals):
    return CHECK.judge(a_window(**totals), options(CHECK)).words


@pytest.mark.parametrize(
    ("counter", "number", "said"),
    [
        ("daemon_died", 1, "a daemon died"),
        ("daemon_died", 3, "daemons died 3 times"),
        ("local_fault", 1, "1 local fault"),
        ("local_fault", 12, "12 local faults"),
        ("rate_limited", 1, "1 client over a rate limit"),
        ("rate_limited", 2, "2 times clients over a rate limit"),
    ],
)
def test_trouble_of_our_own_is_said_beside_an_alarm(counter, number, said):
    assert words(sent=50, deferred=50, **{counter: number}).endswith(f" ({said})")


@pytest.mark.parametrize("counter", ["daemon_died", "local_fault", "rate_limited"])
def test_beside_an_ok_it_is_no_news(counter):
    assert "(" not in words(sent=99, deferred=1, **{counter: 9})


@pytest.mark.parametrize(
    ("counter", "said"),
    [
        ("daemon_died", "daemons died 9 times"),
        ("local_fault", "9 local faults"),
        ("rate_limited", "9 times clients over a rate limit"),
    ],
)
def test_beside_an_ok_of_a_window_without_mail_it_may_be_why_there_is_none(counter, said):
    assert words(**{counter: 9}).endswith(f" ({said})")


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ({"no SASL server": 9}, "9 local faults: no SASL server"),
        ({"no SASL server": 5, "a lookup table fails": 4},
         "9 local faults, most often: no SASL server"),
    ],
)  # fmt: skip
def test_what_most_local_faults_are_about_is_said(reasons, said):
    keys = {"local_fault reason": list(reasons.items())}

    assert words(local_fault=9, keys=keys).endswith(f" ({said})")
