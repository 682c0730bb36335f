"""Reasons: why mail was put off, sent back or refused, in a few words of our own.

What Postfix says itself is told by how its text starts. What another server said
is that server's own affair, wherever a word of it stands: its enhanced code
decides, and where that is a general one, its words. What is not certain is
`other`.

Sources: postfix/src/smtp (smtp_connect.c, smtp_addr.c, smtp_proto.c,
smtp_trouble.c), smtpd/smtpd_check.c; RFC 3463, 5321, 7372, 7505.
"""

from __future__ import annotations

from check_postfix.maillog.expression import Expression

MAILBOX_FULL = "mailbox full"
UNKNOWN_USER = "unknown user"
GREYLISTED = "greylisted"
RATE_LIMITED = "rate limited"
BLOCKED = "blocked by a list"
POLICY = "policy"
DNS = "DNS"
TLS = "TLS"
REFUSED = "connection refused"
TIMED_OUT = "connection timed out"
LOST = "connection lost"
CONTENT = "content"
TOO_LARGE = "too large"
RELAY_DENIED = "relay denied"
LOGIN_REFUSED = "login refused"
CLIENT_REFUSED = "client refused"
HELO_REFUSED = "HELO refused"
SENDER_REFUSED = "sender refused"
RECIPIENT_REFUSED = "recipient refused"
OTHER = "other"

REASONS = {
    MAILBOX_FULL: "the recipient's mailbox has no room",
    UNKNOWN_USER: "the recipient does not exist",
    GREYLISTED: "whoever is not known yet has to come back",
    RATE_LIMITED: "too much, too fast or too often",
    BLOCKED: "the client is on a block list, or of bad repute",
    POLICY: "SPF, DKIM or DMARC",
    DNS: "a name or address cannot be looked up, or takes no mail",
    TLS: "no encryption, or a certificate that does not do",
    REFUSED: "nobody listens there",
    TIMED_OUT: "no answer, or no way to there",
    LOST: "the other side hung up",
    CONTENT: "spam, virus or form of the message",
    TOO_LARGE: "the message is too large",
    RELAY_DENIED: "not for us, and not from one of us",
    LOGIN_REFUSED: "the relay wants a login, or another one",
    CLIENT_REFUSED: "our own rules about clients",
    HELO_REFUSED: "our own rules about HELO names",
    SENDER_REFUSED: "our own rules about senders",
    RECIPIENT_REFUSED: "our own rules about recipients",
    OTHER: "anything else, or not certain",
}

# By what a delivery's text starts with; the group's name is the reason.
_match_own = Expression(
    rb"(?:delivery temporarily suspended: )?(?:"
    rb"(?P<said>host [^\s\[\]]++\[[^\]\s]++\] (?:said|refused to talk to me): [245]\d\d[ -])"
    rb"|connect to [^\s\[\]]++\[[^\]\s]++\](?::\d++)?: (?:(?P<refused>Connection refused)"
    rb"|(?P<unreachable>Connection timed out|Operation timed out|No route to host"
    rb"|Network is unreachable|Host is down))"
    rb"|conversation with (?P<silent>[^\s\[\]]++(?:\[[^\]\s]++\])? timed out while )"
    rb"|(?P<lost>lost connection with )"
    rb"|(?P<dns>Host or domain name not found|Host not found|unable to look up host "
    rb"|Domain [^\s]++ does not accept mail \(nullMX\)|no MX host for )"
    rb"|(?P<tls>TLS is required, but |TLS policy |TLSA |no TLSA |non DNSSEC destination"
    rb"|Cannot start TLS: |Server certificate )"
    rb"|(?P<login>SASL authentication failed; )"
    rb"|(?P<user>unknown user: \"|User unknown in |user unknown)"
    rb")"
).match  # fmt: skip
_OWN = {
    "refused": REFUSED,
    "unreachable": TIMED_OUT,
    "silent": TIMED_OUT,
    "lost": LOST,
    "dns": DNS,
    "tls": TLS,
    "login": LOGIN_REFUSED,
    "user": UNKNOWN_USER,
}

# By enhanced code, its class left out where both mean the same.
_CODES = {
    b".1.1": UNKNOWN_USER,
    b".1.6": UNKNOWN_USER,
    b"5.2.1": UNKNOWN_USER,
    b".1.2": DNS,
    b".1.8": DNS,
    b".4.3": DNS,
    b"5.4.4": DNS,
    b".2.3": TOO_LARGE,
    b".3.4": TOO_LARGE,
    b".5.3": RATE_LIMITED,
    b".6.0": CONTENT,
    b".7.8": LOGIN_REFUSED,
    b".7.10": TLS,
    # RFC 7372
    b".7.20": POLICY,
    b".7.21": POLICY,
    b".7.22": POLICY,
    b".7.23": POLICY,
    b".7.24": POLICY,
    b".7.25": DNS,
    b".7.26": POLICY,
    b".7.27": DNS,
    b".7.28": RATE_LIMITED,
    b".7.29": POLICY,
    # Microsoft's own
    b"5.7.64": RELAY_DENIED,
    b"5.7.508": RATE_LIMITED,
    b"5.7.509": POLICY,
    b"5.7.511": BLOCKED,
    b"5.7.515": POLICY,
}
_CODES |= {b"4.7.%d" % detail: RATE_LIMITED for detail in (500, 501, 502, 650, 651, 652)}
_CODES |= {b"5.7.%d" % detail: BLOCKED for detail in range(606, 650)}

