"""Several checks in one process: each as if it were alone, and none hides another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from check_postfix import __version__
from check_postfix.plugin import Check, Known, Label, Option, Source, Threshold, Unreadable
from check_postfix.plugin.together import Together
from tests.support import perfdata

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
PLACE = Option("--place", "where to look", default="here")
AGAIN = Option("--again", "look there, too", repeatable=True)
COLOUR = Option("--colour", "which colour counts")


class Opened(list):
    """The places that a source was asked for, in turn."""

    def source(self, do=lambda _: None):
        @contextmanager
        def opened(options):
            self.append(options.place)
            do(options)
            yield options

        return Source([PLACE, AGAIN], opened, lambda _: {"gaps": 0}, [Label("gaps", "holes")])


def a_check(name, source, measure=lambda *_: 1, words="words", **more):
    return Check(
        name=f"some {name}",
        description="Alert.",
        source=source,
        measure=lambda subject, options: {f"{name}_size": measure(subject, options)},
        labels=[Label(f"{name}_size", "the size")],
        thresholds=[Threshold(f"{name}_size", "the size", warning="5", critical="9")],
        options=[COLOUR],
        summary=lambda *_: words,
        **more,
    )


def together(*checks, **more):
    return Together("some all", "Judge.", checks, [PLACE, AGAIN], **more)


def fail(*_):
    raise ZeroDivisionError("by nothing")


def told(all_of_them, *arguments):
    """Return the first line without perfdata, the lines after it, and the exit code."""
    text, code = all_of_them.outcome_of([*arguments])
    perfdata.of(text)
    first, *lines = text.splitlines()
    return first.partition(" | ")[0], lines, code


# -- reading and judging


def test_what_several_checks_read_is_opened_once():
    opened = Opened()
    source = opened.source()

    first, lines, code = told(together(a_check("a", source), a_check("b", source)))

    assert opened == ["here"]
    assert (first, code) == ("SOME ALL OK - all conditions are OK", OK)
    assert lines == ["SOME A OK - words", "SOME B OK - words"]


def test_a_check_that_looks_elsewhere_opens_that_for_itself_before_a_slow_source():
    opened, slow = Opened(), Opened()
    source = opened.source()
    checks = [a_check("a", source), a_check("b", slow.source(opened.append)), a_check("c", source)]

    _, lines, _ = told(together(*checks), "--with", "c --place there")

    assert opened[:2] == ["here", "there"]
    assert len(opened) == 3
    assert [line[:6] for line in lines] == ["SOME A", "SOME B", "SOME C"]


def test_options_given_once_reach_all_and_those_of_one_check_go_first():
    seen = {}
    opened = Opened()

    def measure(name):
        def note(_, options):
            seen[name] = options.place, options.again, options.colour
            return 1

        return note

    source = opened.source()
    checks = [a_check(name, source, measure(name)) for name in "abc"]
    told(
        together(*checks), "--place", "there", "--again", "x", "--again", "y",
        "--with", "b --place elsewhere --again z", "--with", "c --colour 'dark red'",
    )  # fmt: skip

    assert seen == {
        "a": ("there", ["x", "y"], None),
        "b": ("elsewhere", ["z"], None),
        "c": ("there", ["x", "y"], "dark red"),
    }


def test_options_for_one_check_may_be_given_in_several_parts():
    source = Opened().source()

    _, lines, code = told(
        together(a_check("a", source, lambda *_: 7)), "--with", "a -w 1", "--with", "a -c 5"
    )

    assert (lines, code) == (["SOME A CRITICAL - words"], CRITICAL)


def test_conditions_can_be_chosen_and_left_out():
    source = Opened().source()
    all_of_them = together(*(a_check(name, source) for name in "abc"))

    assert told(all_of_them, "--only", "c", "--only", "a")[1] == [
        "SOME A OK - words", "SOME C OK - words",
    ]  # fmt: skip
    assert told(all_of_them, "--except", "c")[1] == ["SOME A OK - words", "SOME B OK - words"]
    assert told(all_of_them, "--only", "b")[0] == "SOME ALL OK - b is OK"


# -- what goes wrong


def test_an_internal_error_of_one_check_leaves_the_others_theirs():
    opened = Opened()
    source = opened.source()
    checks = [a_check("a", source), a_check("b", source, fail), a_check("c", source, lambda *_: 7)]

    first, lines, code = told(together(*checks))

    assert code == WARNING
    assert first == (
        "SOME ALL WARNING - c WARNING: words; b UNKNOWN: internal error: ZeroDivisionError: by"
        " nothing; please report it with the output of -vvv; 1 OK"
    )
    assert [line.partition(" - ")[0] for line in lines] == [
        "SOME A OK", "SOME B UNKNOWN", "SOME C WARNING",
    ]  # fmt: skip
    assert opened == ["here", "here"]  # it has ended what was open, as it would alone


def test_a_source_that_cannot_be_read_is_said_once_and_each_check_has_its_own_state():
    def closed(_):
        raise Unreadable("/x: permission denied; run chmod")

    source, other = Opened().source(closed), Opened().source()
    checks = [
        a_check("a", source), a_check("b", source, unreadable=CRITICAL), a_check("c", source),
        a_check("d", other),
    ]  # fmt: skip

    first, lines, code = told(together(*checks))

    assert (code, first) == (
        CRITICAL,
        "SOME ALL CRITICAL - b CRITICAL, a c UNKNOWN: /x: permission denied; run chmod; 1 OK",
    )
    assert lines[0] == "SOME A UNKNOWN - /x: permission denied; run chmod"
    assert lines[3] == "SOME D OK - words"


def test_what_is_known_without_measuring_keeps_its_state():
    def down(_):
        raise Known("it is down", WARNING)

    assert told(together(a_check("a", Opened().source(down))))[2] == WARNING


def test_a_wrong_option_of_one_condition_is_its_own_affair():
    source = Opened().source()
    all_of_them = together(a_check("a", source), a_check("b", source))

    first, lines, code = told(all_of_them, "--with", "a --colur red")

    assert code == UNKNOWN
    assert lines == [
        "SOME A UNKNOWN - --colur: no such option; did you mean --colour?; see check_some_a --help",
        "SOME B OK - words",
    ]
    assert first.startswith("SOME ALL UNKNOWN - a UNKNOWN: --colur: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--with", "x -w 5"], "--with x -w 5: no such condition; there are a, b"),
        (["--with", ""], "--with : not a condition and its options; use for example"
                         " 'a -w 5 -c 15'"),
        (["--with", "a 'b"], "--with a 'b: not a condition and its options; use for example"
                             " 'a -w 5 -c 15'"),
        (["--with", "a -v"], "--with a -v: -v is for all conditions; write it outside of --with"),
        (["--with", "a --timeout=5"], "--with a --timeout=5: --timeout=5 is for all conditions;"
                                      " write it outside of --with"),
        (["--only", "x"], "--only x: not known here; use a or b"),
        (["--except", "a", "--except", "b"], "--except: leaves no condition; leave one of them"
                                             " out"),
        (["-w", "5"], "-w: no such option"),
        (["--plac", "x"], "--plac: no such option; did you mean --place?"),
        (["--service-host", "a;b"], "--service-host a;b: not the name of a host; use for example"
                                    " mx1.example.com"),
        (["--service-host", "a\tb"], "--service-host a?b: not the name of a host; use for example"
                                     " mx1.example.com"),
        (["--output", "xml"], "--output xml: not known here; use text, json, checkmk, nsca, command"
                              " or icinga"),
    ],
)  # fmt: skip
def test_wrong_use_is_unknown_and_says_what_would_be_right(arguments, said):
    source = Opened().source()

    first, lines, code = told(together(a_check("a", source), a_check("b", source)), *arguments)

    assert (first, lines, code) == (
        f"SOME ALL UNKNOWN - {said}; see check_some_all --help", [], UNKNOWN,
    )  # fmt: skip


def test_wrong_use_is_told_to_every_service():
    source = Opened().source()
    all_of_them = together(a_check("a", source), a_check("b", source))

    text, code = all_of_them.outcome_of(
        ["--output", "nsca", "--service-host", "mx", "--only", "b", "--place", ""]
    )

    assert (text, code) == (
        "mx\tsome-b\t3\tSOME B UNKNOWN - --place : is empty; leave it out, or name something;"
        " see check_some_all --help\n\x17",
        UNKNOWN,
    )


# -- time


def sleep(*_):
    time.sleep(10)
    return 1


def test_a_source_that_hangs_leaves_time_for_the_next():
    checks = [a_check("a", Opened().source(sleep)), a_check("b", Opened().source())]
    started = time.monotonic()

    _, lines, code = told(together(*checks), "--timeout", "1")

    assert time.monotonic() - started < 1
    assert code == UNKNOWN
    assert lines == [
        "SOME A UNKNOWN - timed out after 0.9 s; see where with -vvv, or raise --timeout",
        "SOME B OK - words",
    ]


def test_when_the_time_is_up_what_is_judged_stands_and_what_is_left_is_answered():
    source, later = Opened().source(), Opened()
    checks = [
        a_check("a", source, lambda *_: 10), a_check("b", source, sleep), a_check("c", source),
        a_check("d", later.source(sleep)),
    ]  # fmt: skip

    _, lines, code = told(together(*checks), "--timeout", "0.5")

    assert code == CRITICAL
    assert [line.partition(" - ")[0] for line in lines] == [
        "SOME A CRITICAL", "SOME B UNKNOWN", "SOME C UNKNOWN", "SOME D UNKNOWN",
    ]  # fmt: skip
    assert all("timed out after" in line for line in lines[1:])


def test_too_little_time_is_an_answer_too():
    _, lines, code = told(together(a_check("a", Opened().source())), "--timeout", "0.000001")

    assert code == UNKNOWN
    assert lines[0].startswith("SOME A UNKNOWN - timed out after 1e-06 s; ")


def test_the_time_that_a_source_has_is_told_to_it():
    seen = []
    checks = [
        a_check("a", Opened().source(lambda options: seen.append(options.timeout))),
        a_check("b", Opened().source(lambda options: seen.append(options.timeout))),
    ]

    told(together(*checks), "--timeout", "20")

    assert seen == [pytest.approx(18, abs=0.2), pytest.approx(20, abs=0.2)]


def test_a_time_out_that_is_lost_where_nobody_can_be_told_comes_again():
    program = """
