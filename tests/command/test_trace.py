"""postfix-log trace: whole messages, no line of another one, and what became of them."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_postfix.command import cli, logs, users
from check_postfix.maillog.errors import LogError
from tests.support.package import ROOT

RECORDED = ROOT / "tests/recorded/mail.iso.log"
pytestmark = pytest.mark.usefixtures("utc")


class Said:
    """What the command printed, and its exit code."""

    def __init__(self, status: int, text: str, errors: str) -> None:
        self.status = status
        self.errors = errors
        self.lines = text.splitlines()
        # a message's lines of the log, of the story below it, and the titles above
        self.log = [line[2:] for line in self.lines if re.match(r"  [^=]", line)]
        self.story = [line[4:] for line in self.lines if line.startswith("  = ")]
        self.footer = [line[3:] for line in self.lines if line.startswith("-- ")]
        rest = (line for line in self.lines if line and line[0] not in " -")
        self.titles = list(rest)


@pytest.fixture
def trace(capsys):
    def run(*arguments: object, asks_queue: bool = False) -> Said:
        options = [] if asks_queue else ["--no-queue"]
        with pytest.raises(SystemExit) as end:
            cli.main(["trace", *options, *map(str, arguments)])
        printed = capsys.readouterr()
        return Said(int(end.value.code or 0), printed.out, printed.err)

    return run


def log(path, *texts: str, start: str = "2026-11-24T16:00") -> None:
    """Write lines, a second apart, as one host's."""
    path.write_text(
        "".join(f"{start}:{second:02}+00:00 mx1 {text}\n" for second, text in enumerate(texts))
    )


def message(queue_id: str, *between: str, instance: str = "postfix", end: str = "removed"):
    """Return the lines of a message that came from a client."""
    return [
        f"{instance}/smtpd[7]: {queue_id}: client=mail.example.net[192.0.2.3]",
        f"{instance}/cleanup[8]: {queue_id}: message-id=<{queue_id}@example.net>",
        f"{instance}/qmgr[9]: {queue_id}: from=<ben@example.net>, size=1834, nrcpt=1"
        " (queue active)",
        *(f"{instance}/smtp[10]: {queue_id}: {text}" for text in between),
        *([f"{instance}/qmgr[9]: {queue_id}: {end}"] if end else []),
    ]


def delivery(status: str = "sent", text: str = "250 2.0.0 Ok", to: str = "ann@example.com",
             relay: str = "mx.example.com[192.0.2.25]:25", dsn: str = "2.0.0") -> str:  # fmt: skip
    return (
        f"to=<{to}>, relay={relay}, delay=1.1, delays=0.1/0/0.4/0.6, dsn={dsn},"
        f" status={status} ({text})"
    )


# -- whole messages


def by_queue_id() -> dict[str, list[str]]:
    lines = defaultdict(list)
    for line in RECORDED.read_text().splitlines():
        if found := re.match(r"\S+ \S+ postfix\S*: ([0-9A-Za-z]{6,}): ", line):
            lines[found[1]].append(line)
    return {
        queue_id: said for queue_id, said in lines.items() if re.search(r"\d", queue_id)
    }  # fmt: skip


@pytest.mark.parametrize("queue_id", sorted(by_queue_id()))
def test_a_queue_id_finds_all_lines_of_its_message_in_a_recorded_log(trace, queue_id):
    said = trace("--log", RECORDED, queue_id)

    assert said.status == 0
    # it leads to and comes from others, whose lines are there as well
    assert [line for line in said.log if f": {queue_id}: " in line] == by_queue_id()[queue_id]
    others = {line for line in said.log if f": {queue_id}: " not in line}
    related = "\n".join(line for line in said.log if queue_id in line)
    for line in others:
        assert re.search(r": ([0-9A-Za-z]{6,}): ", line)[1] in related or "queued as" in related


@pytest.mark.parametrize("queue_id", sorted(by_queue_id()))
def test_one_reading_for_a_queue_id_finds_what_several_do(trace, queue_id):
    once = trace("--log", RECORDED, queue_id)
    several = trace("--log", RECORDED, queue_id, "--since", "2001-01-01")  # it may be older

    assert (once.titles, once.log, once.story) == (several.titles, several.log, several.story)


