"""Accounts: months of what those of one server send, and how often an honest one seems stolen.

    python -m tests.usual.accounts --months 150

says how many alarms without cause there are in a month with the thresholds of
check_postfix_senders as they are, and how many thefts are found; `--others` says it for others.
All is made up: how much people write in a day, and that some of them send
something to many now and then, is drawn from wide distributions; a server with other habits has
other numbers.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from check_postfix.senders import CHECK
from tests.support.builders import options
from tests.usual.rate import rate

DAY = 24 * 60
LEARNED = 28
TESTED = 30
WINDOW = 15
EVERY = 5
TRIES = 3
ACCOUNTS = (20, 200)
THEFTS = (150, 300, 1000)  # messages in 15 minutes
# Of all accounts, those that send something to many.
_WITH_MAILINGS = 0.15


class Account(NamedTuple):
    """What an account sent: minute -> messages, from the first day that is learned."""

    sent: dict[int, int]

    def most_of_days(self) -> list[int]:
        """Return the most in a quarter-hour of each day."""
        quarters: dict[int, int] = {}
        for minute, number in self.sent.items():
            quarters[minute // 15] = quarters.get(minute // 15, 0) + number
        most = [0] * (LEARNED + TESTED)
        for quarter, number in quarters.items():
            day = quarter * 15 // DAY
            most[day] = max(most[day], number)
        return most

    def windows(self) -> Iterator[tuple[int, int]]:
        """Yield (minute in which a check runs, messages of its window) of those that have any."""
        sums: dict[int, int] = {}
        for minute, number in self.sent.items():
            first = minute - minute % EVERY + EVERY
            for end in range(first, minute + WINDOW + 1, EVERY):
                sums[end] = sums.get(end, 0) + number
        yield from sorted(sums.items())


def account(chance: random.Random) -> Account:
    """Draw an account."""
    a_day = chance.lognormvariate(2.0, 1.2)  # 7 messages a day, mostly 1 to 80
    sent: dict[int, int] = {}

    def send(minute: int, number: int) -> None:
        if 0 <= minute < (LEARNED + TESTED) * DAY:
            sent[minute] = sent.get(minute, 0) + number

    mailings = 0.0
    if chance.random() < _WITH_MAILINGS:
        mailings = chance.choice([1 / 28, 1 / 14, 1 / 7, 1 / 7, 1])  # a day
    usual_size = chance.lognormvariate(4.2, 0.9)  # 67 messages, mostly 10 to 400
    for day in range(LEARNED + TESTED):
        busy = 0.2 if day % 7 > 4 else 1.0
        for _ in range(int(chance.expovariate(1) * a_day * busy + chance.random())):
            send(day * DAY + int(chance.gauss(13 * 60, 180)), 1)
        if chance.random() < mailings * busy:
            begin = day * DAY + int(chance.gauss(12 * 60, 150))
            size = int(usual_size * chance.lognormvariate(0, 0.5))
            minutes = chance.randint(1, 20)
            for at in range(minutes):
                send(begin + at, size // minutes)
    return Account(sent)


class Months(NamedTuple):
    """The months of one server: its accounts, and what each had at most on each day."""

    accounts: list[Account]
    most: list[list[int]]

    def usual(self, number: int, day: int) -> int:
        """Return the most that an account had on the days before."""
        return max(self.most[number][day - LEARNED : day])

    def busiest(self, day: int) -> int:
        return max(self.usual(number, day) for number in range(len(self.accounts)))


def months(accounts: int, seed: int) -> Months:
    """Draw the months of a server."""
    chance = random.Random(seed)
    drawn = [account(chance) for _ in range(accounts)]
    return Months(drawn, [one.most_of_days() for one in drawn])


def without_cause(server: Months, least: int, own: float, busiest: float) -> tuple[int, int]:
    """Return the WARNINGs and CRITICALs that last for three tries, in the month that is tested."""
    warnings: set[int] = set()
    criticals: set[int] = set()
    known = {day: server.busiest(day) for day in range(LEARNED, LEARNED + TESTED)}
    for number, one in enumerate(server.accounts):
        for minute, messages in one.windows():
            day = (minute - WINDOW) // DAY
            if messages < least or day not in known:
                continue
            if messages > own * max(server.usual(number, day), 1):
                warnings.add(minute)
            if messages > busiest * max(known[day], 1):
                criticals.add(minute)
    return _hard(warnings | criticals), _hard(criticals)


def _hard(minutes: set[int]) -> int:
    """Return the runs of so many tries in a row."""
    found = run = 0
    last = None
    for minute in sorted(minutes):
        run = run + 1 if last is not None and minute == last + EVERY else 1
        found += run == TRIES
        last = minute
    return found


def found(server: Months, messages: int, least: int, own: float, busiest: float) -> tuple[int, int]:
    """Return how many accounts are found, as WARNING or as CRITICAL, when they send so many."""
    day = LEARNED + TESTED - 1
    known = server.busiest(day)
    warned = sum(
        messages >= least and messages > own * max(server.usual(number, day), 1)
        for number in range(len(server.accounts))
    )
    critical = messages >= least and messages > busiest * max(known, 1)
    return max(warned, critical * len(server.accounts)), critical * len(server.accounts)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--accounts", type=int, nargs="*", default=ACCOUNTS)
    parser.add_argument("--months", type=int, default=150)
    parser.add_argument("--first", type=int, default=1, help="seed")
    parser.add_argument("--others", action="store_true", help="other thresholds as well")
    given = parser.parse_args()
    thefts = " | ".join(f"{messages:,} in 15 min" for messages in THEFTS)
    thresholds = "least, own, busiest"
    print(f"| accounts | {thresholds} | months | WARNING or CRITICAL | CRITICAL | {thefts} |")
    print("| ---: | --- |" + " ---: |" * (3 + len(THEFTS)))
    for accounts in given.accounts:
        servers = [months(accounts, given.first + n) for n in range(given.months)]
        for least, own, busiest in [as_they_are(), *(others() if given.others else ())]:
            print(row(servers, least, own, busiest))


def as_they_are() -> tuple[int, float, float]:
    """Return the least number, and the factors to an account's own and to the busiest one's."""
    given = options(CHECK)
    return given.min_messages, given.warning.end, given.critical_busiest.end


def others() -> Iterator[tuple[int, float, float]]:
    """Yield others than those of the check."""
    for least in (50, 100, 200):
        for own, busiest in ((2.0, 1.5), (2.0, 2.0), (3.0, 2.0), (3.0, 3.0)):
            yield least, own, busiest


def row(servers: Sequence[Months], least: int, own: float, busiest: float) -> str:
    """Return what some thresholds come to: alarms a month, and of each theft what is found."""
    alarms = [without_cause(server, least, own, busiest) for server in servers]
    accounts = len(servers[0].accounts)
    cells = [f"{accounts}", f"{least}, {own:g}, {busiest:g}", f"{len(servers)}"]
    cells += [rate([one[at] for one in alarms]) for at in (0, 1)]
    for messages in THEFTS:
        counts = [found(server, messages, least, own, busiest) for server in servers]
        whole = len(servers) * accounts / 100
        told, critical = (sum(one[at] for one in counts) / whole for at in (0, 1))
        cells.append(f"{told:.0f} ({critical:.0f})")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
