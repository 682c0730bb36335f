"""What other projects say about their own log lines, told in our words.

Each reader below goes through one project's cases (CHECK_POSTFIX_SHARED_CORPUS, not part of this
tree) and yields Claims: how often each group of our counters must be found in some lines, as far
as that project tells. GROUPS says which counters a claim is about.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import corpus

_REJECTED = (
    "rejected_smtpd", "rejected_postscreen", "rejected_header_body", "rejected_mime",
    "rejected_milter_smtpd", "rejected_milter_cleanup", "rejected_hangup", "rejected_proxy",
    "rejected_size",
)  # fmt: skip
GROUPS: dict[str, tuple[str, ...]] = {
    "sent": ("sent", "forwarded"),
    "deferred": ("deferred",),
    "deferred messages": ("deferred messages",),
    "bounced": ("bounced", "softbounce"),
    "expired": ("expired",),
    "probes": ("probes",),
    "rejected": _REJECTED,
    # pflogsumm leaves out what milters refuse through smtpd, MIME errors, who is cut off, what a
    # filter behind smtpd refuses, and what was too large
    "rejected as pflogsumm counts": (
        "rejected_smtpd",
        "rejected_postscreen",
        "rejected_header_body",
        "rejected_milter_cleanup",
    ),
    "reject_warning": ("reject_warning",),
    "held": ("held",),
    "discarded": ("discarded",),
    "received": ("received", "received_noqueue"),
    "submission": ("submission",),
    "auth_failed": ("auth_failed",),
    "login trouble": ("auth_failed", "auth_client_error", "auth_backend_error"),
    "rate_limited": ("rate_limited",),
    "forwarded": ("forwarded",),
    "attempts": ("sent", "forwarded", "filtered", "deferred", "softbounce", "bounced"),
    "logged in": ("auth_succeeded",),
    "turned away": (*_REJECTED, "auth_failed", "auth_client_error", "auth_backend_error"),
}
# What a project that explains every line it knows says nothing of, does not exist.
_OF_A_LINE = (
    "sent", "deferred", "bounced", "expired", "probes", "rejected", "reject_warning", "held",
    "discarded", "login trouble", "rate_limited",
)  # fmt: skip


class Claim(NamedTuple):
    """What a project says of some lines of its own.

    id:      names the case: directory, and case, line or file
    counts:  group -> how often
    client:  address of the one client, if it is told
    lines:   the lines
    """

    id: str
    counts: dict[str, int]
    client: str | None
    lines: list[bytes]


def disagreement(claim: Claim) -> str:
    """Return how our reading differs from a claim; nothing if it does not."""
    kinds: Counter[str] = Counter()
    clients = set()
    deferred = set()
    for _, *stream, about, event, times in corpus.scanned(
        b"".join(b"\n" + line for line in claim.lines)
    ):
        if event.kind == "deferred" and about:
            deferred.add((*stream, about.queue_id))
        for kind in (event.kind, *event.also):
            kinds[kind] += times
        clients.add(event.client)
    kinds["deferred messages"] = len(deferred)
    found = {group: sum(kinds[kind] for kind in GROUPS[group]) for group in claim.counts}
    differences = [
        f"{group}: they say {claim.counts[group]}, we {found[group]}"
        for group in claim.counts
        if claim.counts[group] != found[group]
    ]
    if claim.client and claim.lines and not differences and clients != {claim.client}:
        differences.append(f"client: they say {claim.client}, we {clients}")
    return "; ".join(differences)


def _one(group: str | None) -> dict[str, int]:
    """Return the counts of a line that is of one group, or of none."""
    counts = dict.fromkeys(_OF_A_LINE, 0)
    if group:
        counts[group] = 1
    return counts


def _cases(path: Path) -> Iterator[tuple[str, Any, list[bytes]]]:
    """Yield (id, expectation, whole lines) of a file of cases; fragments of lines are left out."""
    for text in path.read_text().splitlines():
        case = json.loads(text)
        lines = [line.encode() for line in case["lines"]]
        if case["form"] == "message":
            program = case["program"] or "postfix/smtpd"
            head = f"Nov 24 16:40:01 mx1 {program}[1]: "
            if program == "postfix/*":  # not told: the frame that loses it
                head = "<22>1 2026-11-24T16:40:01Z mx1 postfix 1 - -  "
            lines = [head.encode() + line for line in lines]
        if case["form"] != "fragment":
            yield f"{path.parent.name}:{case['id']}", case["expect"], lines


def fail2ban(root: Path) -> Iterator[Claim]:
    """Yield a claim for each line: an attack of one address, or none.

    A line that is tried under several modes is a SASL failure if `auth` is among them, a
    reject if the normal mode or `rbl` is; what only other modes match we do not count.
    """
    for path in sorted((root / "fail2ban").iterdir()):
        modes: set[str] = {""}
        told: dict[str, Any] | None = None
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if line.startswith(b"# filterOptions:"):
                options = json.loads(line.partition(b":")[2])
                options = options if isinstance(options, list) else [options]
                modes = {option.get("mode", "") for option in options}
            elif line.startswith(b"# failJSON:"):
                told = json.loads(line.partition(b":")[2])
            elif line and not line.startswith(b"#") and told is not None:
                yield _fail2ban(f"fail2ban:{path.name}:{number}", path.name, modes, told, line)
                told = None


def _fail2ban(name: str, program: str, modes: set[str], told: Any, line: bytes) -> Claim:
    counts = {"auth_failed": 0, "rejected": 0}
    client = None
    attack = told["match"] and program in ("postfix", "dovecot")
    if attack and (program == "dovecot" or "auth" in modes):
        attempts = re.search(rb"auth failed, (\d+) attempts", line)  # one to them
        counts["auth_failed"] = int(attempts[1]) if attempts else 1
    elif attack and modes & {"", "normal", "rbl"}:
        counts["rejected"] = 1
    if sum(counts.values()):
        client = told["host"]
    return Claim(name, counts, client, [line])


def grok(root: Path) -> Iterator[Claim]:
    """Yield a claim for each line of postfix-grok-patterns: status, or what was done."""
    status = {
        "sent": "sent", "deferred": "deferred", "bounced": "bounced", "expired": "expired",
        "deliverable": "probes", "undeliverable": "probes",
        "undeliverable-but-not-cached": "probes",
    }  # fmt: skip
    actions = {
        "reject": "rejected", "milter-reject": "rejected", "reject_warning": "reject_warning",
        "discard": "discarded", "hold": "held",
    }  # fmt: skip
    for name, told, lines in _cases(root / "postfix-grok-patterns" / "cases.jsonl"):
        action = actions.get(told.get("postfix_action", ""))
        if (
            "reject" in (told.get("postfix_milter_result"), told.get("postfix_proxy_result"))
            or "postfix_postscreen_toobusy_data" in told
        ):
            action = "rejected"
        group = status.get(told.get("postfix_status", "")) or action
        client = told.get("postfix_client_ip") if action == "rejected" else None
        yield Claim(name, _one(group), client, lines)


def logwatch(root: Path) -> Iterator[Claim]:
    """Yield a claim for each line of logwatch's and logreporter's own test data."""
    rows = {
        "Reject warnings (warn_if_reject)": "reject_warning", "Deferrals": "deferred",
        "Bounced (local)": "bounced", "Bounced (remote)": "bounced", "Delivered": "sent",
        "Sent via SMTP": "sent", "Sent via LMTP": "sent", "Forwarded": "sent",
        "Expired and returned to sender": "expired", "Placed on hold": "held",
        "Discarded": "discarded", "Deliverable (address verification)": "probes",
        "Undeliverable (address verification)": "probes",
        "SASL authentication failed": "login trouble",
        "*Warning: Anvil limit reached": "rate_limited",
        "Total 4xx Rejects": "rejected", "Total 5xx Rejects": "rejected",
    }  # fmt: skip
    # what logreporter adds to, where its text names no row
    totals = {"Hold": "held"}
    for directory in ("logwatch", "logreporter"):
        for name, told, lines in _cases(root / directory / "postfix-td.jsonl"):
            groups = {rows[row] for row in told["logwatch_summary"] if row in rows}
            if not groups:
                groups = {totals[told["totals"]]} if told.get("totals") in totals else groups
            assert len(groups) <= 1, (name, groups)
            unknown = not groups and "**Unmatched**" in told["logwatch_summary"]
            counts = {} if unknown else _one(groups.pop() if groups else None)
            yield Claim(name, counts, None, lines)


def winebarrel(root: Path) -> Iterator[Claim]:
    """Yield a claim for each line of postfix_status_line."""
    for name, told, lines in _cases(root / "winebarrel-postfix_status_line" / "cases.jsonl"):
        told = told or {}
        group = told.get("status") or ("reject_warning" if told.get("priority") else None)
        yield Claim(name, _one(group), None, lines)


def msimerson(root: Path) -> Iterator[Claim]:
    """Yield a claim for each line of postfix-parser."""
    for name, told, lines in _cases(root / "msimerson-postfix-parser" / "cases.jsonl"):
        status = ((told or {}).get("status") or "").partition(" ")[0].rstrip(",")
        group = {"forwarded": "sent", "": None}.get(status, status)
        yield Claim(name, _one(group), None, lines)


def cuttlefish(root: Path) -> Iterator[Claim]:
    """Yield a claim for each line of cuttlefish: hard and soft bounces are its own words."""
    for name, told, lines in _cases(root / "cuttlefish" / "cases.jsonl"):
        status = {"hard_bounce": "bounced", "soft_bounce": "deferred"}.get(told.get("status", ""))
        status = status or told.get("extended_status", "").partition(" ")[0] or None
        yield Claim(name, _one(status), None, lines)


def maillogger(root: Path) -> Iterator[Claim]:
    """Yield a claim for each line of maillogger's log: a delivery's status, or nothing."""
    lines = _lines(root / "maillogger" / "maillog")
    told = json.loads((root / "maillogger" / "parsed_maillog.json").read_text())
    for number, (line, fields) in enumerate(zip(lines, told, strict=True), 1):
        yield Claim(f"maillogger:{number}", _one(fields and fields["status"]), None, [line])


def exporters(root: Path) -> Iterator[Claim]:
    """Yield claims of two exporters' counters, as far as they mean ours."""
    counters = {
        "saslFailedCount": "login trouble", "expiredCount": "expired", "smtpDeferred": "deferred",
        "smtpBounced": "bounced", "postscreenRejects": "postscreen", "virtualDelivered": "sent",
        "smtpdMessagesProcessed": "received", "qmgrExpires": "expired", "cleanupRejects":
        "rejected", "smtpStatusDeferred": "deferred", "smtpdSASLAuthenticationFailures":
        "login trouble", "smtpdRejects": "rejected", "smtpdProcesses": "received",
    }  # fmt: skip
    for directory in ("hsn723-postfix_exporter", "vericode-postfix_exporter"):
        for name, told, lines in _cases(root / directory / "cases.jsonl"):
            counts = {counters[key]: int(value) for key, value in told.items() if key in counters}
            if "postscreen" in counts:  # theirs leaves out those without a code
                counts["rejected"] = counts.pop("postscreen") + told["postscreenConnectsRejected"]
            yield Claim(name, counts, None, lines)


