"""A line that is cut where another one names somebody is not taken for it, nor it for that."""

from __future__ import annotations

import pytest

from check_postfix import auth
from tests.support import corpus, mail_log
from tests.test_privacy import run

pytestmark = pytest.mark.usefixtures("utc")
FRONT = b"Nov 24 16:47:08 mx1 "
LINES = {
    "Dovecot": (
        b"dovecot: imap-login: Disconnected (auth failed, 1 attempts",
        b" in 2 secs): user=<x>, method=PLAIN, rip=203.0.113.6, lip=192.0.2.1",
    ),
    "a login at Dovecot": (
        b"dovecot: imap-login: Login",
        b": user=<ann>, method=PLAIN, rip=203.0.113.6, lip=192.0.2.1, mpid=7, TLS",
    ),
    "postscreen": (
        b"postfix/postscreen[7]: DNSBL rank 3 for",
        b" [203.0.113.6]:51234",
    ),
    "postscreen's list": (
        b"postfix/postscreen[7]: DENYLISTED",
        b" [203.0.113.6]:51234",
    ),
    "SASL": (
        b"postfix/smtpd[7]: warning: unknown[203.0.113.6]: SASL LOGIN authentication failed",
        b": UGFzc3dvcmQ6, sasl_username=x",
    ),
    "connect": (b"postfix/smtpd[7]: connect from", b" unknown[203.0.113.6]"),
    "reject": (
        b"postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown",
        b"[203.0.113.6]: 554 5.7.1 <a@b.example>: Relay access denied; from=<x@y.example>"
        b" to=<a@b.example> proto=ESMTP helo=<h>",
    ),
    "delivery": (
        b"postfix/smtp[7]: 4ABCDEF012: to=<a@b.example>, relay=c.example[192.0.2.1]:25, delay=1,"
        b" delays=0/0/0/1, dsn=2.0.0, status=sent (",
        b"250 2.0.0 Ok)",
    ),
}


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("is_first", [True, False])
def test_next_to_each_other_they_count_as_they_do_alone(kind, is_first):
    cut, rest = LINES[kind]
    lines = [FRONT + cut, FRONT + cut + rest]
    lines = lines if is_first else lines[::-1]

    alone = [happening for line in lines for happening in corpus.scanned(b"\n" + line)]

    together = corpus.scanned(b"".join(b"\n" + line for line in lines))
    assert sum(one.times for one in together) == sum(one.times for one in alone) >= 1
    assert {one[:-1] for one in together} == {one[:-1] for one in alone}


@pytest.mark.parametrize("is_first", [True, False])
def test_a_failed_login_at_dovecot_counts_beside_one_that_was_cut(tmp_path, is_first):
    cut, rest = LINES["Dovecot"]
    said = [cut.decode(), (cut + rest).decode()]
    lines = mail_log.lines(said if is_first else said[::-1]).replace(" postfix/dovecot", " dovecot")
    log = mail_log.write(tmp_path / "mail.log", lines)

    outcome = run(auth.CHECK, log, tmp_path / "state")

    assert "POSTFIX AUTH OK - 1 failed login in 15 min" in outcome