@pytest.mark.parametrize(
    ("pattern", "times"), [("4XyzAbC1de", 1), ("4XyzAbC1d", 2), ("4xyzabc1de", 2)]
)
def test_a_log_is_read_once_for_a_message_that_is_named_by_its_queue_id(
    trace, tmp_path, monkeypatch, pattern, times
):
    path = tmp_path / "mail.log"
    log(path, *message("4XyzAbC1de", delivery()))
    read = []
    blocks = logs.File.blocks

    def counted(file, *part):
        read.append(file.name)
        return blocks(file, *part)

    monkeypatch.setattr(logs.File, "blocks", counted)
    said = trace("--log", path, pattern)

    assert len(said.log) == 5
    assert len(read) == times


@settings(deadline=None, max_examples=30)
@given(
    order=st.lists(st.integers(0, 11), min_size=1, max_size=60),
    wanted=st.integers(0, 11),
    data=st.data(),
)
def test_any_line_of_a_message_finds_that_message_and_no_other(
    tmp_path_factory, order, wanted, data
):
    path = tmp_path_factory.mktemp("any") / "mail.log"
    ids = [f"4{number:02}ABCDEF" for number in range(12)]
    left = {queue_id: message(queue_id, delivery()) for queue_id in ids}
    lines = []
    for number in [*order, *(number for number in range(12) for _ in range(5))]:
        if left[ids[number]]:
            lines.append(left[ids[number]].pop(0))
    # one line a second, over minutes
    written = [
        f"2026-11-24T16:{at // 60:02}:{at % 60:02}+00:00 mx1 {text}"
        for at, text in enumerate(lines)
    ]
    path.write_text("\n".join(written) + "\n")
    own = [line for line in written if ids[wanted] in line]
    part = data.draw(st.sampled_from([ids[wanted], ids[wanted][:6], f"<{ids[wanted]}@"]))

    output = io.StringIO()
    stdout, sys.stdout = sys.stdout, output
    try:
        with pytest.raises(SystemExit):
            cli.main(["trace", "--no-queue", "--log", str(path), part])
    finally:
        sys.stdout = stdout

    assert Said(0, output.getvalue(), "").log == own


def test_a_queue_id_that_is_used_again_is_another_message(trace, tmp_path):
    path = tmp_path / "mail.log"
    first = message("ABC1234", delivery(to="ann@example.com"))
    second = message("ABC1234", delivery(to="carol@example.org"))
    log(path, *first, *second)

    said = trace("--log", path, "carol@example.org")

    assert [line.partition("mx1 ")[2] for line in said.log] == second
    assert len(trace("--log", path, "ABC1234").titles) == 2


def test_a_queue_id_is_used_again_where_the_log_lacks_the_first_one_s_end(trace, tmp_path):
    path = tmp_path / "mail.log"
    second = message("ABC1234", delivery(to="carol@example.org"))
    log(path, *message("ABC1234", delivery(), end=""), *second)

    said = trace("--log", path, "carol@example.org")

    assert [line.partition("mx1 ")[2] for line in said.log] == second


