"""Reasons: why mail was put off, bounced or refused, in a few words of our own.

Postfix's own words are known by how its text starts. Another server's words are its own
affair, wherever they stand: its enhanced code decides, or, where that is a general
one, its words. A reason that is not certain is `other`.

Sources: postfix/src/smtp (smtp_connect.c, smtp_addr.c, smtp_proto.c,
smtp_trouble.c), qmgr/qmgr_message.c, local/alias.c, global/sys_exits.c,
global/pipe_command.c, smtpd/smtpd_check.c; RFC 3463, 5321, 7372, 7505.
"""

from __future__ import annotations

from check_postfix.maillog.syntax.expression import Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

MAILBOX_FULL = "mailbox full"
UNKNOWN_USER = "unknown user"
GREYLISTED = "greylisted"
RATE_LIMITED = "rate limited"
BLOCKED = "blocked by a list"
POLICY = "policy"
DNS = "DNS"
OUR_NAME = "name of this server"
TLS = "TLS"
REFUSED = "connection refused"
TIMED_OUT = "connection timed out"
LOST = "connection lost"
CONTENT = "content"
TOO_LARGE = "too large"
RELAY_DENIED = "relay denied"
LOOP = "mail loop"
NOT_WRITTEN = "mailbox cannot be written"
NO_TRANSPORT = "no transport"
LOOKUP = "lookup failure"
UNAVAILABLE = "server unavailable"
COMMAND = "command failed"
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
    OUR_NAME: "our PTR record or HELO name does not do for another server",
    TLS: "no encryption, or a certificate that does not do",
    REFUSED: "nobody listens there",
    TIMED_OUT: "no answer, or no way to there",
    LOST: "the other side hung up",
    CONTENT: "spam, virus or form of the message",
    TOO_LARGE: "the message is too large",
    RELAY_DENIED: "not for us, and not from one of us",
    NOT_WRITTEN: "our own disk, or the owner or mode of a mailbox of ours",
    LOOP: "mail comes back to who has sent it on",
    NO_TRANSPORT: "our own delivery agent for it does not work",
    LOOKUP: "a table or database of whoever answers does not answer itself",
    COMMAND: "a program that mail is handed to",
    UNAVAILABLE: "whoever answers takes nothing for now: its disk, load, configuration",
    LOGIN_REFUSED: "the relay wants a login, or another one",
    CLIENT_REFUSED: "our own rules about clients",
    HELO_REFUSED: "our own rules about HELO names",
    SENDER_REFUSED: "our own rules about senders",
    RECIPIENT_REFUSED: "our own rules about recipients",
    OTHER: "anything else, or not certain",
}

# What another server said, after the name and address that Postfix knows it by.
match_said = Expression(
    rb"host [^\s\[\]]++\[[^\]\s]++\] (?:said|(?P<refused>refused to talk to me))"
    rb": (?P<code>[245]\d\d)[ -]"
).match
_SUSPENDED = b"delivery temporarily suspended: "

# By what Postfix says itself: how it begins and, where a name of a host or domain
# stands after that, how it goes on after the name.
_OWN = (
    (LOST, (b"lost connection with ",)),
    (DNS, (b"Host or domain name not found", b"Host not found", b"unable to look up host ",
           b"no MX host for ")),
    (TLS, (b"TLS is required, but ", b"TLS policy ", b"TLSA ", b"no TLSA ",
           b"non DNSSEC destination", b"Cannot start TLS: ", b"Server certificate ",
           b"client TLS configuration problem")),
    (LOGIN_REFUSED, (b"SASL authentication failed; ",)),
    (UNKNOWN_USER, (b'unknown user: "', b"User unknown in ", b"user unknown")),
    (NO_TRANSPORT, (b"mail transport unavailable",)),
    (LOOKUP, (b"address resolver failure", b"alias database unavailable")),
    (COMMAND, (b"temporary failure", b"service unavailable", b"Command died with ",
               b"Command time limit exceeded: ")),
)  # fmt: skip
_OWN_ABOUT = (
    # Of a socket, such as Dovecot's lmtp, whose server is not started.
    (REFUSED, b"connect to ", (b"Connection refused", b"No such file or directory")),
    (TIMED_OUT, b"connect to ", (b"Connection timed out", b"Operation timed out",
                                 b"No route to host", b"Network is unreachable", b"Host is down")),
    (TIMED_OUT, b"conversation with ", (b"timed out while ",)),
    (DNS, b"Domain ", (b"does not accept mail (nullMX)",)),
    (LOOP, b"mail for ", (b"loops back to myself",)),
)  # fmt: skip

