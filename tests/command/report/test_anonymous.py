"""--anonymise: nobody is named anywhere, and the same name has the same pseudonym."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from check_postfix.command import cli
from check_postfix.command.names import Pseudonyms
from check_postfix.maillog.counts import pseudonym
from check_postfix.maillog.counts.account import Accounts
from check_postfix.maillog.store import location
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


def a_state(path: Path) -> bytes:
    """Make a state; return its secret."""
    with Store(str(path), 1) as store:
        return store.key


def test_pseudonyms_are_those_of_the_checks(report, tmp_path):
    state = tmp_path / "state"
    key = a_state(state)

    said = report("--log", RECORDED, "--anonymise", "--state", state, "--top", "all")

    assert pseudonym.of(key, "client", "203.0.113.5") in said.text
    assert pseudonym.of(key, "domain", "example.net") in said.text
    assert f"account-{Accounts(key).pseudonym(b'alice')}" in said.text
    assert Pseudonyms(key).address("ben@example.net") in said.text


def test_trace_finds_whom_a_report_names_by_a_pseudonym(report, tmp_path, capsys):
    state = tmp_path / "state"
    a_state(state)
    where = ["--log", str(RECORDED), "--state", str(state)]
    told = report(*where, "--anonymise", "--top", "all").text

    for pattern in (r"address-[0-9a-f]{10}", r"account-[0-9a-f]{10}"):
        name = re.findall(pattern, told)[0]
        with pytest.raises(SystemExit) as end:
            cli.main(["trace", "--no-queue", *where, name])
        assert (end.value.code, capsys.readouterr().err) == (0, "")


def test_the_secret_is_that_of_the_state_that_this_user_s_checks_have(
    report, tmp_path, monkeypatch
):
    state = tmp_path / "state"
    key = a_state(state)
    monkeypatch.setattr(location, "default_store", lambda: str(state))

    said = report("--log", RECORDED, "--anonymise")

    assert pseudonym.of(key, "domain", "example.net") in said.text


def test_without_a_state_pseudonyms_hold_for_one_report(report, tmp_path, monkeypatch):
    monkeypatch.setattr(location, "default_store", lambda: str(tmp_path / "none"))

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
