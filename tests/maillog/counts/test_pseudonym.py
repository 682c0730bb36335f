"""What is shown when nobody is to be named."""

from __future__ import annotations

from check_postfix.maillog.counts import pseudonym

KEY = b"k" * 32


def test_a_name_keeps_its_pseudonym_and_shares_it_with_no_other():
    names = [f"d{number}.example" for number in range(2000)]

    shown = [pseudonym.of(KEY, "domain", name) for name in names]

    assert shown == [pseudonym.of(KEY, "domain", name) for name in names]
    assert len(set(shown)) == len(names)
    assert all(name not in told for name, told in zip(names, shown, strict=True))


def test_it_depends_on_the_key_and_on_what_it_is_of():
    told = {
        pseudonym.of(KEY, "domain", "example.net"),
        pseudonym.of(KEY, "relay", "example.net"),
        pseudonym.of(b"x" * 32, "domain", "example.net"),
    }

    assert len(told) == 3


def test_what_names_nobody_stays():
    for field, value in [
        ("relay", "none"), ("relay", "local"), ("reason", "mailbox full"), ("reply_code", "550"),
        ("client", "*"), ("blocklist", "zen.spamhaus.org"), ("service", "imap"),
    ]:  # fmt: skip
        assert pseudonym.of(KEY, field, value) == value


def test_of_the_name_of_a_client_nothing_is_left():
    assert pseudonym.of(KEY, "client_name", "mx.example.net") == ""
    assert pseudonym.of(KEY, "client_name", "*") == ""
