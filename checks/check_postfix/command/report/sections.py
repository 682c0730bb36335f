"""The sections of a report: from its book to what is shown."""

from __future__ import annotations

from collections import Counter, defaultdict

from check_postfix.command.report import percentile
from check_postfix.command.report.book import (
    BOUNCES,
    DEFERRALS,
    DELAY,
    LONGEST_DELAY,
    MESSAGES,
    MICROSECONDS,
    SENT,
    SENT_BYTES,
    SEPARATOR,
    SIZE,
    STAGES,
)
from check_postfix.command.report.said import REFUSED
from check_postfix.command.report.section import (
    BYTES,
    COUNT,
    SECONDS,
    SHARE,
    TEXT,
    WARNINGS,
    WORDS,
    Column,
    Section,
    size,
)
from check_postfix.command.text import clean
from check_postfix.maillog.events.recogniser import COMMANDS
from check_postfix.maillog.events.recogniser.health import STARTERS
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from check_postfix.command.report.book import Book, Examples
    from check_postfix.command.report.names import Names
    from check_postfix.command.report.tally import Tally

REJECTED = tuple(sorted(kind for kind in REFUSED if kind.startswith("rejected")))
# By their kind, what hours are told of
PUT_OFF = ("deferred", "softbounce")
RECEIVED = ("received", "received_noqueue")
_PERCENTS = (50, 90, 95, 99, 100)
_HUNDRED = 100
# The worst first
_SEVERITIES = ("panic", "fatal", "error", "warning")

# All others are of attempts, as Postfix writes them.
_DEFERRED, _DEFERRED_MESSAGES = "deferred attempts", "deferred messages"
_TOTALS = (
    ("received", "received", RECEIVED),
    ("of_them_logged_in", "of them from clients that had logged in", ("submission",)),
    ("sent", "sent", ("sent",)),
    ("forwarded", "handed on to an alias's target", ("forwarded",)),
    ("filtered", "handed to a content filter", ("filtered",)),
    ("deferrals", _DEFERRED, PUT_OFF),
    ("bounced", "bounced", ("bounced",)),
    ("expired", "given up after days in the queue", ("expired",)),
    ("rejected", "rejected", REJECTED),
    ("reject_warnings", "reject warnings", ("reject_warning",)),
    ("held", "held", ("held",)),
    ("discarded", "discarded", ("discarded",)),
    ("rate_limited", "turned away for asking too often", ("rate_limited",)),
    ("cancelled", "begun and not finished by their client", ("cancelled",)),
    ("connections", "connections of clients", ("connected_smtpd",)),
    ("failed_logins", "failed logins", ("auth_failed",)),
    ("address_probes", "address probes", ("probes",)),
)
# Of these, those that are told even if there were none
_ALWAYS = ("received", "sent", "deferrals", "bounced", "rejected")
_SCREEN = (
    ("connected_postscreen", "connections to postscreen"),
    ("screen_allowlisted", "of clients on its lists"),
    ("screen_pass_old", "that had passed before"),
    ("screen_pass_new", "that passed now"),
    ("screen_dnsbl", "on too many block lists"),
    ("screen_denylisted", "denied by our own list"),
    ("screen_pregreet", "spoke before they were greeted"),
    ("screen_hangup", "hung up during the tests"),
    ("screen_pipelining", "sent commands without waiting"),
    ("screen_non_smtp", "spoke something else than SMTP"),
    ("screen_bare_newline", "ended a line with a bare newline"),
    ("screen_time_limit", "too slow"),
    ("screen_count_limit", "too many commands"),
    ("screen_length_limit", "too long a command"),
    ("screen_no_recipient", "DATA or BDAT without a recipient"),
    ("rejected_postscreen", "rejected by it"),
)
_KINDS_OF_REJECT = {
    "rejected_smtpd": "smtpd",
    "rejected_hangup": "smtpd, cut off",
    "rejected_postscreen": "postscreen",
    "rejected_size": "smtpd, size",
    "rejected_proxy": "proxy filter",
    "rejected_header_body": "header or body checks",
    "rejected_mime": "MIME error",
    "rejected_milter_smtpd": "milter",
    "rejected_milter_cleanup": "milter",
    "reject_warning": "warning only",
    "held": "held",
    "discarded": "discarded",
}


