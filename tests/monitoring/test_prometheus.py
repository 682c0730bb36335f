"""What a check measures, as Prometheus is told it: the file, how it is replaced, who reads it."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from check_postfix import bounces, deferred, queue
from check_postfix.common.queue_source import Queue
from check_postfix.mailqueue.listing import Listing, QueuedMessage
from check_postfix.plugin import prometheus
from check_postfix.plugin.run import outcome_of
from tests.support import perfdata
from tests.support.builders import NOON, a_window, options
from tests.support.definitions import ROOT, checks
from tests.support.package import existing

NOW = NOON * 60
LOG = str(ROOT / "tests" / "recorded" / "mail.iso.log")
ARGUMENTS = ["--no-state", "--log", LOG, "--at", "2026-11-24T18:16Z"]
# With these, what it says of that log is OK.
CALM = ["-w", "90", "-c", "95"]


def exposed(check, subject, *arguments):
    """Return the text of the file that a check would write."""
    given = options(check, *arguments)
    return prometheus.exposition(check, check.judge(subject, given), given, NOW + 0.9)


def samples(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_a_file_holds_each_metric_in_base_units_the_state_and_the_time_of_the_run():
    text = exposed(deferred.CHECK, a_window(sent=40, deferred=17, bounced=14, expired=2))

    assert text == (
        "# HELP postfix_deferred_ratio deferrals as a percentage of delivery attempts\n"
        "# TYPE postfix_deferred_ratio gauge\n"
        "postfix_deferred_ratio 0.239\n"
        "# HELP postfix_deferred_attempts delivery attempts\n"
        "# TYPE postfix_deferred_attempts gauge\n"
        "postfix_deferred_attempts 71\n"
        "# HELP postfix_deferred_sent delivery attempts that the relay took\n"
        "# TYPE postfix_deferred_sent gauge\n"
        "postfix_deferred_sent 40\n"
        "# HELP postfix_deferred_deferred delivery attempts that were deferred\n"
        "# TYPE postfix_deferred_deferred gauge\n"
        "postfix_deferred_deferred 17\n"
        "# HELP postfix_deferred_bounced delivery attempts that failed for good\n"
        "# TYPE postfix_deferred_bounced gauge\n"
        "postfix_deferred_bounced 14\n"
        "# HELP postfix_deferred_expired messages given up after too long in the queue\n"
        "# TYPE postfix_deferred_expired gauge\n"
        "postfix_deferred_expired 2\n"
        "# HELP postfix_deferred_messages messages that were deferred, of all domains\n"
        "# TYPE postfix_deferred_messages gauge\n"
        "postfix_deferred_messages 17\n"
        "# HELP postfix_deferred_accepted messages taken in that reached the queue manager\n"
        "# TYPE postfix_deferred_accepted gauge\n"
        "postfix_deferred_accepted 0\n"
        "# HELP postfix_deferred_received_bytes size of these messages\n"
        "# TYPE postfix_deferred_received_bytes gauge\n"
        "postfix_deferred_received_bytes 0\n"
        "# HELP postfix_deferred_delivered_bytes size of messages, once for each recipient they"
        " were sent to\n"
        "# TYPE postfix_deferred_delivered_bytes gauge\n"
        "postfix_deferred_delivered_bytes 0\n"
        "# HELP postfix_deferred_standstill_seconds time for which all mail to other machines was"
        " put off\n"
        "# TYPE postfix_deferred_standstill_seconds gauge\n"
        "postfix_deferred_standstill_seconds 0\n"
        "# HELP postfix_deferred_gaps parts of the window whose log lines were destroyed"
        " before they were read\n"
        "# TYPE postfix_deferred_gaps gauge\n"
        "postfix_deferred_gaps 0\n"
        "# HELP postfix_deferred_not_understood log lines about mail in the window that were not"
        " understood\n"
        "# TYPE postfix_deferred_not_understood gauge\n"
        "postfix_deferred_not_understood 0\n"
        "# HELP postfix_deferred_state what check_postfix_deferred says:"
        " 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN\n"
        "# TYPE postfix_deferred_state gauge\n"
        "postfix_deferred_state 1\n"
        "# HELP postfix_deferred_last_run_timestamp_seconds when check_postfix_deferred said so\n"
        "# TYPE postfix_deferred_last_run_timestamp_seconds gauge\n"
        f"postfix_deferred_last_run_timestamp_seconds {NOW}\n"
    )


def test_names_end_with_the_unit_and_say_nothing_twice():
    message = QueuedMessage(
        "active", "4XJ2Vw0dHbz9sK1", NOW - 90, 1000, False, ("ann@example.net",)
    )

    text = exposed(queue.CHECK, Queue(Listing([message], NOW), 90))

    assert samples(text) == [
        "postfix_queue_size 1",
        "postfix_queue_oldest_seconds 90",
        "postfix_queue_active 1",
        "postfix_queue_deferred 0",
        "postfix_queue_hold 0",
        "postfix_queue_incoming 0",
        "postfix_queue_maildrop 0",
        "postfix_queue_bytes 1000",
        "postfix_queue_active_oldest_seconds 90",
        "postfix_queue_deferred_oldest_seconds 0",
        "postfix_queue_hold_oldest_seconds 0",
        "postfix_queue_incoming_oldest_seconds 0",
        "postfix_queue_maildrop_oldest_seconds 0",
        "postfix_queue_deferred_age_seconds 0",
        "postfix_queue_state 0",
        f"postfix_queue_last_run_timestamp_seconds {NOW}",
    ]


def test_what_could_not_be_measured_is_left_out_with_its_help():
    text = exposed(deferred.CHECK, a_window())

    assert "ratio" not in text
    assert samples(text)[0] == "postfix_deferred_attempts 0"


def test_no_two_labels_of_all_checks_have_the_same_name():
    names = [prometheus.name(check, label) for check in checks() for label in check.labels]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"postfix_[a-z0-9]+_[a-z0-9_]*[a-z0-9]", name) for name in names)
    assert not [name for name in names if name.endswith(("_state", "_timestamp_seconds"))]


def test_what_was_chosen_to_be_measured_becomes_labels_so_that_files_lie_side_by_side():
    count_matching = (
        "--host",
        "mx1",
        "--instance",
        "postfix-out",
        "--window",
        "1h",
        "--log",
        "/a,b",
    )

    text = exposed(
        deferred.CHECK, a_window(), *count_matching, "--log", "/c", "--min-attempts", "5"
    )

    assert samples(text)[0] == (
        'postfix_deferred_attempts{log="/a,b,/c",window_seconds="3600",host="mx1",'
        'postfix_instance="postfix-out"} 0'
    )


def test_what_is_chosen_as_it_is_anyway_makes_no_label():
    text = exposed(deferred.CHECK, a_window(), "--window", "15m")

    assert samples(text)[0] == "postfix_deferred_attempts 0"


def test_quotes_backslashes_and_line_ends_in_a_label_are_escaped():
    text = exposed(deferred.CHECK, a_window(), "--host", 'a"b\\c\nd')

    assert samples(text)[0] == r'postfix_deferred_attempts{host="a\"b\\c\nd"} 0'


def test_a_run_writes_the_file_and_prints_what_it_prints_without(tmp_path):
    path = tmp_path / "deferred.prom"

    with_file = outcome_of(deferred.CHECK, [*ARGUMENTS, "--prometheus", str(path)])

    assert with_file == outcome_of(deferred.CHECK, ARGUMENTS)
    assert samples(path.read_text())[1] == f'postfix_deferred_attempts{{log="{LOG}"}} 71'


@pytest.mark.parametrize(
    "wrong",
    [["--log", "/no.log"], ["--timeout", "0.000001"], ["--windw", "1h"], ["--timeout", "soon"]],
    ids=" ".join,
)
def test_a_run_that_measures_nothing_leaves_its_state_and_no_old_values(wrong, tmp_path):
    path = tmp_path / "deferred.prom"
    arguments = ["--no-state", "--log", LOG, "--host", "mx1", "--prometheus", str(path)]
    outcome_of(deferred.CHECK, [*arguments, "--at", "2026-11-24T18:16Z"])
    labels = samples(path.read_text())[0].partition("{")[2].partition("}")[0]

    # The last --log counts beside the first, so an unreadable one changes a label as well.
    _, code = outcome_of(deferred.CHECK, [*arguments, *wrong])

    state, timestamp = samples(path.read_text())
    assert code == 3
    assert timestamp.startswith("postfix_deferred_last_run_timestamp_seconds{")
    if "--log" in wrong:
        labels = labels.replace(LOG, f"{LOG},/no.log")
    assert state == f"postfix_deferred_state{{{labels}}} 3"


def test_help_and_version_write_no_file(tmp_path):
    path = tmp_path / "deferred.prom"

    outcome_of(deferred.CHECK, ["--prometheus", str(path), "--help"])
    outcome_of(deferred.CHECK, ["--prometheus", str(path), "--version"])

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_node_exporter_would_not_read_is_refused(tmp_path):
    text, code = outcome_of(deferred.CHECK, ["--prometheus", str(tmp_path / "deferred.txt")])

    assert code == 3
    assert text == (
        f"POSTFIX DEFERRED UNKNOWN - --prometheus {tmp_path}/deferred.txt: does not end with"
        " .prom, and node-exporter reads no other file; use for example"
        " /var/lib/prometheus/node-exporter/postfix_queue.prom; see check_postfix_deferred --help\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_ok_whose_file_cannot_be_written_is_unknown(tmp_path):
    path = tmp_path / "gone" / "auth.prom"
    arguments = [*ARGUMENTS, *CALM, "--prometheus", str(path)]

    text, code = outcome_of(deferred.CHECK, arguments)

    assert code == 3
    assert text == (
        "POSTFIX DEFERRED UNKNOWN - 23.9 % of 71 delivery attempts deferred in 15 min"
        f" (log begins {_begin(text)}; cannot write {path}: no such file or directory; make its"
        " directory, or choose another with --prometheus)"
        " | deferred_ratio=23.9%;90;95;0;100 attempts=71;;;0 sent=40;;;0 deferred=17;;;0"
        " bounced=14;;;0 expired=2;;;0 deferred_messages=16;;;0"
        " accepted=59;;;0 bytes_received=15536B;;;0 bytes_delivered=26880B;;;0"
        " standstill=0s;7200;21600;0"
        " gaps=0;;;0 not_understood=0;;;0\n"
    )


def test_a_file_of_another_check_is_not_overwritten(tmp_path):
    path = tmp_path / "postfix.prom"
    outcome_of(deferred.CHECK, [*ARGUMENTS, *CALM, "--prometheus", str(path)])
    before = path.read_text()

    text, code = outcome_of(
        bounces.CHECK, [*ARGUMENTS, "-w", "90", "-c", "95", "--prometheus", str(path)]
    )

    assert code == 3
    assert (
        f"cannot write {path}: it holds the metrics of check_postfix_deferred; give each check a"
        " file of its own with --prometheus)"
    ) in text
    assert path.read_text() == before


def test_a_file_of_the_same_check_is_overwritten(tmp_path):
    path = tmp_path / "postfix.prom"
    for _ in range(2):
        _, code = outcome_of(deferred.CHECK, [*ARGUMENTS, *CALM, "--prometheus", str(path)])

    assert code == 0


def _begin(text: str) -> str:
    """Return when the log begins, which is told in this machine's time."""
    found = re.search(r"log begins ([^);]*)", text)
    assert found
    return found[1]


