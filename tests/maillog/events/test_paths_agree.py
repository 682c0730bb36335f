"""The scanner finds what the recogniser finds, whatever the lines and wherever blocks end."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from collections.abc import Callable

import pytest

from check_postfix.maillog.events import line_template
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.source.lines import blocks
from check_postfix.maillog.syntax import repeats
from check_postfix.maillog.syntax.partial_lines import PartialLines
from tests.support import corpus, effort, material

EXAMPLES = effort.examples(40_000)


def _sum(happenings):
    """Add up happenings that differ in nothing but how often they were."""
    total: Counter[tuple[object, ...]] = Counter()
    for happening in happenings:
        if happening:
            total[happening[:-1]] += happening.times
    return total


def assert_agreement(lines: list[bytes]) -> None:
    """Compare the two readings of lines; where they differ, line by line, to name one."""
    block = b"".join(b"\n" + line for line in lines)
    if _sum(corpus.scanned(block)) != _sum(map(corpus.recognised, lines)):
        for line in lines:
            scanned, recognised = corpus.scanned(b"\n" + line), corpus.recognised(line)
            assert scanned == ([recognised] if recognised else []), line
        raise AssertionError("the lines agree alone and not together")
    if Scan(corpus.timestamps()).block(block).losses != corpus.losses(lines):
        for line in lines:
            events = Scan(corpus.timestamps()).block(b"\n" + line)
            assert events.losses == corpus.losses([line]), line
        raise AssertionError("the lines tell of loss alike alone and not together")
    if corpus.sorted_out_fast(block) != Counter(map(corpus.sorted_out, lines)):
        for line in lines:
            assert corpus.sorted_out_fast(b"\n" + line) == {corpus.sorted_out(line): 1}, line
        raise AssertionError("the lines are sorted out alike alone and not together")


def _mutants(lines: list[bytes], examples: int):
    """Yield lines that are changed; none that says how often another one was repeated."""
    rng = random.Random(material.SEED)
    for _ in range(examples // 100):
        parts = [
            part for _ in range(100) for part in material.mutated(rng.choice(lines), lines, rng)
        ]
        yield [part for part in parts if repeats.WORDS not in part]


@pytest.mark.parametrize("end", [b"", b"\r", b"\0", b"\r\r", b" ", "\u0085".encode(), b"\x85"])
def test_on_the_corpus_with_any_end_of_line(end):
    assert_agreement([line + end for line in material.corpus_lines()])


@pytest.mark.parametrize("start", [b"\0", b"\0\0\0", b" ", b"\r", b"<22>", "\ufeff".encode()])
def test_on_the_corpus_with_any_begin_of_line(start):
    assert_agreement([start + line for line in material.corpus_lines()])


def test_on_the_recorded_logs():
    assert material.recorded_lines()
    assert_agreement(material.recorded_lines())


def test_on_other_peoples_logs():
    if not material.shared_lines():
        pytest.skip(f"no corpus of other projects in {material.SHARED}")
    assert_agreement(material.shared_lines())


def test_on_mutations_of_the_corpus():
    for lines in _mutants(material.corpus_lines(), EXAMPLES):
        assert_agreement(_without_parts(lines))


def test_on_mutations_of_the_recorded_logs():
    for lines in _mutants(material.recorded_lines(), EXAMPLES // 4):
        assert_agreement(lines)


def test_on_mutations_of_other_peoples_logs():
    if not material.shared_lines():
        pytest.skip(f"no corpus of other projects in {material.SHARED}")
    for lines in _mutants(material.shared_lines(), EXAMPLES // 4):
        assert_agreement(lines)


def _without_parts(lines: list[bytes]) -> list[bytes]:
    """Return lines without those that are only a part of one, as a change can make of them."""
    return [line for line in lines if PartialLines(b"", []).merged(b"\n" + line)]


def _in_cri(line: bytes) -> bytes:
    return b"2026-11-24T16:40:01.123456789Z stdout F " + line


def _in_docker(line: bytes) -> bytes:
    """Return a line as docker writes it: bytes that are no text it replaces."""
    entry = {
        "log": line.decode("utf-8", "replace") + "\n",
        "stream": "stderr",
        "time": "2026-11-24T16:39:59.1+01:00",
    }
    written = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return written.encode()


def _in_text(line: bytes) -> bytes:
    return b"Nov 24 16:40:01 node docker[812]: " + line


def _in_print(line: bytes) -> bytes:
    return b"mail-1  | 2026-11-24T16:40:01.123456789Z " + line


def _with_severity(line: bytes) -> bytes:
    return line.replace(b" mx1 ", b" WARNING ", 1)


def _without_stamp(line: bytes) -> bytes:
    return _in_cri(line[16:])


def _in_object(line: bytes) -> bytes:
    fields = {"timestamp": "2026-11-24T16:40:01Z", "message": line.decode("utf-8", "replace")}
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    "logger",
    [_in_cri, _in_docker, _in_text, _in_print, _with_severity, _without_stamp, _in_object],
)
def test_on_the_corpus_in_a_container(logger: Callable[[bytes], bytes]):
    lines = [logger(line) for line in material.corpus_lines()]
    assert_agreement(lines)
    for mutants in _mutants(material.corpus_lines(), EXAMPLES // 4):
        assert_agreement([logger(line) for line in mutants])
    for mutants in _mutants(lines, EXAMPLES // 4):
        assert_agreement(_without_parts(mutants))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 99, 100, 101, 1000, 65536])
def test_blocks_may_end_anywhere(size, monkeypatch):
    monkeypatch.setattr("check_postfix.maillog.source.lines.BLOCK", size)
    lines = material.corpus_lines()[:200] if size < 50 else material.corpus_lines()
    origin = io.BytesIO(b"".join(line + b"\n" for line in lines))

    found = [
        happening for block, _ in blocks(origin.read, 0) for happening in corpus.scanned(block)
    ]

    assert _sum(found) == _sum(map(corpus.recognised, lines))


@pytest.mark.parametrize("id", [b"64D052", b"64D05240927", b"A1" * 32])
def test_on_lines_that_may_just_have_been_cut(id):
    for size in range(650, 850):
        for text in (
            b"to=<a b>, relay=none, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred (%b)",
            b"from=<a b%b>, status=expired, returned to sender",
        ):
            program = b"qmgr" if text.startswith(b"from") else b"smtp"
            said = text % (b"x" * (size - len(text)))
            assert_agreement([b"Nov 24 16:40:01 mx1 postfix/%b[1]: %b: %b" % (program, id, said)])


def test_characters_that_only_unicode_counts_as_line_ends_end_no_line():
    text = "64D05240927: client=unknown[203.0.113.6]"
    for separator in "\u0085\u2028\u2029\v\f\x1c\x1d\x1e\r":
        line = (
            "Nov 24 16:40:01 mx1 postfix/smtpd[1]: NOQUEUE: lost connection after HELO x"
            f"{separator}Nov 24 16:40:01 mx1 postfix/smtpd[1]: {text}"
        ).encode()

        assert corpus.recognised(line) is None
        assert corpus.scanned(b"\n" + line) == []


def test_replies_that_differ_in_server_and_recipient_only_are_read_once():
    lines = [
        b"Nov 24 16:43:26 mx1 postfix/smtp[1]: 64D05240927: to=<%b@example.net>,"
        b" relay=mx.example.net[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=4.7.1, status=deferred"
        b" (host mx%b.example.net[192.0.2.%b] said: 451 4.7.1 <%b@example.net>: Recipient address"
        b" rejected: Greylisted (in reply to RCPT TO command))" % (who, who, who, who)
        for who in (b"1", b"2")
    ]

    events = Scan(corpus.timestamps()).block(b"".join(b"\n" + line for line in lines))

    (counted,) = events.counted.values()
    assert [len(named) for named in counted.values()] == [2]
    assert_agreement(lines)


_AT_DOVECOT = b"Nov 24 16:43:26 mx1 dovecot: imap-login: Disconnected: Connection closed "


def test_failed_logins_at_dovecot_are_read_once_for_a_client():
    lines = [
        _AT_DOVECOT + b"(auth failed, 2 attempts in %b secs): user=<%b>, method=PLAIN,"
        b" rip=203.0.113.7, lip=192.0.2.1, TLS, session=<%b>" % (who, who, who)
        for who in (b"1", b"2")
    ]

    events = Scan(corpus.timestamps()).block(b"".join(b"\n" + line for line in lines))

    (counted,) = events.counted.values()
    assert list(counted.values()) == [[(b"203.0.113.7", b"1"), (b"203.0.113.7", b"2")]]
    assert_agreement(lines)


@pytest.mark.parametrize(
    "user",
    [b"", b"ann", b"a, rip=192.0.2.9", b"a\r", b"a (no auth attempts): user=<b", b"a>, rip=::9",
     b"a> (auth failed, 3 attempts): user=<b", b"a, sasl_username=b", b"\xff, method=PLAIN"],
)  # fmt: skip
@pytest.mark.parametrize(
    "goes_on",
    [b"", b"\r", b", lip=192.0.2.1, session=<x>", b", rip=192.0.2.9", b", rip=x", b"x",
     b", sasl_username=b", b">", b", session=<, rip=>"],
)  # fmt: skip
def test_on_logins_at_dovecot_that_hold_parts_of_others(user, goes_on):
    for ended in (
        b"(auth failed, 1 attempts in 2 secs)",
        b"(authorization failed, 12 attempts) (authorization_failed)",
        b"(no auth attempts in 0 secs)",
        b"(no auth attempts) (no_auth_attempts)",
        b"(no auth attempts (auth failed, 1 attempts))",
        b"(no auth attempts) (auth failed, 1 attempts)",
        b"x(no auth attempts)",
    ):
        for method in (b"", b", method=PLAIN", b", method=a b"):
            assert_agreement(
                [_AT_DOVECOT + ended + b": user=<" + user + b">" + method + b", rip=::7" + goes_on]
            )


@pytest.mark.parametrize("tag", [b"dovecot", b"mail"])
def test_who_does_not_try_to_log_in_at_dovecot_is_read_once(tag, monkeypatch):
    read = []
    monkeypatch.setattr(line_template, "recognise", read.append)
    line = _AT_DOVECOT.replace(b"dovecot", tag) + b"(no auth attempts in 0 secs): user=<>, rip=::%b"

    scan = Scan(corpus.timestamps())
    events = scan.block(b"".join(b"\n" + line % who for who in (b"1", b"2")))

    assert [record.text for record in read] == [b"imap-login: "]
    assert not events.counted
    assert (scan.matched, scan.foreign, scan.unparsed) == (0, 0, 0)