def mephistophiles(root: Path) -> Iterator[Claim]:
    """Yield a claim for each place in postfix-log-parser's logs where it is asked for its events.

    One is a message that has left the queue: who it was for, and what became of it.
    """
    for name, told, lines in _cases(root / "mephistophiles-postfix-log-parser" / "cases.jsonl"):
        places: dict[int, dict[str, Any]] = {}
        for key, value in told.items():
            shape = re.fullmatch(r"after line (\d+): (.*)", key)
            assert shape, (name, key)
            places.setdefault(int(shape[1]), {})[shape[2]] = value
        counts: Counter[str] = Counter()
        for place, values in sorted(places.items()):
            for index in range(values.get("len(parser.events)", 0)):
                event = f"parser.events[{index}]."
                recipients = len(values.get(event + "message_to", ()))
                counts["attempts"] += recipients
                refused = values.get(event + "status_code", 0) >= 500
                status = values.get(event + "status") or ("bounced" if refused else "")
                if status:
                    counts[status] += recipients
            if "len(parser.events)" in values:
                whole = {"attempts": counts["attempts"], **counts}
                yield Claim(f"{name}:{place}", whole, None, lines[:place])


def pk65(root: Path) -> Iterator[Claim]:
    """Yield the mail that search_postfix_log finds for a recipient, and a line it cannot read."""
    lines = _lines(root / "pk65-search_postfix_log" / "mail.log")
    mail = [lines[number - 1] for number in (1, 2, 3, 5, 6, 7)]
    yield Claim("pk65:user1", {"received": 1, "sent": 1, "reject_warning": 1}, None, mail)
    yield Claim("pk65:23", _one(None), None, [lines[22]])


