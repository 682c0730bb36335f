"""A guesser that finds a password, from the lines of a log to the alarm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from check_postfix.auth import CHECK
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log

pytestmark = pytest.mark.usefixtures("utc")

GUESSER, HOME, PHONE = "198.51.100.7", "203.0.113.5", "192.0.2.33"
ANN = "ann@example.com"
DAY = 24 * 60


def dovecot(client: str, account: str = ANN, minutes_ago: float = 5, how: str = "Login") -> str:
    """Return what Dovecot says of a login, or of one that has failed."""
    said = f"imap-login: {how}: user=<{account}>, method=PLAIN, rip={client}, lip=192.0.2.1, TLS"
    return mail_log.lines([said], minutes_ago).replace("postfix/imap", "dovecot: imap")


def failed(client: str, account: str, minutes_ago: float) -> str:
    return dovecot(client, account, minutes_ago, "Disconnected (auth failed, 1 attempts in 2 secs)")


def week(days: int = 9) -> str:
    """Return days on which mail is sent, and Ann reads hers."""
    return "".join(
        mail_log.lines([mail_log.SENT], day * DAY + 90) + dovecot(HOME, minutes_ago=day * DAY + 90)
        for day in range(days, 0, -1)
    )


def guessing(accounts: int = 12, minutes_ago: float = 300) -> str:
    """Return failures at so many accounts, Ann's among them, slowly, at both daemons."""
    by_imap = [failed(GUESSER, f"a{n}", minutes_ago - 10 * n) for n in range(accounts - 4)]
    by_smtp = [
        mail_log.lines([mail_log.login_failed(GUESSER, account=f"s{n}")], minutes_ago - 80 - 10 * n)
        for n in range(3)
    ]
    return "".join([*by_imap, *by_smtp, failed(GUESSER, ANN.title(), minutes_ago - 120)])


def run(tmp_path: Path, *arguments: str) -> tuple[str, int]:
    where = ["--log", str(tmp_path / "mail.log"), "--state", str(tmp_path / "state")]
    return outcome_of(CHECK, [*where, *arguments])


def write(tmp_path: Path, *parts: str) -> None:
    mail_log.write(tmp_path / "mail.log", *parts)


def test_a_guesser_that_gets_in_is_told(tmp_path: Path) -> None:
    write(tmp_path, week(), guessing(), dovecot(GUESSER))

    text, state = run(tmp_path)

    assert state == 2
    assert re.search(
        f"CRITICAL - {ANN} may be guessed: {GUESSER} failed at 12 accounts and then logged in as"
        f" {ANN} by imap at [0-9: -]+ from a network new to it; change the password, see:"
        rf" postfix-log trace --log \S+ --since \S+ {ANN} login:; 0 failed logins",
        text,
    )
    assert " auth_guessed=1;;0;0 " in text


def test_a_run_in_between_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, week(), guessing())
    assert run(tmp_path)[1] == 0
    with (tmp_path / "mail.log").open("a") as file:
        file.write(dovecot(GUESSER))

    assert "failed at 12 accounts" in run(tmp_path)[0]


def test_mail_of_a_guessed_account_is_a_login_at_smtp(tmp_path: Path) -> None:
    sent = f"smtpd[1]: 4XJ2Vw0dHbz9sK1: client=a[{GUESSER}], sasl_method=LOGIN, sasl_username={ANN}"
    write(tmp_path, week(), guessing(), mail_log.lines([sent]))

    text, state = run(tmp_path)

    assert state == 2
    assert f"then sent mail as {ANN}" in text
    assert f"sasl_username={ANN};" in text


def test_anonymised_nobody_is_named(tmp_path: Path) -> None:
    write(tmp_path, week(), guessing(), dovecot(GUESSER))

    text, state = run(tmp_path, "--anonymise", "-v")

    assert state == 2
    assert re.search("sender-[0-9a-f]{10} may be guessed: client-[0-9a-f]{10} failed at 12", text)
    assert "example" not in text.replace("example.net", "")
    assert GUESSER not in text


@pytest.mark.parametrize(
    "calm",
    [
        pytest.param([week(), guessing(), dovecot(HOME)], id="at home as ever"),
        pytest.param([week(), guessing(), dovecot(PHONE)], id="from a new telephone"),
        pytest.param([week(), guessing(9), dovecot(GUESSER)], id="after a few"),
        pytest.param([week(), dovecot(GUESSER, minutes_ago=310), guessing()], id="before it"),
        pytest.param([week(), failed(PHONE, ANN, 7), dovecot(PHONE)], id="after a typo"),
        pytest.param([guessing(), dovecot(GUESSER)], id="on the first day"),
        pytest.param([week(), guessing(), dovecot(GUESSER, "")], id="as nobody"),
        pytest.param([week(), guessing(), dovecot("127.0.0.1")], id="from webmail on this machine"),
        pytest.param(
            [week(), guessing(), failed(GUESSER, f"{ANN}>, method=PLAIN, rip={HOME}", 6)],
            id="in a name only",
        ),
    ],
)  # fmt: skip
def test_all_is_well(tmp_path: Path, calm: list[str]) -> None:
    write(tmp_path, *calm)

    text, state = run(tmp_path)

    assert "may be guessed" not in text
    assert state == 0


def test_an_office_is_known_however_often_its_people_mistype(tmp_path: Path) -> None:
    office = [dovecot(HOME, f"colleague{n}", day * DAY + 60) for day in (5, 3) for n in range(12)]
    typos = [failed(HOME, f"colleague{n}", 300 - 10 * n) for n in range(12)]
    write(tmp_path, week(), *office, *typos, *[dovecot(HOME, f"colleague{n}") for n in range(12)],
          failed(HOME, "new", 4), dovecot(HOME, "new", 3))  # fmt: skip

    text, state = run(tmp_path)

    assert (state, "may be guessed" in text) == (0, False)


def test_who_is_new_is_named_no_longer_than_keys_are_kept(tmp_path: Path) -> None:
    write(tmp_path, week(), dovecot(PHONE, "bob@example.org", 200))
    run(tmp_path)
    assert b"bob@example.org" in (tmp_path / "state").read_bytes()

    run(tmp_path, "--keep-keys", "1h")

    assert b"bob@example.org" not in (tmp_path / "state").read_bytes()
    assert PHONE.encode() not in (tmp_path / "state").read_bytes()
