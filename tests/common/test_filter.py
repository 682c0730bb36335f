"""Which of the counted events a check looks at."""

from __future__ import annotations

from argparse import Namespace

import pytest

from check_postfix.common.filter import (
    CLIENT,
    CODE,
    DOMAIN,
    EXCLUDE_RELAY,
    IGNORE_DOMAIN,
    RELAY,
    Filter,
)
from check_postfix.maillog.counts.families import MANY
from check_postfix.plugin import UsageError, values
from tests.support.builders import a_key, a_window


def a_filter(*declared, window=None, **given):
    values = {option.name: [] for option in declared} | given
    return Filter(declared, window or a_window(), Namespace(**values))


def takes(filter, family, **values):
    return filter(family, a_key(family, **values))


def test_without_an_option_given_everything_takes_part():
    assert takes(a_filter(DOMAIN, CODE), "deferred", domain="example.net")


def test_an_option_that_a_check_does_not_declare_is_not_looked_at():
    assert takes(a_filter(CODE, domain=["example.org"]), "deferred", domain="example.net")


def test_what_one_option_leaves_out_another_does_not_bring_back():
    both = a_filter(
        DOMAIN, IGNORE_DOMAIN, domain=["example.net", "example.org"], ignore_domain=["example.org"]
    )

    assert takes(both, "deferred", domain="example.net")
    assert not takes(both, "deferred", domain="example.org")


def test_of_an_option_with_two_fields_one_is_enough():
    by_code = a_filter(CODE, code=["450", "4.7.1"])

    assert takes(by_code, "deferred", reply_code="450", enhanced_code="4.2.0")
    assert takes(by_code, "deferred", enhanced_code="4.7.1")
    assert not takes(by_code, "deferred", reply_code="451", enhanced_code="4.2.0")


def test_a_family_without_the_field_is_not_narrowed():
    by_code = a_filter(CODE, code=["450"])

    assert by_code.narrows("deferred")
    assert not by_code.narrows("sent")
    assert takes(by_code, "sent", domain="example.net")
    assert not a_filter(CODE).narrows("deferred")


def test_what_was_not_kept_apart_is_named_by_nothing():
    assert not takes(a_filter(DOMAIN, domain=["example.net"]), "sent", domain=MANY)
    assert takes(a_filter(IGNORE_DOMAIN, ignore_domain=["example.net"]), "sent", domain=MANY)


def test_counters_tell_what_is_not_narrowed_and_keys_what_is():
    window = a_window(
        keys={"deferred": [({"reply_code": "450"}, 3), ({"reply_code": "421"}, 4)]},
        deferred=8, softbounce=1, sent=5,
    )  # fmt: skip
    by_code = a_filter(CODE, window=window, code=["450"])

    assert by_code.count("deferred", "deferred", "softbounce") == 3
    assert by_code.count("sent", "sent") == 5
    assert a_filter(CODE, window=window).count("deferred", "deferred", "softbounce") == 9


def test_filters_are_equal_that_were_given_the_same():
    one, same, other = (a_filter(DOMAIN, CODE, code=[code]) for code in ("450", "450", "421"))

    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != a_filter(DOMAIN, CODE)
    assert one != "450"


def test_an_address_that_is_not_known_lies_in_no_network():
    everywhere = a_filter(CLIENT, client=[values.network("0.0.0.0/0")])

    assert takes(everywhere, "rejected", client="192.0.2.1")
    assert not takes(everywhere, "rejected", client="unknown")


@pytest.mark.parametrize("option", [DOMAIN, IGNORE_DOMAIN], ids=lambda option: option.flag)
@pytest.mark.parametrize(
    "written", ["@example.net", "ann@example.net", "*.example.net", ".net", "example.net.", "a b"]
)
def test_what_is_no_domain_is_refused_since_nothing_would_ever_be_found(option, written):
    with pytest.raises(UsageError) as caught:
        option.value(written)

    assert str(caught.value) == (
        f"{option.flag} {written}: not a domain by itself; use for example example.com"
    )


@pytest.mark.parametrize("written", ["Example.NET", "bücher.example", "[192.0.2.1]", "localhost"])
def test_a_domain_is_taken_as_it_is_kept(written):
    assert DOMAIN.value(written) == written.lower()


@pytest.mark.parametrize("option", [RELAY, EXCLUDE_RELAY], ids=lambda option: option.flag)
@pytest.mark.parametrize(
    ("written", "relay"),
    [
        ("Mail.example.net", "mail.example.net"),
        ("mail.example.net[198.51.100.25]:25", "mail.example.net"),
        ("127.0.0.1[127.0.0.1]:10024", "127.0.0.1"),
        ("mx1[private/dovecot-lmtp]", "mx1"),
        ("none", "none"),
    ],
)
def test_a_relay_may_be_written_as_the_log_does(option, written, relay):
    assert option.value(written) == relay
