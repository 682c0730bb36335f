"""postfix-log rehearse: runs that there might have been, judged as real ones would have been."""

from __future__ import annotations

import random
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from check_postfix.command import cli, rehearse
from check_postfix.command.much_asked import MuchAsked
from check_postfix.maillog.store.held import HeldAnswers
from check_postfix.maillog.store.store import Store
from check_postfix.plugin.arguments import options_of
from check_postfix.plugin.run import outcome_of
from tests.support.definitions import checks

pytestmark = pytest.mark.usefixtures("utc")
DAY = 86400
CHECKS = {check.executable.removeprefix("check_postfix_"): check for check in checks()}


def at(ago: float) -> str:
    return datetime.fromtimestamp(int(time.time()) - int(ago), UTC).isoformat()


def attempt(ago: float, status: str, domain: str) -> str:
    dsn = {"deferred": "4.4.1", "bounced": "5.1.1", "sent": "2.0.0"}[status]
    return (
        f"{at(ago)} mx1 postfix/smtp[7]: 4A{int(ago):08X}: to=<bob@{domain}>, relay=mx.{domain}"
        f"[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn={dsn}, status={status} (x)\n"
    )


def failed(ago: float, client: int) -> str:
    return (
        f"{at(ago)} mx1 postfix/smtpd[7]: warning: unknown[192.0.2.{client}]: SASL LOGIN"
        " authentication failed: UGFzc3dvcmQ6, sasl_username=ann\n"
    )


