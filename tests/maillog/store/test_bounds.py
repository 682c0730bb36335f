"""However many strangers knock: the state stays small, memory too, and sums stay exact.

CHECK_POSTFIX_CLIENTS=10000000 is the long form: so many different addresses in a day.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from check_postfix.maillog.events import scanner
from check_postfix.maillog.ingest import piece
from tests.maillog.conftest import Place

CLIENTS = int(os.environ.get("CHECK_POSTFIX_CLIENTS", "300000"))
MESSAGES = CLIENTS // 2
MEBIBYTE = 1 << 20
MOST_STATE = 50 * MEBIBYTE
MOST_MEMORY = 64 * MEBIBYTE

# Reads a log to its end, as a check does, in as many runs as that takes.
PROGRAM = """
import json, re, sys, time
from check_postfix.maillog.ingest.ingest import Ingest
from check_postfix.maillog.store.store import Store
state, path, *families = sys.argv[1:]
now = time.time()
complete = False
while not complete:
    with Store(state, 5) as store:
        ingest = Ingest(store, path, None, now, now, int(now) // 60 - 15, time.monotonic() + 30)
        complete = ingest.run().complete
# ru_maxrss would be at least that of the process that started this one
memory = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
with Store(state, 5) as store:
    origins = [number for number, *_ in store.origins.of(store.logs.of(path))]
    totals = store.answers.totals(0, 10**9, origins)
    kept = {
        family: sum(number for _, number in store.answers.keys(family, 0, 10**9, origins))
        for family in families
    }
    newest = len(store.answers.keys(families[-1], int(now) // 60 - 15, 10**9, origins))
whole = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
print(json.dumps([totals, kept, newest, memory, whole]))
"""


def _address(number: int) -> str:
    if number % 2:
        return f"2001:db8:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::1"
    return f"{number >> 24 & 63}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _write_clients(path: Path) -> None:
    """Write a day of failed logins and rejects, none of them like one seen before.

    Address, verified name and account are new each time.
    """
    start = datetime.now(UTC) - timedelta(days=1)
    with path.open("w") as file:
        for number in range(CLIENTS):
            stamp = (start + timedelta(seconds=86300 * number / CLIENTS)).isoformat()
            client = f"host{number}.example.org[{_address(number)}]"
            file.write(
                f"{stamp} mx1 postfix/smtpd[1]: warning: {client}: SASL LOGIN authentication"
                f" failed: UGFzc3dvcmQ6, sasl_username=user{number}@example.org\n"
                f"{stamp} mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from {client}: 554 5.7.1"
                " <a@b>: Relay access denied; from=<c@d> to=<a@b> proto=ESMTP helo=<e>\n"
            )


def _write_messages(path: Path) -> None:
    """Write a day of messages, of each only one line: that it is taken in, taken up, or put off."""
    start = datetime.now(UTC) - timedelta(days=1)
    with path.open("w") as file:
        for number in range(MESSAGES):
            stamp = (start + timedelta(seconds=86300 * number / MESSAGES)).isoformat()
            one, two, three = (f"{letter}{number:09X}" for letter in "ABC")
            file.write(
                f"{stamp} mx1 postfix/smtpd[1]: {one}: client=a.example[192.0.2.1]\n"
                f"{stamp} mx1 postfix/qmgr[1]: {two}: from=<>, size=9, nrcpt=1 (queue active)\n"
                f"{stamp} mx1 postfix/smtp[1]: {three}: to=<a@b.example>, relay=none, delay=1,"
                " delays=0/0/0/1, dsn=4.4.1, status=deferred (later)\n"
            )


def _read(log: Path, state: Path, *families: str) -> tuple[dict[str, int], dict[str, int], int]:
    """Read a log; return totals, what is kept of families, and of the last one the newest keys."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(state), str(log), *families],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip

    totals, kept, newest, memory, whole = json.loads(done.stdout)
    assert state.stat().st_size <= MOST_STATE
    assert memory <= MOST_MEMORY
    assert whole <= MOST_MEMORY  # also after a look at all that is kept
    print(f"{log.stat().st_size} bytes: state {state.stat().st_size}, memory {memory}, {whole}")
    return totals, kept, newest


@pytest.mark.heavy
def test_of_millions_of_addresses_the_state_stays_small_and_the_sums_exact(tmp_path: Path) -> None:
    log, state = tmp_path / "mail.log", tmp_path / "state"
    _write_clients(log)

    totals, kept, clients = _read(log, state, "auth_failed", "rejected")

    assert totals == {"auth_failed": CLIENTS, "rejected_smtpd": CLIENTS}
    assert kept == {"auth_failed": CLIENTS, "rejected": CLIENTS}
    assert clients > 1000  # the newest are told apart whatever came before


@pytest.mark.heavy
def test_of_millions_of_messages_the_state_stays_small_and_the_sums_exact(tmp_path: Path) -> None:
    log, state = tmp_path / "mail.log", tmp_path / "state"
    _write_messages(log)

    totals, kept, messages = _read(log, state, "deferred", "deferred_messages")

    assert totals == {"received": MESSAGES, "deferred": MESSAGES}
    assert kept == {"deferred": MESSAGES, "deferred_messages": MESSAGES}
    assert messages > 500


# What strangers can write to make a run work hard: (minutes between lines, text of a line)
Hostile = Callable[[int], tuple[float, str]]


def _long_names(number: int) -> tuple[float, str]:
    domain = ".".join([f"{number:063}"] * 3) + ".example"
    return 0.03, (
        f"mx1 postfix/smtp[1]: 4F{number:08X}: to=<a@{domain}>, relay={domain}[192.0.2.1]:25,"
        " delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)"
    )


def _many_hosts(number: int) -> tuple[float, str]:
    return 0.03, f"h{number} postfix/smtpd[1]: connect from unknown[192.0.2.1]" + (
        f"\n{_stamp(0.03, number)} h{number} postfix/smtpd[1]: NOQUEUE: reject: RCPT from"
        " unknown[192.0.2.1]: 554 5.7.1 <a@b>: Relay access denied; from=<c@d> to=<a@b>"
    )


def _long_lines(number: int) -> tuple[float, str]:
    return 1, (
        f"mx1 postfix/smtp[1]: 4F{number:08X}: to=<a@b{number}.example>, relay=none, delay=1,"
        f" delays=0/0/0/1, dsn=4.4.1, status=deferred ({'x' * 64_000})"
    )


def _a_bucket_each(number: int) -> tuple[float, str]:
    return 1, (
        f"mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[{_address(number)}]: 554 5.7.1"
        " <a@b>: Relay access denied; from=<c@d> to=<a@b> proto=ESMTP helo=<e>"
    )


def _stamp(minutes: float, number: int) -> str:
    return (START + timedelta(minutes=minutes * number)).isoformat()


START = datetime.now(UTC) - timedelta(days=1, hours=20)


@pytest.mark.parametrize(
    ("line", "number"),
    [(_long_names, 80_000), (_many_hosts, 20_000), (_long_lines, 2_000), (_a_bucket_each, 2_600)],
)
def test_whatever_strangers_write_state_and_memory_stay_small(
    tmp_path: Path, line: Hostile, number: int
) -> None:
    log, state = tmp_path / "mail.log", tmp_path / "state"
    with log.open("w") as file:
        for one in range(number):
            minutes, text = line(one)
            file.write(f"{_stamp(minutes, one)} {text}\n")

    totals, kept, _ = _read(log, state, "sent", "deferred", "rejected")

    connections = totals.pop("connected_smtpd", 0)
    assert connections == (number if line is _many_hosts else 0)
    assert sum(totals.values()) == sum(kept.values()) == number


def test_what_has_read_a_generation_is_gone_before_the_next_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[int] = []
    scans: list[weakref.ref[scanner.Scan]] = []

    class Scan(scanner.Scan):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            alive.append(sum(scan() is not None for scan in scans))
            scans.append(weakref.ref(self))

    monkeypatch.setattr(piece, "Scan", Scan)
    for minute in range(3):
        place.write(minute, to=f".{3 - minute}")
    place.write(3)
    gc.disable()  # as it is in a check
    try:
        place.run()
    finally:
        gc.enable()

    assert alive == [0, 0, 0, 0]
