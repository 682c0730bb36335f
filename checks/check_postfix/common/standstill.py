"""Standstill: for how long no mail has left this machine, while several messages were put off.

A ratio needs a number of attempts to mean anything, and a small server may not reach it for
days: its relay refuses our login, six messages wait, and each check is content. That nothing at
all leaves needs no such number. It is told by what did not happen: no delivery to another
machine since the first of these deferrals.

One dead domain is no standstill, and ten are none in a quiet night, when only old messages are
tried again. So there must be several new messages that went nowhere, to several domains, and one
of these domains must have taken mail before, or there must be many. A relay that refuses our
login refuses everything, whatever the domains; so does a relayhost, which is known by the mail for
several domains that it took before. Greylisting passes by itself.
"""

from __future__ import annotations

from check_postfix.maillog.counts.families import MANY
from check_postfix.maillog.window.window import DEFERRALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.window.window import Window

HOURS = 24  # looked back at most
MESSAGES = 3
DOMAINS = 2
# So many domains do not all die on the same day.
MANY_DOMAINS = 4

# So many are judged by their ratio, whatever their relays.
_SURELY = 20
_PASSES_BY_ITSELF = "greylisted"
_REFUSES_ALL = "login refused"


def standstill(window: Window) -> int:
    """Return for how many seconds all mail to other machines was put off, 0 if it is not.

    It is told from the minute of the first deferral on. What is delivered on this machine, cron's
    mail above all, proves nothing, nor does what a mailbox server here takes by a UNIX socket.
    """
    # Most runs end here, after one look at most.
    if _has_left(window) or not window.ending(0, 60 * HOURS).count(*DEFERRALS):
        return 0
    stalled = 0
    for hour in range(1, HOURS + 1):
        this = window.ending(60 * (hour - 1), 60)
        if _has_left(this):
            break
        if this.count(*DEFERRALS):
            stalled = hour
    if not stalled:
        return 0
    if not _is_general(window.ending(0, 60 * stalled), window):
        return 0
    # Nothing was put off before `most` minutes ago, something was before `least`.
    least, most = 60 * (stalled - 1), 60 * stalled
    while most - least > 1:
        middle = (least + most) // 2
        if window.ending(middle, 60 * stalled - middle).count(*DEFERRALS):
            least = middle
        else:
            most = middle
    return most * 60


def _has_left(window: Window) -> bool:
    """Tell whether mail was delivered to another machine."""
    to_socket = window.count("sent_to_socket")
    sent = window.count("sent") - to_socket
    if not sent or sent >= _SURELY:
        return bool(sent)
    relays = window.keys("sent", "relay")
    if not relays:  # their keys are not kept any more
        return True
    # Postfix's own transports have plain names: local, virtual, dovecot.
    return sum(number for (relay,), number in relays if _is_address(relay)) > to_socket


def _is_address(relay: str) -> bool:
    return relay == MANY or "." in relay or ":" in relay


def _is_general(stalled: Window, window: Window) -> bool:
    """Tell whether it is our trouble, and not that of a few domains."""
    rows = stalled.keys("deferred", "domain", "reason")
    domains = {domain for (domain, reason), _ in rows if reason != _PASSES_BY_ITSELF}
    if not domains or stalled.deferred_messages < MESSAGES:
        return False
    if {reason for (_, reason), _ in rows} == {_REFUSES_ALL}:
        return True
    # All that was sent went to somebody on this machine.
    went_nowhere = stalled.count("accepted") - stalled.count("sent", "bounced")
    if went_nowhere < MESSAGES:
        return False
    kept = window.ending(0, 2 * 24 * 60)
    if len(domains) < DOMAINS:
        return _is_of_a_relayhost(stalled, kept)
    delivered = {domain for (domain,), _ in kept.keys("sent", "domain")}
    return len(domains) >= MANY_DOMAINS or bool(domains & delivered)


def _is_of_a_relayhost(stalled: Window, kept: Window) -> bool:
    """Tell whether all was put off by one relay, that takes the mail of several domains."""
    relays = {relay for (relay,), _ in stalled.keys("deferred", "relay")}
    if len(relays) != 1:
        return False
    of_domains = {
        domain for (domain, relay), _ in kept.keys("sent", "domain", "relay") if relay in relays
    }
    return len(of_domains) >= DOMAINS
