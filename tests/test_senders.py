"""Who sends far more than usual: accounts, users of this machine, and clients without a login."""

from __future__ import annotations

import json
import re

import pytest

from check_postfix.maillog.counts.senders import BOUNCED, MESSAGES, RECIPIENTS
from check_postfix.senders import CHECK
from tests.support import mail_log
from tests.support.builders import a_window, options
from tests.test_privacy import run

COMMON = "gaps=0;;;0 not_understood=0;;;0"


def by_account(
    name: str, messages: int = 0, recipients: int = 0, bounced: int = 0, networks: int = 1
) -> list[tuple[dict[str, str], int]]:
    """Return the keys of an account."""
    rows = [
        ({"what": MESSAGES, "sender": name, "network": f"203.0.{n}.0/24"}, messages // networks)
        for n in range(1, networks)
    ]
    rest = messages - sum(number for _, number in rows)
    rows += [({"what": MESSAGES, "sender": name, "network": "203.0.0.0/24"}, rest)]
    rows += [({"what": RECIPIENTS, "sender": name}, recipients)]
    return [*rows, ({"what": BOUNCED, "sender": name}, bounced)]


ANN = by_account("ann@example.com", 412, 3900, 1482, 14)
BOB = by_account("bob@example.com", 3, 4)


def judge(*arguments, verbosity=0, keys=(), family="by_account", most=None, minutes=15):
    window = a_window(keys={family: list(keys)}, most=most, minutes=minutes)
    return CHECK.judge(window, options(CHECK, *arguments), verbosity)


def words(outcome):
    return outcome.line.partition(" | ")[0]


def perfdata(outcome):
    return dict(re.findall(r"(\w+)=([\d.]+)", outcome.line.partition(" | ")[2]))


def test_a_stolen_account_is_told_of_in_the_first_line():
    outcome = judge(keys=ANN + BOB, most={"ann@example.com": 3, "bob@example.com": 3})

    assert outcome.exit_code == 2
    assert outcome.line == (
        "POSTFIX SENDERS CRITICAL - ann@example.com: 412 messages to 3,900 recipients in 15 min"
        " from 14 networks, usually 3; 38 % bounced"
        " | sender_worst_factor=137.3;3;;0 sender_busiest_factor=137.3;;2;0 senders=2;;;0"
        " sender_worst_messages=412;;;0 sender_worst_recipients=3900;;;0"
        f" sender_worst_clients=14;;;0 sender_worst_bounced=38%;;;0;100 {COMMON}"
    )


def test_where_another_account_sends_mailings_it_is_a_warning():
    outcome = judge(keys=ANN, most={"ann@example.com": 3, "news@example.com": 400})

    assert outcome.exit_code == 1
    assert perfdata(outcome)["sender_busiest_factor"] == "1"


def test_who_sends_mailings_may():
    outcome = judge(keys=by_account("news@example.com", 900, 900), most={"news@example.com": 800})

    assert outcome.exit_code == 0
    assert words(outcome) == (
        "POSTFIX SENDERS OK - 1 account, busiest news@example.com: 900 messages to 900 recipients"
        " in 15 min, usually 800"
    )


def test_an_account_that_never_sent_is_judged_by_the_least_number_alone():
    new = by_account("new@example.com", 99, 99)
    least = by_account("new@example.com", 100, 100)

    assert judge(keys=new, most={}).exit_code == 0
    assert perfdata(judge(keys=new, most={}))["sender_worst_factor"] == "0"
    assert judge(keys=least, most={}).exit_code == 2
    assert judge(keys=least, most={"bob@example.com": 100}).exit_code == 1


def test_a_few_messages_are_never_too_many():
    outcome = judge(keys=by_account("bob@example.com", 50, 50), most={"bob@example.com": 1})

    assert outcome.exit_code == 0
    assert judge(
        "--min-messages", "50", keys=by_account("bob@example.com", 50, 50), most={}
    ).exit_code == 2  # fmt: skip


def test_with_few_days_known_nothing_is_compared_and_that_is_said():
    outcome = judge(keys=ANN)

    assert outcome.exit_code == 0
    assert words(outcome).endswith("; 38 % bounced, usual not known yet (3 of 7 days)")
    assert "factor" not in outcome.line


def test_in_a_longer_window_more_is_usual():
    outcome = judge(keys=ANN, most={"ann@example.com": 60}, minutes=60)

    assert outcome.exit_code == 0
    assert "usually 240" in outcome.line


def test_no_message_is_ok():
    outcome = judge(most={})

    assert outcome.exit_code == 0
    assert words(outcome) == "POSTFIX SENDERS OK - no message of accounts in 15 min"


@pytest.mark.parametrize(
    ("option", "just", "beyond"),
    [
        ("--critical-messages", "412", "411"),
        ("--critical-recipients", "3900", "3899"),
        ("--critical-clients", "14", "13"),
        ("--critical-bounced", "38%", "37%"),
    ],
)
def test_each_number_has_a_threshold_of_its_own(option, just, beyond):
    assert judge(option, just, keys=ANN + BOB).exit_code == 0
    assert judge(option, beyond, keys=ANN + BOB).exit_code == 2


def test_the_line_is_about_whoever_the_alarm_is_about():
    news = by_account("news@example.com", 5000, 5000)
    most = {"news@example.com": 5000}

    assert "- ann@example.com: 412" in judge(keys=news + ANN, most=most).line
    many = by_account("many@example.com", 10, 9000)
    assert "- many@example.com: 10 messages to 9,000 recipients" in (
        judge("--critical-recipients", "8000", keys=news + many, most=most).line
    )


def test_the_share_of_bounces_of_few_messages_is_not_judged():
    keys = by_account("bob@example.com", 2, 2, 2)

    assert judge("--critical-bounced", "50%", keys=keys).exit_code == 0


def test_a_sender_can_be_left_out():
    outcome = judge("--ignore-sender", "Ann@example.com", keys=ANN + BOB, most={})

    assert outcome.exit_code == 0
    assert perfdata(outcome)["senders"] == "1"


def test_of_a_user_of_this_machine_its_number_is_shown():
    keys = [
        ({"what": MESSAGES, "sender": "33"}, 800),
        ({"what": RECIPIENTS, "sender": "33"}, 800),
    ]
    outcome = judge("--by", "uid", keys=keys, family="by_uid", most={"33": 20})

    assert outcome.exit_code == 2
    assert words(outcome) == (
        "POSTFIX SENDERS CRITICAL - uid 33: 800 messages to 800 recipients in 15 min, usually 20"
    )


def test_of_a_client_its_address_is_shown():
    keys = [
        ({"what": MESSAGES, "sender": "10.1.2.3"}, 1),
        ({"what": RECIPIENTS, "sender": "10.1.2.3"}, 1),
    ]
    outcome = judge("--by", "client", keys=keys, family="by_client", most={})

    assert words(outcome) == (
        "POSTFIX SENDERS OK - 1 client, busiest 10.1.2.3: 1 message to 1 recipient in 15 min,"
        " usually 0"
    )


def test_of_too_many_senders_the_numbers_are_lower_bounds():
    others = [({"what": "*", "sender": "*", "network": "*"}, 9000)]
    outcome = judge(keys=others + BOB, most={})

    assert words(outcome).startswith("POSTFIX SENDERS OK - 1 or more accounts, busiest bob@")


def test_with_v_the_busiest_are_listed():
    outcome = judge(keys=ANN + BOB, most={"bob@example.com": 4}, verbosity=1)

    assert outcome.lines[:3] == [
        "messages by account:",
        "  412  ann@example.com (3,900 recipients, 38 % bounced, 14 networks, usually 0)",
        "    3  bob@example.com (4 recipients, 1 network, usually 4)",
    ]


def submitted(queue_id: str) -> list[str]:
    return [
        f"submission/smtpd[23]: {queue_id}: client=unknown[203.0.113.44], sasl_method=PLAIN,"
        " sasl_username=carol@example.com",
        taken_up(queue_id, 4),
    ]


def taken_up(queue_id: str, recipients: int) -> str:
    return f"qmgr[12]: {queue_id}: from=<c@x.example>, size=800, nrcpt={recipients} (queue active)"


def tried(queue_id: str, how: str, times: int) -> list[str]:
    return [getattr(mail_log, how).replace("4XJ2Vw0dHbz9sK1", queue_id)] * times


@pytest.mark.parametrize("runs", [1, 4])
def test_what_bounces_when_it_is_retried_is_the_senders_however_many_runs_read_it(tmp_path, runs):
    queue_id = "4XJ2Vw0dHbz9sK7"
    parts = [
        mail_log.lines(submitted(queue_id), 100),
        mail_log.lines(tried(queue_id, "DEFERRED", 4), 99),
        mail_log.lines([taken_up(queue_id, 4), *tried(queue_id, "DEFERRED", 3)], 60)
        + mail_log.lines(tried(queue_id, "SENT", 1), 60),
        mail_log.lines([taken_up(queue_id, 3), *tried(queue_id, "BOUNCED_550", 3)], 5),
    ]
    log = mail_log.write(tmp_path / "mail.log", "")
    state = tmp_path / "state"
    asked = "--window", "2h", "--min-messages", "1"
    for run_of in range(runs):
        with log.open("a") as live:
            live.write("".join(parts[run_of * 4 // runs : (run_of + 1) * 4 // runs]))
        outcome = run(CHECK, log, state, *asked)

    assert "carol@example.com: 1 message to 4 recipients in 2 h; 75 % bounced" in outcome
    assert "no message of accounts in 15 min" in run(CHECK, log, state)


def test_a_script_that_floods_is_told_of_by_what_the_log_says(tmp_path):
    """Whole way from the log: pickup's line names the user, and no other line does."""
    flood = [
        mail_log.BY_SCRIPT.replace("4XJ2Vw0dHbz9sK3", f"4F{number:08X}") for number in range(120)
    ]
    log = mail_log.write(tmp_path / "mail.log", mail_log.lines(flood))

    outcome = run(CHECK, log, tmp_path / "state", "--by", "uid", "--warning-messages", "100")

    assert "SENDERS WARNING - uid 33: 120 messages to 0 recipients in 15 min" in outcome


@pytest.mark.parametrize(
    "written",
    [
        lambda stamp, rest: f"{stamp} mx1 INFO    {rest}",
        lambda stamp, rest: json.dumps({"log": f"{stamp} mx1 {rest}\n", "time": stamp}),
        lambda stamp, rest: f"{stamp} stdout F {stamp} mx1 {rest}",
    ],
    ids=["severity", "docker", "kubernetes"],
)
def test_a_stolen_account_is_told_of_in_any_frame(tmp_path, written):
    flood = [mail_log.SUBMITTED[0].replace("z9sK2", f"z9{number:03}") for number in range(120)]
    lines = mail_log.lines(flood).splitlines()
    framed = [written(*line.split(" mx1 ", 1)) for line in lines]
    log = mail_log.write(tmp_path / "mail.log", *[f"{line}\n" for line in framed])

    outcome = run(CHECK, log, tmp_path / "state", "--warning-messages", "100")

    assert "SENDERS WARNING - carol@example.com: 120 messages to 0 recipients" in outcome


def test_who_only_has_recipients_in_the_window_has_handed_in_nothing_in_it(tmp_path):
    """The queue manager takes a message up in the minute after it came in."""
    taken = mail_log.lines(submitted("4XJ2Vw0dHbz9sK7")[:1], 18)
    up = mail_log.lines([taken_up("4XJ2Vw0dHbz9sK7", 4)], 12)
    log = mail_log.write(tmp_path / "mail.log", taken, up)

    outcome = run(CHECK, log, tmp_path / "state")

    assert "OK - no message of accounts in 15 min" in outcome
    assert "senders=0;;;0 sender_worst_messages=0;;;0 sender_worst_recipients=4;;;0" in outcome
