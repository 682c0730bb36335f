"""Problems: what of a report somebody should look at, the worst first, each with the next step.

Ratios are held against the thresholds that the checks have by default.
"""

from __future__ import annotations

from check_postfix.command import own_servers, remedy
from check_postfix.command.report.said import REFUSED
from check_postfix.command.report.section import WARNINGS, Problem
from check_postfix.maillog.events import reasons
from check_postfix.maillog.events.recogniser.health import DIED, NEXT_STEPS, fault
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from check_postfix.command.report.book import Book
    from check_postfix.command.report.tally import Row
    from check_postfix.plugin import Option

URGENT, LOOK = 2, 1
# Fewer than these are no problem of the server.
_FEW = 5
_HUNDRED = 100
_NEARLY_ALL = 0.9


def problems(
    book: Book, suspicions: list[str], unread: list[str], trace: Callable[[str], str],
    domain: Callable[[bytes], str], beside: tuple[str, str] | None,
) -> list[Problem]:  # fmt: skip
    """Return the problems, the worst first.

    suspicions: what failed logins are
    unread:     what could not be read
    trace:      returns the command that shows the lines with a text
    domain:     returns what a domain is called
    beside:     that the time which was asked for lies before or after the log, and the next step;
                None if it does not
    """
    found = [
        Problem(URGENT, f"not everything was read: {words}", "see the end") for words in unread[:1]
    ]
    found += _of_the_machine(book, trace)
    found += [Problem(URGENT, *beside)] if beside else _of_deliveries(book, trace, domain)
    found += _of_logins(book, suspicions)
    return sorted(found, key=lambda problem: -problem.weight)


def unreadable(unread: list[str]) -> Problem:
    """Return the problem that nothing was read.

    unread: why not, the first with what helps
    """
    cause, _, fix = unread[0].partition("; ")
    return Problem(URGENT, f"nothing was read: {cause}", fix or "see the end")


def _of_the_machine(book: Book, trace: Callable[[str], str]) -> list[Problem]:
    found = []
    if died := book.total("daemon_died"):
        words = f"daemons of Postfix ended with an error {_times(died)}"
        found.append(
            Problem(URGENT, words, f"read what they said, under {WARNINGS}; {trace(DIED)}")
        )
    for (why,), number in book.faults.numbers.most_common(3):
        words = f"{why}: {_times(number)}"
        found.append(
            Problem(
                URGENT, words, f"{NEXT_STEPS[fault(why)]}; what was said stands under {WARNINGS}"
            )
        )
    if backend := book.total("auth_backend_error"):
        found.append(
            Problem(
                URGENT,
                f"logins could not be decided {_times(backend)}: our own password service failed",
                "look at Dovecot's or saslauthd's log, and whether its socket is there",
            )
        )
    if refused := book.total("relay_auth_failed"):
        found.append(
            Problem(
                URGENT, f"the relay refused our own login {_times(refused)}",
                remedy.OF_REASON[reasons.LOGIN_REFUSED],
            )
        )  # fmt: skip
    if dialogue := book.total("debug_dialogue"):
        found.append(
            Problem(
                LOOK,
                f"{values.amount(dialogue, 'line')} of SMTP dialogue: passwords may stand there",
                "take -v out of master.cf, and empty debug_peer_list",
            )
        )  # fmt: skip
    return found


def _of_deliveries(
    book: Book, trace: Callable[[str], str], domain: Callable[[bytes], str]
) -> list[Problem]:
    from check_postfix.bounces import CHECK as BOUNCES
    from check_postfix.deferred import CHECK as DEFERRED

    found = []
    sent, deferred = book.total("sent"), book.total("deferred", "softbounce")
    bounced, expired = book.total("bounced"), book.total("expired")
    put_off = ("deferred", "softbounce")
    for number, whole, check, kinds, column, happened in (
        (
            deferred,
            sent + deferred + bounced,
            DEFERRED,
            put_off,
            2,
            "delivery attempts were deferred",
        ),
        (bounced, sent + bounced, BOUNCES, ("bounced",), 3, "finished deliveries bounced"),
    ):
        share = number * _HUNDRED / whole if whole else 0
        threshold = check.thresholds[0]
        if number < _FEW or share < _range(threshold.warning):
            continue
        weight = URGENT if share >= _range(threshold.critical) else LOOK
        why, most = _most(book, kinds)
        words = f"{share:.0f} % of {whole:,} {happened} ({number:,}), most often: {why}"
        if top := book.domains.top(column, 1):
            words += f" ({most:,}); {_where(book, column, number, *top[0], domain)}"
        found.append(Problem(weight, words, _then(book, why, kinds, column, most, number)))
    if not found and deferred + bounced and not _passed(book):
        why, _ = _most(book, (*put_off, "bounced"))
        failed = values.amount(deferred + bounced, "delivery attempt")
        words = f"nothing was sent: {failed} failed, most often: {why}"
        found.append(Problem(LOOK, words, remedy.OF_REASON[why]))
    for kind in ("deferred", "bounced"):
        listed = _number(book, kind, reasons.BLOCKED)
        if listed and not any(reasons.BLOCKED in problem.says for problem in found):
            words = f"this server was called listed or of bad repute {_times(listed)}"
            found.append(Problem(LOOK, words, remedy.OF_REASON[reasons.BLOCKED]))
            break
    if expired:
        words = f"{values.amount(expired, 'message')} given up after days in the queue"
        found.append(Problem(LOOK, words, f"see to whom: {trace('status=expired')}"))
    if not deferred + bounced and not _passed(book):
        found.append(_without_mail(book))
    return found


