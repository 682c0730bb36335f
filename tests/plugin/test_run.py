"""From the command line to output and exit code, whatever happens."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix import __version__, auth, bounces, deferred, queue, rejects
from check_postfix.plugin import Check, Label, Source, Threshold, Unknown
from check_postfix.plugin.arguments import STANDARD, help_text
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import checks, log_checks

every_check = pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
of_the_log = pytest.mark.parametrize("check", log_checks(), ids=lambda check: check.name)

COUNTS = "10 (alert above 10), 10: (below 10), 10:20 (outside) or @10:20 (inside)"
AGES = "1h (alert above 1h), 1h: (below 1h), 1h:5h (outside) or @1h:5h (inside)"


def a_check(measure=lambda *_: {"size": 1}, opened=lambda _: None):
    @contextmanager
    def source(options):
        yield opened(options)

    return Check(
        name="some thing",
        description="Alert.",
        source=Source(options=[], open=source),
        measure=measure,
        labels=[Label("size", "the size")],
        thresholds=[Threshold("size", "the size", warning="5")],
        summary=lambda *_: "words",
    )


def first_line(check, *arguments):
    text, code = outcome_of(check, arguments)
    return text.split("\n")[0], code


def test_an_outcome_is_printed_with_its_exit_code():
    assert outcome_of(a_check(), []) == ("SOME THING OK - words | size=1;5;;0\n", 0)
    assert outcome_of(a_check(), ["-w", "0"]) == ("SOME THING WARNING - words | size=1;0;;0\n", 1)


# -- wrong use

LACKS = "has no value; where one begins with - it is written"


@every_check
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--timout", "5"], "--timout: no such option; did you mean --timeout?"),
        (["--timout=5"], "--timout=5: no such option; did you mean --timeout?"),
        (["--verbos"], "--verbos: no such option; did you mean --verbose?"),
        (["--xyzzy"], "--xyzzy: no such option"),
        (["--nope"], "--nope: no such option"),
        (["-x"], "-x: no such option"),
        (["stray"], "stray: every value needs an option before it"),
        (["--", "-v"], "-v: no such option; did you mean --verbose?"),
        (["--timeout"], f"--timeout: {LACKS} --timeout=-5"),
        (["-w"], f"--warning: {LACKS} --warning=-5"),
        (["-w", "-5:5"], f"--warning: {LACKS} --warning=-5"),
        (["-w", "-v"], f"--warning: {LACKS} --warning=-5"),
        (["--version=5"], "--version: takes no value, so not 5"),
        (["--timeout", "0"], "--timeout 0: not a time to wait, of at most a day; use for"
                             " example 10"),
        (["-t", "soon"], "--timeout soon: not a time to wait, of at most a day; use for"
                         " example 10"),
        (["-c", "9:5"], "--critical 9:5: a range that starts after its end; swap the two"),
    ],
)  # fmt: skip
def test_wrong_use_is_unknown_and_says_what_would_be_right(check, arguments, said):
    text, code = outcome_of(check, arguments)

    name = check.name.upper()
    assert code == 3
    if "-v: no such option" not in said:
        assert text == f"{name} UNKNOWN - {said}; see {check.executable} --help\n"
    assert text.count("\n") == 1


@every_check
def test_a_bad_range_is_told_what_would_be_right_for_this_number(check):
    judged = check.thresholds[0].metric
    uom = next(label.uom for label in check.labels if label.name == judged)
    right = AGES if uom == "s" else COUNTS

    assert first_line(check, "-w", "much") == (
        f"{check.name.upper()} UNKNOWN - --warning much: not a range; use for example {right};"
        f" see {check.executable} --help",
        3,
    )


@of_the_log
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--windw", "1h"], "--windw: no such option; did you mean --window?"),
        (["--log"], f"--log: {LACKS} --log=-5"),
        (["--log", ""], "--log : is empty; leave it out, or name something"),
        (["--state="], "--state : is empty; leave it out, or name something"),
        (["--host", ""], "--host : is empty; leave it out, or name something"),
        (["--host", "mx1", "--host", "mx2"], "--host mx2: beside mx1, and one run judges one or"
                                             " all; run it for each, or leave it out"),
        (["--instance", "a", "--instance=b"], "--instance b: beside a, and one run judges one or"
                                              " all; run it for each, or leave it out"),
        (["--instance", ""], "--instance : is empty; leave it out, or name something"),
        (["--window", "15"], "--window 15: not a duration; use for example 15m"),
        (["--window", "90s"], "--window 90s: not whole minutes, by which lines are counted;"
                              " use for example 15m"),
        (["--window", "999999d"], "--window 999999d: longer than 100 years; use for example 15m"),
        (["--at", "never"], "--at never: 'never' is not understood; use for example"
                            " 16:30, 'yesterday 22:00' or '2026-11-24 16:30'"),
        (["--at", "2026-11-01 10:00 XYZ"], "--at 2026-11-01 10:00 XYZ: names an unknown time zone;"
                                           " use its offset, for example +01:00, or the option"
                                           " --timezone"),
        (["--at", "2999-01-01"], "--at 2999-01-01: lies in the future; leave --at out to judge"
                                 " now"),
        (["--timezone", "Mars"], "--timezone Mars: not a time zone; use for example"
                                 " Europe/Berlin or UTC"),
        (["--no-state=5"], "--no-state: takes no value, so not 5"),
        (["--log", "/x/mail.log", "more.log"], "more.log: every value needs an option before it"),
        (["--window", "31d"], "the window begins more than 30 d ago, and counts are kept no"
                              " longer; read the log afresh with --no-state"),
    ],
)  # fmt: skip
def test_wrong_use_of_a_check_of_the_log_says_what_would_be_right(check, arguments, said):
    assert first_line(check, *arguments) == (
        f"{check.name.upper()} UNKNOWN - {said}; see {check.executable} --help",
        3,
    )


@pytest.mark.parametrize(
    ("check", "arguments", "cause", "fix"),
    [
        (deferred.CHECK, ["--min-attempts", "few"], "not a whole number", "use for example 20"),
        (bounces.CHECK, ["--min-attempts", "-1"], "not a whole number", "use for example 20"),
        (rejects.CHECK, ["--min-rejects", "1.5"], "not a whole number", "use for example 25"),
        (deferred.CHECK, ["--keep-totals", "long"], "not a duration", "use for example 30d"),
        (deferred.CHECK, ["--keep-keys", "long"], "not a duration", "use for example 48h"),
        (auth.CHECK, ["--warning-client", "x"], "not a range", f"use for example {COUNTS}"),
        (auth.CHECK, ["--critical-client", "1%"], "not a range", f"use for example {COUNTS}"),
        (rejects.CHECK, ["--warning-count", "1k"], "not a range", f"use for example {COUNTS}"),
        (rejects.CHECK, ["--critical-count", ""], "not a range", f"use for example {COUNTS}"),
        (queue.CHECK, ["--warning-age", "5x"], "not a range", f"use for example {AGES}"),
        (queue.CHECK, ["--critical-age", "1y"], "not a range", f"use for example {AGES}"),
        (
            auth.CHECK,
            ["--client", "mx1"],
            "neither an address nor a network",
            "use for example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64",
        ),
        (
            bounces.CHECK,
            ["--code", "9"],
            "neither a reply code nor an enhanced status code",
            "use for example 550 or 4.7.1",
        ),
        (deferred.CHECK, ["--per", "relay"], "not known here", "use domain"),
        (
            queue.CHECK,
            ["--queue", "corrupt"],
            "not known here",
            "use maildrop, active, incoming, deferred or hold",
        ),
        (queue.CHECK, ["--config-dir", ""], "is empty", "leave it out, or name something"),
    ],
)
def test_a_bad_value_of_an_option_is_unknown_and_the_fix_is_one_for_that_option(
    check, arguments, cause, fix
):
    assert first_line(check, *arguments) == (
        f"{check.name.upper()} UNKNOWN - {' '.join(arguments)}: {cause}; {fix};"
        f" see {check.executable} --help",
        3,
    )


_FLAGS = [
    option.flag
    for check in checks()
    for option in [*check.options, *STANDARD]
    if option.flag != "--prometheus"  # it writes a file, even of a failure
]


@given(st.lists(st.sampled_from(_FLAGS) | st.text(min_size=1, max_size=20), max_size=6))
def test_whatever_is_written_after_a_check_ends_in_one_line(arguments):
    for check in checks():
        text, code = outcome_of(check, ["--no-such-option", *arguments])

        assert code == 3
        assert text.startswith(f"{check.name.upper()} UNKNOWN - ")
        assert text.endswith(f"; see {check.executable} --help\n") or len(text) > 390
        assert "internal error" not in text
        assert text.count("\n") == 1


def test_what_a_stranger_to_utf8_wrote_can_be_printed():
    text, code = outcome_of(deferred.CHECK, ["--window", "\udcff\x1b|<b>\u202e"])

    assert code == 3
    assert text.startswith("POSTFIX DEFERRED UNKNOWN - --window ??/(b)?: not a duration;")
    text.encode()


# -- help and version


@every_check
def test_help_fits_80_columns_and_exits_with_3(check):
    text, code = outcome_of(check, ["--help"])

    assert code == 3
    assert max(map(len, text.split("\n"))) <= 80
    assert outcome_of(check, ["-h"]) == (text, code)


@every_check
def test_help_shows_each_option_with_its_meaning_and_default(check):
    words = "".join(help_text(check).split())

    for option in [*check.options, *STANDARD]:
        assert option.flag in words
        assert option.short in words
        assert "".join(option.help_with_default.split()) in words
        assert option.default is None or f"(default:{option.default})" in words


@every_check
def test_help_shows_description_ranges_and_examples(check):
    words = " ".join(help_text(check).split())

    assert check.description in words
    assert "ranges: 10 alerts above 10, 10: below 10, 10:20 outside, @10:20 inside" in words
    assert len(check.examples) >= 2
    for command, what in check.examples:
        assert f"  {command}\n" in help_text(check)
        assert what in words


@every_check
def test_the_examples_in_the_help_are_right_use(check):
    for command, _ in check.examples:
        program, *arguments = shlex.split(command)

        assert program == check.executable
        assert "--help" not in first_line(check, *arguments, "--version")[0]


@every_check
def test_help_does_not_depend_on_the_terminal(check, monkeypatch):
    expected = help_text(check)
    monkeypatch.setenv("COLUMNS", "40")

    assert help_text(check) == expected


@every_check
def test_the_version_is_told_and_exits_with_3(check):
    expected = (f"{check.executable} {__version__}\n", 3)

    assert outcome_of(check, ["-V"]) == expected
    assert outcome_of(check, ["--version"]) == expected


# -- bad surroundings


def fails(*_):
    raise KeyError("no\nsuch\x1b|key")


def test_an_internal_error_is_unknown_and_without_a_traceback():
    text, code = outcome_of(a_check(measure=fails), ["-vv"])

    assert code == 3
    assert text == (
        "SOME THING UNKNOWN - internal error: KeyError: 'no/nsuch/x1b/key';"
        " please report it with the output of -vvv\n"
    )


def test_an_internal_error_has_a_traceback_when_it_is_asked_for():
    text, code = outcome_of(a_check(measure=fails), ["-vvv"])

    first, *lines = text.splitlines()
    assert code == 3
    assert first.startswith("SOME THING UNKNOWN - internal error: KeyError:")
    assert lines[0] == "Traceback (most recent call last):"
    assert any(", in fails" in line for line in lines)
    assert lines[-1] == "KeyError: 'no/nsuch/x1b/key'"


def test_what_cannot_be_measured_is_unknown_with_the_cause():
    def opened(_):
        raise Unknown("the moon: is not there; wait for the night")

    assert outcome_of(a_check(opened=opened), ["-vvv"]) == (
        "SOME THING UNKNOWN - the moon: is not there; wait for the night\n",
        3,
    )


def sleeps(*_):
    time.sleep(30)


@pytest.mark.parametrize("part", ["opened", "measure"])
def test_a_check_gives_up_when_the_time_is_over(part):
    started = time.monotonic()

    text, code = outcome_of(a_check(**{part: sleeps}), ["--timeout", "0.2"])

    assert time.monotonic() - started < 5
    assert code == 3
    assert text == (
        "SOME THING UNKNOWN - timed out after 0.2 s; see where with -vvv, or raise --timeout\n"
    )


def test_a_time_out_tells_where_it_happened_when_it_is_asked_for():
    text, _ = outcome_of(a_check(measure=sleeps), ["-vvv", "-t", "0.2s"])

    assert any(", in sleeps" in line for line in text.splitlines())


def test_what_catches_every_exception_does_not_catch_the_time_out():
    def stubborn(*_):
        try:
            time.sleep(30)
        except Exception:  # noqa: BLE001 - that is the point
            time.sleep(30)

    assert "timed out" in first_line(a_check(measure=stubborn), "--timeout", "0.1")[0]


def test_after_a_run_no_timer_is_left():
    outcome_of(a_check(), [])
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)

    outcome_of(a_check(measure=fails), [])
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_an_interrupted_check_says_so():
    def interrupts(*_):
        raise KeyboardInterrupt

    assert outcome_of(a_check(measure=interrupts), []) == ("SOME THING UNKNOWN - interrupted\n", 3)


def test_thrice_verbose_tells_with_what_and_how_fast():
    text, _ = outcome_of(a_check(), ["-vvv", "-w", "7"])

    lines = text.splitlines()[1:]
    assert lines[0].startswith(f"check_postfix {__version__}, Python 3.")
    assert ", nagiosplugin " in lines[0]
    assert 0 <= int(re.fullmatch(r"measured and judged in (\d+) ms", lines[1])[1]) < 10_000
    assert "timeout = 10.0" in lines
    assert "warning = 7" in lines


# -- standard output, as the monitoring agent holds it

PROGRAM = """
import sys
from contextlib import nullcontext
from check_postfix.plugin import Check, Label, Source, Threshold, run
run(Check("some thing", "Alert.", Source([], lambda _: nullcontext()),
          lambda *_: {"size": 1}, [Threshold("size", "the size", warning="0")],
          lambda *_: "Grüße", lambda *_: ["x" * 199] * 99, [Label("size", "the size")]))