# What local and virtual say of a mailbox, where it is not a full one by its code (local/mailbox.c,
# local/maildir.c, virtual/mailbox.c)
_OF_A_MAILBOX = (b"maildir delivery failed: ", b"cannot update mailbox ",
                 b"delivery failed to mailbox ", b"cannot append message to file ")  # fmt: skip

# By enhanced code, its class left out where both mean the same.
_CODES = {
    b".2.2": MAILBOX_FULL,
    b".1.1": UNKNOWN_USER,
    b".1.6": UNKNOWN_USER,
    b".1.2": DNS,
    b".1.8": DNS,
    b".4.3": DNS,
    b"5.4.4": DNS,
    b".2.3": TOO_LARGE,
    b".3.4": TOO_LARGE,
    b".4.6": LOOP,
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
    b".7.25": OUR_NAME,
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

# A disabled mailbox. Google says so to whom it has too much mail from, too.
_DISABLED = b"5.2.1"
_TOO_OFTEN = (b"at a rate", b"too quickly", b"too fast")
# Of the content and of security: no mailbox is full, whatever the words are.
_NEVER_FULL = (_DISABLED, b"5.6.", b"5.7.")
# Another server's system, where its words tell nothing else (RFC 3463, 3.4 and 3.5).
_ITS_SYSTEM = (b"4.3.0", b"4.3.1", b"4.3.2", b"4.3.5", b"4.4.5")
# Those that say no more than the reply code.
_GENERAL = (b".0.0", b".2.0")
_NO_ROOM = (b"452", b"552")
# Of the other server's own disk.
_NOT_A_MAILBOX = b"system storage"

# By words of the other server, in lower case: the first expression that finds some
# decides. It finds nothing in a text without any of the words before it, and is then
# neither asked nor compiled.
_WORDS = [
    (
        MAILBOX_FULL,
        b"full|quota|storage allocation|limit exceeded|too many messages on",
        rb"mailbox (?:is )?full|(?<!sending )(?<!daily )(?<!hourly )(?<!relaying )quota"
        rb"|exceeded storage allocation|(?:blocks|inode) limit exceeded"
        rb"|too many messages on the server",
    ),
    (GREYLISTED, b"grey|gray|delayed by", rb"gr[ae]y-? ?list|delayed by "),
    (LOOP, b"hop|loop", rb"too many hops|hop count|(?:mail|routing|forwarding) loop"),
    (
        BLOCKED,
        b"spamhaus|spamcop|barracuda|uceprotect|dnsbl|rbl|black|block|denylist|banned|reputation"
        b"|complaints|permanently deferred",
        rb"spamhaus|spamcop|barracudacentral|uceprotect|\b(?:dnsbl|rbl)\b|bl[ao]ck ?-?list|denylist"
        rb"|blocked using|banned|(?:poor|bad|low|ip) reputation|client host .{0,80}blocked"
        # Yahoo's [TS01] to [TS03]; its [TSS04] leaves open which it is
        rb"|(?<!volume or )user complaints|permanently deferred",
    ),
    (
        POLICY,
        b"spf|dkim|dmarc|sender policy|unauthenticated|authentication",
        rb"\b(?:spf|dkim|dmarc)\b|sender policy|unauthenticated e?-?mail"
        rb"|authentication (?:information|checks)",
    ),
    (
        RATE_LIMITED,
        b"rate|throttl|too |limit|unexpected volume|flood|quota",
        rb"rate.?limit|throttl|too (?:many|fast|much|quickly)|at a rate|unusual rate"
        rb"|limit exceeded|exceeded .{0,40}limit|unexpected volume|flood"
        rb"|(?:sending|daily|hourly|relaying) quota",
    ),
    (
        UNKNOWN_USER,
        b"unknown|not found|invalid|no such|exist|have a|no mailbox|unrouteable|disabled|inactive"
        b"|access denied",
        rb"(?:user|recipient|mailbox|address|account) (?:is )?(?:unknown|not found|invalid)"
        rb"|(?:unknown|invalid|no such|non-?existent) (?:local )?(?:user|recipient|mailbox|address"
        rb"|account|person)"
        rb"|(?:does not|doesn't) (?:exist|have an?)|no mailbox here|unrouteable address"
        rb"|(?:account|mailbox) .{0,30}(?:disabled|inactive)"
        rb"|recipient address rejected: access denied",
    ),
    (
        RELAY_DENIED,
        b"relay",
        rb"relay(?:ing)? (?:access )?(?:is )?(?:denied|not |prohibited)"
        rb"|(?:unable|permitted) to relay",
    ),
    (TLS, b"tls", rb"\bstarttls\b|\btls\b"),
    (
        LOGIN_REFUSED,
        b"authenticat",
        rb"authentication (?:is )?(?:required|failed)|not authenticated",
    ),
    (
        OUR_NAME,
        b"reverse|ptr|rdns|helo|your hostname",
        rb"reverse (?:dns|hostname)|\bptr\b|\brdns\b|\bhelo command rejected"
        rb"|cannot (?:find|resolve) your hostname",
    ),
    (
        DNS,
        b"domain|host|cannot",
        rb"(?:domain|host) (?:name )?(?:not found|does not resolve)|cannot (?:find|resolve)",
    ),
    (
        LOOKUP,
        b"lookup",
        rb"temporary lookup (?:failure|error)"
        rb"|(?:table|database|map|alias) lookup (?:failure|error|problem)",
    ),
    (
        CONTENT,
        b"spam|virus|malware|phish|unsolicited|content|attachment",
        rb"\bspam|virus|malware|phish|unsolicited|(?:message|mail|its) content|attachment",
    ),
    (TOO_LARGE, b"too |message size", rb"too (?:large|big)|message size"),
]
_SEARCHES = [
    (reason, needed.split(b"|"), Expression(words).search) for reason, needed, words in _WORDS
]

# What makes two texts of one template differ: addresses, numbers, queue IDs. The
# former may hold any words, so something is left that parts their neighbours.
_replace_addresses = Expression(rb" [^\s@]*+@\S*+").sub
_drop_numbers = Expression(rb"\b[A-Za-z_]*+\d\w*+").sub
_known: dict[tuple[bytes, bool], str] = {}
_KNOWN = 2_000


def of_delivery(enhanced_code: bytes, reply: bytes, said: re.Match[bytes] | None) -> str:
    """Return why a delivery attempt failed.

    reply: the text after `status=WORD (`
    said:  what match_said makes of it
    """
    if not said and reply.startswith(_SUSPENDED):
        reply = reply.removeprefix(_SUSPENDED)
        said = match_said(reply)
    if not said and (own := _of_own(reply)):
        return own
    reason = _CODES.get(enhanced_code) or _CODES.get(enhanced_code[1:])
    if reason:
        return reason
    if not said:
        if reply.startswith(_OF_A_MAILBOX):
            return NOT_WRITTEN
        return UNKNOWN_USER if enhanced_code == _DISABLED else OTHER
    template = _drop_numbers(b"", _replace_addresses(b" @", b" " + reply[said.end() :])).lower()
    if enhanced_code == _DISABLED:
        too_often = any(words in template for words in _TOO_OFTEN)
        return RATE_LIMITED if too_often else UNKNOWN_USER
    # Who does not talk to us does not speak of a mailbox.
    may_be_full = not said["refused"] and not enhanced_code.startswith(_NEVER_FULL)
    reason = _of_template(template, may_be_full)
    if reason == OTHER and may_be_full and enhanced_code[1:] in _GENERAL:
        no_room = said["code"] in _NO_ROOM and _NOT_A_MAILBOX not in template
        return MAILBOX_FULL if no_room else OTHER
    if reason == OTHER and enhanced_code in _ITS_SYSTEM:
        return UNAVAILABLE
    return reason


def _of_template(template: bytes, may_be_full: bool) -> str:
    reason = _known.get((template, may_be_full))
    if reason is None:
        if len(_known) >= _KNOWN:
            _known.clear()
        reason = _known[template, may_be_full] = _of_words(template, may_be_full)
    return reason


def _of_own(text: bytes) -> str | None:
    for reason, first_minute in _OWN:
        if text.startswith(first_minute):
            return reason
    for reason, start, goes_on in _OWN_ABOUT:
        if text.startswith(start):
            _, _, rest = text[len(start) :].partition(b" ")
            if rest.startswith(goes_on):
                return reason
    return None


def _of_words(text: bytes, may_be_full: bool) -> str:
    for reason, needed, search in _SEARCHES if may_be_full else _SEARCHES[1:]:
        if any(words in text for words in needed) and search(text):
            return reason
    return OTHER


# By what smtpd's or a milter's message starts with, after the `<...>: ` that
# says whom it is about.
_NO_SERVICE = (b"Service unavailable", b"Service denied")
_LISTED_CLIENTS = (b"", b"client ", b"Client host ", b"Unverified Client host ")
_LISTED_NAMES = (b"Sender address ", b"Helo command ", b"Recipient address ")
_RULES = {
    b"Client host": CLIENT_REFUSED,
    b"Helo command": HELO_REFUSED,
    b"Sender address": SENDER_REFUSED,
    b"Recipient address": RECIPIENT_REFUSED,
}
_NO_SUCH_RECIPIENT = (b"User unknown", b"undeliverable address", b"unverified address")
_NOT_VERIFIED = b"unverified address: "
# In lower case.
_MESSAGES = (
    (GREYLISTED, (b"delayed by ", *(b"gr%cy%blist" % (vowel, gap) for vowel in b"ae"
                                    for gap in (b"", b"-", b" ", b"- ")))),
    (DNS, (b"domain not found", b"host not found", b"malformed dns server reply",
           b"cannot find your ")),
    (RATE_LIMITED, (b"too many connections", b"all server ports busy", b"all screening ports busy",
                    b"ratelimit", b"rate limit")),
    (CONTENT, (b"spam ", b"virus ", b"infected ", b"malware ")),
    (TOO_LARGE, (b"message size exceeds ",)),
    (RELAY_DENIED, (b"relay access denied",)),
    (LOOKUP, (b"temporary lookup failure",)),
    (LOOP, (b"error: too many hops",)),
    (UNAVAILABLE, (b"insufficient system storage", b"server configuration error",
                   b"server configuration problem", b"error: queue file write error")),
    (POLICY, (b"rejected by dmarc",
              b"please see http://www.openspf.", b"please see https://www.openspf.",
              b"please see http://spf.pobox.", b"please see https://spf.pobox.")),
)  # fmt: skip
_DUE_TO = b"message rejected due to: "
_POLICIES = (b"spf", b"dkim", b"dmarc")


def of_reject(message: bytes) -> tuple[str, str]:
    """Return why smtpd, postscreen or a milter refused something, and the block list's name.

    message: the text after the codes and the `<...>: `, up to a semicolon
    """
    service, _, whom = message.partition(b"; ")
    if service in _NO_SERVICE and (blocked := _of_blocked(whom)):
        return blocked
    about, rejected, because = message.partition(b" rejected: ")
    rule = _RULES.get(about.removeprefix(b"Unverified ")) if rejected else None
    if rule:
        message = because
    if rule == RECIPIENT_REFUSED and message.startswith(_NO_SUCH_RECIPIENT):
        # Where the next hop could not be asked, nobody knows whether there is such a recipient.
        return _of_own(message.removeprefix(_NOT_VERIFIED)) or UNKNOWN_USER, ""
    message = message.lower()
    for reason, first_minute in _MESSAGES:
        if message.startswith(first_minute):
            return reason, ""
    if _is_policy(message.removeprefix(_DUE_TO)):
        return POLICY, ""
    return rule or OTHER, ""


def _of_blocked(whom: bytes) -> tuple[str, str] | None:
    """Return the same of `Client host [192.0.2.1] blocked using zen.example` and the like."""
    what, _, name = whom.partition(b"[")
    if what in _LISTED_NAMES:
        return BLOCKED, ""
    address, _, blocklist = name.partition(b"] blocked using ")
    if what not in _LISTED_CLIENTS or b" " in address:
        return None
    blocklist = blocklist.partition(b",")[0].rstrip()
    is_name = blocklist.translate(None, b"_.-").isalnum()
    return (BLOCKED, blocklist.decode().lower()) if is_name else None


def _is_policy(message: bytes) -> bool:
    return any(
        message.startswith(word) and not message[len(word) : len(word) + 1].isalnum()
        for word in _POLICIES
    )
