"""Recognise Postfix in trouble with itself or its surroundings.

These are only lines that no client can cause: a daemon that died, and warnings about
this machine. Postfix's commands die of their caller's mistakes and are left out, but for
a start or reload that fails: postfix-script runs only as root, and what `postfix` and
`postmulti` say of main.cf no caller's mistake can bring about. (What postqueue says of it is
the same, once for each time that the queue is looked at.) A log that quotes the SMTP dialogue
is recognised too: passwords stand in it.

Source: postfix/src/master/master_spawn.c, master_avail.c, util/attr_scan0.c and
many more; the words are Postfix's, at the start of the text.
"""

from __future__ import annotations

import re

from check_postfix import main_cf
from check_postfix.maillog.events import fields
from check_postfix.maillog.events.event import Event
from check_postfix.maillog.syntax.expression import Expression
from check_postfix.maillog.syntax.record import UNKNOWN, Record

COMMANDS = frozenset(
    b"sendmail postdrop postqueue postsuper postmap postalias postconf postcat postlog"
    b" postkick postlock postmulti postfix postfix-script postmulti-script".split()
)
# What starts Postfix (conf/postfix-script, postfix/postfix.c, postmulti/postmulti.c)
_SCRIPT = b"postfix-script"
_CALLS_SCRIPT = frozenset([b"postfix", b"postmulti"])
# What master's child calls itself that finds no program to become (master/master_spawn.c); whatever
# else a daemon says has a tag with a slash (global/mail_task.c).
_MASTER = b"master"
_match_not_started = Expression(
    rb"fatal: master_spawn: exec (?:/[A-Za-z0-9._-]++)*/(?P<program>[A-Za-z0-9._-]++): "
    rb"(?P<error>[A-Z][A-Za-z ]{3,60}+)\Z"
).match
STARTERS = _CALLS_SCRIPT | {_SCRIPT}
# How the lines of those begin that have not got so far as to know their instance's name: their tag
# has no slash.
BEFORE_MAIN_CF = b"fatal: "
# The reason of their end, and of a daemon's, where main.cf is wrong: in which parameter, if that is
# said
_MAIN_CF = "main.cf is wrong"
_NO_MAIN_CF = "there is no main.cf"
# Between what a fault is and the one table or setting that it is about
ABOUT = ": "
# What the lines are called that recognise_death() reads
DIED = "a daemon died"
# Of postfix-script: a command that root had no need of, or has mistyped
_match_slip = Expression(
    rb"fatal: (?:the Postfix mail system is (?:already|not) running|usage postfix "
    rb"|unknown command: |start-fg does not support )"
).match
_match_main_cf = Expression(rb"fatal: " + main_cf.FATAL.encode()).match
_match_no_main_cf = Expression(rb"fatal: " + main_cf.MISSING.encode()).match

# Of a daemon's last words, those before the first that is no word of Postfix's own, but a name,
# a path or a number, at most so many
_WORD = rb"[A-Za-z_'-]{1,40}+(?=[ :!,;]|\Z)"
_match_last_words = Expression(rb"(?:" + _WORD + rb"(?: " + _WORD + rb"){0,7}+|)").match
# What the system says of a call that failed (strerror(3)), at the end of the last words
_match_error = Expression(
    rb"[^\n]*: (?P<error>Address already in use|Cannot assign requested address"
    rb"|No such file or directory|Permission denied|Operation not permitted|Not a directory"
    rb"|Read-only file system|No space left on device|Disk quota exceeded|Input/output error"
    rb"|Too many open files|Cannot allocate memory|Connection refused|Connection timed out)\Z"
).match
# Of a daemon that needs a table, before Postfix 2.10 and where it cannot do without
_match_open = Expression(rb"open database [^\s\":]++(?=: )").match
# What is said when another daemon has died already
_RESULTS = ("daemon initialization failure", "mail system startup failed")