def refused(ago: float) -> str:
    return (
        f"{at(ago)} mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1"
        " <x@y.test>: Relay access denied; from=<a@b.test> to=<x@y.test> proto=ESMTP helo=<x>\n"
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A log of five days with trouble in it, and the state file of its checks."""
    return keep(tmp_path_factory.mktemp("kept"), 5, 5, 120)


@pytest.fixture(scope="module")
def kept_for_longer(tmp_path_factory):
    """As many days as tell what is usual, and troubles that it tells from them."""
    # What comes several times on each of some days is usual from then on, and no alarm.
    return keep(tmp_path_factory.mktemp("kept"), 12, 2, 2000)


def keep(place: Path, days: int, troubled: int, most_rejects: int) -> list[str]:
    """Return the options of a check of a log with trouble on the last of its days."""
    chance = random.Random(7)
    lines = []
    for ago in range(days * DAY, 60, -600):
        in_trouble = chance.random() < 0.05 and ago < troubled * DAY
        for _ in range(chance.randrange(30)):
            bad = chance.random() < (0.6 if in_trouble else 0.03)
            status = chance.choice(["deferred", "bounced"]) if bad else "sent"
            lines.append((ago - chance.randrange(600), status))
        if chance.random() < 0.05:
            lines += [(ago - chance.randrange(600), "login")] * chance.randrange(200)
        lines += [(ago - chance.randrange(600), "reject")] * chance.randrange(
            most_rejects if in_trouble else 4
        )
    lines.sort(key=lambda line: -line[0])
    made = {"login": lambda ago: failed(ago, int(ago) % 3), "reject": refused}
    log = place / "mail.log"
    log.write_text(
        "".join(
            made[what](ago)
            if what in made
            else attempt(ago, what, f"{chance.choice('abcde')}.example.net")
            for ago, what in lines
            if ago > 60
        )
    )
    options = ["--log", str(log), "--state", str(place / "state")]
    with pytest.raises(SystemExit):
        cli.main(["ingest", *options])
    return options


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("deferred", []),
        (
            "deferred",
            [
                "-w",
                "5",
                "-c",
                "8",
                "--min-attempts",
                "5",
                "--min-failures",
                "1",
                "--domain",
                "a.example.net",
            ],
        ),
        ("bounces", ["--window", "1h"]),
        ("auth", []),
        ("auth", ["--warning-client", "5", "-w", "9"]),
        ("rejects", ["-w", "2", "-c", "4", "--min-rejects", "10"]),
    ],
)
def test_each_run_is_the_one_that_a_real_run_would_have_been(kept, kept_for_longer, name, options):
    kept = kept_for_longer if name == "rejects" else kept
    check = CHECKS[name]
    given = options_of(check, [*kept, *options])
    with check.source.open(given) as latest:
        window = latest.through(MuchAsked)
        times = rehearse._times(window, 1)
        played = rehearse._play(check, window, given, times)
    chance = random.Random(3)
    said = dict(zip(times, played.states, strict=True))
    alarms = [minute for minute, state in said.items() if state in (1, 2)]
    chosen = [*chance.sample(times, 60), *chance.sample(alarms, min(60, len(alarms)))]

    real = [outcome_of(check, [*kept, *options, "--at", at_minute(minute)])[1] for minute in chosen]

    assert len(alarms) > 5
    # What makes a run UNKNOWN is not played again.
    assert [
        state for state, there in zip(map(said.get, chosen), real, strict=True) if there != 3
    ] == [there for there in real if there != 3]
    # Of whom a filter asks for, nobody knows more than two days.
    assert real.count(3) < len(real) * (0.7 if "--domain" in options else 0.1)


def at_minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%MZ")


@pytest.mark.parametrize("kind", [HeldAnswers, MuchAsked])
def test_what_is_held_answers_as_the_store_does(kept, kind):
    now = int(time.time()) // 60
    chance = random.Random(1)
    with Store(kept[-1], 5) as store:
        held = kind(store.answers)
        origins = [number for log in store.logs.all() for number, *_ in store.origins.of(log)]
        for _ in range(100):
            end = now - chance.randrange(5 * 1440)
            start = end - chance.randrange(1, 2000)
            assert held.totals(start, end, origins) == store.answers.totals(start, end, origins)
            for family in ("deferred", "auth_failed"):
                assert held.keys(family, start, end, origins) == store.answers.keys(
                    family, start, end, origins
                )
            what = ("deferred_messages", ("deferred",), start, end, origins, start - 60)
            assert held.messages(*what) == store.answers.messages(*what)


@pytest.mark.parametrize("length", [15, 60, 1440, 2880])
@pytest.mark.parametrize("step", [1, 7, 60, 1700])
def test_windows_that_follow_each_other_have_what_the_store_has(kept, length, step):
    now = int(time.time()) // 60
    with Store(kept[-1], 5) as store:
        much = MuchAsked(store.answers)
        origins = [number for log in store.logs.all() for number, *_ in store.origins.of(log)]
        some = origins[:1]
        first = (now - 5 * 1440) // 15
        # Forwards, and then once more from an earlier time on
        for end in [*range(now - step * 8, now + 1, step), now - 4000, now - 4000 + step]:
            start, quarter = end - length, -(-end // 15)

            assert much.totals(start, end, origins) == store.answers.totals(start, end, origins)
            assert much.totals(start, end, some) == store.answers.totals(start, end, some)
            rejected = ("rejected_smtpd", "rejected_size")
            assert much.by_minute(rejected, start, end, origins) == store.answers.by_minute(
                rejected, start, end, origins
            )
            for family in ("deferred", "auth_failed", "sent"):
                assert much.keys(family, start, end, origins) == store.answers.keys(
                    family, start, end, origins
                )
            for series in ("sent", "rejected", "flooded"):
                assert much.quarters(series, first, quarter, origins) == store.answers.quarters(
                    series, first, quarter, origins
                )
            assert much.origins_of("sent", quarter - 200, quarter) == store.answers.origins_of(
                "sent", quarter - 200, quarter
            )
            assert much.quarters_since(first, quarter, some) == store.answers.quarters_since(
                first, quarter, some
            )
            days = end // 1440 - 3, end // 1440
            assert much.most_of_days("by_account", *days, origins) == store.answers.most_of_days(
                "by_account", *days, origins
            )
            assert sorted(much.tried(start, end, origins)) == sorted(
                store.answers.tried(start, end, origins)
            )


def test_keys_that_were_too_many_to_be_kept_apart_are_those_of_the_store(kept, monkeypatch):
    monkeypatch.setattr("check_postfix.maillog.store.packed.MOST_HELD", 3_000)
    now = int(time.time()) // 60
    with Store(kept[-1], 5) as store:
        much = MuchAsked(store.answers)
        origins = [number for log in store.logs.all() for number, *_ in store.origins.of(log)]
        for end in range(now - 600, now + 1, 60):
            for family in ("deferred", "auth_failed"):
                asked = family, end - 1440, end, origins
                assert much.keys(*asked) == store.answers.keys(*asked)


def test_it_tells_how_often_when_and_for_how_long_beside_the_defaults(say, kept):
    status, lines, _ = say("rehearse", "--every", "15m", "deferred", *kept, "-w", "1", "-c", "90")

    assert status == 0
    assert re.match(r"\S+ \S+ to \S+ \S+, [45]\.\d days, a run every 15 min: \d+ runs", lines[0])
    assert lines[1].startswith("  clients and domains are kept since ")
    mine = next(
        line for line in lines if line.startswith("with these options: ") and "WARN" in line
    )
    usual = next(
        line for line in lines if line.startswith("with the defaults: ") and "WARN" in line
    )
    assert int(re.search(r"(\d+) x", mine)[1]) > int(re.search(r"(\d+) x", usual)[1]) >= 0
    assert any(re.match(r"  +WARNING  +\S.*  20\d\d-", line) for line in lines)


def test_the_defaults_are_called_so_and_told_once(say, kept):
    _, lines, _ = say("rehearse", "--every", "1h", "bounces", *kept)

    told = [line.partition(":")[0] for line in lines if line.startswith("with ")]
    assert told == ["with the defaults"] * 2


def test_the_alarms_of_the_list_are_those_of_real_runs(say, kept):
    _, lines, _ = say("rehearse", "--every", "10m", "auth", *kept)
    times = [re.search(r"(20\S+ \S+) to ", line) for line in lines if "  20" in line]

    assert times
    for first in filter(None, times[:5]):
        begun = datetime.strptime(first[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()
        _, state = outcome_of(CHECKS["auth"], [*kept, "--at", at_minute(int(begun) // 60 + 1)])
        assert state in (1, 2)


def test_thresholds_are_suggested_that_keep_their_promise(say, kept):
    _, lines, _ = say("rehearse", "--every", "10m", "--most", "12", "auth", *kept)
    limit = next(
        re.match(r"  --warning ([\d.]+)", line) for line in lines if "  --warning " in line
    )

    _, again, _ = say(
        "rehearse", "--every", "10m", "auth", *kept, "-w", limit[1], "-c", "99999",
        "--warning-client", "99999", "--critical-client", "99999",
    )  # fmt: skip

    number = next(re.search(r"(\d+) x WARNING", line) for line in again if "x WARNING" in line)
    assert int(number[1]) <= 12 * 5 / 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "a check is missing, one of deferred, "),
        (["nonsense"], "nonsense: no such check; there are deferred, "),
        (["queue"], "queue: cannot be rehearsed: nothing of what it looks at is kept"),
        (
            ["deferred", "--no-state"],
            "--no-state and --at: what a state file keeps is rehearsed; leave them out",
        ),
        (["deferred", "-w", "many"], "--warning"),
        (["--every", "x", "deferred"], "--every x"),
        (["--most", "x", "deferred"], "--most x"),
    ],
)
def test_wrong_usage_is_told_in_one_line(say, arguments, words):
    status, _, error = say("rehearse", *arguments)

    assert status == 2
    assert words in error
    assert error.count("\n") == 1


def test_where_nothing_is_kept_nothing_is_found(say, tmp_path):
    (tmp_path / "mail.log").write_text("")

    status, lines, _ = say(
        "rehearse", "deferred", "--log", tmp_path / "mail.log", "--state", tmp_path / "state"
    )

    assert status == 1
    assert "nothing is kept" in lines[0]


def test_when_the_first_window_can_be_judged_is_told_while_the_log_is_younger(say, tmp_path):
    (tmp_path / "mail.log").write_text(attempt(240, "sent", "example.net"))
    options = ["--log", tmp_path / "mail.log", "--state", tmp_path / "state"]
    say("ingest", *options)

    status, lines, _ = say("rehearse", "deferred", *options)

    assert status == 1
    known, judged = (int(at(ago)[14:16]) for ago in (240, 240 - 15 * 60))
    (said,) = lines
    assert re.fullmatch(
        rf"the log is known since [-0-9 ]*\d\d:{known:02}: a window of 15 min can be judged from"
        rf" [-0-9 ]*\d\d:{judged:02} on",
        said,
    )


def test_some_hours_are_not_told_as_a_month(say, tmp_path):
    lines = [attempt(ago, "deferred", "example.net") for ago in range(7200, 60, -30)]
    (tmp_path / "mail.log").write_text("".join(lines))
    options = ["--log", tmp_path / "mail.log", "--state", tmp_path / "state"]
    say("ingest", *options)

    status, lines, _ = say("rehearse", "--most", "2", "deferred", *options)

    assert status == 0
    assert any("1 x CRITICAL, " in line for line in lines)
    assert not any("a month" in line for line in lines)
    assert any("no thresholds are suggested" in line for line in lines)


def test_an_alarm_from_the_first_run_on_begins_when_that_is_said_to_begin(say, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text("".join(attempt(ago, "deferred", "a.example") for ago in range(1500, 60, -10)))
    options = ["--log", str(log), "--state", str(tmp_path / "state")]
    say("ingest", *options)

    _, lines, _ = say("rehearse", "--every", "1m", "deferred", *options)

    first, last, span, runs = re.findall(
        r"\S+ (\S+) to \S+ (\S+), (\d+) min, a run every 1 min: (\d+) runs", lines[0]
    )[0]
    assert int(span) == int(runs)
    assert re.search(rf" {first} to (?:\S+ )?{last}$", lines[-1])
