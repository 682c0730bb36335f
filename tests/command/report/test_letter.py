"""What keeps a report from being sent is said with its cause."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from check_postfix.command.report import letter
from check_postfix.maillog.errors import LogError


@pytest.fixture
def sendmail(tmp_path, monkeypatch):
    """Return what makes a program sendmail of a script, and tells where it is."""

    def make(script: str) -> str:
        program = tmp_path / "sendmail"
        program.write_text(script)
        program.chmod(0o755)
        monkeypatch.setattr("check_postfix.child.find", lambda *_: str(program))
        return str(program)

    return make


def why_not() -> str:
    with pytest.raises(LogError) as error:
        letter.send(EmailMessage(), ["postmaster@example.com"])
    return str(error.value)


def test_whom_it_is_for_is_no_option_of_sendmail(sendmail, tmp_path):
    sendmail(f'#!/bin/sh\ncat > /dev/null\necho "$@" > {tmp_path}/given\n')

    letter.send(EmailMessage(), ["-bp@example.com"])

    assert (tmp_path / "given").read_text() == "-i -- -bp@example.com\n"


def test_a_machine_without_sendmail(monkeypatch):
    monkeypatch.setattr("check_postfix.child.find", lambda *_: None)

    assert why_not() == ("cannot send mail: the program sendmail is missing; install a mail server")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "#!/bin/sh\necho one >&2; echo 'mail system is down' >&2; exit 75\n",
            "mail system is down",
        ),
        ("#!/bin/sh\nexit 75\n", "exit code 75"),
        ("", "exec format error"),
    ],
)
def test_a_sendmail_that_fails(sendmail, script, said):
    program = sendmail(script)

    assert why_not() == f"cannot send mail: {program}: {said}"


def test_a_sendmail_that_hangs(sendmail, monkeypatch):
    program = sendmail("#!/bin/sh\nexec sleep 30\n")
    monkeypatch.setattr(letter, "_PATIENCE", 0.1)

    assert why_not() == (
        f"cannot send mail: {program} took longer than 0.1 s; see whether Postfix runs"
    )