def test_an_alarm_whose_file_cannot_be_written_stays_an_alarm(tmp_path):
    path = tmp_path / "directory.prom"
    path.mkdir()

    text, code = outcome_of(deferred.CHECK, [*ARGUMENTS, "-c", "20", "--prometheus", str(path)])

    assert code == 2
    assert text.startswith("POSTFIX DEFERRED CRITICAL - 23.9 % ")
    assert f"cannot write {path}: is a directory; " in text
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_does_not_answer_keeps_no_check_from_speaking(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["check_postfix.plugin.run"], "_WRITING", 0.01)
    monkeypatch.setattr(prometheus, "write", lambda *_: signal.pause())
    path = tmp_path / "deferred.prom"

    text, code = outcome_of(deferred.CHECK, [*ARGUMENTS, *CALM, "--prometheus", str(path)])

    assert code == 3
    assert f"; writing {path} took longer than 0.01 s; is the disk well?)" in text


def test_a_file_is_replaced_at_once_and_readable_for_all(tmp_path, monkeypatch):
    path = tmp_path / "queue.prom"
    path.write_text("old")
    seen = {}
    replace = os.replace

    def watched(draft, target):
        seen.update(draft=draft, text=Path(draft).read_text(), target=Path(target).read_text())
        replace(draft, target)

    monkeypatch.setattr(os, "replace", watched)
    mask = os.umask(0o077)
    try:
        prometheus.write(str(path), "new\n")
    finally:
        os.umask(mask)

    # Before: the whole text under a name that nobody reads. After: nothing but the file.
    assert (seen["text"], seen["target"]) == ("new\n", "old")
    assert os.path.dirname(seen["draft"]) == str(tmp_path)
    assert not seen["draft"].endswith(".prom")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path):
    other = tmp_path / "other"
    other.write_text("precious")
    path = tmp_path / "queue.prom"
    path.symlink_to(other)

    prometheus.write(str(path), "new\n")

    assert other.read_text() == "precious"
    assert not path.is_symlink()


