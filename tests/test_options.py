"""No option without an effect, and no label that is always 0."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dateutil import tz

from check_postfix import deferred
from check_postfix.all import ALL
from check_postfix.common.log_options import ARCHIVES, OPTIONS
from check_postfix.maillog.source import journalctl
from check_postfix.mailqueue import instances, postqueue
from check_postfix.mailqueue.errors import DownError
from check_postfix.mailqueue.listing import Listing, QueuedMessage
from check_postfix.plugin.arguments import STANDARD
from check_postfix.plugin.errors import UsageError
from check_postfix.plugin.run import outcome_of
from tests.support import mail_log, perfdata
from tests.support.clocks import in_zone
from tests.support.definitions import checks, log_checks

pytestmark = pytest.mark.usefixtures("utc")

TOKYO = tz.gettz("Asia/Tokyo")

# Of each option: what is called without it, and the option with a value that makes
# a difference. Files in braces are those of the fixture.
STANDARD_EFFECTS = {
    "--timeout": (["{usually}"], ["--timeout", "0.000001"]),
    "--verbose": (["{usually}"], ["--verbose"]),
    "--prometheus": (["{usually}"], ["--prometheus", "{nowhere}/x.prom"]),
    "--output": (["{usually}"], ["--output", "json"]),
    "--version": (["{usually}"], ["--version"]),
    "--help": (["{usually}"], ["--help"]),
}
LOG_EFFECTS = {
    "--log": (["--no-state", "--log", "{log}"], ["--log", "{other}"]),
    "--archives": (["{usually}", "--window", "10d"], ["--archives", "{archives}"]),
    "--journal": (["{usually}"], ["--journal"]),
    "--journal-match": (["{usually}"], ["--journal-match", "CONTAINER_NAME=postfix"]),
    "--state": (["--log", "{log}", "--state", "{state}"], ["--state", "{nowhere}/no/state"]),
    "--no-state": (["--log", "{log}", "--state", "{state}", "--window", "31d"], ["--no-state"]),
    "--window": (["{usually}"], ["--window", "1h"]),
    "--at": (["{usually}"], ["--at", "{earlier}"]),
    "--timezone": (["--no-state", "--log", "{tokyo}"], ["--timezone", "Asia/Tokyo"]),
    "--host": (["{usually}"], ["--host", "mx1"]),
    "--instance": (["{usually}"], ["--instance", "postfix"]),
    "--max-silence": (["{usually}"], ["--max-silence", "1m"]),
    "--keep-totals": (
        ["--log", "{log}", "--state", "{state}", "--window", "3d"],
        ["--keep-totals", "1d"],
    ),
    "--keep-keys": (
        ["--log", "{log}", "--state", "{state}", "--window", "1h"],
        ["--keep-keys", "1m"],
    ),
    "--anonymise": (["{usually}", "-v"], ["--anonymise"]),
}
NO_LIMITS = ["{usually}", "-w", "~:", "-c", "~:"]
LIMITS = {
    "--warning": (NO_LIMITS, ["-w", "@0:1000000"]),
    "--critical": (NO_LIMITS, ["-c", "@0:1000000"]),
}
OF_ATTEMPTS = {
    "--min-attempts": (["{usually}", "-w", "0"], ["--min-attempts", "1000"]),
    "--min-failures": (["{usually}", "-w", "0"], ["--min-failures", "20"]),
    "--per": (["{usually}", "--min-attempts", "1"], ["--per", "domain"]),
    "--domain": (["{usually}"], ["--domain", "example.com"]),
    "--relay": (["{usually}"], ["--relay", "mail.example.org"]),
    "--code": (["{usually}"], ["--code", "4.7.1"]),
    "--ignore-domain": (["{usually}"], ["--ignore-domain", "Example.net"]),
    "--exclude-relay": (["{usually}"], ["--exclude-relay", "mail.example.net"]),
}
OF_CLIENTS = {
    "--client": (["{usually}"], ["--client", "2001:db8::/32"]),
    "--ignore-client": (["{usually}"], ["--ignore-client", "203.0.113.0/24"]),
}
OWN_EFFECTS = {
    "postfix deferred": {
        **OF_ATTEMPTS,
        "--warning-standstill": (["{usually}"], ["--warning-standstill", "1h"]),
        "--critical-standstill": (["{usually}"], ["--critical-standstill", "3h"]),
    },
    "postfix bounces": {
        **OF_ATTEMPTS,
        "--warning-full": (["{usually}"], ["--warning-full", "0"]),
        "--critical-full": (["{usually}"], ["--critical-full", "0"]),
        "--warning-550": (["{usually}"], ["--warning-550", "0"]),
        "--critical-550": (["{usually}"], ["--critical-550", "0"]),
        "--warning-554": (["{usually}"], ["--warning-554", "0"]),
        "--critical-554": (["{usually}"], ["--critical-554", "0"]),
    },
    "postfix auth": {
        **OF_CLIENTS,
        "--account": (["{usually}"], ["--account", "Ann"]),
        "--ignore-account": (["{usually}"], ["--ignore-account", "ann"]),
        "--warning-client": (["{usually}"], ["--warning-client", "1"]),
        "--critical-client": (["{usually}"], ["--critical-client", "1"]),
        "--slow-window": (["{usually}", "-v"], ["--slow-window", "2d"]),
        "--warning-slow": (["{usually}"], ["--warning-slow", "1"]),
        "--critical-slow": (["{usually}"], ["--critical-slow", "1"]),
        "--warning-client-slow": (["{usually}"], ["--warning-client-slow", "1"]),
        "--critical-client-slow": (["{usually}"], ["--critical-client-slow", "1"]),
        "--warning-account-slow": (["{usually}"], ["--warning-account-slow", "1"]),
        "--critical-account-slow": (["{usually}"], ["--critical-account-slow", "1"]),
        "--warning-guessed": (["{usually}"], ["--warning-guessed", "0"]),
        "--critical-guessed": (["{usually}"], ["--critical-guessed", "1"]),
        "--webmail": (["{usually}", "--log", "{guessed}"], ["--webmail", "198.51.100.7"]),
    },
    "postfix rejects": {
        **OF_CLIENTS,
        "--code": (["{usually}"], ["--code", "450"]),
        "--warning-count": (["{usually}"], ["--warning-count", "1"]),
        "--critical-count": (["{usually}"], ["--critical-count", "1"]),
        "--min-rejects": (["{usually}"], ["--min-rejects", "1"]),
    },
    "postfix volume": {
        "--of": (["{usually}"], ["--of", "connections"]),
        "--warning-silence": (["{usually}"], ["--warning-silence", "@0:1d"]),
        "--critical-silence": (["{usually}"], ["--critical-silence", "@0:1d"]),
        "--warning-silence-factor": (["{usually}"], ["--warning-silence-factor", "@0:9"]),
        "--critical-silence-factor": (["{usually}"], ["--critical-silence-factor", "@0:9"]),
    },
    "postfix delay": {
        "--stage": (["{usually}"], ["--stage", "queue"]),
        "--min-attempts": (
            ["{usually}", "-w", "1", "--min-attempts", "1"],
            ["--min-attempts", "99"],
        ),
        "--warning": ([*NO_LIMITS, "--min-attempts", "1"], ["-w", "@0:1000000"]),
        "--critical": ([*NO_LIMITS, "--min-attempts", "1"], ["-c", "@0:1000000"]),
    },
    "postfix log": {
        "--warning-fatal": (["{usually}"], ["--warning-fatal", "@0:99"]),
        "--critical-fatal": (["{usually}"], ["--critical-fatal", "@0:99"]),
        "--warning-panic": (["{usually}"], ["--warning-panic", "@0:99"]),
        "--critical-panic": (["{usually}"], ["--critical-panic", "@0:99"]),
        "--warning-faults": (["{usually}"], ["--warning-faults", "@0:99"]),
        "--critical-faults": (["{usually}"], ["--critical-faults", "@0:99"]),
        "--warning-warnings": (["{usually}"], ["--warning-warnings", "@0:99"]),
        "--critical-warnings": (["{usually}"], ["--critical-warnings", "@0:99"]),
        "--warning-throttled": (["{usually}"], ["--warning-throttled", "@0:99"]),
        "--critical-throttled": (["{usually}"], ["--critical-throttled", "@0:99"]),
        "--warning-no-room": (["{usually}"], ["--warning-no-room", "@0:99"]),
        "--critical-no-room": (["{usually}"], ["--critical-no-room", "@0:99"]),
        "--warning-debug": (["{usually}"], ["--warning-debug", "@0:99"]),
        "--critical-debug": (["{usually}"], ["--critical-debug", "@0:99"]),
        "--warning-lost": (["{usually}"], ["--warning-lost", "@0:99"]),
        "--critical-lost": (["{usually}"], ["--critical-lost", "@0:99"]),
        "--retention": (["--log", "{aged}", "--no-state"], ["--retention", "60d"]),
        # Where less is wrong, the first line has room for it.
        "--prometheus": (["--log", "{other}", "--no-state"], ["--prometheus", "{nowhere}/x.prom"]),
    },
    "postfix senders": {
        "--by": (["{usually}"], ["--by", "uid"]),
        "--min-messages": (["{usually}"], ["--min-messages", "3"]),
        "--ignore-sender": (["{usually}"], ["--ignore-sender", "Carol@example.com"]),
        "--warning": ([*NO_LIMITS], ["-w", "@0:1000000"]),
        "--critical": ([*NO_LIMITS], ["-c", "@0:1000000"]),
        "--warning-busiest": (["{usually}"], ["--warning-busiest", "@0:1000000"]),
        "--critical-busiest": (["{usually}"], ["--critical-busiest", "@0:1000000"]),
        "--warning-messages": (["{usually}"], ["--warning-messages", "1"]),
        "--critical-messages": (["{usually}"], ["--critical-messages", "1"]),
        "--warning-recipients": (["{usually}"], ["--warning-recipients", "1"]),
        "--critical-recipients": (["{usually}"], ["--critical-recipients", "1"]),
        "--warning-clients": (["{usually}"], ["--warning-clients", "0"]),
        "--critical-clients": (["{usually}"], ["--critical-clients", "0"]),
        "--warning-bounced": (["{usually}"], ["--warning-bounced", "@0:100"]),
        "--critical-bounced": (["{usually}"], ["--critical-bounced", "@0:100"]),
    },
    "postfix recipients": {
        "--address": (["{usually}"], ["--address", "Ann@example.net"]),
        "--min-messages": (["{usually}"], ["--min-messages", "3"]),
        "--warning-messages": (["{usually}"], ["--warning-messages", "1"]),
        "--critical-messages": (["{usually}"], ["--critical-messages", "1"]),
        "--warning-clients": (
            ["{usually}", "--address", "ann@example.net"],
            ["--warning-clients", "0"],
        ),
        "--critical-clients": (
            ["{usually}", "--address", "ann@example.net"],
            ["--critical-clients", "0"],
        ),
        "--warning-rejects": (
            ["{usually}", "--address", "ann@example.net"],
            ["--warning-rejects", "1:"],
        ),
        "--critical-rejects": (
            ["{usually}", "--address", "ann@example.net"],
            ["--critical-rejects", "1:"],
        ),
    },
    "postfix queue": {
        "--warning-age": (["{usually}"], ["--warning-age", "1"]),
        "--critical-age": (["{usually}"], ["--critical-age", "1"]),
        "--queue": (["{usually}"], ["--queue", "deferred"]),
        "--warning-deferred-age": (["{usually}"], ["--warning-deferred-age", "1"]),
        "--critical-deferred-age": (["{usually}"], ["--critical-deferred-age", "1"]),
        "--min-deferred-domains": (["{usually}"], ["--min-deferred-domains", "9"]),
        "--config-dir": (["{usually}"], ["--config-dir", "/etc/postfix-out"]),
        "--all-instances": (["{usually}"], ["--all-instances"]),
        "--postqueue": (["{usually}"], ["--postqueue", "docker exec mail postqueue"]),
        "--down": (["{usually}", "--config-dir", "/down"], ["--down", "unknown"]),
        "--state": (["{usually}"], ["--state", "{nowhere}/no/state"]),
        "--no-state": (["{usually}"], ["--no-state"]),
    },
}


# What they show names nobody.
WITHOUT_NAMES = ["postfix volume"]


def effects(check):
    """Return option -> (called without it, how it is given) of a check."""
    of_source = LOG_EFFECTS if check in log_checks() else {}
    return LIMITS | of_source | STANDARD_EFFECTS | OWN_EFFECTS.get(check.name, {})


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Logs in which everything happened, which no test changes, by name.

    Of those that most tests read, there is a state beside each to which it was told.
    """
    directory = tmp_path_factory.mktemp("logs")

    def written(name, *parts):
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        return mail_log.write(path, *parts)

    history = [
        mail_log.lines(
            [mail_log.TAKEN_IN, mail_log.REMOVED, mail_log.rejected()], minutes_ago=minutes
        )
        for minutes in range(9 * 1440, 20, -10)
    ]
    days = [
        mail_log.lines(mail_log.SUBMITTED, minutes_ago=day * 24 * 60 + 5) for day in range(8, 0, -1)
    ]
    put_off = mail_log.lines([mail_log.PUT_OFF], minutes_ago=19)
    deliveries = [*mail_log.EVERYTHING, mail_log.SLOW, mail_log.RETRIED]
    come = [mail_log.CONNECTED, mail_log.TAKEN_IN, mail_log.TAKEN_UP]
    handed_in = [*mail_log.SUBMITTED * 4, mail_log.BY_SCRIPT]
    now = mail_log.lines([*come, *deliveries, *handed_in, *mail_log.TROUBLE, *mail_log.NOT_WORKING])
    everything = [*mail_log.EVERYTHING, *mail_log.TROUBLE, *mail_log.NOT_WORKING]
    elsewhere = mail_log.lines(
        [*everything * 2, *mail_log.SUBMITTED], host="mx2", instance="postfix-out"
    )
    log = written("mail.log", *days, *history, put_off, now, elsewhere)
    lossy = written("lossy/mail.log", log.read_text(), mail_log.lost())
    for told in (log, lossy):
        with in_zone("UTC"):
            outcome_of(deferred.CHECK, ["--log", str(told), "--state", state_of(told)])
    archive = written("last-week/mail.log.1", mail_log.lines(mail_log.EVERYTHING, minutes_ago=9))
    os.utime(archive, (time.time() - 540,) * 2)
    aged = written("aged/mail.log", now)
    written("aged/mail.log.1", mail_log.lines([mail_log.SENT], minutes_ago=40 * 1440))
    in_tokyo = mail_log.lines(mail_log.EVERYTHING, form="bsd", zone=TOKYO)
    return {
        "log": log,
        "lossy": lossy,
        "guessed": written("guessed.log", mail_log.lines(mail_log.GUESSED)),
        "other": written("other.log", mail_log.lines([mail_log.SENT])),
        "tokyo": written("tokyo.log", in_tokyo),
        "archives": archive.parent,
        "aged": aged,
    }


