"""What rsyslog and journald say of lines that they have dropped is a gap."""

from __future__ import annotations

import re
import time

import pytest

from check_postfix.common.log_remarks import local_time
from check_postfix.deferred import CHECK
from check_postfix.maillog.events.scanner import Scan
from check_postfix.plugin.run import outcome_of
from tests.support import corpus, mail_log, perfdata

LINES = (corpus.DIRECTORY / "hostile_loss.log").read_bytes().split(b"\n")
SAID = [line for line in LINES if re.match(rb"Nov ", line)]
LOSSES = [*(b"19:%d:01" % minute for minute in range(31, 37)), b"20:42:01", b"20:43:01"]


@pytest.mark.parametrize("line", SAID, ids=lambda line: line[7:12].decode())
def test_only_loggers_own_words_of_lines_that_may_be_ours_tell_of_loss(line):
    assert bool(corpus.losses([line])) == any(stamp in line for stamp in LOSSES)


@pytest.mark.parametrize("repeated", [b"%b", b"message repeated 2 times: [ %b]"])
def test_it_is_known_in_other_frames_too(repeated):
    text = b"imjournal: 406 messages lost due to rate-limiting"
    for frame in (b"2026-11-24T19:31:01+00:00 mx1 ", b"<46>Nov 24 19:31:01 mx1 "):
        line = frame + b"rsyslogd: " + repeated % text
        assert corpus.losses([line])
        assert Scan(corpus.timestamps()).block(b"\n" + line).losses == corpus.losses([line])


def test_what_rsyslog_has_dropped_is_said_as_lines_lost(tmp_path):
    lost = "rsyslogd: imjournal: 406 messages lost due to rate-limiting (20000 allowed)"
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines([mail_log.SENT], minutes_ago=20),
        mail_log.lines([lost]).replace("postfix/", ""),
        mail_log.lines([mail_log.SENT], minutes_ago=1),
    )
    now = int(time.time()) // 60
    then = local_time(now - 5, now)

    text, _ = outcome_of(CHECK, ["--log", str(log), "--no-state"])

    assert perfdata.of(text)["gaps"].value == 1
    assert f"log lines lost between {then} and {then}" in text


def test_what_strangers_write_of_it_is_no_loss(tmp_path):
    forged = "cleanup[9]: 4XJ2Vw0dHbz9sK1: message-id=<rsyslogd: imjournal: 4 messages lost>"
    log = mail_log.write(
        tmp_path / "mail.log",
        mail_log.lines([mail_log.SENT], minutes_ago=20),
        mail_log.lines([forged]),
    )

    text, _ = outcome_of(CHECK, ["--log", str(log), "--no-state"])

    assert perfdata.of(text)["gaps"].value == 0
