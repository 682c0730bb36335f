"""Time to alarm: how soon check_postfix_deferred tells of real trouble on an ordinary server.

    python -m tests.blindness.outages [--every 5]

What keeps a check calm must not make it slow. So the same trouble is replayed with the default
and with --min-failures 1, which judges each ratio. What is put off is not tried again here, so a
real server, whose retries fail too, alarms sooner.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from check_postfix import deferred
from tests.support.server import DAY, HOUR, MINUTE

from .months import BERLIN, START, written
from .replay import Replay
from .traffic import SMALL, Line, Size, Traffic, big


class Trouble(NamedTuple):
    """What goes wrong with the mail that leaves.

    part:      of the attempts that fail
    domain:    of the recipients; nothing for all
    dsn, text: what smtp says of it
    arguments: of the check that is to see it
    """

    part: float
    domain: str
    dsn: str
    text: str
    arguments: tuple[str, ...] = ()


_LOGIN = "SASL authentication failed; server relay.example.net[192.0.2.25] said: 535 5.7.8 no"
_DNS = "Host or domain name not found. Name service error for name={} type=MX: Host not found, try"
_LATER = "host mx.d1.example.net[192.0.2.1] said: 421 4.7.0 Temporarily deferred"
TROUBLES = {
    "the relay refuses our login": Trouble(1, "", "4.7.8", _LOGIN),
    "no DNS": Trouble(1, "", "4.4.3", f"{_DNS} again"),
    "a provider defers 40 %, --per domain": Trouble(
        0.4, "d1.example.net", "4.7.0", _LATER, ("--per", "domain")
    ),
}
# Messages a day -> what kind of server, and how many hours are waited for an alarm
SERVERS = {"30": (SMALL, 30), "1,000": (big(1000), 6), "10,000": (big(10_000), 6)}
# Monday morning, Saturday afternoon, Wednesday night
ONSETS = {"Mon 10:00": 10 * HOUR, "Sat 15:00": 5 * DAY + 15 * HOUR, "Wed 02:00": 2 * DAY + 2 * HOUR}
JUDGES_ALL = ("--min-failures", "1")


def in_trouble(lines: Iterable[Line], trouble: Trouble, onset: float) -> Iterator[Line]:
    """Yield lines as they are once there is trouble, from a time on."""
    chance = random.Random(14)
    for seconds, tag, text in lines:
        is_sent = tag == "postfix/smtp" and "status=sent" in text and seconds >= onset
        if is_sent and f"@{trouble.domain}" in text and chance.random() < trouble.part:
            before, _, _ = text.partition("dsn=")
            domain = text.partition("@")[2].partition(">")[0]
            said = trouble.text.format(domain)
            text = f"{before}dsn={trouble.dsn}, status=deferred ({said})"
        yield seconds, tag, text


def minutes_to_alarm(
    size: Size,
    trouble: Trouble,
    onset: float,
    arguments: Iterable[str] = (),
    hours: float = 6,
    every: int = 5,
) -> float | None:
    """Return how long it takes to the first alarm, None if there is none in these hours."""
    lines = Traffic(size, BERLIN).lines(onset - 3 * DAY, onset + hours * HOUR)
    with tempfile.TemporaryDirectory() as directory:
        replay = Replay(
            Path(directory),
            written(in_trouble(lines, trouble, onset), "iso", BERLIN),
            BERLIN,
            arguments=[*trouble.arguments, *arguments],
            checks=[deferred.CHECK],
        )
        replay.run(onset, onset + hours * HOUR, every * MINUTE)
        alarms = [when for seen, (when, _) in replay.first.items() if seen.exit_code in (1, 2)]
    return (min(alarms) - onset) / MINUTE if alarms else None


def _shown(minutes: float | None) -> str:
    return "none" if minutes is None else f"{minutes:.0f}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--every", type=int, default=5, help="minutes")
    options = parser.parse_args()
    print("| messages a day | trouble | since | each ratio judged, min | default, min |")
    print("| ---: | --- | --- | ---: | ---: |")
    for messages, (size, hours) in SERVERS.items():
        for what, trouble in TROUBLES.items():
            for when, seconds in ONSETS.items():
                onset = START + 7 * DAY + seconds
                how = hours, options.every
                before = minutes_to_alarm(size, trouble, onset, JUDGES_ALL, *how)
                now = minutes_to_alarm(size, trouble, onset, (), *how)
                print(
                    f"| {messages} | {what} | {when} | {_shown(before)} | {_shown(now)} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
