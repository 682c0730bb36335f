"""--anonymise: nobody is named anywhere, and the same name has the same pseudonym."""

from __future__ import annotations

import os
import re

import pytest

from check_postfix.maillog.counts import pseudonym
from check_postfix.maillog.store.store import Store
from tests.support import material
from tests.support.package import ROOT

pytestmark = pytest.mark.usefixtures("utc")
RECORDED = ROOT / "tests/recorded/mail.iso.log"
NAMES = re.compile(
    rb"[A-Za-z0-9.+-]+@[A-Za-z0-9.-]+|(?:\d{1,3}\.){3}\d{1,3}|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
    rb"\.example(?:\.com|\.net|\.org)?|sasl_username=[^,\s]+"
)
HIDDEN = re.compile(
    r"@(?!domain-[0-9a-f]{10}\b|media)|(?:\d{1,3}\.){3}\d{1,3}|\bexample\.(?:com|net|org)|alice"
    r"|\bbob\b|\bann\b", re.IGNORECASE,
)  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_no_name_of_a_recorded_log_is_in_a_report(report, tmp_path, form):
    page = tmp_path / "page.html"
    options = {"text": [], "json": ["--json"], "html": ["--html", page]}[form]

    said = report(
        "--log", RECORDED, "--anonymise", "--top", "all", "--connections", "--reject-senders",
        *options,
    )  # fmt: skip

    text = page.read_text() if form == "html" else said.text
    # The command that shows more names the log, which is no name of a person.
    text = text.replace(str(RECORDED), "")
    assert "client-" in text
    assert [found[0] for found in HIDDEN.finditer(text)] == []


@pytest.mark.parametrize("what", ["corpus", "shared"])
def test_no_name_of_any_corpus_is_in_a_report(report, tmp_path, what):
    lines = material.corpus_lines() if what == "corpus" else material.shared_lines()
    if not lines:
        pytest.skip(f"no corpus of other projects in {material.SHARED}")
    path = tmp_path / "mail.log"
    path.write_bytes(b"\n".join(lines))

    text = report("--log", path, "--anonymise", "--top", "all", "--connections").text

    names = {
        name.decode("utf-8", "replace").lower() for line in lines for name in NAMES.findall(line)
    }
    whole = {name for name in names if "@" in name or name.count(".") > 2}
    assert len(whole) > 50
    assert [name for name in whole if name in text.lower()] == []


def test_pseudonyms_are_those_of_the_checks(report, tmp_path):
    state = tmp_path / "state"
    with Store(str(state), 1) as store:
        key = store.key

    said = report("--log", RECORDED, "--anonymise", "--state", state)

    assert pseudonym.of(key, "client", "203.0.113.5") in said.text
    assert pseudonym.of(key, "domain", "example.net") in said.text


def test_without_a_state_pseudonyms_hold_for_one_report(report):
    first, second = (report("--log", RECORDED, "--anonymise").text for _ in range(2))

    assert first != second
    names = re.findall(r"domain-[0-9a-f]{10}", first)
    # In the problems, among the recipients, and by domain
    assert max(map(names.count, names)) > 3


def test_a_state_that_is_none_is_said(report, tmp_path):
    state = tmp_path / "state"
    state.write_text("no database at all" * 100)

    said = report("--log", RECORDED, "--anonymise", "--state", state)

    assert said.status == 3
    assert "these pseudonyms are of this report alone" in said.text
    assert os.listdir(tmp_path) == ["state"]
