"""Why mail was put off, bounced or refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.maillog.events import reasons
from check_postfix.maillog.events.recogniser import delivery
from tests.support.package import ROOT

HOST = "host mx.example.net[198.51.100.25]"

# What a delivery says behind `status=WORD (`, by what it means: (enhanced code, text). Postfix's
# own texts as in its source; of large providers as they publish them.
DELIVERIES = {
    reasons.MAILBOX_FULL: [
        ("5.2.2", "cannot update mailbox /var/mail/ann for user ann. error writing message: File"
                  " too large"),
        ("4.2.2", f"{HOST} said: 452 4.2.2 The email account is over quota"),
        ("5.2.2", "maildir delivery failed: create maildir file: Disk quota exceeded"),
        ("5.0.0", f"{HOST} said: 552 storage exceeded"),
        # The words, where the enhanced code is general or of another thing.
        ("5.0.0", f"{HOST} said: 550 Mailbox is full / Blocks limit exceeded"),
        ("5.0.0", f"{HOST} said: 550 Inode limit exceeded"),
        ("5.2.0", f"{HOST} said: 554 5.2.0 mailbox full"),
        ("5.1.0", f"{HOST} said: 550 5.1.0 Recipient is over quota"),
        ("4.2.1", f"{HOST} said: 450 4.2.1 overquota"),
        ("5.0.0", f"{HOST} said: 554 Mailbox has exceeded storage allocation"),
        ("5.0.0", f"{HOST} said: 550 too many messages on the server"),
        # A bare code, where neither speaks.
        ("4.0.0", f"{HOST} said: 452 try again"),
    ],
    reasons.UNKNOWN_USER: [
        ("5.1.1", f"{HOST} said: 550 5.1.1 <greylisted.spam@example.net>: no"),
        ("5.1.1", 'unknown user: "ann"'),
        ("5.1.1", "User unknown in virtual mailbox table"),
        ("5.1.1", "user unknown"),
        ("5.0.0", f"{HOST} said: 550 No such user here"),
        ("5.0.0", f"{HOST} said: 550 MAILBOX NOT FOUND"),
        ("5.0.0", f"{HOST} said: 550 sorry, no mailbox here by that name (#5.1.1 - chkuser)"),
        ("5.4.1", f"{HOST} said: 550 5.4.1 Recipient address rejected: Access denied. [x.outlook]"),
        ("5.2.1", f"{HOST} said: 550-5.2.1 The email account that you tried to reach is disabled."),
        ("5.2.1", f"{HOST} said: 552 5.2.1 mailbox full"),
        ("5.2.1", "mailbox is disabled"),
        ("5.0.0", f"{HOST} said: 552 1 Requested mail action aborted, mailbox not found"),
    ],
    reasons.GREYLISTED: [
        ("4.2.0", f"{HOST} said: 450 4.2.0 <a@b>: Recipient address rejected: Greylisted, see"),
        ("4.7.1", f"{HOST} said: 451 4.7.1 Greylisting in action, please come back later"),
        ("4.3.0", f"{HOST} refused to talk to me: 421 graylisted - please try again later"),
        ("4.2.0", f"{HOST} said: 450 4.2.0 <a@b>: Recipient address rejected: Delayed by Postgrey"),
    ],
    reasons.RATE_LIMITED: [
        ("4.7.651", f"{HOST} said: 451 4.7.651 The mail server [192.0.2.1] has been temporarily"),
        ("4.2.1", f"{HOST} said: 450-4.2.1 The user you are trying to contact is receiving mail at"
                  " a rate that 450-4.2.1 prevents additional messages from being delivered."),
        ("4.7.28", f"{HOST} said: 421-4.7.28 Gmail has detected an unusual rate of mail"),
        ("4.7.0", f"{HOST} refused to talk to me: 421 4.7.0 Too many connections from 192.0.2.1"),
        ("4.5.3", f"{HOST} said: 452 4.5.3 Error: too many recipients"),
        ("4.0.0", f"{HOST} said: 452 Too many recipients received this hour"),
        ("4.0.0", f"{HOST} said: 452 Daily quota exceeded"),
        ("5.4.5", f"{HOST} said: 550 5.4.5 Daily user sending quota exceeded"),
        ("4.7.0", f"{HOST} refused to talk to me: 421 4.7.0 [TSS04] Messages from 192.0.2.1"
                  " temporarily deferred due to unexpected volume or user complaints - 4.16.55.1"),
        ("5.2.1", f"{HOST} said: 550-5.2.1 The user you are trying to contact is receiving mail at"
                  " a rate that 550-5.2.1 prevents additional messages from being delivered."),
        ("5.2.1", f"{HOST} said: 550-5.2.1 The user you are trying to contact is receiving mail"
                  " 550-5.2.1 too quickly."),
    ],
    reasons.BLOCKED: [
        ("5.7.1", f"{HOST} said: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked"
                  " using zen.spamhaus.org"),
        ("5.7.606", f"{HOST} said: 550 5.7.606 Access denied, banned sending IP [192.0.2.1]"),
        ("5.0.0", f"{HOST} refused to talk to me: 554 Your IP has a poor reputation"),
        ("4.7.0", f"{HOST} refused to talk to me: 421 4.7.0 [TS01] Messages from 192.0.2.1"
                  " temporarily deferred due to user complaints - 4.16.55.1"),
        ("4.7.1", f"{HOST} refused to talk to me: 421 4.7.1 [TS03] All messages from 192.0.2.1"
                  " will be permanently deferred; Retrying will NOT succeed."),
        ("5.0.0", f"{HOST} said: 552 blocked using zen.spamhaus.org"),
    ],
    reasons.POLICY: [
        ("5.7.26", f"{HOST} said: 550-5.7.26 Your email has been blocked because the sender is"),
        ("5.7.1", f"{HOST} said: 550 5.7.1 SPF check failed for 192.0.2.1"),
        ("5.7.509", f"{HOST} said: 550 5.7.509 Access denied, domain x does not pass DMARC"),
        ("5.7.1", f"{HOST} said: 550-5.7.1 This message does not have authentication information or"
                  " fails to pass authentication checks"),
    ],
    reasons.DNS: [
        ("4.4.3", "Host or domain name not found. Name service error for name=x type=MX: Host not"
                  " found, try again"),
        ("5.4.4", "delivery temporarily suspended: Host or domain name not found. Name service er"),
        ("4.3.0", f"{HOST} said: 451 4.3.0 temporary lookup failure: domain not found"),
        ("4.4.3", "unable to look up host mx.example.net: Temporary failure in name resolution"),
        ("5.1.0", "Domain example.net does not accept mail (nullMX)"),
        ("4.1.8", f"{HOST} said: 450 4.1.8 <x@y>: Sender address rejected: Domain not found"),
    ],
    # The name of the one who sends: what this machine looks up itself works.
    reasons.OUR_NAME: [
        ("4.7.1", f"{HOST} said: 450 4.7.1 Client host rejected: cannot find your hostname"),
        ("4.7.1", f"{HOST} said: 450 4.7.1 <mx1>: Helo command rejected: Host not found"),
        ("5.7.1", f"{HOST} said: 550 5.7.1 Client host rejected: cannot find your reverse"
                  " hostname, [192.0.2.1]"),
        ("5.7.25", f"{HOST} said: 550-5.7.25 The IP address sending this message does not have a"),
        ("5.7.1", f"{HOST} said: 550 5.7.1 [192.0.2.1] has no PTR record"),
        ("4.0.0", f"{HOST} refused to talk to me: 421 reverse DNS does not match"),
    ],
    reasons.TLS: [
        ("4.7.4", f"TLS is required, but was not offered by {HOST}"),
        ("4.7.5", "Server certificate not trusted"),
        ("4.7.5", "client TLS configuration problem"),
        ("4.7.5", "Cannot start TLS: handshake failure"),
        ("5.7.0", f"{HOST} said: 530 5.7.0 Must issue a STARTTLS command first"),
    ],
    reasons.REFUSED: [
        ("4.4.1", "connect to mx1.example.com[private/dovecot-lmtp]: No such file or directory"),
        ("4.4.1", "connect to mx.example.net[198.51.100.25]:25: Connection refused"),
        ("4.4.1", "delivery temporarily suspended: connect to a[2001:db8::1]:25: Connection"
                  " refused"),
    ],
    reasons.TIMED_OUT: [
        ("4.4.1", "connect to mx.example.net[198.51.100.25]:25: Connection timed out"),
        ("4.4.1", "connect to mx.example.net[198.51.100.25]:25: No route to host"),
        ("4.4.1", "connect to mx.example.net[2001:db8::25]:25: Network is unreachable"),
        ("4.4.2", "conversation with mx.example.net[198.51.100.25] timed out while receiving the"),
    ],
    reasons.LOST: [
        ("4.4.2", "lost connection with mx.example.net[198.51.100.25] while sending RCPT TO"),
    ],
    reasons.CONTENT: [
        ("5.6.0", f"{HOST} said: 554 5.6.0 Message rejected"),
        ("5.7.1", f"{HOST} said: 554 5.7.1 This is spam"),
        ("5.7.1", f"{HOST} said: 550-5.7.1 this message is likely unsolicited mail"),
        ("5.0.0", f"{HOST} said: 552 virus found"),
        ("5.7.0", f"{HOST} said: 552-5.7.0 This was blocked because its content presents a"),
    ],
    reasons.TOO_LARGE: [
        ("5.3.4", f"{HOST} said: 552 5.3.4 Message size exceeds fixed limit"),
        ("5.2.3", f"{HOST} said: 552 5.2.3 too big"),
    ],
    reasons.RELAY_DENIED: [
        ("5.7.1", f"{HOST} said: 554 5.7.1 <ann@example.net>: Relay access denied"),
        ("5.0.0", f"{HOST} said: 550 relaying denied"),
    ],
    reasons.NOT_WRITTEN: [
        ("4.3.0", "maildir delivery failed: error writing message: No space left on device"),
        ("4.2.0", "cannot update mailbox /var/mail/ann for user ann. unable to create lock file"
                  " /var/mail/ann.lock: Permission denied"),
        ("4.2.0", "delivery failed to mailbox /srv/ann: open: Permission denied"),
    ],
    reasons.LOOP: [
        ("5.4.6", "mail for example.net loops back to myself"),
        ("5.4.6", "mail forwarding loop for ann@example.net"),
        ("5.4.0", f"{HOST} said: 554 5.4.0 Error: too many hops"),
        ("5.0.0", f"{HOST} said: 554 Mail loop detected"),
    ],
    reasons.NO_TRANSPORT: [("4.3.0", "mail transport unavailable")],
    reasons.LOOKUP: [
        ("4.3.0", "address resolver failure"),
        ("4.3.0", "alias database unavailable"),
        ("4.3.0", f"{HOST} said: 451 4.3.0 <ann@example.net>: Temporary lookup failure"),
        ("4.0.0", f"{HOST} said: 451 temporary lookup failure"),
        ("4.3.0", f"{HOST} said: 451 4.3.0 user table lookup error"),
    ],
    reasons.COMMAND: [
        ("4.3.0", "temporary failure"),
        ("4.3.0", "temporary failure. Command output: mailbox full"),
        ("4.3.0", "temporary failure. Command output: connection refused, spamhaus, user unknown"),
        ("5.3.0", "service unavailable. Command output: no"),
        ("5.3.0", 'Command died with status 1: "/usr/local/bin/filter"'),
        ("4.3.0", 'Command time limit exceeded: "/usr/local/bin/filter"'),
    ],
    reasons.UNAVAILABLE: [
        ("4.3.0", f"{HOST} said: 451 4.3.0 later"),
        # No mailbox is full: the server's own disk.
        ("4.3.1", f"{HOST} said: 452 4.3.1 Insufficient system storage"),
        ("4.3.2", f"{HOST} refused to talk to me: 421 4.3.2 All server ports are busy"),
        ("4.3.5", f"{HOST} said: 451 4.3.5 Server configuration error"),
        ("4.4.5", f"{HOST} said: 451 4.4.5 congestion"),
    ],
    reasons.LOGIN_REFUSED: [
        ("4.7.8", "SASL authentication failed; server mx.example.net[198.51.100.25] said: 535"),
        ("5.7.8", f"{HOST} said: 535 5.7.8 no"),
        ("5.7.0", f"{HOST} said: 530 5.7.0 Authentication required"),
    ],
    reasons.OTHER: [
        ("4.0.0", f"{HOST} said: 451 later"),
        ("4.3.0", "x mail transport unavailable"),
        ("4.0.0", f"{HOST} said: 451 mail transport unavailable"),
        ("4.0.0", f"{HOST} said: 451 address resolver failure"),
        ("4.3.0", "x address resolver failure"),
        ("4.3.0", "x temporary failure"),
        # No mailbox is full: a policy's code, the server's own disk, words of no server or of an
        # address, one that does not talk to us.
        ("5.7.1", f"{HOST} said: 552 5.7.1 over quota"),
        ("5.6.9", f"{HOST} said: 552 5.6.9 mailbox full"),
        ("4.0.0", f"{HOST} said: 452 insufficient system storage"),
        ("5.3.0", f"{HOST} said: 552 5.3.0 no"),
        ("4.0.0", f"{HOST} said: 451 <quota.mailbox.full@example.net>: later"),
        ("4.0.0", f"{HOST} refused to talk to me: 452 over quota"),
        # Near misses: the words are another's, or stand elsewhere.
        ("4.0.0", "x connect to mx.example.net[198.51.100.25]:25: Connection refused"),
        ("4.0.0", f"{HOST} said: 451 connect to a[b]:25: Connection refused"),
        ("4.0.0", f"{HOST} said: 451 <greylist.spam.user.unknown@example.net>: later"),
        ("4.0.0", f"{HOST} said: 4510 greylisted"),
    ],
}  # fmt: skip

# What smtpd, postscreen and milters say behind the codes and the `<...>: `.
REJECTS = {
    (reasons.BLOCKED, "zen.spamhaus.org"): [
        "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        "Service unavailable; client [2001:db8::1] blocked using ZEN.spamhaus.org",
        "Service unavailable; Unverified Client host [mx.example.org] blocked using"
        " zen.spamhaus.org",
        "Service unavailable; [192.0.2.1] blocked using zen.spamhaus.org, reason: x",
    ],
    (reasons.BLOCKED, ""): [
        "Service unavailable; Helo command [x] blocked using dbl.spamhaus.org",
        "Service unavailable; Sender address [a] blocked using forged.example",
    ],
    (reasons.RELAY_DENIED, ""): ["Relay access denied"],
    (reasons.LOOKUP, ""): ["Temporary lookup failure"],
    (reasons.UNAVAILABLE, ""): [
        "Insufficient system storage",
        "Server configuration error",
        "Server configuration problem",
        "Error: queue file write error",
    ],
    (reasons.UNKNOWN_USER, ""): [
        "Recipient address rejected: User unknown in local recipient table",
        "Recipient address rejected: undeliverable address: host a[b] said: 550 no",
    ],
    (reasons.GREYLISTED, ""): [
        "Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/x.html",
        "Greylisting in action, try again later",
        "Recipient address rejected: Delayed by Postgrey",
    ],
    (reasons.POLICY, ""): [
        "Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please",
        "Recipient address rejected: Please see http://www.openspf.org/why.html?sender=x",
        "rejected by DMARC policy for example.org",
    ],
    (reasons.DNS, ""): [
        "Sender address rejected: Domain not found",
        "Helo command rejected: Host not found",
        "Client host rejected: cannot find your hostname, [192.0.2.1]",
    ],
    (reasons.RATE_LIMITED, ""): ["too many connections", "Ratelimit exceeded"],
    (reasons.CONTENT, ""): ["Spam message rejected", "Virus found"],
    (reasons.LOOP, ""): ["Error: too many hops"],
    (reasons.TOO_LARGE, ""): ["Message size exceeds fixed limit"],
    (reasons.CLIENT_REFUSED, ""): ["Client host rejected: Access denied"],
    (reasons.HELO_REFUSED, ""): ["Helo command rejected: need fully-qualified hostname"],
    (reasons.SENDER_REFUSED, ""): [
        "Sender address rejected: not owned by user ann",
        "Sender address rejected: undeliverable address: x",
    ],
    (reasons.RECIPIENT_REFUSED, ""): ["Recipient address rejected: Access denied"],
    (reasons.OTHER, ""): [
        "",
        "no",
        "Service currently unavailable",
        "Service unavailable - try again later",
        "x Relay access denied",
        "x Temporary lookup failure",
        "mx1.example.com Server configuration error",
        "<a>: Relay access denied",
        "Recipient address rejected:User unknown",
        "Service unavailable; Client host [192.0.2.1] blocked using",
        "Service unavailable; Client host [192.0.2.1 x] blocked using zen.spamhaus.org",
        "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org or so",
        "Service unavailable; x [192.0.2.1] blocked using zen.spamhaus.org",
    ],
}


def flat(table):
    return [(reason, *([case] if isinstance(case, str) else case))
            for reason, cases in table.items() for case in cases]  # fmt: skip


@pytest.mark.parametrize(("reason", "enhanced_code", "text"), flat(DELIVERIES))
def test_a_failed_delivery_has_the_reason(reason, enhanced_code, text):
    event = delivery.outcome(
        b"deferred", b"example.net", b"mx.example.net", enhanced_code.encode(),
        f"{text} (in reply to RCPT TO command))".encode(),
    )  # fmt: skip

    assert event.reason == reason


@pytest.mark.parametrize(("what", "message"), flat(REJECTS))
def test_a_reject_has_the_reason_and_block_list(what, message):
    assert reasons.of_reject(message.encode()) == what


def test_every_reason_is_told_by_some_text_and_has_a_meaning():
    told = set(DELIVERIES) | {reason for reason, _ in REJECTS}

    assert told == reasons.REASONS.keys()
    assert all(meaning for meaning in reasons.REASONS.values())


def test_the_page_names_every_reason():
    page = (ROOT / "checks" / "NUMBERS.md").read_text()
    section = page.partition("\n## Reasons\n")[2].partition("\n## ")[0]

    for reason, meaning in reasons.REASONS.items():
        if not meaning.startswith("our own rules"):  # they are named together
            assert all(re.search(rf"\b{word}\b", section) for word in reason.split()), reason


@pytest.mark.parametrize(("reason", "needed", "words"), reasons._WORDS)
@given(data=st.data())
def test_nothing_is_found_where_none_of_the_needed_words_stands(reason, needed, words, data):
    found = data.draw(st.from_regex(words))

    assert any(word in found for word in needed.split(b"|")), reason


def test_templates_are_not_remembered_without_end():
    for number in range(3 * reasons._KNOWN):
        word = "".join(chr(97 + int(digit)) for digit in str(number))
        reply = f"{HOST} said: 451 {word}".encode()
        reasons.of_delivery(b"4.0.0", reply, reasons.match_said(reply))

    assert len(reasons._known) <= reasons._KNOWN
