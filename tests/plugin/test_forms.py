"""The forms of an outcome that other monitoring systems read, each by its documentation."""

from __future__ import annotations

import json
import re

import pytest

from check_postfix.plugin.output import Outcome, Perfdata
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import checks, log_checks
from tests.support.package import ROOT

RECORDED = ["--log", str(ROOT / "tests/recorded/mail.iso.log"), "--at", "2026-11-24T18:16Z"]
OF_THE_LOG = pytest.mark.parametrize("check", log_checks(), ids=lambda check: check.name)
# https://docs.checkmk.com/latest/en/localchecks.html: a state, a name in double quotes, metrics
# or a minus sign, a text; each metric NAME=VALUE, then limits and bounds, all of them numbers.
NUMBER = r"-?\d+(?:\.\d+)?"
METRIC = rf"[a-z0-9_]+={NUMBER}(?:;(?:{NUMBER})?){{0,4}}"
LOCAL_CHECK = re.compile(
    rf'(?P<state>[0-3]) "(?P<name>[^"]+)" (?P<metrics>-|{METRIC}(?:\|{METRIC})*) (?P<text>.*)\n'
)


def asked(check, tmp_path, *arguments):
    """Return what a check says of the recorded log; with one state, pseudonyms stay."""
    return outcome_of(check, [*RECORDED, "--state", str(tmp_path / "state"), "-v", *arguments])


@OF_THE_LOG
def test_json_is_one_object_in_one_line_with_all_that_the_text_says(check, tmp_path):
    text, code = asked(check, tmp_path)
    said, same_code = asked(check, tmp_path, "--output", "json")

    found = json.loads(said)
    assert said.count("\n") == 1
    assert same_code == code == found["state"]
    first, *lines = text.splitlines()
    words, _, perfdata = first.partition(" | ")
    remarks = f" ({'; '.join(found['remarks'])})" if found["remarks"] else ""
    assert words == f"{check.name.upper()} {found['state_name']} - {found['summary']}{remarks}"
    assert found["lines"] == lines
    labels = dict(label.split("=") for label in perfdata.split())
    assert {name: float(re.match(NUMBER, value)[0]) for name, value in labels.items()} == (
        found["metrics"]
    )
    assert found["check"] == check.executable.removeprefix("check_")


@OF_THE_LOG
def test_a_local_check_of_checkmk_is_one_line_of_the_documented_form(check, tmp_path):
    text, code = asked(check, tmp_path)
    said, _ = asked(check, tmp_path, "--output", "checkmk")

    found = LOCAL_CHECK.fullmatch(said)
    assert found
    assert (int(found["state"]), found["name"]) == (code, check.name)
    first, *lines = text.splitlines()
    assert found["text"].split("\\n") == [first.partition(" | ")[0], *lines]
    assert len(found["metrics"].split("|")) == len(first.partition(" | ")[2].split())


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
@pytest.mark.parametrize("form", ["json", "checkmk"])
def test_an_error_has_the_asked_for_form_too(check, form):
    said, code = outcome_of(check, ["--output", form, "--nope"])

    assert code == 3
    if form == "json":
        assert json.loads(said)["summary"].startswith("--nope: no such option")
        assert json.loads(said)["metrics"] == {}
    else:
        assert said.startswith(f'3 "{check.name}" - {check.name.upper()} UNKNOWN - --nope: no')


def test_hostile_words_stay_words_in_each_form():
    words = 'a\\nb "c" | d=1\n2 "postfix x" - e\u202e'
    outcome = Outcome("postfix x", 1, words, lines=[words], remarks=[words])

    from check_postfix.plugin import forms

    found = json.loads(forms.json(outcome))
    line = forms.checkmk(outcome)
    assert found["summary"] == 'a/nb "c" / d=1?2 "postfix x" - e?'
    assert line.count("\n") == 1
    assert line.count("\\n") == 1  # between the first line and the second
    assert LOCAL_CHECK.fullmatch(line)["metrics"] == "-"


def test_a_range_that_is_no_number_is_no_limit_for_checkmk():
    from check_postfix.plugin import forms

    label = Perfdata("size", 3.5, "B", "@10:20", "7", 0, None)
    outcome = Outcome("postfix x", 0, "fine", [label])

    assert forms.checkmk(outcome) == '0 "postfix x" size=3.5;;7;0 POSTFIX X OK - fine\n'