# How lines about such trouble begin, and what it is about; _match_fault knows how they go on.
WARNING = b"warning: "
_QUEUE = "the queue cannot be written"
_SERVICE = "a service does not answer"
TABLE = "a lookup table fails"
NO_TABLE = "a lookup table is missing"
_RULE = "a rule of a table is left out"
_SETTING = "smtpd cannot use a setting"
_TLS = "a TLS certificate or key cannot be used"
_MILTER = "a milter does not answer"
_FILTER = "the proxy filter does not answer"
_SASL = "no SASL server"
THROTTLED = "a service is throttled"
_ENDED = "daemons end with an error"
_KILLED = "daemons are killed by a signal"
_FULL = "a service is at its process limit"
NO_ROOM = "no room in the queue"
_STALE = "a lookup table is older than its source"
_CORRUPT = "a queue file is corrupt"
_STRESS = "postscreen is under stress"
# What follows from a daemon that ends, and what is no reason for one to end
FOLLOWING = frozenset([THROTTLED, _ENDED, _KILLED])
NOT_DEADLY = frozenset([_MILTER, _FILTER, _FULL, _STALE, _CORRUPT, _STRESS, _RULE, _SETTING, _TLS])
# No room, whatever could not be written (strerror(3) of ENOSPC and EDQUOT)
_NO_ROOM_ENDINGS = (b": No space left on device", b": Disk quota exceeded")
# What to do next about each
NEXT_STEPS = {
    _QUEUE: "see owner and mode of the queue's directories with `postfix check`, and df -h, df -i",
    _SERVICE: "start it, or see its line in master.cf, and what its own lines say",
    TABLE: "ask it with `postmap -q KEY TYPE:NAME`, and see whether its file or server is there",
    NO_TABLE: "make it with postmap of its source, with newaliases where it is one of aliases, or"
    " by hand where Postfix reads it as it is (regexp, pcre, cidr, texthash)",
    _RULE: "the log names the line: mend it",
    _SETTING: "mend it in main.cf: until then clients get 451",
    _TLS: "see smtpd_tls_chain_files, or smtpd_tls_cert_file and smtpd_tls_key_file (or smtp_...)",
    _MILTER: "start it, or see smtpd_milters and non_smtpd_milters",
    _FILTER: "start it, or see smtpd_proxy_filter in master.cf",
    _SASL: "start Dovecot or saslauthd, and see smtpd_sasl_path and its owner",
    THROTTLED: "see the fatal: line before it",
    _ENDED: "see the fatal: line before it",
    _KILLED: "see dmesg: 9 is mostly a machine without memory, 11 a fault of the daemon",
    _FULL: "see who holds its processes, and raise its maxproc in master.cf",
    NO_ROOM: "make room on the queue's file system, or see queue_minfree",
    _STALE: "run postmap or newaliases",
    _CORRUPT: "look into the queue's directory corrupt, and at the disk",
    _STRESS: "see who connects, or raise postscreen_pre_queue_limit",
}
# The same about a block list, which is no fault by itself: any list fails to answer at times.
NEXT_STEP_OF_BLOCKLIST = (
    "ask it, as host 2.0.0.127.LIST; where it is gone, or refuses your resolver, take it out of"
    " main.cf or use a resolver of your own"
)
_BY_SIGNAL = b" killed by signal "
_CREATE_FILE = b"warning: mail_queue_enter: "
_WRITE_FILE = b"write queue file"
# Mail is not accepted for it (cleanup/cleanup_addr.c, cleanup_map11.c, cleanup_map1n.c,
# cleanup_masquerade.c, cleanup_message.c, cleanup_milter.c).
_NOT_ACCEPTED = b" map lookup problem "
_TURNED_AWAY = ("turned_away",)
_FAULTS = {
    b"warning: process /": _ENDED,
    b"warning: /": THROTTLED,
    b"warning: master_spawn: ": THROTTLED,
    b'warning: service "': _FULL,
    b"warning: not enough free space ": NO_ROOM,
    _CREATE_FILE: _QUEUE,
    b"warning: connect to Milter ": _MILTER,
    b"warning: connect to proxy ": _FILTER,
    b"warning: connect to p": _SERVICE,
    b"warning: connect to transport ": _SERVICE,
    b"warning: connect #": _SERVICE,
    b"warning: milter ": _MILTER,
    b"warning: problem talking to ": _SERVICE,
    b"warning: timeout on p": _SERVICE,
    b"warning: premature end-of-input ": _SERVICE,
    b"warning: unexpected end-of-input ": _SERVICE,
    b"warning: database ": _STALE,
    b"warning: saving corrupt file ": _CORRUPT,
    b"warning: SASL: ": _SASL,
    b"warning: SASL authentication failure: cannot connect to saslauthd server: ": _SASL,
    b"warning: SASL authentication problem: unable to open ": _SASL,
    b"warning: lost connection with proxy ": _FILTER,
    b"warning: timeout talking to proxy ": _FILTER,
    b"warning: table ": TABLE,
    b"error: open ": NO_TABLE,
    b'warning: unknown smtpd restriction: "': _SETTING,
    b"warning: restriction ": _SETTING,
    b"warning: mynetworks: ": _SETTING,
    b"warning: regexp map ": _RULE,
    b"warning: pcre map ": _RULE,
    b"warning: cidr map ": _RULE,
    b"warning: cannot get ": _TLS,
    b"warning: error opening chain file: ": _TLS,
    b"warning: error loading ": _TLS,
    b"entering STRESS mode with ": _STRESS,
}
FAULTS = tuple(_FAULTS)
_match_fault = Expression(
    rb"(?:entering|error: open (?:database |)(?P<missing>/[^\s\":]++): No such file or directory\Z"
    rb"|error: open (?:database |)(?P<database>/[^\s\":]++): |error: open database "
    rb"|warning: (?:unknown smtpd restriction: \"(?P<unknown>[a-z0-9_]{1,40}+)\"\Z"
    rb"|restriction (?P<restriction>[a-z0-9_]{1,40}+)"
    rb"(?::? (?:bad argument |must be followed by |requires domain name argument)"
    rb"| returns OK for )"
    rb"|(?P<parameter>mynetworks): (?:bad |non-null host |missing '|garbage )"
    # Others of these are about a text that is looked up, which may be a stranger's.
    rb"|(?:regexp|pcre|cidr) map (?P<rules>[^\s,]++), line \d++: (?:Unmatched |Invalid "
    rb"|Trailing backslash\Z|error in regex |IF has no matching ENDIF\Z"
    rb"|[^\n]*(?:skipping|ignoring) this rule\Z)"
    rb"|cannot get [A-Z]{1,9}+ (?:certificate|private key) from file \""
    rb"|error opening chain file: "
    rb"|error loading (?:chain from |certificate (?:\(|chain: )|private key)"
    rb"|process /\S++ pid \d++ (?:exit status|killed by signal) "
    rb"|/[^\s:]++: bad command startup -- throttling"
    rb"|master_spawn: fork: "
    rb"|service \"(?P<full>[^\"\n]++)\" \([^\s()]++\) has reached its process limit "
    rb"|not enough free space in mail queue: "
    rb"|mail_queue_enter: create file "
    rb"|connect to (?:Milter service (?P<milter>\S++)|proxy filter (?P<proxy>\S++)"
    rb"|transport (?P<transport>private/\S++)|(?P<service>(?:private|public)/\S++))"
    rb"|connect #\d{1,3}+ to subsystem (?P<subsystem>(?:private|public)/\S++)(?<=:)"
    rb"|milter (?P<silent_milter>\S++) "
    rb"|problem talking to (?:server |service |)(?P<server>\S++)"
    rb"|(?:timeout|premature end-of-input) on (?P<silent>(?:private|public)/\S++)"
    rb"|unexpected end-of-input from (?P<ended>(?:private|public)/\S++)"
    rb"|database \S++ is older than source file "
    rb"|saving corrupt file \""
    rb"|SASL: (?:Connect|Couldn't |Protocol )"
    rb"|SASL authentication (?:failure: cannot connect to saslauthd server: "
    rb"|problem: unable to open )"
    rb"|(?:lost connection with|timeout talking to) proxy (?P<silent_proxy>\S++)"
    rb"|table (?P<table>[a-z0-9_-]++:[^\s\"]++) lookup error: ))"
).match

