"""Mail that this machine itself does not take: what to do is told for here, not elsewhere."""

from __future__ import annotations

import pytest

from check_postfix.command import remedy
from check_postfix.maillog.events import reasons
from check_postfix.mailqueue import reason

LMTP = "mx1.example.com[private/dovecot-lmtp]"


@pytest.mark.parametrize(
    ("words", "place", "advice"),
    [
        (
            f"connect to {LMTP}: No such file or directory",
            "connection refused, private/dovecot-lmtp",
            "nothing answers at private/dovecot-lmtp on this machine: see that the server behind it"
            " runs (Dovecot: systemctl status dovecot) and who may open it: ls -l $(postconf -h"
            " queue_directory)/private/dovecot-lmtp; then postqueue -f",
        ),
        (
            f"delivery temporarily suspended: connect to {LMTP}: Connection refused",
            "connection refused, private/dovecot-lmtp",
            "nothing answers at ",
        ),
        (
            "lost connection with mx1.example.com[/run/dovecot/lmtp] while receiving the initial"
            " server greeting",
            "connection lost, /run/dovecot/lmtp",
            "nothing answers at /run/dovecot/lmtp on this machine",
        ),
        (
            f"host {LMTP} said: 451 4.2.0 <ann@example.com> Temporary internal error (in reply to"
            " end of DATA command)",
            "private/dovecot-lmtp",
            "see what the server behind private/dovecot-lmtp says in its own log",
        ),
        (
            f"host {LMTP} said: 452 4.2.2 <ann@example.com> Quota exceeded (mailbox for user is"
            " full) (in reply to RCPT TO command)",
            "mailbox full, private/dovecot-lmtp",
            "the mailbox on this machine has no room: doveadm quota get -u USER",
        ),
        (
            "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused",
            "connection refused, 127.0.0.1:10024",
            "nothing answers at 127.0.0.1:10024 on this machine: start the filter",
        ),
        (
            "host localhost[::1] said: 451 4.5.0 Error in processing (in reply to end of DATA"
            " command)",
            "::1",
            "see what the filter or server at ::1 on this machine says",
        ),
        (
            "cannot update mailbox /var/mail/ann for user ann. error writing message: Disk quota"
            " exceeded",
            "a mailbox here",
            "make room on this machine: df -h",
        ),
        (
            "cannot update mailbox /var/mail/ann for user ann. unable to lock for exclusive access:"
            " Resource temporarily unavailable",
            "a mailbox here",
            "another program holds the mailbox: fuser",
        ),
        (
            "maildir delivery failed: create maildir file /home/ann/Maildir/tmp/1: Permission"
            " denied",
            "a mailbox here",
            "see who may write the mailbox",
        ),
        (
            "cannot update mailbox /var/mail/ann for user ann. error writing message: File too"
            " large",
            "a mailbox here",
            "the mailbox has reached its limit",
        ),
        (
            "mail system configuration error",
            "delivery here",
            "read the warnings of the delivery agent",
        ),
        (
            "temporary failure. Command output: lda: Fatal: no",
            "command failed",
            remedy.OF_REASON[reasons.COMMAND],
        ),
    ],
)
def test_what_waits_for_a_server_of_this_machine_is_mended_here(words, place, advice):
    named, what = remedy.named(words)

    assert named == place
    assert what.startswith(advice)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("connect to mx.example.net[192.0.2.1]:25: Connection refused", reasons.REFUSED),
        (
            "host mx.example.net[192.0.2.1] said: 451 connect to x[private/lmtp]: no (in reply to"
            " RCPT TO command)",
            reasons.OTHER,
        ),
        ("connect to mx.example.net[127.0.0.1.example]:25: Connection refused", reasons.REFUSED),
        (
            "host mx.example.net[192.0.2.1] said: 450 4.2.0 cannot update mailbox (in reply to RCPT"
            " TO command)",
            reasons.OTHER,
        ),
    ],
)
def test_what_others_say_does_not_make_it_a_fault_of_this_machine(words, kind):
    assert remedy.named(words) == (kind, remedy.OF_REASON[kind])


@pytest.mark.parametrize(
    ("words", "general"),
    [
        (
            f"connect to {LMTP}: No such file or directory",
            "connect to private/dovecot-lmtp: No such file or directory",
        ),
        (
            "delivery temporarily suspended: connect to 127.0.0.1[127.0.0.1]:10024: Connection"
            " refused",
            "connect to 127.0.0.1:10024: Connection refused",
        ),
        (
            f"host {LMTP} said: 452 4.2.2 <ann@example.com> Quota exceeded (in reply to RCPT TO)",
            "private/dovecot-lmtp: 452 4.2.2 ... Quota exceeded",
        ),
        (
            "conversation with 127.0.0.1[127.0.0.1] timed out while sending message body",
            "conversation with 127.0.0.1 timed out while sending message body",
        ),
    ],
)
def test_a_reason_keeps_the_name_of_a_server_of_this_machine(words, general):
    assert reason.general(words) == general


@pytest.mark.parametrize(
    ("words", "general"),
    [
        (
            "cannot update mailbox /var/mail/ann for user ann. error writing message: Disk quota"
            " exceeded",
            "cannot update mailbox ...: error writing message: Disk quota exceeded",
        ),
        (
            "maildir delivery failed: create maildir file /home/ann/Maildir/tmp/a: Permission"
            " denied",
            "maildir delivery failed: create maildir file ...: Permission denied",
        ),
    ],
)
def test_a_mailbox_and_its_user_do_not_make_a_reason_of_its_own(words, general):
    assert reason.general(words) == general


def test_the_relay_of_a_socket_is_the_socket():
    assert reason.relay(f"connect to {LMTP}: Connection refused") == "private/dovecot-lmtp"