def state_of(log):
    """Return where the state lies to which a log was told."""
    return f"{log}.state"


@pytest.fixture
def places(logs, tmp_path, monkeypatch):
    """These logs, a queue with mail in every queue, and where else something is."""

    def read(asked, _, now, command):
        if asked[0].config_dir == "/down":
            raise DownError("postqueue: mail system is down")
        names = ("active", "deferred", "deferred", "deferred", "hold", "incoming", "maildrop")
        size = 100 if asked[0].config_dir or command or len(asked) > 1 else 50
        messages = [
            QueuedMessage(name, f"A{n}", int(now) - 600 - size, size, False, (f"a@{n}.example",))
            for n, name in enumerate(names)
        ]
        return Listing(messages, now)

    monkeypatch.setattr(instances, "others", lambda: [instances.Instance("/etc/other", True)])
    monkeypatch.setattr(postqueue, "read", read)
    monkeypatch.setattr(journalctl, "MACHINE_ID", str(tmp_path / "none"))  # without a journal
    lost = mail_log.lines([mail_log.SENT], minutes_ago=4)
    return {
        **{name: str(path) for name, path in logs.items()},
        "replaced": str(mail_log.write(tmp_path / "replaced.log", lost)),
        "state": str(tmp_path / "state"),
        "told": str(tmp_path / "told"),
        "nowhere": str(logs["log"]),  # no directory
        "earlier": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%MZ}",
    }