def mchirico(root: Path) -> Iterator[Claim]:
    """Yield a claim for each address that blockbadip blocks: that all it did was an attack.

    Its rule: an address in brackets with a colon behind it is the attacker's, unless it is one
    of its own. What its own addresses did it does not tell. Broken TLS is a claim of its own.
    """
    directory = root / "mchirico-blockbadip"
    told = json.loads((directory / "expected_ips.json").read_text())
    lines: dict[str, list[bytes]] = {}
    for line in _lines(directory / "mail.log"):
        for address in re.findall(rb"\[(\d+\.\d+\.\d+\.\d+)\]: ", line):
            if address.decode() not in told["allow_list"]:
                lines.setdefault(address.decode(), []).append(line)
    assert sorted(lines) == sorted(told["ips"])
    for name, its in lines.items():
        broken = [line for line in its if b": SSL_accept error from " in line]
        others = [line for line in its if line not in broken]
        yield Claim(f"mchirico:{name}", {"turned away": len(others)}, name, others)
        yield Claim(f"mchirico:{name}:TLS", {"turned away": len(broken)}, None, broken)


def small_logs(root: Path) -> Iterator[Claim]:
    """Yield claims of small logs with the totals that the corpus's README repeats.

    sekiltoyai and lograptor assert nothing: theirs were counted by reading the lines.
    """
    totals: dict[str, dict[str, int]] = {
        "maillogsentinel/sample_sasl.log": {"auth_failed": 139},
        "pflogsumm-go/sample.log": {"received": 4, "sent": 5, "bounced": 1, "deferred": 1,
                                    "rejected": 1},
        "pflogsumm-go/rfc3339.log": {"received": 1, "sent": 1},
        "mailreceipt/mail.log": {"sent": 4, "deferred": 1, "bounced": 1},
        "eris/postfix.log": {"rejected": 3, "reject_warning": 2},
        "fgforrest-deliverability/parser/backup-single-client.log.1": {"expired": 1},
        "moj-postfix-stats-collector/tests.mail.log": {"bounced": 2},
        "sekiltoyai-postfix-log-parser/test-iso8601.log": {
            "received": 8, "submission": 1, "sent": 5, "bounced": 2, "deferred": 1, "rejected": 1,
            "held": 0},
        # The first line has lost its first byte, and with it its frame.
        "sekiltoyai-postfix-log-parser/test-milter.log": {
            "received": 2, "submission": 1, "rejected": 2, "held": 1, "attempts": 0},
        "sekiltoyai-postfix-log-parser/test.log": {"received": 3, "sent": 4, "attempts": 4},
        "lograptor/postfix.log": {"received": 2, "submission": 1, "sent": 6, "attempts": 6},
        "lograptor/dovecot.log": {"logged in": 6, "login trouble": 0, "attempts": 0},
        "lograptor/rfc5424.log": {"received": 0, "attempts": 0, "turned away": 0},
        "digineo-postfix_exporter/mail.log": {"login trouble": 1, "rejected": 1},
        "froide/maillog_001.txt": {"sent": 2},
        "froide/maillog_002.txt": {"sent": 0},
        "froide/maillog_003.txt": {"sent": 1},
        "froide/maillog_004.txt": {"sent": 1},
        "froide/maillog_005.txt": {"sent": 1},
        "froide/maillog_006.txt": {"sent": 0, "bounced": 1},
        "froide/maillog_007.txt": {"sent": 1},
    }  # fmt: skip
    for name, counts in totals.items():
        yield Claim(name, counts, None, _lines(root / name))


