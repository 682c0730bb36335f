"""postfix-log purge: forget what is too old, now, and see that it is gone from the file.

Each check that writes does the same, at most an hour late, and gives room back step by step.
SQLite overwrites what it deletes (secure_delete). This looks for the names that were forgotten in
the bytes of the file, and in those that lie beside it.
"""

from __future__ import annotations

import os
import time

from check_postfix.command import declared, state
from check_postfix.common.log_options import KEEP_KEYS, KEEP_TOTALS, STATE
from check_postfix.common.log_remarks import local_time
from check_postfix.maillog.counts.families import FAMILIES, fields
from check_postfix.maillog.store import clock_mark, contents, damage, retention, room, watched
from check_postfix.maillog.store.retention import USUAL
from check_postfix.maillog.store.schema import ASIDE, BESIDE
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Generator, Iterator

    from check_postfix.maillog.store.store import Store

STILL_THERE = 3
# Names that are looked for; each takes a walk through the file.
_MOST_NAMES = 300
_PERSONAL = (
    "domain", "relay", "client", "client_name", "account", "sender", "network", "address", "source",
)  # fmt: skip
# So many are held to choose these from.
_MOST_HELD = 100_000
# A shorter one may stand anywhere by chance.
_SHORTEST = 6
# Later than any minute
_EVER = 10**9

HELP = "forget what is too old, now, and prove that it is gone"
DESCRIPTION = """\
Delete from the state file what is older than it is to be kept, give the room back to the disk,
and look for the names that were forgotten in the file's bytes. Positions in the log stay, so
nothing is read again.
"""
EPILOG = """\
exit codes: 0 done, 2 wrong usage, 3 it could not be done, or something is still there.

examples:
  postfix-log purge
      what is too old by what the checks have asked for
  postfix-log purge --keep-keys 1h
      clients, domains, relays and pseudonyms of more than an hour ago as well
  postfix-log purge --all-keys
      all of them
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what may be written after the subcommand."""
    declared.add(parser, STATE)
    declared.add(
        parser, KEEP_TOTALS, "this time, forget sums that are older (default: what is settled)"
    )
    declared.add(
        parser, KEEP_KEYS,
        "this time, forget clients, domains, relays and pseudonyms that are older (default: what"
        " is settled)",
    )  # fmt: skip
    parser.add_argument(
        "--all-keys", action="store_true",
        help="forget all clients, domains, relays and pseudonyms",
    )  # fmt: skip


def run(options: Namespace) -> Generator[str, None, int]:
    """Yield what is to be printed, and return the exit code.

    Raises: UsageError, StoreError
    """
    given = declared.values(options, [KEEP_TOTALS, KEEP_KEYS])
    path = state.path_of(options)
    with state.opened(path) as store:
        settled = retention.kept(store) or USUAL
        totals = given.keep_totals // 60 if given.keep_totals else settled.totals
        keys = given.keep_keys // 60 if given.keep_keys else settled.keys
        # What a wrong clock deletes is lost.
        trusted = clock_mark.look(time.time(), clock_mark.kept(store), False).trusted
        oldest = trusted - totals
        oldest_keys = _EVER if options.all_keys else trusted - keys
        size, before = os.stat(path).st_size, contents.of(store)
        names = _names(store, oldest_keys)
        with store.transaction():
            store.forgetting.older(oldest, oldest_keys)
            room.give_all_back(store.db)
        after = contents.of(store)
        kept = _kept(store)
    minutes = values.amount(before.totals.number - after.totals.number, "minute")
    yield f"sums before {local_time(oldest)}: {minutes}"
    number = sum(one.number for one in before.keys.values())
    number -= sum(one.number for one in after.keys.values())
    since = "all keys" if options.all_keys else f"keys before {local_time(oldest_keys)}"
    yield f"{since}: {number} of clients, domains, relays and pseudonyms"
    yield f"{path}: {values.amount(size, 'byte')} before, {os.stat(path).st_size} now"
    now = int(time.time()) // 60
    if now - trusted > 60:
        yield f"-- this machine's clock is believed up to {local_time(trusted)} only"
    yield from _expired(path, keys)
    looked_for = [name for name in names if name not in kept][:_MOST_NAMES]
    there = [name for name in looked_for if any(name in data for data in _bytes(path))]
    if there:
        yield f"-- {values.amount(len(there), 'name')} can still be read in the file"
        return STILL_THERE
    if looked_for:
        yield f"proven: none of {values.amount(len(looked_for), 'forgotten name')} is in its bytes"
    return 0


def _names(store: Store, oldest_keys: int) -> list[bytes]:
    """Return names that are about to be forgotten."""
    names: dict[bytes, None] = {}
    for family, keys in store.forgetting.keys_before(oldest_keys):
        for key in keys:
            for field, value in zip(FAMILIES[family], fields(key), strict=True):
                # Relays and the like can have names that are words of ours.
                is_name = field == "account" or "." in value or ":" in value
                if field in _PERSONAL and is_name and len(value) >= _SHORTEST:
                    names[value.encode("utf-8", "replace")] = None
        if len(names) > _MOST_HELD:
            break
    for of_login in store.forgetting.logins_named_before(oldest_keys):
        names |= {name.encode(): None for name in of_login if len(name) >= _SHORTEST}
    return list(names)


def _kept(store: Store) -> bytes:
    """Return all texts that are still kept, in which a forgotten name may stand by right."""
    texts = ["\n".join(keys) for _, keys in store.forgetting.keys_before(_EVER)]
    texts += [name for of_login in store.forgetting.logins_named_before(_EVER) for name in of_login]
    for log in store.logs.all():
        texts.append(log.path)
        texts += [f"{host} {instance}" for _, host, instance, _ in store.origins.of(log)]
        texts += [file.path for file in store.seen(log).all()]
    kept = "\n".join(texts).encode("utf-8", "replace")
    return b"\n".join([kept, *sorted(watched.addresses(store))])


def _bytes(path: str) -> Iterator[bytes]:
    """Yield the bytes of the state file and of what SQLite has left beside it."""
    for name in (path, *(path + end for end in BESIDE)):
        if os.path.isfile(name):  # one that is none would have been refused
            with open(name, "rb") as file:
                yield file.read()


def _expired(path: str, keys: int) -> Iterator[str]:
    """Remove a damaged file that was set aside, if it is too old; yield what is to be said."""
    if not os.path.lexists(path + ASIDE):
        return
    damage.expire(path, time.time(), keys)
    if os.path.lexists(path + ASIDE):
        yield f"-- {path}{ASIDE}: set aside because it was damaged, and not too old yet"
    else:
        yield f"{path}{ASIDE}: removed"