# What a check needs to say something of each of its labels.
TELLING = {
    "postfix auth": ["--log", "{guessed}"],
    "postfix log": ["--archives", "{archives}"],
    "postfix senders": ["--min-messages", "4"],
    "postfix recipients": ["--address", "ann@example.net"],
}


def called(arguments, places, usually):
    """Return the words of a command line, with what is usual and where things are."""
    return [
        word.format(**places)
        for argument in arguments
        for word in (usually if argument == "{usually}" else [argument])
    ]


def told(places, log="log"):
    """Return how a check is called that finds a log counted."""
    shutil.copyfile(state_of(places[log]), places["told"])
    return ["--log", places[log], "--state", places["told"]]


def outcome(check, arguments, places, afresh=False):
    """Return what a check says; it finds its log counted, or reads all of it afresh."""
    # Where lines were lost, nothing is held against the usual.
    log = "lossy" if check.name == "postfix log" else "log"
    if check not in log_checks():
        usually = ["--state", places["state"]]
    # A recipient's mail is counted since somebody asked for it by its address.
    elif afresh or check.name == "postfix recipients":
        usually = ["--no-state", "--log", places[log]]
    else:
        usually = told(places, log)
    return outcome_of(check, called(arguments, places, usually))


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_the_effect_of_every_option_is_tested(check):
    assert effects(check).keys() == {option.flag for option in [*check.options, *STANDARD]}


