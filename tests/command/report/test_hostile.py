"""What strangers write is text: no markup, no control, no formula, wherever a report goes."""

from __future__ import annotations

import email
import json
import re
from html.parser import HTMLParser

import pytest

from check_postfix.command.report import delivery, letter

pytestmark = pytest.mark.usefixtures("utc")

EVIL = (
    "<script>alert(1)</script><img src=http://192.0.2.1/x onerror=alert(1)>\"'&{{7*7}}{% raw %}"
    "[bold red]x[/]:smile:=cmd|'/c calc'!A1\x1b[31m\x1b]8;;http://192.0.2.1\x07\u202e\u200b\x07\x00"
)
# Where a stranger's words can stand
SAID = f"host mx.example.com[192.0.2.25] said: 550 5.1.1 {EVIL} (in reply to RCPT TO command)"
LINES = [
    "postfix/smtpd[7]: 4ABCDEF01: client=mail.example.net[192.0.2.3], sasl_method=PLAIN,"
    f" sasl_username={EVIL}",
    f'postfix/qmgr[9]: 4ABCDEF01: from=<"{EVIL}"@example.net>, size=1834, nrcpt=2 (queue active)',
    f'postfix/smtp[10]: 4ABCDEF01: to=<"{EVIL}"@example.com>, relay=mx.example.com[192.0.2.25]:25,'
    " delay=1.1, delays=0.1/0/0.4/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
    "postfix/smtp[10]: 4ABCDEF01: to=<ann@example.com>, relay=mx.example.com[192.0.2.25]:25,"
    f" delay=1.1, delays=0.1/0/0.4/0.6, dsn=5.1.1, status=bounced ({SAID})",
    f"postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <{EVIL}>:"
    f" Relay access denied; from=<{EVIL}> to=<{EVIL}> proto=ESMTP helo=<{EVIL}>",
    f"postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.5]: 554 5.7.1 <a@b>: Sender"
    f" address rejected: {EVIL}; from=<{EVIL}> to=<x@example.com> proto=ESMTP helo=<x>",
    f"postfix/cleanup[7]: 4ABCDEF01: reject: header Subject: {EVIL} from local; from=<x@y>",
    f"postfix/smtpd[7]: warning: {EVIL}",
    "postfix/smtpd[7]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: x,"
    f" sasl_username={EVIL}",
]
# Nothing of it may be there as it stands in the log.
SIGNS = re.compile("[\x00-\x09\x0b-\x1f\x7f\u200b\u202e]")


class _Tags(HTMLParser):
    """Every tag of a page, its attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def hostile(log):
    return log(*LINES)


def test_text_holds_no_control(report, hostile):
    said = report("--log", hostile, "--top", "all")

    assert "<script>" in said.text
    assert not SIGNS.search(said.text)


def test_a_terminal_is_told_nothing_but_our_own_colours(report, hostile, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "xterm")

    for library in (True, False):
        monkeypatch.setattr(
            delivery.drawing, "library", lambda _, there=library: object() if there else None
        )
        said = report("--log", hostile, "--top", "all")

        plain = re.sub(r"\x1b\[[0-9;]*m", "", said.text)
        assert not SIGNS.search(plain)
        assert "[bold red]" in plain
        assert ":smile:" in plain
        colours = set(re.findall(r"\x1b\[([0-9;]*)m", said.text))
        # What the log wants to be red stays as it was: bold, cyan, dim, our red, yellow, green.
        assert colours <= {"0", "1", "2", "1;36", "31", "33", "32", "34"}
        assert "\x1b[31m\x1b" not in said.text


def test_json_is_json_and_every_sign_is_clean(report, hostile):
    found = report("--log", hostile, "--top", "all", "--json")

    texts = []

    def walk(value):
        if isinstance(value, dict):
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, str):
            texts.append(value)

    walk(json.loads(found.text))
    assert any("<script>" in text for text in texts)
    assert not any(SIGNS.search(text) for text in texts)


def test_a_page_has_none_of_a_strangers_tags(report, hostile, tmp_path):
    page = tmp_path / "page.html"

    assert report("--log", hostile, "--top", "all", "--html", page).status == 0

    read = _Tags(page.read_text())
    assert "<script>alert(1)</script>" in read.text
    assert "{{7*7}}" in read.text
    assert read.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "b", "br",
        "section", "figure", "div", "span", "svg", "g", "line", "rect", "text", "table", "tr", "th",
        "td",
    }  # fmt: skip
    assert not {name for name in read.attributes if name.startswith("on")}
    assert not read.attributes & {"style", "src", "href", "onerror"}
    assert not SIGNS.search(page.read_text())


def test_a_page_forbids_scripts_and_the_network_and_all_styles_but_its_own(
    report, hostile, tmp_path
):
    page = tmp_path / "page.html"
    report("--log", hostile, "--html", page)

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page.read_text())
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules.pop("style-src").startswith("'sha256-")
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    assert not re.search(r"https?://(?!192\.0\.2\.1)", page.read_text())


def test_only_its_owner_can_read_a_page(report, hostile, tmp_path):
    page = tmp_path / "page.html"
    report("--log", hostile, "--html", page)

    assert page.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"page.html", "mail.log"}


def test_a_page_that_cannot_be_written_is_said_and_nothing_is_left(report, hostile, tmp_path):
    said = report("--log", hostile, "--html", tmp_path / "none" / "page.html")

    assert said.status == 3
    assert said.errors == (
        f"postfix-log: cannot write {tmp_path}/none/page.html: no such file or directory;"
        " choose another file with --html\n"
    )


def test_a_mail_has_no_header_of_a_strangers():
    subject = f"Mail of {EVIL}\r\nBcc: x@example.org\nX-Evil: 1"
    mail = letter.letter(
        ["root@example.com"], subject, "text\n.\n", "<p>x</p>", "<p>y</p>", "a.html"
    )

    read = email.message_from_bytes(mail.as_bytes())
    assert set(read.keys()) == {
        "Subject", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
    }  # fmt: skip
    kinds = [part.get_content_type() for part in read.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/html",
    ]  # fmt: skip
    assert max(map(len, mail.as_bytes().split(b"\r\n"))) <= 998


@pytest.mark.parametrize("address", ["root", "postmaster@example.com", "a.b+c@mx1.example.com"])
def test_an_address_to_send_to_is_one_plain_one(address):
    assert letter.is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "", "-f", "-oQ/tmp@x", "a b@x", "a@x,b@x", "a@x\n", "a@x\r\nBcc: b@x", '"|sh"@x', "<a@x>",
        "a@x@y",
    ],
)  # fmt: skip
def test_nothing_else_is(address):
    assert not letter.is_address(address)
