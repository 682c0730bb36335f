"""What was meant by a word in a wrong place is said with the error."""

from __future__ import annotations

import re

import pytest

from check_postfix.command import cli
from tests.support.package import ROOT

RECORDED = str(ROOT / "tests/recorded/mail.iso.log")


def refused(capsys, *words: str) -> str:
    """Return what the command says of a wrong command line."""
    with pytest.raises(SystemExit) as end:
        cli.main(list(words))
    printed = capsys.readouterr()
    assert end.value.code == 2
    assert not printed.out
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("postfix-log: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["report", "1h"], "--since 1h"),
        (["report", "22:00"], "--since 22:00"),
        (["report", "yesterday 22:00"], "--since 'yesterday 22:00'"),
        (["report", "yesterday"], "--day yesterday"),
        (["report", "monday"], "--day monday"),
        (["report", "2026-11-24"], "--day 2026-11-24"),
        (["report", RECORDED], f"--log {RECORDED}"),
        (["report", "-"], "--log -"),
        (["top", "2h"], "--window 2h"),
        (["top", "22:00"], "--at 22:00"),
        (["top", "domain"], "--by domain"),
        (["top", "acount"], "--by account"),
        (["top", "--rows", "3", "relays"], "--by relay"),
        (["now", "1h"], "--window 1h"),
        (["queue", "sender"], "--by sender"),
        (["queue", "deferred"], "--queue deferred"),
        (["queue", "4ABCDEF012"], "postfix-log trace 4ABCDEF012"),
        (["report", "ann@example.com"], "postfix-log trace ann@example.com"),
        (["report", "192.0.2.7"], "postfix-log trace 192.0.2.7"),
        (["doctor", "root"], "--user root"),
        (["now", "auth"], "check_postfix_auth"),
        (["top", "queue"], "check_postfix_queue"),
        (["status", "/var/lib/x.sqlite3"], "--state /var/lib/x.sqlite3"),
        (["ingest", RECORDED], f"--log {RECORDED}"),
    ],
)
def test_a_word_where_only_options_are_leads_to_what_is_meant(words, meant, capsys):
    assert refused(capsys, *words) == (
        f"{words[-1]}: only options are expected here; did you mean {meant}?;"
        f" see postfix-log {words[0]} --help"
    )


def test_a_time_of_two_words_is_taken_together(capsys):
    assert refused(capsys, "report", "yesterday", "22:00") == (
        "yesterday: only options are expected here; did you mean --since 'yesterday 22:00'?;"
        " see postfix-log report --help"
    )


def test_a_directory_is_no_log(capsys, tmp_path, monkeypatch):
    (tmp_path / "nagios").mkdir()
    monkeypatch.chdir(tmp_path)

    assert "did you mean" not in refused(capsys, "report", "nagios")


def test_a_word_that_may_mean_anything_is_only_named(capsys):
    assert refused(capsys, "report", "everything") == (
        "everything: only options are expected here; see postfix-log report --help"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["top", "--by", "foo"],
         "--by foo: there are client, account, domain, relay, reason, recipient"),
        (["top", "--by", "domains"], "--by domains: did you mean domain?; there are client,"
         " account, domain, relay, reason, recipient"),
        (["report", "--verp", "3"], "--verp 3: there are 1, 2"),
    ],
)  # fmt: skip
def test_a_choice_that_there_is_not_is_told_with_those_that_there_are(words, said, capsys):
    assert refused(capsys, *words) == f"{said}; see postfix-log {words[0]} --help"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["reprot"], "report"),
        (["Report"], "report"),
        (["quene", "--by", "sender"], "queue --by sender"),
        (["help"], "--help"),
        (["ann@example.com"], "trace ann@example.com"),
        (["4ABCDEF012"], "trace 4ABCDEF012"),
        (["1h"], "report --since 1h"),
        (["yesterday"], "report --day yesterday"),
        (["--since", "1h"], "report --since 1h"),
        (["--day", "yesterday"], "report --day yesterday"),
        (["--window=1h"], "now --window=1h"),
        (["--by", "sender"], "queue --by sender"),
    ],
)
def test_what_is_no_subcommand_leads_to_the_one_that_is_meant(words, meant, capsys):
    assert refused(capsys, *words) == (
        f"{words[0]}: no subcommand; did you mean postfix-log {meant}?; see postfix-log --help"
    )


@pytest.mark.parametrize("word", ["xyzzy", "-v", "--nope"])
def test_what_is_like_no_subcommand_is_told_all_that_there_are(word, capsys):
    assert refused(capsys, word) == (
        f"{word}: no subcommand; there are {', '.join(cli.SUBCOMMANDS)}; see postfix-log --help"
    )


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["--help"], ["-h"], ["--vers"]])
def test_options_of_the_command_itself_are_no_subcommand(words, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(words)

    assert end.value.code == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize("words", [["trace"], ["trace", "--since", "1h"], ["trace", "--brief"]])
def test_a_trace_of_nothing_is_told_what_can_be_looked_for(words, capsys):
    assert refused(capsys, *words) == (
        "what to look for is missing (all that happened tells postfix-log report): an address, a"
        " queue ID, a client or words of a line, as in postfix-log trace ann@example.com;"
        " see postfix-log trace --help"
    )


def test_a_rehearsal_of_nothing_is_told_which_checks_there_are(capsys):
    said = refused(capsys, "rehearse")

    assert re.match(r"a check is missing, one of deferred, .*, as in postfix-log rehearse ", said)


def test_options_of_a_check_stand_behind_its_name(capsys):
    assert refused(capsys, "rehearse", "-w", "3", "auth") == (
        "-w: no such option; options of a check stand behind its name, as in postfix-log rehearse"
        " deferred -w 20; see postfix-log rehearse --help"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--since", "yesterday", "22:00"],
        ["report", "--until", "monday", "8:00", "--top", "3"],
        ["report", "--since", "2026-11-24", "16:30"],
        ["report", "--since", "1h", "ago"],
        ["report", "--since", "2", "hours"],
        ["trace", "--since", "yesterday", "22:00", "ann@example.com"],
        ["trace", "ann@example.com", "--since", "1h", "30m"],
        ["top", "--at", "yesterday", "22:00"],
    ],
)
def test_a_time_of_two_words_wants_quotes(words, capsys):
    at = next(at for at, word in enumerate(words) if word in ("--since", "--until", "--at"))
    flag, first, second = words[at : at + 3]

    assert refused(capsys, *words) == (
        f"{flag} {first}: the time has a second word, {second}; quote it: {flag}"
        f" '{first} {second}'; see postfix-log {words[0]} --help"
    )


@pytest.mark.parametrize("pattern", ["ann@example.com", "4ABCDEF012", "550", "5.1.1", "refused"])
@pytest.mark.parametrize("since", ["yesterday", "2026-11-24", "22:00", "1h", "monday"])
def test_a_pattern_behind_a_time_is_none_of_its_words(since, pattern):
    options = cli._options(["trace", "--since", since, pattern])

    assert (options.since, options.patterns) == (since, [pattern])
