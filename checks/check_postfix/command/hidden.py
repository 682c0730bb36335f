"""Hidden: lines of the log without whom they name.

What a line says is told again from its fields, with pseudonyms in them. Of a line that nobody
has taken apart, and of what other servers answer, no word is shown: anybody's name may be in it.
"""

from __future__ import annotations

import re

from check_postfix.command import history
from check_postfix.command.answer import NOT_SHOWN
from check_postfix.command.text import clean
from check_postfix.maillog.events.recogniser import delivery, recognise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from check_postfix.command.line import Line
    from check_postfix.command.names import Names

_match_message_id = re.compile(rb"message-id=<?(?P<id>[^\s<>]*)").match
# Of a message; these name nobody.
_AS_THEY_ARE = re.compile(
    rb"removed(?: \(canceled\))?"
    rb"|(?:sender|postmaster) (?:non-delivery|delivery status|delay) notification: [0-9A-Za-z]+"
).fullmatch


def line(one: Line, shows: Names, told: Callable[[float], str]) -> str:
    """Return what is shown of a line.

    told: from seconds since 1970 to the time on a clock
    """
    record = one.record
    host = clean(record.host)
    program = clean(b"%b/%b" % (record.instance, record.program))
    queue_id = f"{clean(one.queue_id)}: " if one.queue_id else ""
    where = shows.domain(host) if "." in host else host
    return f"{told(one.time)} {where} {program}: {queue_id}{_text(one, shows)}"


def _text(one: Line, shows: Names) -> str:
    said, record = one.said, one.record
    if said.startswith(b"to=<"):
        read = delivery.read(record.text, len(record.text) - len(said))
        return NOT_SHOWN if read is None else _delivery(read, shows)
    if _AS_THEY_ARE(said):
        return clean(said)
    if said and (found := _match_message_id(said)):
        return f"message-id=<{shows.other('message', found['id']) if found['id'] else ''}>"
    message = history.Message((record.host, one.queue_id), [one])
    if message.client:
        account = f", sasl_username={shows.account(message.account)}" if message.account else ""
        return f"client={shows.client(message.client)}{account}"
    if message.uid:
        return f"uid={message.uid}"
    if message.size is not None:
        return f"from=<{shows.address(message.sender)}>, size={message.size} (queue active)"
    if message.is_expired:
        return "status=expired, returned to sender"
    event = recognise(record)
    if event is None or not event.kind:
        return NOT_SHOWN
    parts = [event.kind.replace("_", " ")]
    parts += [shows.client(event.client)] if event.client else []
    parts += [part for part in (event.reply_code, event.enhanced_code, event.reason) if part]
    if event.account:
        parts.append(shows.account(event.account.decode("utf-8", "replace")))
    return ", ".join(parts)


def _delivery(read: delivery.Delivery, shows: Names) -> str:
    recipient, alias = (one.decode("utf-8", "replace") for one in (read.recipient, read.orig_to))
    stands_for = f", orig_to=<{shows.address(alias)}>" if alias else ""
    return (
        f"to=<{shows.address(recipient)}>{stands_for}, relay={shows.relay(clean(read.relay))},"
        f" delay={read.delay:g}, delays={'/'.join(f'{one:g}' for one in read.stages)},"
        f" dsn={clean(read.dsn)}, status={clean(read.status)} ({shows.reply(read.reply, read.dsn)})"
    )
