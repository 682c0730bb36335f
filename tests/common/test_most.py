"""Where most of some failures were and why: what the first line of an alarm says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix import bounces, deferred, rejects
from check_postfix.common.most import Field, most
from check_postfix.maillog.counts.families import MANY
from check_postfix.plugin.output import STATES
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log
from tests.support.builders import a_window, options
from tests.support.package import ROOT

DOMAIN = Field("to", "domains", str)
RELAY = Field("by way of", "relays", str)
LIMITED, REFUSED, DNS = "4.7.651 rate limited", "4.4.1 connection refused", "4.4.3 DNS"


def said(*rows, more=0, noun=""):
    """Return what is said of (domain, relay, cause, number) rows, and of more that is unknown."""
    keyed = [(key, number) for *key, number in rows]
    return most([DOMAIN, RELAY], keyed, sum(number for *_, number in rows) + more, noun)


def test_the_domain_of_most_failures_is_named_with_its_cause():
    assert said(
        ("outlook.com", "mx.outlook.example", LIMITED, 9),
        ("outlook.com", "none", REFUSED, 2),
        ("example.net", "none", REFUSED, 8),
    ) == "most to outlook.com: 4.7.651 rate limited"  # fmt: skip


def test_what_has_all_is_said_to_have_all():
    assert said(("outlook.com", "none", REFUSED, 3)) == "all to outlook.com: " + REFUSED


def test_a_relay_that_has_all_of_one_domain_is_named_with_it():
    def all_by(relay):
        return said(("example.net", relay, REFUSED, 3))

    assert all_by("relay.isp.example") == (
        f"all to example.net by way of relay.isp.example: {REFUSED}"
    )
    # That is no news.
    assert all_by("mx1.example.net") == f"all to example.net: {REFUSED}"
    assert said(
        ("example.net", "relay.isp.example", REFUSED, 3), ("example.net", "none", REFUSED, 1)
    ) == f"all to example.net: {REFUSED}"  # fmt: skip


def test_half_is_not_most():
    rows = [("a.example", "none", REFUSED, 5), ("b.example", "none", DNS, 5)]

    assert said(*rows) == f"5 to a.example: {REFUSED}"


def test_failures_of_which_nothing_is_known_are_not_taken_for_anybodys():
    row = ("a.example", "none", REFUSED, 5)

    assert said(row, more=4) == f"most to a.example: {REFUSED}"
    assert said(row, more=5) == f"5 to a.example: {REFUSED}"


def test_a_relay_that_has_all_goes_before_a_domain_that_has_most():
    relay = "relay.isp.example"
    rows = [("a.example", relay, LIMITED, 6), ("b.example", relay, LIMITED, 4)]

    assert said(*rows) == f"all by way of {relay}: {LIMITED}"
    assert said(*rows, more=1) == f"most to a.example: {LIMITED}"


def test_no_relay_is_no_place():
    rows = [(f"{n}.example", "none", f"cause {n}", 1) for n in range(3)]

    assert said(*rows) == "to 3 domains"


def test_where_no_domain_has_most_the_cause_may():
    rows = [(f"{n}.example", "none", REFUSED, 2) for n in range(40)]

    assert said(*rows) == f"all to 40 domains: {REFUSED}"
    assert said(*rows, more=79) == f"most to 40 domains: {REFUSED}"
    assert said(*rows, (MANY, MANY, REFUSED, 9)) == f"all to 40 or more domains: {REFUSED}"


def test_of_domains_that_were_too_many_a_number_is_a_lower_bound():
    rows = [("a.example", "none", REFUSED, 5), (MANY, MANY, DNS, 5)]

    assert said(*rows) == f"5 or more to a.example: {REFUSED}"
    assert said((MANY, MANY, DNS, 5)) == f"all: {DNS}"


def test_a_cause_without_most_is_the_most_often_one_or_none():
    causes = [("a.example", "none", cause, 2) for cause in (DNS, REFUSED)]

    assert said(*causes) == "all to a.example"
    assert said(*causes, ("a.example", "none", LIMITED, 3)) == (
        f"all to a.example: most often {LIMITED}"
    )


def test_without_a_cause_there_is_only_the_place():
    assert said(("a.example", "none", "", 5)) == "all to a.example"
    assert said(("a.example", "none", MANY, 5)) == "all to a.example"


def test_where_nothing_is_known_nothing_is_said():
    assert said(more=7) == ""
    assert said() == ""


def test_the_noun_stands_where_it_is_needed():
    assert said(("a.example", "none", DNS, 5), noun="deferrals") == (
        f"all deferrals to a.example: {DNS}"
    )


ROW = st.tuples(
    st.sampled_from(["a.example", "b.example", "c.example", MANY]),
    st.sampled_from(["mx.example", "none", MANY]),
    st.sampled_from([DNS, REFUSED, LIMITED, "", MANY]),
    st.integers(1, 9),
)


@given(st.lists(ROW, unique_by=lambda row: row[:3]), st.integers(0, 20))
def test_only_what_is_proven_is_said(rows, more):
    whole = sum(number for *_, number in rows) + more
    words = said(*rows, more=more)

    place = [row for row in rows if f" {row[0]}" in words or f" {row[1]}" in words]
    of_place = sum(number for *_, number in place)
    if words.startswith("most ") and place:
        assert 2 * of_place > whole > of_place or of_place == whole
    if words.startswith("all ") and place:
        assert of_place == whole
    assert MANY not in words
    assert "most to" not in words or place or " domains: " in words


# -- in the checks


def test_an_ok_says_nothing_of_it():
    keys = {"deferred": [({"domain": "example.net", "reason": "DNS"}, 5)]}
    window = a_window(keys=keys, sent=95, deferred=5)

    outcome = deferred.CHECK.judge(window, options(deferred.CHECK))

    assert outcome.words.endswith(" deferred in 15 min")


def test_a_standstill_tells_of_the_hours_before_the_window(monkeypatch):
    monkeypatch.setattr(deferred, "standstill", lambda _: 3 * 3600)
    keys = {"deferred": [({"domain": "a.example", "reason": "login refused"}, 5)]}
    before = a_window(keys=keys, deferred=5)
    window = a_window()
    monkeypatch.setattr(window, "ending", lambda *_: before)

    outcome = deferred.CHECK.judge(window, options(deferred.CHECK))

    assert outcome.words == (
        "POSTFIX DEFERRED WARNING - no delivery attempts in 15 min, nothing has left for 3 h,"
        " all deferrals to a.example: login refused"
    )


def test_a_reject_is_told_by_client_name_reason_and_block_list():
    blocked = {"client": "192.0.2.1", "reason": "blocked by a list", "reply_code": "554"}
    keys = {
        "rejected": [
            ({**blocked, "client_name": "mx.example.net", "blocklist": "zen.spamhaus.org"}, 9),
            ({"client": "192.0.2.2", "reason": "other", "reply_code": "450"}, 5),
        ]
    }
    window = a_window(keys=keys, rejected_smtpd=14)

    outcome = rejects.CHECK.judge(window, options(rejects.CHECK, "--warning-count", "10"))

    assert outcome.words.endswith(
        ", most from 192.0.2.1 (mx.example.net): blocked by a list zen.spamhaus.org"
    )


@pytest.mark.parametrize("check", [deferred, bounces])
def test_a_domain_of_any_length_and_content_leaves_the_line_a_line(check):
    domain = "x|<b>&\u202e" + "y" * 300 + ".example.net"
    keys = {check.CHECK.labels[0].name.removesuffix("_ratio").replace("bounce", "bounced"): [
        ({"domain": domain, "enhanced_code": "4.4.1", "reason": "connection refused"}, 50)
    ]}  # fmt: skip
    window = a_window(keys=keys, deferred=50, bounced=50)

    line = check.CHECK.judge(window, options(check.CHECK)).line

    words, _, perfdata = line.partition(" | ")
    assert words.endswith(f"all to +{'y' * 27}.example.net: 4.4.1 connection refused")
    assert "|" not in words + perfdata
    assert len(line) < 1024


@pytest.mark.parametrize("check", [deferred.CHECK, bounces.CHECK, rejects.CHECK])
def test_anonymised_an_alarm_names_nobody(check, tmp_path):
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(mail_log.EVERYTHING * 20))
    state = ["--log", str(log), "--no-state"]
    count = ["--critical-count", "5"] if check is rejects.CHECK else []

    plain, code = outcome_of(check, [*state, *count])
    hidden, _ = outcome_of(check, [*state, *count, "--anonymise"])

    assert STATES[code] in ("WARNING", "CRITICAL")
    assert "example.net" in plain or "203.0.113." in plain
    assert "example" not in hidden
    assert "203.0.113" not in hidden
    assert " to domain-" in hidden or " from client-" in hidden


def test_the_alarm_on_the_first_screen_of_the_readme_is_what_is_said():
    of = {"domain": "outlook.com", "enhanced_code": "4.7.651", "reason": "rate limited"}
    keys = {"deferred": [(of, 15), ({"domain": "example.net", "reason": "greylisted"}, 2)]}
    window = a_window(keys=keys, sent=40, deferred=17, bounced=14)

    outcome = deferred.CHECK.judge(window, options(deferred.CHECK))

    assert f"\n    {outcome.words}\n" in (ROOT / "README.md").read_text()