class Limits:
    """How many rows each section shows; 0 leaves it out.

    A name without a limit of its own has the one for all.
    """

    def __init__(self, of_all: int, own: dict[str, int]) -> None:
        self._of_all = of_all
        self._own = own

    def of(self, name: str) -> int:
        """Return the limit of the sections of this name."""
        return self._own.get(name, self._of_all)


class Sections:
    """Makes the sections.

    book:   finished
    names:  what is called how
    limits: rows of each
    clock:  hours of which something was read, as the book writes them; of more than a day, those
            of the first and the last one
    """

    def __init__(self, book: Book, names: Names, limits: Limits, clock: Iterable[str]) -> None:
        self._book = book
        self._clock = set(clock)
        self._names = names
        self._limits = limits

    def all(self, suspicions: Sequence[str]) -> Iterator[Section]:
        """Yield those that have something to say, in their order.

        suspicions: what failed logins are
        """
        book, names = self._book, self._names
        for section in (
            self._totals(),
            self._days(),
            self._hours(),
            self._troubles("deferrals", "Deferred, by reason", PUT_OFF),
            self._troubles("bounces", "Bounced, by reason", ("bounced",)),
            self._relays(),
            self._rejects("rejects", "Rejected, by reason", REJECTED),
            self._refused("rejected_whom", "Rejected, by whom", "rejected"),
            self._rejects("reject_warnings", "Would have been rejected", ("reject_warning",)),
            self._refused(
                "reject_warnings_whom", "Would have been rejected, by whom", "reject_warning"
            ),
            self._rejects("held", "Held", ("held",)),
            self._refused("held_whom", "Held, by whom", "held"),
            self._rejects("discarded", "Discarded", ("discarded",)),
            self._refused("discarded_whom", "Discarded, by whom", "discarded"),
            self._refused_clients(),
            self._recipient_domains(),
            self._sending_domains(),
            self._delays(),
            *self._both_ways("users", "senders", "Senders", book.senders, names.address),
            *self._both_ways("users", "recipients", "Recipients", book.recipients, names.address),
            *self._both_ways("domains", "clients", "Clients", book.clients, names.client),
            *self._both_ways("users", "accounts", "Accounts", book.accounts, names.account),
            self._failed_logins(suspicions),
            self._services(),
            self._screen(),
            self._tls(),
            self._unreachable(),
            self._warnings(),
            self._master(),
            self._session_hours(),
            self._sessions(),
        ):  # fmt: skip
            if section and (section.rows or section.says):
                yield section

    def counters(self) -> dict[str, int]:
        """Return the number of each kind of event."""
        numbers: Counter[str] = Counter()
        for of_hour in self._book.hours.values():
            numbers.update(of_hour)
        return {name: number for name, number in sorted(numbers.items()) if number}

    # -- how much

    def totals(self) -> dict[str, int]:
        """Return the totals, by their names in JSON."""
        book = self._book
        numbers = {key: book.total(*kinds) for key, _, kinds in _TOTALS}
        return numbers | {
            "deferred_messages": len(book.deferred),
            "bytes_received": book.total("bytes_received"),
            "bytes_delivered": book.total("bytes_delivered"),
            "senders": len(book.senders),
            "sending_domains": len(book.sending_domains),
            "recipients": len(book.recipients),
            "recipient_domains": book.domains.having(SENT),
        }

    def _totals(self) -> Section:
        numbers = self.totals()
        rows: list[tuple[object, ...]] = [
            (words, numbers[key]) for key, words, _ in _TOTALS if numbers[key] or key in _ALWAYS
        ]
        messages = numbers["deferred_messages"]
        place = next(place for place, row in enumerate(rows) if row[0] == _DEFERRED)
        if messages:
            rows.insert(place + 1, (_DEFERRED_MESSAGES, messages))
        for key in ("senders", "sending_domains", "recipients", "recipient_domains"):
            rows.append((key.replace("_", " "), numbers[key]))
        came, left = size(numbers["bytes_received"]), size(numbers["bytes_delivered"])
        says = (f"{came} came in, {left} left",)
        columns = [Column("what", "", WORDS), Column("number", "number", COUNT)]
        return Section("totals", "Totals", columns, rows, says)

    def _hourly(self, times: dict[str, dict[str, int]], key: str, title: str, head: str) -> Section:
        columns = [
            Column(key, head, WORDS),
            Column("received", "received", COUNT),
            Column("sent", "sent", COUNT),
            Column("deferred", "deferred", COUNT),
            Column("bounced", "bounced", COUNT),
            Column("rejected", "rejected", COUNT),
        ]
        rows = [
            (
                time,
                *(
                    sum(numbers.get(kind, 0) for kind in kinds)
                    for kinds in (RECEIVED, ("sent",), PUT_OFF, ("bounced",), REJECTED)
                ),
            )
            for time, numbers in times.items()
        ]
        return Section(f"per_{key}", title, columns, rows, chart="hours")

    def _days(self) -> Section | None:
        days: dict[str, Counter[str]] = defaultdict(Counter)
        for hour, numbers in sorted(self._book.hours.items()):
            days[hour.partition(" ")[0]].update(numbers)
        if len(days) < 2:
            return None
        return self._hourly(dict(days), "day", "Per day", "day")

    def _hours(self) -> Section | None:
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        days = set()
        for time, numbers in self._book.hours.items():
            day, _, hour = time.partition(" ")
            days.add(day)
            counted[hour].update(numbers)
        if not days:
            return None
        # Of an hour that was not read, nobody knows that nothing came.
        times = sorted(self._clock | self._book.hours.keys())
        read = [time.partition(" ")[2] for time in times]
        # Those of a night are told as they went by.
        is_once = len(set(read)) == len(read)
        hours = {f"{hour}:00": counted[hour] for hour in (read if is_once else sorted(set(read)))}
        several = "" if is_once or len(days) < 2 else f", {len(days)} days together"
        return self._hourly(dict(hours), "hour", f"Per hour{several}", "hour")

    # -- what went wrong

    def _troubles(self, limit: str, title: str, kinds: tuple[str, ...]) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("share", "share", SHARE),
            Column("reason", "reason", WORDS),
            Column("reply_code", "code", WORDS),
            Column("enhanced_code", "", WORDS),
            Column("example", "for example", TEXT),
        ]
        troubles = self._book.troubles
        most = _most(troubles, kinds)
        whole = sum(number for _, number in most)
        rows = [
            (
                number,
                number * _HUNDRED / whole,
                *words[1:],
                self._names.said(troubles.example[words]),
            )
            for words, number in most
        ]
        return self._cut(Section(limit, title, columns, rows, chart="bars"), limit)

    def _relays(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("relay", "relay", TEXT),
            Column("reason", "reason", WORDS),
        ]
        rows = [
            (row[0], self._names.relay(relay), reason.decode())
            for (relay, reason), row in _parted(self._top(self._book.relays, 0, "bounces"))
        ]
        return self._with_more(
            Section("bounces_by_relay", "Bounced, by relay", columns, rows), self._book.relays
        )

    def _rejects(self, key: str, title: str, kinds: tuple[str, ...]) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("share", "share", SHARE),
            Column("by", "by", WORDS),
            Column("stage", "at", WORDS),
            Column("reason", "reason", WORDS),
            Column("reply_code", "code", WORDS),
            Column("blocklist", "list", TEXT),
            Column("example", "for example", TEXT),
        ]
        rejects = self._book.rejects
        most = _most(rejects, kinds)
        whole = sum(number for _, number in most)
        rows = []
        for words, number in most:
            kind, stage, reason, code, blocklist = words
            example = self._names.said(rejects.example[words])
            rows.append(
                (number, number * _HUNDRED / whole, _KINDS_OF_REJECT[kind], stage, reason, code,
                 blocklist, example)
            )  # fmt: skip
        return self._cut(Section(key, title, columns, rows, chart="bars"), "rejects")

    def _refused(self, key: str, title: str, group: str) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("stage", "at", WORDS),
            Column("reason", "reason", WORDS),
            Column("whom", "whom", TEXT),
        ]
        tally = self._book.refused[group]
        rows = [
            (row[0], stage.decode("ascii", "replace"), reason.decode(), self._whom(whom))
            for (stage, reason, whom), row in _parted(self._top(tally, 0, "rejects"))
        ]
        return self._with_more(Section(key, title, columns, rows), tally)

    def _whom(self, whom: bytes) -> str:
        """Return what the one is called whom a reject is about, and perhaps its sender."""
        about, _, sender = whom.partition(b"  (")
        named = self._names.address(about) if b"@" in about else self._names.client(about)
        return f"{named}  ({self._names.address(sender[:-1])})" if sender else named

    def _refused_clients(self) -> Section:
        tally = self._book.refused_clients
        columns = [Column("number", "number", COUNT), Column("client", "client", TEXT)]
        rows = [(row[0], self._names.client(name)) for name, row in self._top(tally, 0, "rejects")]
        section = Section("rejected_clients", "Rejected clients", columns, rows)
        return self._with_more(section, tally)

    # -- from whom, to whom

    def _recipient_domains(self) -> Section:
        columns = [
            Column("domain", "domain", TEXT),
            Column("sent", "sent", COUNT),
            Column("bytes", "size", BYTES),
            Column("deferrals", "deferred", COUNT),
            Column("bounced", "bounced", COUNT),
            Column("average_delay", "average delay", SECONDS),
            Column("longest_delay", "longest", SECONDS),
        ]
        rows = [
            (
                self._names.domain(name),
                *(int(row[place]) for place in (SENT, SENT_BYTES, DEFERRALS, BOUNCES)),
                round(row[DELAY] / row[SENT] / MICROSECONDS, 6) if row[SENT] else None,
                row[LONGEST_DELAY],
            )
            for name, row in self._top(self._book.domains, SENT, "domains", SENT_BYTES)
        ]
        section = Section("recipient_domains", "Domains that mail was sent to", columns, rows)
        return self._with_more(section, self._book.domains, SENT)

    def _sending_domains(self) -> Section:
        return self._of_whom(
            "domains", "sending_domains", "Domains that mail came from",
            self._book.sending_domains, self._names.domain, MESSAGES,
        )  # fmt: skip

    def _both_ways(
        self, limit: str, key: str, title: str, tally: Tally, called: Callable[[bytes], str]
    ) -> Iterator[Section]:
        """Yield those with most messages, and those with the largest."""
        for column, by in ((MESSAGES, "number"), (SIZE, "size")):
            yield self._of_whom(limit, f"{key}_by_{by}", f"{title}, by {by}", tally, called, column)

    def _of_whom(
        self, limit: str, key: str, title: str, tally: Tally, called: Callable[[bytes], str],
        column: int,
    ) -> Section:  # fmt: skip
        columns = [
            Column("name", "who", TEXT),
            Column("messages", "messages", COUNT),
            Column("bytes", "size", BYTES),
        ]
        rows = [
            (called(name), row[0], row[1])
            for name, row in self._top(tally, column, limit, 1 - column)
        ]
        return self._with_more(Section(key, title, columns, rows), tally, column)

    def _delays(self) -> Section:
        columns = [
            Column("stage", "", WORDS),
            *(Column(f"p{percent}", f"{percent} %", SECONDS) for percent in _PERCENTS),
        ]
        rows: list[tuple[object, ...]] = []
        for stage, tally in zip(("together", *STAGES), self._book.delays, strict=True):
            numbers = ((float(text), int(row[0])) for text, row in tally.items())
            if found := percentile.of(numbers, _PERCENTS):
                rows.append((stage, *found))
        says = ("of what was sent: so many of a hundred were no slower; 100 % is the slowest",)
        return Section("delays", "Delays", columns, rows, says if rows else ())

    # -- logins

    def _failed_logins(self, suspicions: Sequence[str]) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("client", "client", TEXT),
            Column("account", "account", TEXT),
        ]
        accounts = self._book.accounts
        rows = [
            (
                row[0],
                self._names.client(client),
                self._names.account(account, accounts.has(account)),
            )
            for (client, account), row in _parted(self._top(self._book.logins, 0, "users"))
        ]
        section = Section("failed_logins", "Failed logins", columns, rows, tuple(suspicions))
        return self._with_more(section, self._book.logins)

    def _services(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("service", "service", WORDS),
            Column("mechanism", "mechanism", TEXT),
        ]
        rows = [
            (row[0], clean(service), clean(mechanism))
            for (service, mechanism), row in _parted(self._top(self._book.services, 0, "users"))
        ]
        section = Section("failed_logins_by_service", "Failed logins, by service", columns, rows)
        return self._with_more(section, self._book.services)

    # -- shares

    def _screen(self) -> Section:
        numbers = [(words, self._book.total(key)) for key, words in _SCREEN]
        whole = self._book.total("connected_postscreen")
        rows = [
            (words, number, number * _HUNDRED / whole if whole else None)
            for words, number in numbers
            if number
        ]
        columns = [
            Column("what", "", WORDS), Column("number", "number", COUNT),
            Column("share", "share", SHARE),
        ]  # fmt: skip
        return Section("postscreen", "postscreen", columns, rows)

    def _tls(self) -> Section:
        columns = [
            Column("way", "way", WORDS),
            Column("protocol", "protocol", WORDS),
            Column("trust", "certificate", WORDS),
            Column("cipher", "cipher", WORDS),
            Column("number", "number", COUNT),
            Column("share", "share", SHARE),
        ]
        numbers: Counter[tuple[str, ...]] = Counter()
        sums: Counter[str] = Counter()
        for (begin, end), number in self._book.tls.items():
            trust, *_, way = begin.decode("ascii").split()
            protocol, _, cipher = end.decode("ascii").partition(" with cipher ")
            way = "in" if way == "from" else "out"
            numbers[way, protocol, trust.lower(), cipher] += number
            sums[way] += number
        rows = [
            (*words, number, number * _HUNDRED / sums[words[0]])
            for words, number in numbers.most_common()
        ]
        says: tuple[str, ...] = ()
        connections = self._book.total("connected_smtpd")
        if connections and sums["in"]:
            share = min(100, sums["in"] * _HUNDRED / connections)
            says = (
                f"{share:.1f} % of {connections:,}"
                f" {values.plural(connections, 'connection')} of clients were encrypted",
            )
        return Section("tls", "Encryption", columns, rows, says)

    # -- this machine

    def _unreachable(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("cause", "cause", TEXT),
            Column("host", "host", TEXT),
        ]
        rows = [
            (row[0], clean(cause), self._names.relay(host))
            for (cause, host), row in _parted(self._top(self._book.unreachable, 0, "unreachable"))
        ]
        section = Section("unreachable", "Hosts that could not be reached", columns, rows)
        return self._with_more(section, self._book.unreachable)

    def _warnings(self) -> Section:
        columns = [
            Column("number", "number", COUNT),
            Column("severity", "", WORDS),
            Column("program", "program", TEXT),
            Column("example", "for example", TEXT),
        ]
        book = self._book
        if self._names.anonymise:
            rows = [
                (number, severity, program, "")
                for (severity, program), number in book.severities.most_common()
            ]
            said = _of_commands((row[1], row[2]) for row in rows)
            return Section("warnings", WARNINGS, columns, rows, said)
        found = []
        for name, row in self._top(book.warnings, 0, "warnings"):
            severity, program, words = name.split(SEPARATOR, 2)
            example = clean(book.warned.get(name, words))
            found.append((row[0], severity.decode(), clean(program), example))
        found.sort(key=lambda row: _SEVERITIES.index(row[1]))
        said = _of_commands((severity, program) for _, severity, program, _ in found)
        section = Section("warnings", WARNINGS, columns, list(found), said)
        return self._with_more(section, book.warnings)

    def _master(self) -> Section:
        columns = [Column("number", "number", COUNT), Column("said", "said", TEXT)]
        rows = [(row[0], clean(name)) for name, row in self._top(self._book.master, 0, "warnings")]
        return self._with_more(
            Section("master", "Starts and stops", columns, rows), self._book.master
        )

    def _session_hours(self) -> Section:
        columns = [
            Column("hour", "hour", WORDS),
            Column("connections", "connections", COUNT),
            Column("average", "average", SECONDS),
            Column("longest", "longest", SECONDS),
        ]
        rows = [
            (f"{hour}:00", number, together / number, longest)
            for hour, (number, together, longest) in sorted(self._book.session_hours.items())
        ]
        return Section("sessions_per_hour", "Sessions of smtpd, per hour", columns, rows)

    def _sessions(self) -> Section:
        columns = [
            Column("domain", "domain or address", TEXT),
            Column("connections", "connections", COUNT),
            Column("together", "together", SECONDS),
            Column("average", "average", SECONDS),
            Column("longest", "longest", SECONDS),
        ]
        rows = [
            (self._names.domain(name), row[0], row[1], row[1] / row[0], row[2])
            for name, row in self._top(self._book.sessions, 0, "domains")
        ]
        section = Section("sessions_by_domain", "Sessions of smtpd, by domain", columns, rows)
        return self._with_more(section, self._book.sessions)

    # -- rows

    def _top(
        self, tally: Tally, column: int, limit: str, then: int | None = None
    ) -> list[tuple[bytes, list[float]]]:
        return tally.top(column, self._limits.of(limit), then)

    def _with_more(self, section: Section, tally: Tally, column: int = 0) -> Section:
        """Return a section that says how many rows it has left out; none if it is left out."""
        if not section.rows:
            return section
        return section._replace(more=tally.having(column) - len(section.rows))

    def _cut(self, section: Section, limit: str) -> Section:
        most = self._limits.of(limit)
        more = len(section.rows) - most if most else 0
        return section._replace(rows=section.rows[:most], more=max(0, more))


def _of_commands(rows: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return what is said of Postfix's commands that have ended with an error.

    rows: severity and program
    """
    names = {program for severity, program in rows if severity in ("fatal", "panic")}
    of_callers = COMMANDS - STARTERS
    commands = sorted(name for name in names if name.rpartition("/")[2].encode() in of_callers)
    if not commands:
        return ()
    verb = "is a command" if len(commands) == 1 else "are commands"
    return (
        f"{', '.join(commands)} {verb}: what they end with concerns their caller (postqueue is"
        " called by check_postfix_queue as well), and is not counted by check_postfix_log",
    )


def _most(examples: Examples, kinds: tuple[str, ...]) -> list[tuple[tuple[str, ...], int]]:
    return [
        (words, number) for words, number in examples.numbers.most_common() if words[0] in kinds
    ]


def _parted(
    rows: Iterable[tuple[bytes, list[float]]],
) -> Iterator[tuple[list[bytes], list[float]]]:
    return ((name.split(SEPARATOR), row) for name, row in rows)