import sys, time
from contextlib import contextmanager
from check_postfix.plugin import Check, Source
from check_postfix.plugin.together import Together
class Freed:
    def __del__(self):
        time.sleep(1)
@contextmanager
def opened(_):
    Freed()
    time.sleep(5)
    yield
@contextmanager
def other(_):
    yield
CHECKS = [
    Check(f"some {name}", "", Source([], how), lambda *_: {}, [], lambda *_: "words")
    for name, how in (("a", opened), ("b", other))
]
Together("some all", "", CHECKS, []).run(["--timeout", "0.5"])
"""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert time.monotonic() - started < 3
    assert done.stderr == ""
    assert done.stdout.splitlines()[1].startswith("SOME A UNKNOWN - timed out after ")


def test_after_a_run_no_timer_is_left():
    told(together(a_check("a", Opened().source(), fail)))

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
def test_a_signal_leaves_what_is_judged(name):
    program = f"""
import os, signal
from contextlib import contextmanager
from check_postfix.plugin import Check, Label, Source
from check_postfix.plugin.together import Together
@contextmanager
def opened(_):
    yield
def measure(*_):
    os.kill(os.getpid(), signal.{name})
    return {{}}
SOURCE = Source([], opened)
CHECKS = [
    Check("some a", "", SOURCE, lambda *_: {{}}, [], lambda *_: "words"),
    Check("some b", "", SOURCE, measure, [], lambda *_: "words"),
    Check("some c", "", Source([], opened), lambda *_: {{}}, [], lambda *_: "words"),
]
Together("some all", "", CHECKS, []).run([])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    ended = f"ended by {name}; let whoever runs this check wait longer than its --timeout"
    assert (done.stderr, done.returncode) == ("", UNKNOWN)
    assert done.stdout.splitlines() == [
        f"SOME ALL UNKNOWN - b c UNKNOWN: {ended}; 1 OK",
        "SOME A OK - words",
        f"SOME B UNKNOWN - {ended}",
        f"SOME C UNKNOWN - {ended}",
    ]


