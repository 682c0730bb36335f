"""The spelling of the fields that Postfix writes, mostly as fragments of byte expressions.

The recogniser and the scanner are both built from these, so that a field has
one spelling. No fragment has a capturing group: whoever uses a fragment names what
it keeps. Quantifiers over one set are possessive where nothing after them could
want a byte back; this keeps every expression linear on hostile lines. Quantifiers
over groups never are, since Python before 3.11.5 mismatches some of them (CPython
issue 106052). An optional part is spelled `(?:x|)` where every line is asked for it:
the engine tries that faster than `(?:x)?`. In sets that take many bytes `\\s` and
`\\d` are spelled out: for those the engine would call a function for each byte.
"""

# Queue IDs (postfix/src/global/mail_queue.h): hexadecimal, or long ones of digits
# and consonants. Logs made anonymous have other letters in them, so any word with
# a digit will do: none of Postfix's own first words has one.
QUEUE_ID = (
    rb"(?:[0-9][0-9A-Za-z]{5,63}+|[A-Z](?=[A-Za-z]*+[0-9])[0-9A-Za-z]{5,63}+|[A-F]{6,21}+)(?=: )"
)

# One that stands elsewhere in a line is of Postfix's own making, or none: nothing else may be kept.
OTHER_ID = (
    rb"(?:[0-9A-F]{6,21}+|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,64}+|NOQUEUE)(?![0-9A-Za-z])"
)

# A client as smtpd names it: verified name or `unknown`, address or `unknown`,
# and the port with smtpd_client_port_logging=yes.
CLIENT_NAME = rb"[A-Za-z0-9_.-]++"
CLIENT_ADDRESS = rb"[0-9A-Fa-f.:]++|unknown"

# The address form of info_log_address_format=external. Only an address of this form can
# be trusted to end where it seems to end. UNQUOTED_LOCAL is the ordinary case; a quoted
# local part can hold any text.
UNQUOTED_LOCAL = rb"[^\t-\r \"(),:;<>@\[\]\\]*+"
QUOTED_LOCAL = rb"\"(?:[^\"\\\n]++|\\[^\n])*\""
DOMAIN_NAME = rb"[A-Za-z0-9._\-\x80-\xff]++"
DOMAIN = DOMAIN_NAME + rb"|\[(?:IPv6:)?[0-9A-Fa-f:.]++\]"
ADDRESS = rb"(?:" + QUOTED_LOCAL + rb"|" + UNQUOTED_LOCAL + rb")(?:@(?:" + DOMAIN + rb"))?"

# What stands between a recipient and the delivery's text (global/log_adhoc.c).
RELAY = rb"[^\t-\r ,]++"
SECONDS = rb"[0-9.]++"
# `tls=` since Postfix 3.11 (smtp_log_tls_feature_status), and what later versions add: no
# value of theirs can be the end of an address, nor the begin of a reply.
MORE_FIELDS = rb"(?:, (?!dsn=|status=|relay=)[a-z_]++=[^\t-\r ,<>()]++)*"
BEFORE_TIMES = rb"(?:, conn_use=\d++|), delay="
BEFORE_STAGES = SECONDS + rb", delays="
LATER_STAGES = rb"/" + rb"/".join([SECONDS] * 3)
# The whole delay, and the time of each of its four stages
TIMES = BEFORE_STAGES + SECONDS + LATER_STAGES
DELAYS = BEFORE_TIMES + TIMES + MORE_FIELDS
# The first stage of a retry: it is the time since the message came in. The first retry comes after
# 300 s (minimal_backoff_time), and hardly any message takes 200 s to come in.
RETRY = rb"(?:[2-9][0-9]{2}|[0-9]{4})[0-9.]*+"
ENHANCED_CODE = rb"[245]\.\d{1,3}+\.\d{1,3}+"
STATUS = rb"[A-Za-z-]++"

# A text of at least so many bytes may have been cut: by who folds repeats at 800, with the
# blank before them; by old syslog daemons at 1024; by Postfix itself at 2000. A text with
# a queue ID is measured as if that were of the longest, so that its length decides nothing.
_SURELY_WHOLE = 799
_LONGEST_ID = 64


def may_be_cut(text: bytes) -> bool:
    """Tell whether something may be missing at the end of a text that begins with a queue ID."""
    return _LONGEST_ID + len(text) - text.index(b":") >= _SURELY_WHOLE


# A mechanism is a plain word. A stranger can name any text as one, but with a blank only
# inside quotes or angle brackets or after a backslash (smtpd/smtpd_token.c).
MECHANISM = rb"[A-Za-z0-9_-]{1,20}+"
# Some syslog daemons drop the blank before an empty reason.
AUTHENTICATION_FAILED = rb" authentication failed:"


def verified(name: bytes) -> str:
    """Return a client's name in lower case, nothing where Postfix knows none."""
    return "" if name == b"unknown" else name.decode().lower()
