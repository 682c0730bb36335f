"""postfix-log trace: what the checks call things is found, lines around, and nobody is named."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from check_postfix.command import cli, logs
from check_postfix.command.context import Context, near
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import checks
from tests.support.package import ROOT

RECORDED = ROOT / "tests/recorded/mail.iso.log"
AT = ("--at", "2026-11-24T18:16Z", "--keep-keys", "300d")
pytestmark = pytest.mark.usefixtures("utc")


@pytest.fixture
def trace(capsys):
    def run(*arguments: object) -> tuple[int, list[str]]:
        with pytest.raises(SystemExit) as end:
            cli.main(["trace", "--no-queue", *map(str, arguments)])
        printed = capsys.readouterr()
        assert not printed.err
        return int(end.value.code or 0), printed.out.splitlines()

    return run


def said(name: str, state, *arguments: str) -> str:
    check = next(one for one in checks() if one.executable == f"check_postfix_{name}")
    options = ["--log", str(RECORDED), "--state", str(state), *AT, "-v", *arguments]
    return outcome_of(check, options)[0]


def of_log(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if re.match(r"(?:  )?2026-11-24T", line)]


# -- pseudonyms and reasons as patterns


@pytest.mark.parametrize(
    ("check", "kind", "name"),
    [
        ("deferred", "domain", "down.example.net"),
        ("deferred", "relay", "busy.example.net"),
        ("auth", "client", "203.0.113.77"),
        ("rejects", "client", "203.0.113.66"),
    ],
)
def test_what_a_check_calls_somebody_finds_what_their_name_finds(
    trace, tmp_path, check, kind, name
):
    state = tmp_path / "state"
    plain, hidden = (
        re.findall(r"^ +(\d+)  (\S+)", said(check, state, *more), re.MULTILINE)
        for more in ([], ["--anonymise"])
    )
    number = next(number for number, there in plain if there == name)
    places = [at for at, pair in enumerate(plain) if pair == (number, name)]
    called = [hidden[at][1] for at in places if hidden[at][1].startswith(kind)]
    assert called

    # Rows of one number may stand in another order.
    candidates = {there for n, there in hidden if n == number and there.startswith(f"{kind}-")}
    by_name = set(of_log(trace("--log", RECORDED, name)[1]))

    found = [set(of_log(trace("--log", RECORDED, "--state", state, one)[1])) for one in candidates]

    assert any(lines and lines <= by_name for lines in found)


def test_an_account_s_pseudonym_finds_the_tries_at_it(trace, tmp_path):
    told = said("auth", tmp_path / "state")
    number, called = re.search(r"^ +(\d+)  (account-\w+)", told, re.MULTILINE).groups()

    status, lines = trace("--log", RECORDED, "--state", tmp_path / "state", called)

    found = [line for line in of_log(lines) if "sasl_username=" in line or "user=<" in line]
    assert status == 0
    assert len(found) >= int(number)
    names = {re.search(r"(?:sasl_username=|user=<)([^\s,>]+)", line)[1].lower() for line in found}
    assert len(names) == 1


@pytest.mark.parametrize("reason", ["connection refused", "unknown user", "mailbox full"])
def test_a_class_of_reasons_finds_all_of_it(trace, tmp_path, reason):
    expected = sum(
        int(number)
        for check, what in (("deferred", "deferrals"), ("bounces", "bounces"))
        for number in re.findall(
            rf"^ +(\d+)  {reason}$",
            said(check, tmp_path / "state").partition(f"{what} by reason:")[2].partition(":")[0],
            re.MULTILINE,
        )
    )

    _, lines = trace("--log", RECORDED, reason)

    failed = [line for line in of_log(lines) if re.search(r"status=(def|bou|SOFT)", line)]
    assert expected
    assert len(failed) >= expected


def test_a_recipient_s_pseudonym_finds_the_mail_for_them(trace, tmp_path):
    told = said("recipients", tmp_path / "state")
    number, called = re.search(r"^ +(\d+)  (recipient-\w+)", told, re.MULTILINE).groups()

    status, lines = trace("--log", RECORDED, "--state", tmp_path / "state", called)

    assert status == 0
    names = set(re.findall(r"[ _]to=<([^>]+)>", "\n".join(of_log(lines))))
    (name,) = (one for one in names if trace("--log", RECORDED, f"to=<{one}>")[1] == lines)
    assert int(number) <= sum(f"to=<{name}>" in line for line in of_log(lines))
    (see,) = re.findall("^see: (.*)$", told, re.MULTILINE)
    assert f"--state {tmp_path}/state" in see
    assert see.endswith(f" {called}")
    assert "check_postfix_recipients --address ADDRESS" in told


def test_an_unknown_pseudonym_finds_nothing(trace, tmp_path):
    said("auth", tmp_path / "state")

    assert trace("--log", RECORDED, "--state", tmp_path / "state", "client-0123456789")[0] == 1


@pytest.mark.parametrize("called", ["client-0123456789", "recipient-0123456789"])
def test_without_the_secret_that_made_a_pseudonym_it_is_said_that_nobody_can_tell(
    capsys, tmp_path, called
):
    with pytest.raises(SystemExit) as end:
        cli.main(["trace", "--log", str(RECORDED), "--state", str(tmp_path / "no"), called])

    assert end.value.code == 3
    assert f"{tmp_path}/no: no such file" in capsys.readouterr().err


# -- lines around


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    hits=st.lists(st.booleans(), min_size=1, max_size=30),
    around=st.integers(1, 4),
    block=st.integers(90, 2000),
)
def test_so_many_lines_around_are_shown_and_no_other(
    trace, tmp_path, monkeypatch, hits, around, block
):
    monkeypatch.setattr(logs, "BLOCK_BYTES", block)
    texts = [
        f"2026-11-24T16:00:{at:02}+00:00 mx1 postfix/smtpd[7]: {'needle' if hit else 'hay'} {at}"
        for at, hit in enumerate(hits)
    ]
    log = tmp_path / "mail.log"
    log.write_text("".join(f"{text}\n" for text in texts))
    near = {
        at
        for hit in range(len(hits)) if hits[hit]
        for at in range(max(0, hit - around), min(len(hits), hit + around + 1))
    }  # fmt: skip

    _, lines = trace("--log", log, "needle", "-C", around)

    shown = {line.removeprefix("| ") for line in lines if "postfix/smtpd" in line}
    assert shown == {texts[at] for at in near}


def test_context_is_kept_across_blocks():
    kept: list[tuple[int, int, bytes]] = []
    context = Context(2, lambda *one: kept.append(one))

    context.take(near(0, b"a\nb\n", [], 2))
    context.take(near(4, b"c\n", [0], 2))
    context.take(near(6, b"d\n", [], 2))
    context.take(near(8, b"e\nf\n", [], 2))

    assert sorted(kept) == [(4, 0, b"a"), (4, 2, b"b"), (4, 6, b"d"), (4, 8, b"e")]


# -- nobody is named


def names_in(text: str) -> set[str]:
    """Return addresses, domains and hosts of a log, and the accounts that were tried."""
    text = re.sub(r"^\S+ \S+ \S+?: ", "", text, flags=re.MULTILINE)
    found = set(
        re.findall(r"[\w.+-]+@[\w.-]+\w|\b\d+\.\d+\.\d+\.\d+\b|\b[\w-]+\.example\.\w+", text)
    )
    found |= set(re.findall(r"(?:sasl_username=|user=<|helo=<)([^\s,>]{4,})", text))
    return found


def test_no_line_of_a_whole_log_names_anybody(trace, tmp_path):
    names = names_in(RECORDED.read_text())
    assert len(names) > 40

    status, lines = trace(
        "--log", RECORDED, "--anonymise", "--state", tmp_path / "state", "-C", 1, "postfix"
    )

    text = "\n".join(line for line in lines if not line.startswith("--"))
    assert status == 0
    assert len(lines) > 500
    assert {
        name for name in names if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text)
    } == set()
    assert "example" not in text


def test_pseudonyms_are_the_same_everywhere(trace, tmp_path):
    state = tmp_path / "state"
    told = said("deferred", state, "--anonymise")
    domain = re.search(r"domain-[0-9a-f]{10}", told)[0]

    _, lines = trace("--log", RECORDED, "--anonymise", "--state", state, "--brief", domain)

    assert any(f"@{domain}>" in line for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "postfix/smtpd[7]: warning: hostname x.example.org does not resolve to 192.0.2.9",
        "postfix/cleanup[7]: 4A00000001: warning: header Subject: for bob from ann",
        "postfix/qmgr[9]: warning: private bob@example.com",
        "postfix/smtp[7]: 4A00000001: to=<a b@x>, novel=bob@example.com",
        "other[7]: bob@example.com did something",
        "postfix/smtp[7]: 4A00000001: to=<a@x.test>, relay=y.test[192.0.2.9]:25, delay=1,"
        " delays=0/0/0/1, dsn=5.1.1, status=bounced (host y.test[192.0.2.9] said: 550 5.1.1 no bob"
        " here (in reply to RCPT TO command))",
    ],
)
def test_words_that_nobody_has_taken_apart_are_not_shown(trace, tmp_path, text):
    log = tmp_path / "mail.log"
    log.write_text(f"2026-11-24T16:00:00+00:00 mx1 {text}\n")

    _, lines = trace("--log", log, "--anonymise", "--state", tmp_path / "no", "mx1")

    shown = "\n".join(line for line in lines if not line.startswith("--"))
    assert shown
    assert not re.search(r"bob|example|192\.0|x\.test|y\.test", shown)