# A table, TYPE:NAME (global/maps.c, util/match_ops.c, util/dict_sockmap.c)
OF_A_TABLE_OPENING = rb"warning: [a-z0-9_-]++:(?: [a-z0-9_-]++:|)[^\s\"]"
_match_of_a_table = Expression(
    rb"warning: (?:(?P<table>[a-z0-9_-]++:[^\s\"]++) (?:lookup error for \""
    rb"|is unavailable\. (?:open (?:database |)(?P<missing>[^\s\":]++)"
    rb": No such file or directory\Z|))"
    rb"|[a-z0-9_]++: (?P<asked>[a-z0-9_-]++:[^\s\"]++)(?<=:) table lookup problem)"
).match

# Every queue ID has that form, and few other words before a colon have it.
WITH_A_MESSAGE_OPENING = rb"warning: [0-9A-Z][0-9A-Za-z]{5,63}+: "
_match_with_a_message = Expression(
    rb"warning: " + fields.QUEUE_ID + rb": (?:write queue file"
    rb"|(?:bounce|defer|trace|verify|flush) service failure"
    rb"|(?P<parameter>[a-z0-9_]++) map lookup (?:problem|error) "
    rb"|table (?P<table>[a-z0-9_-]++:[^\s\"]++) lookup error for )"
).match