def _where(
    book: Book, column: int, whole: int, name: bytes, row: Row, domain: Callable[[bytes], str]
) -> str:
    """Return where most failures were, or over how many domains they are spread.

    name, row: of the domain with most of them
    """
    of_it = f"{row[column]:,.0f}"
    if row[column] * 2 > whole:
        return f"most at {domain(name)} ({of_it})"
    spread = f"at {values.amount(book.domains.having(column), 'domain')}"
    return spread if row[column] == 1 else f"{spread}, first {domain(name)} ({of_it})"


def _then(book: Book, why: str, kinds: Sequence[str], column: int, most: int, whole: int) -> str:
    """Return the next step.

    kinds:       of failures
    most, whole: failures by this reason, and all of them
    """
    failing = book.domains.having(column)
    is_everywhere = failing >= _FEW and 2 * failing > len(book.domains)
    if why == reasons.DNS and most >= _NEARLY_ALL * whole and is_everywhere:
        # So many names are not misspelt; nothing is to be deleted.
        return remedy.RESOLVER
    examples = {
        book.troubles.example[words]: number
        for words, number in book.troubles.numbers.items()
        if words[0] in kinds and words[1] == why and words in book.troubles.example
    }
    example = max(examples, key=lambda said: (examples[said], said), default=b"")
    own = None
    if examples.get(example, 0) * 2 > most:  # or it is one of several troubles
        own = own_servers.remedy(example.decode("utf-8", "replace"), why)
    return own[1] if own else remedy.OF_REASON[why]


def _passed(book: Book) -> bool:
    """Tell whether mail came in, or left for wherever."""
    return bool(book.total("received", "received_noqueue", "sent", "forwarded", "filtered"))


def _without_mail(book: Book) -> Problem:
    words = "no mail came in and none left"
    if book.total("connected_smtpd", "connected_postscreen", "expired", *REFUSED):
        return Problem(LOOK, words, "see under Totals what clients met with instead")
    if not book.lines:
        then = "send a test mail; if it stays so, see where mail is logged: postconf maillog_file"
        return Problem(URGENT, "the log has no line", then)
    return Problem(URGENT, words, "see whether this is the right log")


def _of_logins(book: Book, suspicions: list[str]) -> list[Problem]:
    from check_postfix.auth import CHECK as AUTH

    failed = book.total("auth_failed")
    bad = [words for words in suspicions if "guessing" in words or "attacked" in words]
    if not bad and failed < _range(AUTH.thresholds[0].warning):
        return []
    words = f"{failed:,} {values.plural(failed, 'failed login')}: {', '.join(bad or suspicions)}"
    then = (
        "block these addresses (fail2ban, or a firewall), and see under Accounts that none of them"
        " got in"
        if bad
        else "ask who has an old password in a program; block the address if nobody has"
    )
    return [Problem(LOOK, words, then)]


def _number(book: Book, kind: str, reason: str) -> int:
    return sum(n for words, n in book.troubles.numbers.items() if words[:2] == (kind, reason))


def _most(book: Book, kinds: tuple[str, ...]) -> tuple[str, int]:
    """Return the most frequent reason, and how often it was one."""
    numbers: dict[str, int] = {}
    for (kind, reason, *_), number in book.troubles.numbers.items():
        if kind in kinds:
            numbers[reason] = numbers.get(reason, 0) + number
    why = min(numbers, key=lambda reason: (-numbers[reason], reason), default=reasons.OTHER)
    return (why if why in remedy.OF_REASON else reasons.OTHER), numbers.get(why, 0)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _range(option: Option) -> float:
    """Return the default of a threshold that is a plain number."""
    assert option.default is not None
    return float(option.default)