"""


def program(*arguments, shell=None, **more):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    if shell:
        command = ["sh", "-c", f'"$0" "$@" {shell}', *command]
    return subprocess.run(command, capture_output=True, check=False, timeout=30, **more)


@pytest.mark.parametrize(
    "environment", [{}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0"}]
)
def test_output_is_utf8_whatever_the_locale(environment):
    done = program(env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)})

    assert done.returncode == 1
    assert done.stdout.decode() == "SOME THING WARNING - Grüße | size=1;0;;0\n"
    assert not done.stderr


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", ">/dev/full"])
def test_what_nobody_can_read_is_unknown_and_silent(closed):
    done = program("-v", shell=closed)

    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")


def test_a_reader_that_goes_away_is_no_cause_for_noise():
    pipe = '{ sleep 0.2; "$0" "$@"; echo $? >&2; } | :'

    done = subprocess.run(
        ["sh", "-c", pipe, sys.executable, "-c", PROGRAM, "-v"],
        capture_output=True, check=False, timeout=30,
    )  # fmt: skip

    assert done.stderr == b"3\n"


def test_closed_standard_error_and_input_do_no_harm():
    done = program(shell="<&- 2>&-")

    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode() == "SOME THING WARNING - Grüße | size=1;0;;0\n"


@pytest.mark.parametrize("written", ["--nope", "--x", "--quit"])
def test_an_option_like_no_other_is_not_taken_for_one(written):
    text, code = outcome_of(deferred.CHECK, [written])

    assert code == 3
    assert f"{written}: no such option; see" in text