# After a queue ID, without a severity (global/bounce.c, global/abounce.c,
# cleanup/cleanup_masquerade.c).
SAID_OF_A_MESSAGE_OPENING = (
    rb"(?:status=deferred \((?:bounce|delay warning|verp-bounce|trace) failed\)"
    rb"|[a-z0-9_]++ map lookup problem -- message not accepted, )"
)
_match_said_of_a_message = Expression(
    SAID_OF_A_MESSAGE_OPENING.replace(rb"[a-z0-9_]++", rb"(?P<parameter>[a-z0-9_]++)")
).match

# What was said to and by a client or server, logged because of `-v` or debug_peer_list
_match_dialogue = Expression(
    rb"[<>] (?:" + fields.CLIENT_NAME + rb")?\[(?P<address>" + fields.CLIENT_ADDRESS + rb")\]"
).match

# A block list that did not answer when postscreen asked for a client (dnsblog/dnsblog.c). What
# smtpd says may be about a domain, a stranger's word that looks like an address and a list. The key
# of who has paid for a list stands before its name, and is nobody's business.
_DNSBLOG = (b"dnsblog", UNKNOWN)
BLOCKLIST_OPENING = rb"warning: dnsblog_query: lookup error for DNS query "
_match_blocklist = Expression(
    BLOCKLIST_OPENING + rb"(?:(?:\d{1,3}+\.){4}|(?:[0-9a-f]\.){32})(?:[0-9A-Za-z]{20,63}+\.|)"
    rb"(?P<blocklist>(?=[^\s:]{3,60}+:)[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)+): "
).match

# What is wrong with a message that the line names
_OF_A_MESSAGE = {
    _WRITE_FILE: _QUEUE,
    b" service failure": _SERVICE,
    b" failed)": _SERVICE,
}


def _fault(reason: str, match: re.Match[bytes] | None = None) -> Event:
    """Return the event of a fault.

    match: whose one group is the table or the setting that is at fault, as main.cf has it
    """
    if match and match.lastgroup:
        # What is written into main.cf itself (`inline:{...}`) may be a password.
        about = match[match.lastgroup].partition(b"{")[0].rstrip(b":")
        reason += ABOUT + about.decode("utf-8", "replace")
    return Event(kind="local_fault", reason=reason)


def fault(reason: str) -> str:
    """Return which fault a reason is of, without what it is about: one of NEXT_STEPS."""
    return reason.partition(ABOUT)[0]


def causes_first(reason: str) -> tuple[bool, bool, bool]:
    """Return by what faults are sorted, so that what the others come from stands first."""
    named = fault(reason)
    # Each look into a table that is missing fails.
    return named in FOLLOWING, named in NOT_DEADLY, named == TABLE


def _fault_of_a_message(match: re.Match[bytes] | None) -> Event | None:
    if not match:
        return None
    if _WRITE_FILE in match[0] and match.string.endswith(_NO_ROOM_ENDINGS):
        return _fault(NO_ROOM)
    found = (why for words, why in _OF_A_MESSAGE.items() if words in match[0])
    event = _fault(next(found, TABLE), match)
    is_turned_away = event.reason == _QUEUE or _NOT_ACCEPTED in match[0]
    return event._replace(also=_TURNED_AWAY) if is_turned_away else event


def recognise_death(record: Record, _: int) -> Event | None:
    """Return the event of a daemon's end, or of a start of Postfix that failed; or None.

    record: text starts with `fatal: ` or `panic: `
    """
    if record.program == UNKNOWN or (record.program in COMMANDS and not _is_of_a_start(record)):
        return None
    how, said = record.text.split(b": ", 1)
    service = record.program.decode("utf-8", "replace")
    begin = _match_last_words(said)
    assert begin is not None  # it may be empty
    reason = _of_main_cf(record)
    if not reason:
        # A table is no stranger's word.
        words = (_match_open(said) or begin)[0].decode("utf-8", "replace")
        error = _match_error(said)
        reason = ABOUT.join(filter(None, [words, error and error["error"].decode()]))
    return Event("daemon_died", service=service, reason=reason, also=(how.decode(),))