def bulk(root: Path) -> Iterator[Claim]:
    """Yield claims of pflogsumm and grep on the big logs (bulk-reference-counts.json)."""
    by_pflogsumm = {
        "received": "received", "bounced": "bounced", "deferrals": "deferred",
        "deferred messages": "deferred messages",
        "forwarded": "forwarded", "rejected": "rejected as pflogsumm counts",
        "reject warnings": "reject_warning", "held": "held", "discarded": "discarded",
    }  # fmt: skip
    by_grep = {
        "status=expired (qmgr)": "expired", "SASL authentication failed (client)": "login trouble",
        "sasl_username= (accepted)": "submission",
    }  # fmt: skip
    files = json.loads((root / "bulk-reference-counts.json").read_text())["files"]
    for name, told in files.items():
        summed = told["pflogsumm"]
        counts = {group: summed[row] for row, group in by_pflogsumm.items()}
        counts["sent"] = summed["delivered"] + summed["forwarded"]
        grep = told["grep"]
        counts |= {group: grep.get(row, 0) for row, group in by_grep.items()}
        counts["probes"] = grep.get("status=deliverable", 0) + grep.get("status=undeliverable", 0)
        yield Claim(name, counts, None, _lines(root / name))


def _lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    # modoboa's is a template
    data = re.sub(rb"^%\(day\)s", b"Mar 28", data, flags=re.MULTILINE).replace(b"%%", b"%")
    return [line for line in data.split(b"\n") if line]


PROJECTS = (
    fail2ban, grok, logwatch, winebarrel, msimerson, cuttlefish, maillogger, exporters,
    mephistophiles, pk65, mchirico, small_logs, bulk,
)  # fmt: skip


def claims(root: Path) -> Iterable[Claim]:
    for project in PROJECTS:
        yield from project(root)
