"""Warn when an account, a user of this machine or a client sends far more than it usually does.

A stolen account sends as much as it can. What is much differs from one to the next, so each is
compared with the most that it had in a quarter of an hour on the last days. That is the
largest of these days, since people do send a mailing now and then. Beyond what even the busiest
had, it is hardly a mailing any more.
"""

from __future__ import annotations

from collections import namedtuple

from check_postfix.common import severity
from check_postfix.common.filter import FilterOption, is_one_of, lower
from check_postfix.common.log_source import FROM_LOG
from check_postfix.common.not_understood import UNPARSED
from check_postfix.common.tables import table
from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.counts.senders import BOUNCED, MESSAGES, RECIPIENTS
from check_postfix.plugin import AtLeast, Check, Label, Option, Threshold, run, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.window import Window

# What a sender is -> what two of them are.
NOUNS = {"account": "accounts", "uid": "users of this machine", "client": "clients"}

ONE = {"account": "account", "uid": "user of this machine", "client": "client"}

BY = Option(
    "--by",
    "who a sender is: an account that has logged in at smtpd; the user of this machine (its uid)"
    " who called sendmail, as a web server's scripts do; or a client without a login, on this"
    " machine or in a private network",
    default="account",
    parse=values.one_of(*NOUNS),
    metavar="WHAT",
    series="by",
)
MIN_MESSAGES = Option(
    "--min-messages",
    "with fewer messages in the window no sender is compared with what is usual, nor judged by"
    " its bounces",
    default="100",
    parse=values.count,
    metavar="N",
)
IGNORE_SENDER = FilterOption(
    "--ignore-sender",
    "leave out this account, uid or client: whoever sends the mailings",
    ["sender"],
    is_one_of,
    without=True,
    parse=lower,
    example="news@example.com",
)

_ROWS = 10


class Sender(namedtuple("Sender", "name messages recipients bounced networks usual is_cut")):
    """What a sender has handed in in the window.

    name:     its account, uid or address
    messages, recipients, bounced: how many; bounced are recipients
    networks: that it came from: an IPv4 /24 or an IPv6 /64 is one
    usual:    most messages in such a time on the last days; None if that is not known yet
    is_cut:   whether networks were too many to be kept apart
    """

    __slots__ = ()

    name: str
    messages: int
    recipients: int
    bounced: int
    networks: int
    usual: int | None
    is_cut: bool

    @property
    def factor(self) -> float:
        """How many times what is usual; where nothing is, it is as if one message were."""
        return round(self.messages / max(self.usual or 0, 1), 1)

    @property
    def share(self) -> float:
        """How many of its recipients bounced, in percent."""
        return round(100 * min(1, self.bounced / max(self.recipients, self.bounced, 1)), 1)


def _family(options: Namespace) -> str:
    return f"by_{options.by}"


def _senders(window: Window, options: Namespace) -> list[Sender]:
    """Return those that are kept apart, the busiest first."""
    family = _family(options)
    names = ("sender", "what", "network") if options.by == "account" else ("sender", "what")
    left_out = frozenset(options.ignore_sender or ())
    numbers: dict[str, dict[str, int]] = {}
    networks: dict[str, set[str]] = {}
    for (name, what, *network), number in window.keys(family, *names):
        if name == MANY or what == MANY or name in left_out:
            continue
        of_sender = numbers.setdefault(name, {})
        of_sender[what] = of_sender.get(what, 0) + number
        if what == MESSAGES and network:
            networks.setdefault(name, set()).update(network)
    usual = window.daily_most(family)
    found = [
        Sender(
            name,
            of_sender.get(MESSAGES, 0),
            of_sender.get(RECIPIENTS, 0),
            of_sender.get(BOUNCED, 0),
            len(networks.get(name, ())) if options.by == "account" else 1,
            usual.of(name) if usual.is_known else None,
            MANY in networks.get(name, ()),
        )
        for name, of_sender in numbers.items()
    ]
    if more := window.supposed(family):
        found.append(Sender(MANY, more, more, 0, 1, 0 if usual.is_known else None, False))
    there = [sender for sender in found if sender.messages or sender.recipients]
    return sorted(there, key=lambda sender: (-sender.messages, sender.name))