def test_the_effect_of_every_option_of_all_is_tested():
    shared = {option.flag for option in OPTIONS}
    # tests/plugin/test_together.py has these.
    own = {"--only", "--except", "--with", "--service-host"}

    assert {option.flag for option in ALL.options} == shared | own
    assert LOG_EFFECTS.keys() == shared


def each_with_its_options() -> list[object]:
    """Return each check with each option; a quick run tries what all have with one of them."""
    return [
        pytest.param(
            check,
            flag,
            marks=pytest.mark.heavy
            if flag in LOG_EFFECTS and check.name != "postfix deferred"
            else (),
        )
        for check in checks()
        for flag in effects(check)
    ]


@pytest.mark.parametrize(
    ("check", "flag"),
    each_with_its_options(),
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_an_option_changes_the_outcome(check, flag, places):
    without, given = effects(check)[flag]

    before = outcome(check, without, places)
    after = outcome(check, [*without, *given], places)

    names_nobody = flag == "--anonymise" and check.name in WITHOUT_NAMES
    assert (before == after) == names_nobody
    assert "internal error" not in before[0] + after[0]
    assert "no such option" not in before[0] + after[0]


@pytest.mark.parametrize("flag", [*LOG_EFFECTS, *STANDARD_EFFECTS])
def test_an_option_that_is_given_once_changes_what_all_say(flag, places):
    without, given = {**LOG_EFFECTS, **STANDARD_EFFECTS}[flag]

    before, after = (
        ALL.outcome_of(called(arguments, places, told(places)))
        for arguments in (without, [*without, *given])
    )

    assert before != after
    assert "internal error" not in before[0] + after[0]
    assert "no such option" not in before[0] + after[0]


def _replace_log(check, places):
    """Put another log in the place of one that was read; return what to call the check with."""
    arguments = ["--log", "{replaced}", "--state", "{state}"]
    outcome(check, arguments, places)
    longer = Path(places["log"]).read_text() + mail_log.lines([mail_log.UNKNOWN])
    another = mail_log.write(Path(places["state"]).with_name("another.log"), longer)
    another.replace(places["replaced"])
    return arguments


def _telling(check):
    return ["{usually}", *TELLING.get(check.name, [])]


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_no_label_is_always_0_and_every_one_is_declared(check, places):
    text, _ = outcome(check, _telling(check), places, afresh=True)
    after_a_loss = _replace_log(check, places) if check in log_checks() else ["{usually}"]
    later, _ = outcome(check, after_a_loss, places)

    labels = perfdata.of(later) | perfdata.of(text)
    if check in log_checks():
        labels |= {name: perfdata.of(later)[name] for name in ("gaps", "not_understood")}
    # What mail must do for hours for this one, tests/common/test_standstill.py plays.
    declared = {label.name for label in check.labels}
    assert declared == set(labels)
    labels.pop("standstill", None)
    assert all(label.value for label in labels.values())


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_labels_stand_as_they_are_declared(check, places):
    labels = perfdata.of(outcome(check, _telling(check), places, afresh=True)[0])

    for declared in check.labels:
        shown = labels[declared.name]
        bounds = ["" if n is None else f"{n}" for n in (declared.minimum, declared.maximum)]
        assert [shown.uom, shown.minimum, shown.maximum] == [declared.uom, *bounds]


def test_the_names_that_people_depend_on_stay():
    assert {check.executable: {label.name for label in check.labels} for check in checks()} == {
        "check_postfix_deferred": {
            "deferred_ratio", "attempts", "sent", "deferred", "bounced", "expired",
            "deferred_messages", "accepted", "bytes_received", "bytes_delivered",
            "standstill", "gaps",
            "not_understood",
        },
        "check_postfix_bounces": {
            "bounce_ratio", "sent", "bounced", "expired", "bounced_550", "bounced_554",
            "mailbox_full", "gaps", "not_understood",
        },
        "check_postfix_auth": {
            "auth_failures", "auth_worst_client", "auth_clients", "auth_backend_errors",
            "auth_accounts", "auth_worst_account", "auth_failures_slow", "auth_worst_client_slow",
            "auth_worst_account_slow", "auth_guessed", "gaps", "not_understood",
        },
        "check_postfix_rejects": {
            "reject_factor", "rejects", "rejects_usual", "gaps", "not_understood",
        },
        "check_postfix_volume": {
            "volume_factor", "received", "sent", "connections", "usual_low", "usual_high",
            "silence", "silence_factor", "gaps", "not_understood",
        },
        "check_postfix_delay": {
            "delay_p50", "delay_p95", "delay_p99", "delay_before_queue", "delay_queue",
            "delay_connection", "delay_transmission", "retried_p95", "deliveries", "retried",
            "gaps", "not_understood",
        },
        "check_postfix_log": {
            "log_age", "lines", "lost_messages", "debug_lines", "oldest_log", "fatal", "panic",
            "warnings", "local_faults", "throttled", "no_room", "gaps", "not_understood",
        },
        "check_postfix_senders": {
            "sender_worst_factor", "sender_busiest_factor", "senders", "sender_worst_messages",
            "sender_worst_recipients", "sender_worst_clients", "sender_worst_bounced", "gaps",
            "not_understood",
        },
        "check_postfix_recipients": {
            "recipient_worst_factor", "recipients", "recipient_worst_messages",
            "recipient_worst_clients", "recipient_worst_rejects", "gaps", "not_understood",
        },
        "check_postfix_queue": {
            "queue_size", "queue_oldest", "active", "deferred", "hold", "incoming", "maildrop",
            "queue_bytes", "active_oldest", "deferred_oldest", "hold_oldest", "incoming_oldest",
            "maildrop_oldest", "deferred_age",
        },
    }  # fmt: skip


def test_a_directory_of_archives_has_a_name():
    with pytest.raises(UsageError) as error:
        ARCHIVES.value("")

    assert str(error.value) == "--archives : is empty; leave it out, or name something"