# By words of the other server, in lower case: the first that is found decides.
_WORDS = [
    (GREYLISTED, rb"gr[ae]y-? ?list"),
    (
        BLOCKED,
        rb"spamhaus|spamcop|barracudacentral|uceprotect|\b(?:dnsbl|rbl)\b|bl[ao]ck ?-?list|denylist"
        rb"|blocked using|banned|(?:poor|bad|low|ip) reputation|client host .{0,80}blocked",
    ),
    (
        POLICY,
        rb"\b(?:spf|dkim|dmarc)\b|sender policy|unauthenticated e?-?mail"
        rb"|authentication (?:information|checks)",
    ),
    (
        RATE_LIMITED,
        rb"rate.?limit|throttl|too (?:many|fast|much)|at a rate|unusual rate|limit exceeded"
        rb"|exceeded .{0,40}limit|unexpected volume|flood",
    ),
    (
        UNKNOWN_USER,
        rb"(?:user|recipient|mailbox|address|account) (?:is )?(?:unknown|not found|invalid)"
        rb"|(?:unknown|invalid|no such|non-?existent) (?:local )?(?:user|recipient|mailbox|address"
        rb"|account|person)"
        rb"|(?:does not|doesn't) (?:exist|have an?)|no mailbox here|unrouteable address"
        rb"|account .{0,30}(?:disabled|inactive)|recipient address rejected: access denied",
    ),
    (
        RELAY_DENIED,
        rb"relay(?:ing)? (?:access )?(?:is )?(?:denied|not |prohibited)"
        rb"|(?:unable|permitted) to relay",
    ),
    (TLS, rb"\bstarttls\b|\btls\b"),
    (LOGIN_REFUSED, rb"authentication (?:is )?(?:required|failed)|not authenticated"),
    (
        DNS,
        rb"(?:domain|host) (?:name )?(?:not found|does not resolve)|reverse (?:dns|hostname)"
        rb"|\bptr\b|cannot (?:find|resolve)",
    ),
    (
        CONTENT,
        rb"\bspam|virus|malware|phish|unsolicited|(?:message|mail) content|attachment",
    ),
    (TOO_LARGE, rb"too (?:large|big)|message size"),
]
_SEARCHES = [(reason, Expression(words).search) for reason, words in _WORDS]

# What makes two texts of one template differ: addresses, numbers, queue IDs.
_strip = Expression(rb"[^\s@]*+@\S*+|\b[A-Za-z_]*+\d\w*+").sub
_known: dict[bytes, str] = {}
_KNOWN = 2_000


def of_delivery(enhanced_code: bytes, reply: bytes) -> str:
    """Return why a delivery attempt failed.

    reply: the text behind `status=WORD (`
    """
    own = _match_own(reply)
    if own and own.lastgroup != "said":
        return _OWN[own.lastgroup or ""]
    reason = _CODES.get(enhanced_code) or _CODES.get(enhanced_code[1:])
    if reason:
        return reason
    if not own:
        return OTHER
    template = _strip(b"", reply[own.end() :])
    if template not in _known:
        if len(_known) >= _KNOWN:
            _known.clear()
        _known[template] = _of_words(template.lower())
    return _known[template]


def _of_words(words: bytes) -> str:
    return next((reason for reason, search in _SEARCHES if search(words)), OTHER)


# By what smtpd's or a milter's message starts with, behind the `<...>: ` that
# says whom it is about.
_match_blocked = Expression(
    rb"Service (?:unavailable|denied); (?:(?:(?:Unverified )?Client host |client )?"
    rb"\[[^\]\s]++\] blocked using (?P<list>[A-Za-z0-9_.-]++)(?=,|\s*\Z)"
    rb"|(?:Sender address|Helo command|Recipient address) \[)"
).match
_match_rule = Expression(
    rb"(?:Unverified )?(?P<about>Client host|Helo command|Sender address|Recipient address)"
    rb" rejected: "
).match
_RULES = {
    b"Client host": CLIENT_REFUSED,
    b"Helo command": HELO_REFUSED,
    b"Sender address": SENDER_REFUSED,
    b"Recipient address": RECIPIENT_REFUSED,
}
_match_message = Expression(
    rb"(?i:(?P<greylisted>gr[ae]y-? ?list)"
    rb"|(?P<policy>(?:message rejected due to: )?(?:spf|dkim|dmarc)\b|rejected by dmarc"
    rb"|please see https?://(?:www\.openspf\.|spf\.pobox\.))"
    rb"|(?P<dns>domain not found|host not found|malformed dns server reply|cannot find your )"
    rb"|(?P<rate>too many connections|all (?:server|screening) ports busy|rate ?limit)"
    rb"|(?P<content>spam |virus |infected |malware )"
    rb"|(?P<large>message size exceeds )"
    rb"|(?P<relay>relay access denied))"
).match
_MESSAGES = {
    "greylisted": GREYLISTED,
    "policy": POLICY,
    "dns": DNS,
    "rate": RATE_LIMITED,
    "content": CONTENT,
    "large": TOO_LARGE,
    "relay": RELAY_DENIED,
}
_NO_SUCH_RECIPIENT = (b"User unknown", b"undeliverable address", b"unverified address")


def of_reject(message: bytes) -> tuple[str, str]:
    """Return why smtpd, postscreen or a milter refused something, and the block list's name.

    message: what stands behind the codes and the `<...>: `, up to a semicolon
    """
    if blocked := _match_blocked(message):
        return BLOCKED, (blocked["list"] or b"").decode().lower()
    about = b""
    if rule := _match_rule(message):
        about, message = rule["about"], message[rule.end() :]
    if about == b"Recipient address" and message.startswith(_NO_SUCH_RECIPIENT):
        return UNKNOWN_USER, ""
    if known := _match_message(message):
        return _MESSAGES[known.lastgroup or ""], ""
    return _RULES.get(about, OTHER), ""