# -- help, forms


def test_help_and_version_are_told_and_exit_with_3():
    all_of_them = together(a_check("a", Opened().source()))

    text, code = all_of_them.outcome_of(["--help"])
    assert code == UNKNOWN
    assert text.startswith("usage: check_some_all [options]\n\nJudge.\n")
    assert all(option.flag in text for option in all_of_them.options)
    assert max(map(len, text.splitlines())) <= 80
    assert all_of_them.outcome_of(["-V"]) == (f"check_some_all {__version__}\n", UNKNOWN)


def test_thrice_verbose_tells_with_what_and_how_fast():
    _, lines, _ = told(together(a_check("a", Opened().source())), "-vvv")

    assert lines[0] == "SOME A OK - words"
    assert lines[1].startswith(f"check_postfix {__version__}, Python ")
    assert "place = here" in lines


def test_all_is_one_file_for_prometheus_that_no_single_check_replaces(tmp_path):
    file = tmp_path / "all.prom"
    source = Opened().source()
    all_of_them = together(a_check("a", source, lambda *_: 7), a_check("b", source))

    assert told(all_of_them, "--prometheus", str(file))[2] == WARNING
    lines = file.read_text().splitlines()

    assert "some_all_state 1" in lines
    assert "some_a_state 1" in lines
    assert "some_a_size 7" in lines
    assert "some_b_state 0" in lines
    all_of_them.outcome_of(["--prometheus", str(file), "--with", "b --no-such"])
    assert "some_b_state 3" in file.read_text().splitlines()
    assert all_of_them.outcome_of(["--prometheus", str(file)])[1] == WARNING  # its own it replaces

    from check_postfix.plugin.run import outcome_of

    assert "it holds the metrics of check_some_all" in outcome_of(
        a_check("a", source), ["--prometheus", str(file)]
    )[0]  # fmt: skip


