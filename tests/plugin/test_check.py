"""How measured numbers, thresholds and remarks become one outcome."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix import auth, bounces, deferred, queue, rejects
from check_postfix.common.queue_source import Queue
from check_postfix.maillog.counts.families import BOUNCED_WITH, FAMILIES, MAILBOX_FULL
from check_postfix.maillog.counts.histogram import MOST, STAGES, WHOLE
from check_postfix.maillog.events.event import KINDS
from check_postfix.maillog.window.aged_file import AgedFile
from check_postfix.maillog.window.delays import Delays, Slow
from check_postfix.mailqueue.listing import Listing, QueuedMessage
from check_postfix.plugin import (
    AtLeast,
    Check,
    Label,
    Least,
    Option,
    Remark,
    Source,
    Threshold,
    values,
)
from tests.support import perfdata
from tests.support.builders import a_coverage, a_window, options
from tests.support.definitions import checks, log_checks

LEAST = Option("--least", "the least", default="5", parse=values.count)


def a_check(measured, remarks=(), uom="", **more):
    """Return a check that measures these numbers, by label."""
    return Check(
        name="some thing",
        description="Alert.",
        source=Source(
            options=[],
            open=lambda _: nullcontext("subject"),
            remarks=lambda _: list(remarks),
            about=lambda subject, _: [f"about {subject}"],
        ),
        measure=lambda *_: measured,
        labels=[
            Label("many", ""),
            Label("one", "", uom, 0, 100 if uom else None),
            Label("two", ""),
        ],
        thresholds=[
            Threshold(
                "one",
                "the one",
                warning="5",
                critical="10",
                enough=[Least(lambda *_: measured["many"], LEAST, "of them")],
            ),
            Threshold("two", "the other", warning="5", suffix="two"),
        ],
        summary=lambda measured, subject, *_: f"{len(measured)} numbers of {subject}",
        details=lambda subject, _: [f"details of {subject}"],
        options=[LEAST],
        **more,
    )


def judge(check, *arguments, verbosity=0):
    return check.judge("subject", options(check, *arguments), verbosity)


def test_a_check_is_called_by_its_name():
    assert a_check({}).executable == "check_some_thing"


@pytest.mark.parametrize(
    ("one", "two", "state"),
    [(5, 5, 0), (6, 5, 1), (5, 6, 1), (11, 5, 2), (11, 6, 2), (6, 10**6, 1)],
)
def test_the_worst_number_decides(one, two, state):
    outcome = judge(a_check({"many": 9, "one": one, "two": two}))

    assert outcome.exit_code == state


@pytest.mark.parametrize(
    ("one", "unknown", "state"),
    [(0, False, 0), (0, True, 3), (6, False, 1), (6, True, 1), (11, False, 2), (11, True, 2)],
)
def test_what_could_not_be_seen_makes_an_ok_unknown_and_leaves_an_alarm(one, unknown, state):
    check = a_check({"many": 9, "one": one}, [Remark("a"), Remark("b", unknown)])

    outcome = judge(check)

    assert outcome.exit_code == state
    assert outcome.words.endswith("2 numbers of subject (a; b)")


def test_a_metric_that_was_not_measured_is_not_judged():
    outcome = judge(a_check({"many": 9}))

    assert outcome.exit_code == 0
    assert outcome.line == "SOME THING OK - 1 numbers of subject | many=9;;;0"


def test_numbers_stand_in_the_order_of_their_labels():
    outcome = judge(a_check({"two": 2, "many": 9, "one": 1}))

    assert outcome.line.endswith(" | many=9;;;0 one=1;5;10;0 two=2;5;;0")


def test_a_number_without_a_label_is_a_mistake():
    with pytest.raises(AssertionError, match="three"):
        judge(a_check({"many": 9, "three": 3}))


def test_a_number_of_too_few_is_shown_without_thresholds():
    outcome = judge(a_check({"many": 4, "one": 99}, uom="%"))

    assert outcome.exit_code == 0
    assert outcome.line == (
        "SOME THING OK - 2 numbers of subject (fewer than 5 of them, not judged)"
        " | many=4;;;0 one=99%;;;0;100"
    )


def test_that_a_number_of_too_few_is_not_judged_is_said_only_where_it_would_alarm():
    outcome = judge(a_check({"many": 4, "one": 5}))

    assert outcome.exit_code == 0
    assert outcome.line == "SOME THING OK - 2 numbers of subject | many=4;;;0 one=5;5;10;0"


def test_what_was_not_judged_is_said_after_all_other_remarks_and_with_an_alarm():
    check = a_check({"many": 4, "one": 6, "two": 6}, [Remark("a")])

    outcome = judge(check)

    assert outcome.exit_code == 1
    assert outcome.words == (
        "SOME THING WARNING - 3 numbers of subject (a; fewer than 5 of them, not judged)"
    )


def test_each_verbose_says_more():
    check = a_check({"many": 9})

    assert check.judge("subject", options(check)).lines == []
    assert judge(check, verbosity=0).lines == []
    assert judge(check, verbosity=1).lines == ["details of subject"]
    assert judge(check, verbosity=2).lines == ["details of subject", "about subject"]
    assert judge(check, verbosity=3).lines == ["details of subject", "about subject"]


BIG = 10**12
ANY_NAME = st.text(st.characters(exclude_categories=()), max_size=300)
LONGEST_RANGE = "@-999999999999.999999:999999999999.999999"


def of_the_log(check, keys, **totals):
    coverage = a_coverage(start=-BIG, gaps=[(0, BIG // 10**4)] * 9, lines=BIG, events=BIG)
    name = max((row[0] for rows in keys.values() for row in rows), key=len)
    buckets = dict.fromkeys(range(MOST + 1), BIG)
    delays = Delays(
        first=dict.fromkeys((WHOLE, *STAGES.values()), buckets),
        slow=[Slow(f"{n}{name}", f"{n}{name}", (MOST,) * 5, BIG) for n in range(20)],
        retried=buckets,
        open=BIG,
    )
    files = [AgedFile(f"/{n}{name}", 0o777, -BIG, live=not n) for n in range(20)]
    return check, a_window(
        keys=keys, usual=BIG, coverage=coverage, silent=BIG, delays=delays, files=files, **totals
    )


def of_the_queue(*messages):
    return queue.CHECK, Queue(Listing(messages, BIG))


def everything(name):
    """Return each check with a subject in which everything is big and named like this."""
    keys = {
        f"{family} {field}": [(name, BIG), ("", BIG), *((f"{n}{name}", BIG) for n in range(20))]
        for family, fields in FAMILIES.items()
        for field in fields
    }
    totals = dict.fromkeys([*KINDS, *BOUNCED_WITH.values(), MAILBOX_FULL], BIG)
    in_queue = (
        QueuedMessage(q, q, 0, BIG, False, (f"a@{name}",))
        for q in ("maildrop", "active", "incoming", "deferred", "hold")
    )
    every = [
        *(of_the_log(check, keys, **totals) for check in log_checks()),
        of_the_queue(*in_queue),
    ]
    assert [check for check, _ in every] == checks()
    return every


@pytest.mark.parametrize(("check", "subject"), everything("x" * 300), ids=lambda _: "")
def test_the_first_line_with_perfdata_passes_through_nrpe_whatever_the_numbers(check, subject):
    limits = [
        word
        for threshold in check.thresholds
        for option in (threshold.warning, threshold.critical)
        for word in (option.flag, LONGEST_RANGE)
    ]

    outcome = check.judge(subject, options(check, *limits))

    assert outcome.exit_code == 2
    assert len(outcome.line.encode()) < 1024
    assert perfdata.of(str(outcome))


@given(ANY_NAME)
def test_no_name_from_the_log_breaks_the_output(name):
    for check, subject in everything(name):
        outcome = check.judge(subject, options(check), verbosity=2)

        measured = {**check.measure(subject, options(check)), **check.source.measure(subject)}
        assert perfdata.of(str(outcome)).keys() == measured.keys()
        assert str(outcome).count("\n") == 1 + len(outcome.lines)
        assert not set(str(outcome)) & set("<>\0\x1b\u2028\u202e")
        str(outcome).encode()


@pytest.mark.parametrize(
    ("check", "window"),
    [
        (deferred.CHECK, {"sent": 4000, "deferred": 1999, "bounced": 100}),
        (bounces.CHECK, {"sent": 4000, "bounced": 1999}),
        (bounces.CHECK, {"sent": 40, "bounced": 19, "expired": 12}),
        (auth.CHECK, {"auth_failed": 1234}),
    ],
    ids=lambda value: value.name if isinstance(value, Check) else "",
)
def test_the_words_fit_into_80_columns_in_ordinary_cases(check, window):
    keys = {"auth_failed client": [("198.51.100.213", 1034)]}

    outcome = check.judge(a_window(keys=keys, **window), options(check, "-c", "1"))

    assert outcome.exit_code == 2
    assert len(outcome.words) <= 80


@pytest.mark.parametrize(
    ("window", "decided", "more"),
    [
        ({"rejected_smtpd": 14123, "usual": 1000}, "14123 rejects in 15 min, 14 x usual 1000",
         "usual up to 1142 (28 days)"),
        ({"rejected_smtpd": 412, "usual": 10}, "412 rejects in 15 min, 25 x usual 17",
         "usual up to 50 (28 days)"),
        ({"rejected_smtpd": 14123}, "14123 rejects in 15 min",
         "usual not known yet (3 of 7 days)"),
    ],
)  # fmt: skip
def test_the_numbers_that_decide_about_rejects_fit_into_80_columns(window, decided, more):
    outcome = rejects.CHECK.judge(
        a_window(**window), options(rejects.CHECK, "--critical-count", "9")
    )

    decided = f"POSTFIX REJECTS CRITICAL - {decided}"
    assert outcome.words == f"{decided}, {more}"
    assert len(decided) <= 80


def test_the_numbers_that_decide_about_a_queue_fit_into_80_columns():
    messages = [QueuedMessage("incoming", str(i), BIG - 12345, 1, False, ()) for i in range(3210)]
    check, subject = of_the_queue(*messages)

    outcome = check.judge(subject, options(check))

    decided = "POSTFIX QUEUE CRITICAL - 3210 messages, oldest in incoming and active 3 h 25 min"
    assert outcome.words == f"{decided}, all in incoming"
    assert len(decided) <= 80


@pytest.mark.parametrize(
    ("written", "value", "state"),
    [
        ("5", 6, 1), ("5", 5, 0), ("5:", 4, 0), ("5:7", 4, 0), ("5:7", 8, 1), ("@5:7", 6, 0),
        ("@5:", 6, 1), ("@5:", 4, 0), ("~:5", 6, 1),
    ],
)  # fmt: skip
def test_of_a_number_that_may_be_greater_only_what_is_proven_alarms(written, value, state):
    check = a_check({"many": 9, "one": AtLeast(value)})

    outcome = check.judge("subject", options(check, "-w", written, "-c", "~:"))

    assert outcome.exit_code == state


def test_ranges_the_wrong_way_round_are_judged_as_written_and_said():
    outcome = deferred.CHECK.judge(
        a_window(sent=85, deferred=15), options(deferred.CHECK, "-w", "25", "-c", "10")
    )

    assert outcome.exit_code == 2
    assert outcome.words.endswith(" (-c 10 alerts before -w 25)")