def _enough(senders: list[Sender], options: Namespace) -> list[Sender]:
    return [sender for sender in senders if sender.messages >= options.min_messages]


def measure(window: Window, options: Namespace) -> dict[str, float]:
    """Return how many senders there were, and the most that any of them came to.

    How many times the usual that is, is left out while too few days are known.
    """
    senders = _senders(window, options)
    enough = _enough(senders, options)
    numbers: dict[str, float] = {}
    usual = window.daily_most(_family(options))
    if usual.is_known:
        most = max((sender.messages for sender in enough), default=0)
        numbers["sender_worst_factor"] = max((sender.factor for sender in enough), default=0)
        numbers["sender_busiest_factor"] = round(most / max(usual.busiest, 1), 1)
    sums = {
        # Of a message that began just before the window, there may be recipients only.
        "senders": sum(sender.messages > 0 for sender in senders),
        "sender_worst_messages": max((sender.messages for sender in senders), default=0),
        "sender_worst_recipients": max((sender.recipients for sender in senders), default=0),
        "sender_worst_clients": max((sender.networks for sender in senders), default=0),
    }
    is_cut = any(MANY in key for key, _ in window.keys(_family(options), "sender", "what"))
    is_cut = is_cut or any(sender.is_cut for sender in senders)
    numbers |= {label: AtLeast(number) if is_cut else number for label, number in sums.items()}
    numbers["sender_worst_bounced"] = max((sender.share for sender in enough), default=0)
    return numbers


def _severity(sender: Sender, window: Window, options: Namespace) -> int:
    """Return what a sender makes of the check by itself: 0 to 2."""
    numbers: dict[str, float | None] = {
        "sender_worst_messages": sender.messages,
        "sender_worst_recipients": sender.recipients,
        "sender_worst_clients": sender.networks,
    }
    if sender.messages >= options.min_messages:
        numbers["sender_worst_bounced"] = sender.share
        if sender.usual is not None:
            busiest = window.daily_most(_family(options)).busiest
            numbers["sender_worst_factor"] = sender.factor
            numbers["sender_busiest_factor"] = round(sender.messages / max(busiest, 1), 1)
    return severity.of(numbers, THRESHOLDS, options)


def _worst(window: Window, options: Namespace) -> Sender | None:
    """Return the sender that an alarm is about, else the busiest."""
    senders = _senders(window, options)
    if not senders:
        return None
    ranks = [
        (_severity(sender, window, options), sender in _enough([sender], options) and sender.factor)
        for sender in senders
    ]
    # `max` takes the first of several, which is the busiest.
    worst = max(range(len(senders)), key=lambda at: ranks[at] if ranks[at][0] else (0, 0))
    return senders[worst]


def summary(
    measured: Mapping[str, float], window: Window, options: Namespace, is_alarm: bool
) -> str:
    """Return the first line's words."""
    span = values.span(window.seconds)
    sender = _worst(window, options)
    usual = window.daily_most(_family(options))
    lack = "" if usual.is_known else f", {usual.lack}"
    if sender is None or not (measured["senders"] or is_alarm):
        return f"no message of {NOUNS[options.by]} in {span}{lack}"
    said = _said(sender, window, options, span)
    return said + lack if is_alarm else f"{_number(measured, options)}, busiest {said}{lack}"


def _number(measured: Mapping[str, float], options: Namespace) -> str:
    number = measured["senders"]
    or_more = " or more" if isinstance(number, AtLeast) else ""
    one = number == 1 and not or_more
    return f"{number:g}{or_more} {ONE[options.by] if one else NOUNS[options.by]}"


def _said(sender: Sender, window: Window, options: Namespace, span: str) -> str:
    """Return what a sender did: `ann@example.com: 412 messages to 3,900 recipients in 15 min`."""
    words = f"{_name(sender.name, window, options)}: {_amount(sender.messages, 'message')}"
    words += f" to {_amount(sender.recipients, 'recipient')} in {span}"
    if options.by == "account" and sender.networks > 1:
        or_more = " or more" if sender.is_cut else ""
        words += f" from {sender.networks}{or_more} networks"
    if sender.usual is not None:
        words += f", usually {sender.usual:,}"
    return f"{words}; {sender.share:g} % bounced" if sender.bounced else words