def test_what_keeps_the_file_for_prometheus_from_being_written_is_said(tmp_path):
    first, _, code = told(
        together(a_check("a", Opened().source())), "--prometheus", str(tmp_path / "no" / "a.prom")
    )

    assert code == UNKNOWN
    assert "a.prom: no such file or directory" in first


HOSTILE = "a\tb;c\x17d\ne|f\\ng\r\u202eh"
HARMLESS = "a?b;c?d?e/f/ng??h"


def hostile():
    source = Opened().source()
    return together(a_check("a", source, words=HOSTILE), a_check("b", source, lambda *_: 7))


def test_hostile_words_of_one_condition_end_no_line_and_no_field():
    text, _ = hostile().outcome_of([])

    assert text.splitlines()[1] == f"SOME A OK - {HARMLESS}"
    assert len(text.splitlines()) == 3


def test_each_result_is_one_record_for_send_nsca():
    text, _ = hostile().outcome_of(["--output", "nsca", "--service-host", "mx1"])

    assert text == (
        f"mx1\tsome-a\t0\tSOME A OK - {HARMLESS} | a_size=1;5;9;0 gaps=0;;;0\n\x17"
        "mx1\tsome-b\t1\tSOME B WARNING - words | b_size=7;5;9;0 gaps=0;;;0\n\x17"
    )


def test_each_result_is_one_line_for_the_external_command_file():
    now = int(time.time())

    text, _ = hostile().outcome_of(["--output", "command", "--service-host", "mx1"])

    lines = text.splitlines()
    assert now <= int(lines[0][1:].partition("]")[0]) <= now + 5
    assert [line.partition("] ")[2] for line in lines] == [
        f"PROCESS_SERVICE_CHECK_RESULT;mx1;some-a;0;SOME A OK - {HARMLESS} | a_size=1;5;9;0"
        " gaps=0;;;0",
        "PROCESS_SERVICE_CHECK_RESULT;mx1;some-b;1;SOME B WARNING - words | b_size=7;5;9;0"
        " gaps=0;;;0",
    ]


def test_long_output_is_in_the_same_line_of_the_external_command_file():
    source = Opened().source()
    check = a_check("a", source, details=lambda *_: ["one", "t\\nwo"])

    text, _ = together(check).outcome_of(["-v", "--output", "command", "--service-host", "mx1"])

    assert text.endswith("SOME A OK - words | a_size=1;5;9;0 gaps=0;;;0\\none\\nt/nwo\n")


def test_each_result_is_one_body_for_the_api_of_icinga():
    text, _ = hostile().outcome_of(["--output", "icinga", "--service-host", "mx1"])

    bodies = [json.loads(line) for line in text.splitlines()]
    assert bodies[1] == {
        "type": "Service",
        "filter": "host.name == on_host && service.name == of_service",
        "filter_vars": {"on_host": "mx1", "of_service": "some-b"},
        "exit_status": 1,
        "plugin_output": "SOME B WARNING - words",
        "performance_data": ["b_size=7;5;9;0", "gaps=0;;;0"],
    }
    assert bodies[0]["plugin_output"] == f"SOME A OK - {HARMLESS}"


def test_without_a_name_the_host_is_this_machine():
    text, _ = hostile().outcome_of(["--output", "nsca"])

    assert text.startswith(f"{os.uname().nodename}\tsome-a\t")


def test_as_json_all_is_one_object_with_one_of_each_check():
    text, code = hostile().outcome_of(["--output", "json"])

    said = json.loads(text)
    assert text.count("\n") == 1
    assert (code, said["state"], said["check"]) == (WARNING, 1, "some_all")
    assert said["checks"]["some_b"] == {
        "check": "some_b", "state": 1, "state_name": "WARNING", "summary": "words", "remarks": [],
        "metrics": {"b_size": 7, "gaps": 0}, "lines": [],
    }  # fmt: skip


def test_checkmk_has_one_local_check_of_each():
    text, _ = hostile().outcome_of(["--output", "checkmk"])

    assert [line.split('"')[:2] for line in text.splitlines()] == [
        ["0 ", "some a"], ["1 ", "some b"],
    ]  # fmt: skip