def test_a_run_without_the_option_does_not_load_what_writes_the_file(tmp_path):
    program = (
        "import sys\n"
        "from check_postfix.deferred import CHECK\n"
        "from check_postfix.plugin.run import outcome_of\n"
        f"outcome_of(CHECK, {[*ARGUMENTS, '--state', str(tmp_path / 's')]!r})\n"
        "print(*sys.modules)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert not set(done.stdout.split()) & existing("plugin.prometheus")


@pytest.fixture(scope="module")
def scraped():
    """What node-exporter and Prometheus have seen."""
    from . import icinga2, scraping
    from .conftest import observation as observed

    with observed("scraping", *icinga2.PACKAGES, *scraping.PACKAGES) as seen:
        yield seen


# What is usual of an address that has just been asked for
NOT_YET_KNOWN = {"recipient_worst_factor"}


@pytest.mark.integration
def test_node_exporter_reads_all_files_without_an_error(scraped):
    files = len(checks()) + 1
    for shown in (scraped["shown"], scraped["shown_then"]):
        assert "node_textfile_scrape_error 0" in shown
        assert sum(line.startswith("node_textfile_mtime_seconds{") for line in shown) == files


@pytest.mark.integration
@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_node_exporter_shows_every_label_with_the_value_that_was_printed(check, scraped):
    # The first of several lines of a metric is the one with the fewest labels.
    shown = {
        re.split("[{ ]", line, maxsplit=1)[0]: line.split()[-1]
        for line in reversed(samples("\n".join(scraped["shown"])))
    }
    printed = perfdata.of(scraped["printed"][check.name.partition(" ")[2]])

    known = [label for label in check.labels if label.name not in NOT_YET_KNOWN]
    assert list(printed) == [label.name for label in known]
    for label in known:
        expected = printed[label.name].value * (0.01 if label.uom == "%" else 1)
        assert float(shown[prometheus.name(check, label)]) == pytest.approx(expected)


@pytest.mark.integration
def test_two_runs_of_a_check_over_different_windows_are_two_series(scraped):
    attempts = [line for line in scraped["shown"] if line.startswith("postfix_deferred_attempts{")]

    log = 'log="/run/trouble/mail.log"'
    assert attempts == [
        f"postfix_deferred_attempts{{{log}}} 361",
        f'postfix_deferred_attempts{{{log},postfix_instance="postfix",window_seconds="3600"}} 363',
    ]


@pytest.mark.integration
def test_when_a_check_becomes_unknown_prometheus_forgets_its_old_values_at_once(scraped):
    assert scraped["failures"] == ["700"]
    assert scraped["printed_then"].startswith("POSTFIX AUTH UNKNOWN - cannot read ")
    assert scraped["failures_then"] == []