def _amount(number: int, noun: str) -> str:
    return f"{number:,} {values.plural(number, noun)}"


def _name(name: str, window: Window, options: Namespace) -> str:
    shown = window.name("sender", name)
    return f"uid {name}" if options.by == "uid" else shown


def details(window: Window, options: Namespace) -> list[str]:
    """Return the busiest senders."""
    senders = _senders(window, options)
    notes = {}
    pairs = []
    for sender in senders:
        name = _name(sender.name, window, options)
        pairs.append((name, sender.messages))
        said = [_amount(sender.recipients, "recipient")]
        if sender.bounced:
            said.append(f"{sender.share:g} % bounced")
        if options.by == "account":
            said.append(values.amount(sender.networks, "network"))
        if sender.usual is not None:
            said.append(f"usually {sender.usual:,}")
        notes[name] = f" ({', '.join(said)})"
    return table(f"messages by {options.by}", pairs, _ROWS, notes)


def cause(window: Window, options: Namespace) -> list[str]:
    """Return the command that shows the lines of the worst sender."""
    # Few runs are asked for it.
    from check_postfix.common.cause import command

    sender = _worst(window, options)
    if sender is None:
        return []
    before = {"account": "sasl_username=", "uid": "uid=", "client": ""}[options.by]
    return command(window, options, [before + sender.name])


def _worst_case(window: Window) -> Window | None:
    """Return the window in which all that nobody could read was mail of one new sender."""
    more = window.count(UNPARSED)
    if not more:
        return None
    for by in NOUNS:
        window = window.supposing(f"by_{by}", more)
    return window


THRESHOLDS = [
    Threshold(
        "sender_worst_factor",
        "the messages of a sender as a multiple of the most that it had on the last days",
        warning="3",
    ),
    Threshold(
        "sender_busiest_factor",
        "the messages of a sender as a multiple of the most that any had on the last days",
        critical="2",
        suffix="busiest",
    ),
    Threshold("sender_worst_messages", "the number of messages of one sender", suffix="messages"),
    Threshold(
        "sender_worst_recipients", "the number of recipients of one sender", suffix="recipients"
    ),
    Threshold(
        "sender_worst_clients",
        "the number of networks that one account's messages came from",
        suffix="clients",
    ),
    Threshold(
        "sender_worst_bounced",
        "the share of one sender's recipients that bounced",
        suffix="bounced",
        uom="%",
    ),
]

CHECK = Check(
    name="postfix senders",
    description=(
        "Alert when an account, a user of this machine or a client sends far more than it"
        " usually does, as a stolen account does. Usual is the most that it had in a quarter of"
        " an hour on the last 28 days; with fewer than 7 days known only absolute thresholds"
        " count."
    ),
    source=FROM_LOG,
    labels=[
        Label(
            "sender_worst_factor",
            "messages of the sender that is furthest beyond its usual, as a multiple of that",
        ),
        Label(
            "sender_busiest_factor",
            "messages of the busiest sender as a multiple of the usual of the busiest",
        ),
        Label("senders", "senders that have handed in a message"),
        Label("sender_worst_messages", "messages of the sender with most of them"),
        Label("sender_worst_recipients", "recipients of the sender with most of them"),
        Label(
            "sender_worst_clients",
            "networks (IPv4 /24, IPv6 /64) of the account that came from most of them",
        ),
        Label(
            "sender_worst_bounced",
            "share of recipients that bounced, of the sender with most of it",
            uom="%",
            maximum=100,
        ),
    ],
    measure=measure,
    thresholds=THRESHOLDS,
    options=[BY, MIN_MESSAGES, IGNORE_SENDER],
    summary=summary,
    details=details,
    cause=cause,
    worst_case=_worst_case,
    examples=[
        ("check_postfix_senders", "judge what the accounts have sent in the last 15 minutes"),
        (
            "check_postfix_senders --by uid --critical-messages 500 -v",
            "alert when a user of this machine, such as www-data, sends more than 500 messages",
        ),
    ],
)


if __name__ == "__main__":
    run(CHECK)