def test_the_same_queue_id_on_another_host_is_another_message(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", delivery()))
    here = path.read_text()
    path.write_text(here + here.replace(" mx1 ", " mx2 ").replace("ann@", "carol@"))

    assert all(" mx2 " in line for line in trace("--log", path, "carol@example.com").log)


def test_a_line_that_warns_of_a_message_belongs_to_it(trace, tmp_path):
    path = tmp_path / "mail.log"
    lines = message("ABC1234", delivery())
    lines.insert(3, "postfix/smtp[10]: warning: ABC1234: defer service failure")
    log(path, *lines)

    assert [line.partition("mx1 ")[2] for line in trace("--log", path, "ann@").log] == lines


# -- what a message goes on as


def hop(text: str, relay: str) -> tuple[list[str], list[str]]:
    before = message("AAA1111", delivery(text=text, relay=relay), end="")
    after = message("BBB2222", delivery(text="250 2.0.0 Ok: queued as CCC3333"))
    return [*before, *after, "postfix/qmgr[9]: AAA1111: removed"], after


@pytest.mark.parametrize(
    ("text", "relay"),
    [
        ("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBB2222",
         "127.0.0.1[127.0.0.1]:10024"),
        ("250 2.0.0 Ok: queued as BBB2222", "localhost[127.0.0.1]:10025"),
        ("250 2.0.0 Ok: queued as BBB2222", "mx1.example.com[192.0.2.1]:25"),
        ("250 2.0.0 <ann@example.com> BBB2222 Saved: queued as BBB2222", "mx1[private/lmtp]"),
        ("forwarded as BBB2222", "local"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("queue_id", ["AAA1111", "BBB2222"])
def test_a_message_is_followed_to_its_next_queue_id_and_back(
    trace, tmp_path, text, relay, queue_id
):
    path = tmp_path / "mail.log"
    lines, _ = hop(text, relay)
    log(path, *lines)

    said = trace("--log", path, queue_id)

    assert {line.partition("mx1 ")[2] for line in said.log} == set(lines)
    assert [title.split()[0] for title in said.titles] == ["AAA1111", "BBB2222"]


def test_what_a_stranger_s_server_calls_its_message_is_none_of_ours(trace, tmp_path):
    path = tmp_path / "mail.log"
    lines, after = hop("250 2.0.0 Ok: queued as BBB2222", "mx.evil.example[192.0.2.66]:25")
    log(path, *lines)

    said = trace("--log", path, "AAA1111")

    assert not {line.partition("mx1 ")[2] for line in said.log} & set(after)


def test_a_message_of_another_day_under_that_id_is_not_what_it_goes_on_as(trace, tmp_path):
    path = tmp_path / "mail.log"
    lines, after = hop("250 2.0.0 Ok: queued as BBB2222", "localhost[127.0.0.1]:10025")
    log(path, *(line for line in lines if "BBB2222" not in line or "AAA1111" in line))
    other = tmp_path / "other.log"
    log(other, *after, start="2026-11-25T16:00")

    said = trace("--log", path, "--log", other, "AAA1111")

    assert [title.split()[0] for title in said.titles] == ["AAA1111"]


def test_a_bounce_leads_to_what_its_sender_is_told(trace, tmp_path):
    path = tmp_path / "mail.log"
    lines = message(
        "AAA1111", delivery("bounced", "host mx said: 550 5.1.1 no such user", dsn="5.1.1"), end=""
    )
    told = [
        "postfix/cleanup[8]: DDD4444: message-id=<DDD4444@mx1>",
        "postfix/bounce[11]: AAA1111: sender non-delivery notification: DDD4444",
        "postfix/qmgr[9]: DDD4444: from=<>, size=2200, nrcpt=1 (queue active)",
        "postfix/qmgr[9]: AAA1111: removed",
        "postfix/qmgr[9]: DDD4444: removed",
    ]
    log(path, *lines, *told)

    said = trace("--log", path, "AAA1111")

    assert {line.partition("mx1 ")[2] for line in said.log} == {*lines, *told}


# -- where it is looked


def test_archives_are_read_in_the_order_of_time_and_each_once(trace, tmp_path):
    path = tmp_path / "mail.log"
    lines = [f"{line}" for line in message("ABC1234", delivery())]
    log(path, *lines)
    written = path.read_text().splitlines(keepends=True)
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress("".join(written[:2]).encode()))
    (tmp_path / "mail.log.1").write_text("".join(written[2:4]))
    # as logrotate leaves it while it compresses
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress("".join(written[2:4]).encode())[:-9])
    path.write_text("".join(written[4:]))
    for age, name in enumerate(["mail.log", "mail.log.1.gz", "mail.log.1", "mail.log.2.gz"]):
        os.utime(tmp_path / name, (1764000000 - age, 1764000000 - age))

    said = trace("--log", path, "ABC1234")

    assert [f"{line}\n" for line in said.log] == written
    assert said.footer[0].startswith("1 message in 3 files: log from 2026-11-24 16:00:00 to")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("mail-%Y-%m-%d.log", ["mail-2026-11-23.log", "mail-2026-11-24.log"]),
        ("mx*/mail.log", ["mx1/mail.log", "mx2/mail.log"]),
    ],
)
def test_logs_are_named_by_the_patterns_of_the_checks(trace, tmp_path, pattern, names):
    for name, part in zip(names, ("one", "two"), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        log(tmp_path / name, f"postfix/smtpd[9]: lost connection after {part} from x[203.0.113.5]")

    said = trace("203.0.113.5", "--log", tmp_path / pattern)

    assert [line.split()[6] for line in said.titles] == ["one", "two"]
    assert said.footer[0].startswith("2 lines about no message in 2 files")


def test_an_empty_log_is_said_to_be_empty(trace, tmp_path):
    path = tmp_path / "mail.log"
    path.touch()

    said = trace("--log", path, "x")

    assert said.status == 1
    assert said.footer[0] == (
        f"nothing found: {path} is empty; send a test mail, or name the mail log with --log"
    )


def test_a_pattern_that_finds_nothing_is_told_in_one_line(trace, tmp_path):
    said = trace("x", "--log", tmp_path / "*.log")

    assert said.status == 3
    assert said.errors.count("\n") == 1
    assert f"{tmp_path}/*.log: no file has such a name" in said.errors


def test_standard_input_is_read(trace, tmp_path, monkeypatch):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", delivery()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))

    said = trace("--log", "-", "ann@example.com")

    assert len(said.log) == 5
    assert said.status == 0
    assert "1 message in standard input: log from " in said.footer[0]


def test_all_patterns_must_stand_in_one_message(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(path, *message("AAA1111", delivery()), *message("BBB2222", delivery(to="eve@example.org")))

    said = trace("--log", path, "ben@example.net", "eve@example.org")

    assert [title.split()[0] for title in said.titles] == ["BBB2222"]


def test_since_and_until_are_about_the_line_with_the_pattern(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", delivery()))

    late = trace("--log", path, "--since", "2026-11-24T16:00:03Z", "ann@example.com")
    early = trace("--log", path, "--until", "2026-11-24T16:00:03Z", "ann@example.com")

    assert len(late.log) == 5  # whole, though four of its lines are older
    assert early.status == 1


def test_a_line_about_no_message_is_printed_by_itself(trace, tmp_path):
    path = tmp_path / "mail.log"
    refused = (
        "postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.7]: 554 5.7.1"
        " <a@example.org>: Relay access denied; from=<x@example.net> to=<a@example.org>"
        " proto=SMTP helo=<x>"
    )
    log(path, refused)

    said = trace("--log", path, "203.0.113.7")

    assert said.titles == [f"2026-11-24T16:00:00+00:00 mx1 {refused}"]
    assert said.footer[0].startswith("1 line about no message in 1 file")


@pytest.mark.parametrize("options", [[], ["--brief"]])
def test_lines_about_no_message_that_follow_each_other_stand_together(trace, tmp_path, options):
    path = tmp_path / "mail.log"
    lone = ["connect from x[192.0.2.3]", "lost connection after CONNECT from x[192.0.2.3]"]
    lone = [f"postfix/smtpd[7]: {text}" for text in lone]
    log(path, *lone, *message("ABC1234", delivery()), *lone, *message("ABC1235", delivery()), *lone)

    said = trace("--log", path, "192.0.2.3", *options)

    kinds = {"": " ", "2": "l", "-": "-", "A": "m"}  # an empty line, a line, the end, a message
    shape = "".join(kinds.get(line[:1], "") for line in said.lines)
    assert shape == "ll m ll m ll -"


@pytest.mark.parametrize(
    ("around", "pattern", "expected"),
    [
        (1, "find", "| b; find c; find d; | e; ; | g; find h; | i"),
        (2, "find", "| a; | b; find c; find d; | e; | f; | g; find h; | i; | j"),
        (1, "find c", "| b; find c; | find d"),
        (0, "find", "find c; find d; find h"),
    ],
)
def test_lines_around_those_about_no_message_are_shown_once(
    trace, tmp_path, around, pattern, expected
):
    path = tmp_path / "mail.log"
    words = ["a", "b", "find c", "find d", "e", "f", "g", "find h", "i", "j"]
    log(path, *(f"postfix/smtpd[7]: {text}" for text in words))

    said = trace("--log", path, "-C", around, pattern)

    shown = [re.sub(r"2026\S+ mx1 postfix/smtpd\[7\]: ", "", line) for line in said.lines]
    assert "; ".join(shown[:-2]) == expected


def test_lines_around_the_last_of_a_file_end_before_the_next_file(trace, tmp_path):
    for name, hour in (("mail.log.1", 15), ("mail.log", 16)):
        text = [f"postfix/smtpd[7]: {word} {hour}" for word in ("find", "b")]
        log(tmp_path / name, *text, start=f"2026-11-24T{hour}:00")

    said = trace("--log", tmp_path / "mail.log", "-C", "1", "find")

    shown = [re.sub(r"2026\S+ mx1 postfix/smtpd\[7\]: ", "", line) for line in said.lines]
    assert "; ".join(shown[:-2]) == "find 15; | b 15; ; find 16; | b 16"


# -- what became of it


def test_the_story_tells_how_it_came_what_became_of_it_and_how_it_ended(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(
        path,
        "postfix/submission/smtpd[7]: ABC1234: client=mail.example.net[192.0.2.3],"
        " sasl_method=PLAIN, sasl_username=ben",
        *message(
            "ABC1234",
            delivery("deferred", "host mx said: 450 4.7.1 try later", dsn="4.7.1"),
            delivery(),
        )[1:],
    )

    said = trace("--log", path, "--brief", "ABC1234")

    assert said.log == []
    assert said.titles == ["ABC1234 on mx1, from <ben@example.net>, to 1 recipient, 1834 bytes"]
    assert said.story == [
        "came 2026-11-24 16:00:00 from mail.example.net[192.0.2.3], logged in as ben",
        "<ann@example.com>: sent after 2 attempts by mx.example.com[192.0.2.25]:25"
        " 2026-11-24 16:00:04, 1.1 s after it came (0.1 s waiting for this attempt, 0.4 s"
        " connecting, 0.6 s transmitting): 250 2.0.0 Ok",
        "left the queue 2026-11-24 16:00:05, after 5 s",
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (message("ABC1234", delivery("deferred", "try later", dsn="4.7.1"), end=""),
         "not completed up to 2026-11-24 16:00:03, where the log ends"),
        ([*message("ABC1234", end="")[:2], "postfix/cleanup[8]: ABC1234: removed (canceled)"],
         "not taken in: its client broke off"),
        (message("ABC1234", end="from=<ben@example.net>, status=expired, returned to sender"),
         "given up: it was in the queue for too long, its sender is told"),
        (message("ABC1234", end="from=<ben@example.net>, status=force-expired, returned to sender"),
         "given up by hand, with postsuper; its sender is told"),
        (message("ABC1234", delivery())[2:],
         "its beginning is not in the log; the first line about it is of 2026-11-24 16:00:00"),
        (["postfix/pickup[7]: ABC1234: uid=33 from=<www-data>"],
         "came 2026-11-24 16:00:00 from this machine, user ID 33"),
    ],
)  # fmt: skip
def test_the_story_tells_where_the_evidence_ends(trace, tmp_path, lines, told):
    path = tmp_path / "mail.log"
    log(path, *lines)

    assert told in trace("--log", path, "ABC1234").story


def test_a_delivery_that_reads_in_two_ways_is_not_told_as_one(trace, tmp_path):
    path = tmp_path / "mail.log"
    forged = delivery(to="x>, relay=none, delay=1, delays=1/0/0/0, dsn=5.0.0, status=bounced (")
    log(path, *message("ABC1234", forged))

    said = trace("--log", path, "ABC1234")

    assert "1 delivery line can be read in more than one way: see for yourself" in said.story


def test_strangers_text_does_nothing_on_a_terminal(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", delivery(text="250 \x1b]0;owned\x07\u202etxt\x9b31m")))

    said = trace("--log", path, "ABC1234")

    assert all(line.isprintable() for line in said.lines)
    assert any("250 ?]0;owned??txt" in line for line in said.story)


# -- what is not found, and why


def test_nothing_found_is_not_told_as_nothing_happened(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", delivery()))

    said = trace("--log", path, "nobody@example.com")

    assert said.status == 1
    assert said.footer == [
        "nothing found in 1 file: log from 2026-11-24 16:00:00 to 2026-11-24 16:00:04",
        "that does not mean that nothing happened: before and after, nobody has looked",
    ]


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_told(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", delivery()))
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(path.read_bytes() * 50)[:200])
    path.write_text(path.read_text().replace("16:00", "17:00"))

    said = trace("--log", path, "ABC1234")

    assert said.status == 3
    assert len(said.log) >= 5
    assert any(
        f"not read: {tmp_path}/mail.log.1.gz: ends too early" in line for line in said.footer
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--since", "nonsense", "x"],
            "'nonsense' is not understood; examples: --since 1h, --since 'yesterday 22:00' or"
            " --since 2026-11-24",
        ),
        (["--until", "", "x"], "--until : "),
        (
            ["--since", "2026-11-24T10:00", "--until", "2026-11-24T09:00", "x"],
            "--since is not before --until, which are understood as 2026-11-24 10:00:00 and"
            " 2026-11-24 09:00:00; exchange them",
        ),
        (["--timezone", "Nowhere/Land", "x"], "--timezone Nowhere/Land: not a time zone"),
        (["--journal-match", "postfix", "x"], "--journal-match postfix: not FIELD=VALUE"),
        ([""], "PATTERN : is empty; leave it out, or name something"),
    ],
)
def test_wrong_usage_is_told_in_one_line(trace, tmp_path, arguments, words):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", delivery()))

    said = trace("--log", path, *arguments)

    assert said.status == 2
    assert words in said.errors
    assert said.errors.count("\n") == 1


def test_a_wrong_option_is_told_in_one_line_with_what_may_be_meant(trace):
    said = trace("--breif", "bob")

    assert said.status == 2
    told = "--breif: no such option; did you mean --brief?; see postfix-log trace --help"
    assert said.errors == f"postfix-log: {told}\n"


def test_without_a_subcommand_there_is_help(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([])

    assert end.value.code == 2
    assert "find whole messages" in capsys.readouterr().out


def test_a_log_that_may_not_be_read_is_told_first(trace, tmp_path):
    (tmp_path / "mail.log.1.gz").write_bytes(b"no gzip at all")
    (tmp_path / "mail.log").write_text("")

    said = trace("--log", tmp_path / "mail.log", "ann@example.com")

    assert said.status == 3
    assert said.footer[0].startswith(f"not read: {tmp_path}/mail.log.1.gz: damaged")
    assert said.footer[1] == "nothing found in 0 files"


def test_a_log_that_is_not_there_is_told_in_one_line(trace, tmp_path):
    said = trace("--log", tmp_path / "no.log", "x")

    assert said.status == 3
    assert said.errors == (
        f"postfix-log: {tmp_path}/no.log: no such file; name the mail log with --log\n"
    )


def test_a_message_that_leads_on_for_ever_ends_the_search_and_it_is_said(trace, tmp_path):
    path = tmp_path / "mail.log"
    chain = [
        f"postfix/smtp[7]: ABC10{n:02}: "
        + delivery(text=f"250 2.0.0 Ok: queued as ABC10{n + 1:02}", relay="localhost[127.0.0.1]:1")
        for n in range(40)
    ]
    log(path, *chain)

    said = trace("--log", path, "ABC1000")

    assert "they lead to further messages: after 12 steps nobody has looked on" in said.footer
    assert 12 <= len(said.log) <= 14


# -- what other programs know


def program(directory, name: str, prints: bytes) -> None:
    """Put a program into a directory that prints this."""
    (directory / "printed").write_bytes(prints)
    path = directory / name
    path.write_text(f"#!/bin/sh\nexec cat {directory}/printed\n")
    path.chmod(0o755)


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return place


@pytest.mark.parametrize(
    ("queue_id", "told"),
    [
        ("ABC1234", "not completed: it waits in the queue (deferred): 450 4.7.1 try later"),
        ("DEF5678", "not completed up to 2026-11-24 16:00:08, where the log ends, and postqueue"
                    " does not list it"),
    ],
)  # fmt: skip
def test_the_queue_is_asked_for_what_is_not_completed(trace, tmp_path, on_path, queue_id, told):
    path = tmp_path / "mail.log"
    put_off = delivery("deferred", "450 4.7.1 try later", dsn="4.7.1")
    log(path, *message("ABC1234", put_off, end=""), *message("DEF5678", put_off), "x")
    path.write_text(path.read_text().replace("qmgr[9]: DEF5678: removed", "qmgr[9]: other"))
    waiting = {
        "queue_name": "deferred", "queue_id": "ABC1234", "arrival_time": 1764000000,
        "message_size": 1834, "forced_expire": False, "sender": "ben@example.net",
        "recipients": [{"address": "ann@example.com", "delay_reason": "450 4.7.1 try later"}],
    }  # fmt: skip
    program(on_path, "postqueue", json.dumps(waiting).encode() + b"\n")

    said = trace("--log", path, queue_id, asks_queue=True)

    assert told in said.story
    assert said.status == 0


def test_a_queue_that_cannot_be_listed_is_told(trace, tmp_path, on_path):
    path = tmp_path / "mail.log"
    log(path, *message("ABC1234", end=""))
    (on_path / "postqueue").write_text("#!/bin/sh\necho 'postqueue: fatal: no' >&2; exit 69\n")
    (on_path / "postqueue").chmod(0o755)

    said = trace("--log", path, "ABC1234", asks_queue=True)

    assert said.status == 3
    assert any(line.startswith("not read: postqueue: ") for line in said.footer)


def test_the_journal_is_read(trace, on_path, monkeypatch):
    monkeypatch.setattr("check_postfix.maillog.source.journalctl.see_that_all_is_readable", int)
    entries = [
        f"__CURSOR=s={second}\n__REALTIME_TIMESTAMP={1764000000 + second}000000\n_HOSTNAME=mx1\n"
        f"SYSLOG_IDENTIFIER={text.partition('[')[0]}\n_PID=7\nMESSAGE={text.partition(': ')[2]}\n"
        for second, text in enumerate(message("ABC1234", delivery()))
    ]
    program(on_path, "journalctl", "\n".join([*entries, ""]).encode())

    said = trace("--journal", "ann@example.com")

    assert len(said.log) == 5
    assert said.log[-1] == "2025-11-24T16:00:04.000000+00:00 mx1 postfix/qmgr[7]: ABC1234: removed"


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    path = tmp_path / "mail.log"
    log(path, *(line for n in range(10) for line in message(f"ABC123{n}", delivery())))
    path.write_text(path.read_text() * 100)
    program = "from check_postfix.command.cli import main; main()"
    command = f'"{sys.executable}" -c "{program}" trace --no-queue --log {path} ann@ | head -n 1'

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)

    assert done.stderr == ""
    assert done.stdout.startswith("ABC1230 on mx1")


def test_a_time_may_be_a_day_that_is_named(trace, tmp_path):
    path, now = tmp_path / "mail.log", datetime.now(UTC)
    text = "postfix/smtpd[1]: connect from {}.example[192.0.2.1]"
    days = {"today": 0, "yesterday": 1, "before": 2}
    path.write_text(
        "".join(
            f"{now - timedelta(days=days[name]):%Y-%m-%dT%H:%M:%S}+00:00 mx1 {text.format(name)}\n"
            for name in ("before", "yesterday", "today")
        )
    )

    said = trace("--log", path, "connect from", "--since", "yesterday")
    assert [name for name in days if f"{name}.example" in "".join(said.titles)] == [
        "today", "yesterday",
    ]  # fmt: skip
    said = trace("--log", path, "connect from", "--since", "yesterday", "--until", "today")
    assert [name for name in days if f"{name}.example" in "".join(said.titles)] == ["yesterday"]


def test_in_the_hour_that_is_repeated_each_line_is_told_once(trace, tmp_path):
    """The log is read several times, and what stands before a line is not always read."""
    lines = [
        "02:10:00 mx1 postfix/smtpd[1]: 4ABCDEF012: client=a.example[192.0.2.1]",
        "02:50:00 mx1 postfix/smtpd[1]: connect from a.example[192.0.2.1]",
        "02:12:00 mx1 postfix/smtp[1]: 4ABCDEF012: to=<ann@b.example>, relay=none, delay=1,"
        " delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to b.example: timed out)",
        "02:55:00 mx1 postfix/qmgr[1]: 4ABCDEF012: removed",
        "04:00:00 mx1 postfix/smtpd[1]: connect from a.example[192.0.2.1]",
    ]
    path = tmp_path / "mail.log"
    path.write_text("".join(f"Oct 25 {line}\n" for line in lines))
    os.utime(path, (1793000000, 1793000000))

    for patterns in (["4ABCDEF012"], ["ann@b.example", "4ABCDEF012"], ["status=deferred"]):
        said = trace("--log", path, "--timezone", "Europe/Berlin", *patterns)

        assert said.status == 0
        assert len(said.log) == 3, patterns


@pytest.mark.parametrize("block", [180, 500, 1 << 20])
def test_the_lines_before_tell_which_round_of_a_repeated_hour_it_is(
    trace, tmp_path, monkeypatch, block
):
    monkeypatch.setattr(logs, "BLOCK_BYTES", block)
    lines = [
        *(f"02:{minute}:00 mx1 postfix/smtpd[1]: connect from a.example[192.0.2.1]"
          for minute in range(10, 60)),
        "02:12:00 mx1 postfix/smtpd[1]: connect from b.example[192.0.2.2]",
        "02:20:00 mx1 postfix/smtp[1]: 4ABCDEF012: to=<ann@b.example>, relay=none, delay=1,"
        " delays=0/0/0/1, dsn=4.4.1, status=deferred (connect to b.example: timed out)",
        "02:55:00 mx1 postfix/qmgr[1]: 4ABCDEF012: removed",
        "04:00:00 mx1 postfix/smtpd[1]: connect from c.example[192.0.2.1]",
    ]  # fmt: skip
    path = tmp_path / "mail.log"
    path.write_text("".join(f"Oct 25 {line}\n" for line in lines))
    os.utime(path, (1793000000, 1793000000))
    asked = ["--log", path, "--timezone", "Europe/Berlin", "--since", "2026-10-25T02:05+01:00"]

    for patterns in (["status=deferred"], ["b.example", "ann@"], ["removed", "4ABCDEF012"]):
        said = trace(*asked, *patterns)

        assert said.status == 0, patterns
        assert len(said.log) == 2, patterns
    assert trace(*asked, "a.example[192.0.2.1]").status == 1
    assert (
        "02:10:00" in trace(*asked[:4], "a.example", "--until", "2026-10-25T02:12+02:00").lines[0]
    )


def test_a_log_that_ends_before_that_time_is_said_to(trace, tmp_path):
    path = tmp_path / "mail.log"
    log(path, "postfix/smtpd[1]: connect from a.example[192.0.2.1]")
    os.utime(path, (datetime(2026, 11, 24, 16, 1, tzinfo=UTC).timestamp(),) * 2)

    said = trace("--log", path, "connect from", "--since", "2026-11-25")

    assert said.status == 1
    assert said.footer[0] == (
        "nothing found: of 1 file none was written to since then, the last one 2026-11-24 16:01:00"
    )


def test_without_a_line_that_is_understood_is_said_of_files_that_were_looked_at(trace, tmp_path):
    path = tmp_path / "mail.log"
    path.write_text("one\ntwo\n")

    said = trace("--log", path, "two", "--since", "2026-11-24")

    assert said.footer[0] == "nothing found in 1 file without a line that is understood"


@pytest.mark.parametrize(
    ("user", "then"),
    [("alice", "log in again"), ("nagios", "restart what runs this check")],
)
def test_who_may_not_read_a_log_is_told_what_helps_at_a_shell(
    trace, tmp_path, monkeypatch, user, then
):
    path = tmp_path / "mail.log"
    log(path, "postfix/smtpd[1]: connect from a.example[192.0.2.1]")
    monkeypatch.setattr(users, "me", lambda: users.User(user, os.geteuid(), os.getegid()))

    def refuse(_: object) -> bytes:
        raise LogError(f"cannot read it: permission denied; add user {user} to group adm, and"
                       " restart what runs this check")  # fmt: skip

    monkeypatch.setattr(logs.File, "head", refuse)

    said = trace("--log", path, "connect")

    assert said.status == 3
    assert said.footer[0] == (
        f"not read: cannot read it: permission denied; add user {user} to group adm, and {then}"
    )


def test_what_was_tried_before_has_waited_for_the_attempt_and_not_before_the_queue(trace, tmp_path):
    path = tmp_path / "mail.log"

    def tried(delay: str, stages: str) -> str:
        return (
            "postfix/smtp[7]: 4ABCDEF012: to=<bob@example.net>,"
            f" relay=mx.example.net[192.0.2.25]:25, delay={delay}, delays={stages}, dsn=4.2.0,"
            " status=deferred (host mx.example.net[192.0.2.25] said: 450 4.2.0 later)"
        )

    log(path, tried("1", "0.9/0/0/0.1"), tried("839.1", "839/0/0/0.1"))

    said = trace("--log", path, "4ABCDEF012", "--brief")
    assert said.story[1].startswith(
        "<bob@example.net>: deferred after 2 attempts by mx.example.net[192.0.2.25]:25 2026-11-24"
        " 16:00:01, 13 min 59 s after it came (13 min 59 s waiting for this attempt, 0.1 s"
        " transmitting)"
    )
    log(path, tried("1", "0.9/0/0/0.1"))
    first = trace("--log", path, "4ABCDEF012", "--brief").story[1]
    assert "(0.9 s before the queue, 0.1 s transmitting)" in first


def test_a_pattern_that_nearly_all_messages_have_is_wrong_usage(trace, tmp_path, monkeypatch):
    log(tmp_path / "mail.log", *message("4AAAAAAAAA"), *message("4BBBBBBBBB"))
    for module in ("search", "trace"):
        monkeypatch.setattr(f"check_postfix.command.{module}.MOST_MESSAGES", 1)

    said = trace("--log", tmp_path / "mail.log", "example.net")

    assert said.status == 2
    assert said.errors == (
        "postfix-log: more than 1 messages match; look for a longer pattern, or in a shorter time"
        " with --since and --until\n"
    )
