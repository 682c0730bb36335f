"""Mail that stops, and mail of which far more flows than usual."""

from __future__ import annotations

import pytest

from check_postfix.plugin.run import outcome_of
from check_postfix.volume import CHECK
from tests.support.builders import a_window, options


def judge(*arguments, verbosity=0, **window):
    return CHECK.judge(a_window(**window), options(CHECK, *arguments), verbosity)


def test_within_what_is_usual_it_is_ok():
    outcome = judge(received=100, sent=90, connected_smtpd=200, usual=80)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX VOLUME OK - 100 messages received in 15 min, usual 80 to 140 (28 days)"
        " | volume_factor=1;0.3:3;0.1:10;0 received=100;;;0 sent=90;;;0 connections=200;;;0"
        " usual_low=80;;;0 usual_high=140;;;0 silence=0s;;;0 silence_factor=0;2.5;4;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(("number", "state"), [(399, 1), (1100, 2)])
def test_far_more_than_usual_alarms(number, state):
    assert judge(received=number, usual=100).exit_code == state


def test_the_factor_and_the_range_stand_in_the_first_line():
    assert judge(received=720, usual=100).words == (
        "POSTFIX VOLUME WARNING - 720 messages received in 15 min, 7.2 x usual 100,"
        " usual up to 164 (28 days)"
    )


def test_far_less_than_usual_alarms():
    outcome = judge(received=8, usual=100)

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX VOLUME CRITICAL - 8 messages received in 15 min, usually 100 at least (28 days)"
        " | volume_factor=0.08;0.3:3;0.1:10;0 received=8;;;0 sent=0;;;0 connections=0;;;0"
        " usual_low=100;;;0 usual_high=164;;;0 silence=0s;;;0 silence_factor=0;2.5;4;0"
        " gaps=0;;;0 not_understood=0;;;0"
    )


def test_on_a_small_server_too_few_are_looked_for_in_a_longer_time():
    outcome = judge(received=0, usual=7, before=[1, 0, 1])

    assert outcome.exit_code == 2
    assert outcome.words == (
        "POSTFIX VOLUME CRITICAL - 2 messages received in 1 h, usually 28 at least (28 days)"
    )


def test_a_silence_longer_than_any_usual_one_is_told_by_its_length():
    outcome = judge(received=0, usual=100, before=[0] * 15, silent=190)

    assert outcome.exit_code == 2
    assert outcome.words == (
        "POSTFIX VOLUME CRITICAL - no message received for 3 h 10 min,"
        " usually 15 min at most (28 days)"
    )
    assert "silence=11400s" in outcome.line
    assert "silence_factor=12.7;2.5;4;0" in outcome.line


def test_a_silence_has_thresholds_of_its_own():
    outcome = judge("--critical-silence", "1h", received=0, usual=0, silent=61)

    assert outcome.exit_code == 2
    assert outcome.words.startswith("POSTFIX VOLUME CRITICAL - no message received for 1 h 1 min")


def test_when_a_stop_would_show_is_said_where_it_takes_long():
    assert judge(received=2, usual=2).words == (
        "POSTFIX VOLUME OK - 2 messages received in 15 min, usual 2 to 35 (28 days)"
    )
    assert judge(received=9, usual=9).words == (
        "POSTFIX VOLUME OK - 9 messages received in 15 min, usual 9 to 48 (28 days)"
    )
    assert judge(received=0, usual=0).words == (
        "POSTFIX VOLUME OK - 0 messages received in 15 min, usual 0 to 28 (28 days),"
        " a stop would not show within a week"
    )


def test_without_seven_days_nothing_is_judged_and_that_is_said():
    outcome = judge(received=100_000)

    assert outcome.exit_code == 0
    assert outcome.line == (
        "POSTFIX VOLUME OK - 100000 messages received in 15 min,"
        " usual not known yet (3 of 7 days) | received=100000;;;0 sent=0;;;0 connections=0;;;0"
        " silence=0s;;;0 gaps=0;;;0 not_understood=0;;;0"
    )


@pytest.mark.parametrize(
    ("of", "counter", "words"),
    [
        ("received", "received", "500 messages received"),
        ("sent", "sent", "500 sent"),
        ("connections", "connected_smtpd", "500 connections"),
    ],
)
def test_what_is_compared_can_be_chosen(of, counter, words):
    outcome = judge("--of", of, usual=100, **{counter: 500})

    assert outcome.exit_code == 1
    assert f"{words} in 15 min, 5 x usual 100" in outcome.words


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("received", "no message received"),
        ("sent", "nothing sent"),
        ("connections", "no connection"),
    ],
)
def test_what_has_stopped_is_named(of, words):
    outcome = judge("--of", of, usual=100, before=[0] * 15, silent=60)

    assert f"{words} for 1 h, usually 15 min at most" in outcome.words


def test_of_another_window_the_last_quarter_is_judged_and_said():
    outcome = judge(received=4000, usual=1000, minutes=60)

    assert outcome.exit_code == 1
    assert outcome.words.startswith(
        "POSTFIX VOLUME WARNING - 4000 messages received in 1 h,"
        " 4000 messages received in the last 15 min, 4 x usual 1000"
    )


def test_an_hour_of_too_much_is_told_as_that():
    window = a_window(received=0, usual=100)
    compared = window.compared("received")
    high = compared.range.high
    lasting = compared.range._replace(high_lasting=high / 2)
    recent = compared.recent._replace(quarters=[150, 140, 130, 160, *[100] * 12])
    from check_postfix.common import against_usual
    from check_postfix.maillog.window import usual

    verdict = usual.judge(recent, lasting)
    words = against_usual.words(
        compared._replace(range=lasting, recent=recent, verdict=verdict),
        15,
        150,
        lambda number: f"{number:g} messages received",
    )

    assert words == (
        "at least 130 messages received in each quarter of the last hour, 1.3 x usual 100,"
        " usual up to 82 for so long (28 days)"
    )


def test_verbose_draws_the_last_day():
    day = [*range(0, 12), 1000, 400]

    outcome = judge(received=100, usual=100, before=list(reversed(day)), verbosity=1)

    assert outcome.lines == [
        "last 24 h: ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▂▂█ (most in 15 min of each hour; ▄ is 164, the most"
        " that is usual now, 100 the least)"
    ]


def test_what_came_after_the_end_of_the_window_does_not_make_a_silence_shorter(tmp_path):
    # 10:00, and 16:10: in the same quarter of an hour as the end of the window, but later
    times = ("10:00:30", "16:10:30")
    (tmp_path / "mail.log").write_text(
        "".join(
            f"2026-11-24T{time}+00:00 mx1 postfix/smtpd[7]: 4A0000000{n}:"
            " client=a.example[192.0.2.1]\n"
            f"2026-11-24T{time}+00:00 mx1 postfix/qmgr[7]: 4A0000000{n}:"
            " from=<a@a.example>, size=9, nrcpt=1 (queue active)\n"
            for n, time in enumerate(times)
        )
    )
    arguments = ["--log", str(tmp_path / "mail.log"), "--state", str(tmp_path / "state")]

    text, _ = outcome_of(CHECK, [*arguments, "--at", "2026-11-24T16:05Z"])

    assert f" silence={(6 * 60 + 4) * 60}s;" in text
