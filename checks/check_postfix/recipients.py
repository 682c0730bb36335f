"""Warn when a mailing list or a mailbox gets far more than it usually does.

Each message counts once for each of its recipients: when it is tried for the first time, whatever
comes of it. So neither retries nor the length of a list make it more. Whose mailbox it is, is
nobody's business; so recipients are kept and shown by pseudonyms, unless somebody asks for one by
its name. The busiest one is held against what the busiest one usually gets, whoever that is; one
that is asked for against what it usually gets itself.
"""

from __future__ import annotations

from check_postfix.common import against_usual, severity
from check_postfix.common.log_options import ADDRESS
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import UNPARSED
from check_postfix.common.tables import table
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.counts.series import FLOODED, of_watched
from check_postfix.maillog.window.usual import LASTING, QUARTER
from check_postfix.plugin import AtLeast, Check, Label, Option, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.compared import Compared
    from check_postfix.maillog.window.window import Window

MIN_MESSAGES = Option(
    "--min-messages",
    "so many more than this host's own ups and downs explain there must be for one recipient in 15"
    " minutes",
    default="100",
    parse=values.count,
    metavar="N",
)

_FAMILY = "by_recipient"
_ROWS = 10


def _by_pseudonym(window: Window) -> dict[str, int]:
    """Return pseudonym -> messages, of the recipients that are kept apart."""
    rows = window.keys(_FAMILY, "recipient")
    return {pseudonym: number for (pseudonym,), number in rows if pseudonym != MANY}


def _recipients(window: Window, options: Namespace) -> list[tuple[str, int]]:
    """Return those that are kept apart and how many messages came for each, the busiest first.

    Its name is its address if that was asked for, else its pseudonym. Of those that are asked for,
    the first is the one that an alarm is about.
    """
    if options.address:
        return [one for one in _asked_for(window, options) if one[1]]
    numbers = _by_pseudonym(window)
    found = [(f"recipient-{pseudonym}", number) for pseudonym, number in numbers.items()]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _asked_for(window: Window, options: Namespace) -> list[tuple[str, int]]:
    """Return the addresses that are asked for, and how many messages came; the worst first."""
    return window.once("asked for", lambda: _worst_first(window, options))


def _worst_first(window: Window, options: Namespace) -> list[tuple[str, int]]:
    found = [(address, _of_address(window, address)) for address in options.address]
    ranks = {one: _rank(one, number, window, options) for one, number in found}
    return sorted(found, key=lambda one: ranks[one[0]])


def _of_address(window: Window, address: str) -> int:
    """Return how many messages came for an address that is asked for by its name."""
    number, since = window.watched(address), window.watched_since(address)
    if since is not None and since <= window.start:
        return number
    # Before it was watched, and as long as aliases do not make others of it, that is enough.
    return max(number, _by_pseudonym(window).get(window.pseudonym(address), 0))


def _rank(address: str, number: int, window: Window, options: Namespace) -> tuple[float, ...]:
    """Return by what addresses are sorted that are asked for: what comes first is the worst."""
    factor = against_usual.factor(_compared(window, options, address))
    numbers = {
        "recipient_worst_factor": factor,
        "recipient_worst_messages": number,
        "recipient_worst_clients": _sources(window, options).get(address, 0),
    }
    more = factor if factor and factor > 1 else 0
    # One may have got nothing but rejects.
    rejects = _rejects(window, options).get(address, 0)
    return -severity.of(numbers, THRESHOLDS, options), -more, -number, -rejects


def _sources(window: Window, options: Namespace) -> dict[str, float]:
    """Return from how many sources mail for each watched address came."""
    sources: dict[str, list[str]] = {}
    for (address, source), _ in window.keys("watched_from", "address", "source"):
        if address in options.address:
            sources.setdefault(address, []).append(source)
    return {
        address: AtLeast(len(several)) if MANY in several else len(several)
        for address, several in sources.items()
    }


def _rejects(window: Window, options: Namespace) -> dict[str, int]:
    """Return how often mail for watched addresses was rejected, as far as lines say that surely."""
    rows = window.keys("watched_refused", "address")
    return {address: number for (address,), number in rows if address in (options.address or ())}


def _others(window: Window, options: Namespace) -> int:
    """Return how many messages were for recipients that are not kept apart."""
    if options.address:
        return 0
    rows = window.keys(_FAMILY, "recipient")
    return sum(number for (pseudonym,), number in rows if pseudonym == MANY)


def _most(window: Window, options: Namespace) -> int:
    found = max((number for _, number in _recipients(window, options)), default=0)
    return found + window.supposed(_FAMILY)


def _compared(window: Window, options: Namespace, address: str = "") -> Compared:
    """Hold what came lately against what usually does, for an address, or for the busiest one."""
    return window.once(
        f"compared {address}", lambda: _held_against_the_usual(window, options, address)
    )