def is_result(words: str) -> bool:
    """Tell whether a daemon's last words only say that another one has died."""
    return words.startswith(_RESULTS)


def recognise_without_slash(record: Record) -> Event | None:
    """Return the event of a start that failed before main.cf was read, or before a daemon ran.

    record: of a tag without a slash. Until main.cf tells syslog_name, it is the command's name
            (main() of postfix/postfix.c and postmulti/postmulti.c)
    """
    if not record.program and record.instance == _MASTER:
        match = _match_not_started(record.text)
        if not match:
            return None
        reason = f"cannot be started{ABOUT}{match['error'].decode()}"
        return Event(
            "daemon_died", service=match["program"].decode(), reason=reason, also=("fatal",)
        )
    if record.program or record.instance not in _CALLS_SCRIPT or not _match_main_cf(record.text):
        return None
    name = record.instance.decode()
    return Event("daemon_died", service=name, reason=_of_main_cf(record), also=("fatal",))


def _of_main_cf(record: Record) -> str:
    """Return the reason of an end that main.cf has brought about; nothing of another end."""
    if _match_no_main_cf(record.text):
        return _NO_MAIN_CF
    if not _match_main_cf(record.text):
        return ""
    part = main_cf.wrong_part(record.text.removeprefix(BEFORE_MAIN_CF).decode("utf-8", "replace"))
    return _MAIN_CF + (ABOUT + part if part else "")


def _is_of_a_start(record: Record) -> bool:
    """Tell whether a command's `fatal: ` says that Postfix does not start, or reload."""
    if record.program == _SCRIPT:
        return record.text.startswith(b"fatal: ") and not _match_slip(record.text)
    return record.program in _CALLS_SCRIPT and _match_main_cf(record.text) is not None


def recognise_warning(record: Record, _: int) -> Event | None:
    """Return the event of a warning that nobody else has read, None for a command's.

    record: text starts with WARNING
    """
    if record.program in COMMANDS or record.program == UNKNOWN:
        return None
    return Event(kind="warning")


def recognise_fault(record: Record, start: int) -> Event | None:
    """Return the event of trouble on this machine, or None.

    record: text starts with one of FAULTS
    """
    match = _match_fault(record.text, start)
    if not match:
        return None
    starts_with = record.text.startswith
    if record.text.endswith(_NO_ROOM_ENDINGS) and starts_with(_CREATE_FILE, start):
        return _fault(NO_ROOM)
    why = next(why for words, why in _FAULTS.items() if starts_with(words, start))
    if match.lastgroup == "database":
        why = TABLE
    elif match[0].endswith(_BY_SIGNAL):
        why = _KILLED
    event = _fault(why, match)
    # Nobody can hand in anything until a file can be made (global/mail_queue.c).
    return event._replace(also=_TURNED_AWAY) if why == _QUEUE else event


def recognise_fault_of_a_table(record: Record, start: int) -> Event | None:
    """Return the event of a table that cannot be read, or None.

    record: text starts with `warning: `
    """
    match = _match_of_a_table(record.text, start)
    if not match:
        return None
    return _fault(NO_TABLE if match.lastgroup == "missing" else TABLE, match)


def recognise_fault_with_a_message(record: Record, start: int) -> Event | None:
    """Return the event of trouble with a message that the line names, or None.

    record: text starts with `warning: `
    """
    return _fault_of_a_message(_match_with_a_message(record.text, start))


def recognise_said_of_a_message(record: Record, start: int) -> Event | None:
    """Return the event of trouble on this machine, or None.

    start: where the text goes on after a queue ID
    """
    return _fault_of_a_message(_match_said_of_a_message(record.text, start))


def recognise_blocklist(record: Record, start: int) -> Event | None:
    """Return the event of a block list that did not answer, or None.

    record: text starts with `warning: `
    """
    match = _match_blocklist(record.text, start) if record.program in _DNSBLOG else None
    if not match:
        return None
    blocklist = match["blocklist"].decode().lower()
    return Event("blocklist_failed", blocklist=blocklist, also=("warning",))


def recognise_dialogue(record: Record, start: int) -> Event | None:
    """Return the event of a quoted line of SMTP, or None.

    record: text starts with `<` or `>`
    """
    match = _match_dialogue(record.text, start)
    return Event(kind="debug_dialogue", client=match["address"].decode().lower()) if match else None