def _held_against_the_usual(window: Window, options: Namespace, address: str) -> Compared:
    quarters = window.once(
        "quarters", lambda: [window.ending(n * QUARTER, QUARTER) for n in range(LASTING)]
    )
    if address:
        lately = [quarter.watched(address) for quarter in quarters]
    else:
        lately = [_most(quarter, options) for quarter in quarters]
    lately[0] += window.supposed(_FAMILY)
    series = of_watched(address) if address else FLOODED
    return window.compared(series, options.min_messages).of_part(lately)


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return how many recipients there were, and the most that came for any of them.

    How many times the usual that is, is left out while that is not known.
    """
    numbers: dict[str, float] = {}
    factors = [
        factor
        for address in options.address or [""]
        if (factor := against_usual.factor(_compared(window, options, address))) is not None
    ]
    if factors:
        numbers["recipient_worst_factor"] = max(factors)
    number = len(_recipients(window, options))
    numbers["recipients"] = AtLeast(number) if _others(window, options) else number
    numbers["recipient_worst_messages"] = _most(window, options)
    if options.address:
        numbers["recipient_worst_clients"] = max(_sources(window, options).values(), default=0)
        numbers["recipient_worst_rejects"] = max(_rejects(window, options).values(), default=0)
    return numbers


def summary(_: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool) -> str:
    """Return the first line's words."""
    found = (_asked_for if options.address else _recipients)(window, options)
    name, messages = found[0] if found else ("", 0)
    compared = _compared(window, options, name if options.address else "")
    said = against_usual.words(compared, window.end - window.start, messages, _amount)
    if not found:
        return said
    said = f"{name}: {said}"
    if options.address:
        return said + _more_of_address(name, window, options)
    if is_alarm:
        return said
    number = len(found)
    # Of those that are not kept apart nobody knows how many they are: at most one a message.
    others = _others(window, options)
    if others:
        least = values.amount(number, "recipient")
        return f"at least {least}, at most {number + others}, busiest {said}"
    return f"{values.amount(number, 'recipient')}, busiest {said}"


def _more_of_address(address: str, window: Window, options: Namespace) -> str:
    """Return where its mail came from, what was rejected, and since when that is known."""
    number = _sources(window, options).get(address, 0)
    or_more = " or more" if isinstance(number, AtLeast) else ""
    noun = "client" if number == 1 and not or_more else "clients"
    # Where nothing is known of the begin of a message, as behind an alias, that is not known.
    said = f", from {number:g}{or_more} {noun}" if number else ""
    rejects = _rejects(window, options)
    if rejects:
        worst = max(rejects, key=lambda one: (rejects[one], one == address))
        said += f", {values.amount(rejects[worst], 'reject')}"
        said += "" if worst == address else f" for {worst}"
    since = window.watched_since(address)
    is_judged = _compared(window, options, address).range.is_known
    if since is not None and (since > window.start or (since and not is_judged)):
        # Few runs are the first ones.
        from check_postfix.common.log_remarks import local_time

        said += f" (watched since {local_time(since)})"
    return said


def _amount(number: float) -> str:
    return values.amount(number, "message")


def details(window: Window, options: Namespace) -> list[str]:
    """Return the busiest recipients, and how to find out who they are."""
    found = _recipients(window, options)
    worst = _asked_for(window, options)[0][0] if options.address else ""
    lines = against_usual.last_day(_compared(window, options, worst))
    lines += table("messages by recipient", found, _ROWS)
    if found and not options.address and not options.anonymise:
        # By the secret of a state that is not kept, nobody finds anybody.
        who = "who they are, tells the log: postfix-log top --by recipient; "
        by_name = "one of them by its name: check_postfix_recipients --address ADDRESS"
        lines.append((who if options.no_state else "") + by_name)
    return lines


def cause(window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the messages for the busiest recipient."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command

    if options.no_state and not options.address:
        return []
    found = _recipients(window, options)
    return command(window, options, [name for name, _ in found[:1]], bool(options.address))


def _worst_case(window: Window) -> Window | None:
    """Return the window in which all that was not understood was for one recipient."""
    more = window.count("delivery_unknown", UNPARSED)
    return window.supposing(_FAMILY, more) if more else None


THRESHOLDS = [
    Threshold(
        "recipient_worst_factor",
        "the number of messages for the busiest recipient, or for an --address, as a multiple"
        " of the usual",
    ),
    Threshold(
        "recipient_worst_messages",
        "the number of messages for one recipient",
        suffix="messages",
    ),
    Threshold(
        "recipient_worst_clients",
        "the number of networks, accounts and users that mail for one --address came from",
        suffix="clients",
    ),
    Threshold(
        "recipient_worst_rejects",
        "the number of rejects of mail for one --address",
        suffix="rejects",
    ),
]

CHECK = Check(
    name="postfix recipients",
    description=(
        "Show, and alert if asked to, when far more mail comes for one recipient than usual: a"
        " mailing list or a mailbox that is flooded. Usual is what the busiest recipient of this"
        " host got on 28 days, with --address what that address got: at this time of the same"
        " weekday, give or take how far that strays anyway. Judged are the last quarters of an"
        " hour. With fewer than 7 days known, only the absolute thresholds count."
    ),
    source=FROM_LOG,
    labels=[
        Label(
            "recipient_worst_factor",
            "messages for the busiest recipient, or for an --address, as a multiple of the usual; 1"
            " if it is usual",
        ),
        Label("recipients", "recipients that messages came for"),
        Label("recipient_worst_messages", "messages for the recipient with most of them"),
        Label(
            "recipient_worst_clients",
            "with --address: networks (IPv4 /24, IPv6 /64), accounts and users of this machine that"
            " mail for one of these came from, at most",
        ),
        Label(
            "recipient_worst_rejects",
            "with --address: rejects of mail for one of these, at most, as far as their lines say"
            " surely whom they are about",
        ),
    ],
    measure=measure,
    thresholds=THRESHOLDS,
    options=[ADDRESS, MIN_MESSAGES],
    summary=summary,
    details=details,
    cause=cause,
    worst_case=_worst_case,
    examples=[
        ("check_postfix_recipients", "show for whom most came in the last 15 minutes"),
        (
            "check_postfix_recipients --address list@example.com -w 3 -c 10",
            "alert when more than 3 and 10 times the usual comes for a mailing list",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
