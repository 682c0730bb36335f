"""The joint outcome: what several checks say, said as one.

Its state is the worst of theirs, in the order in which one check takes the worst of what it finds:
CRITICAL, WARNING, UNKNOWN, OK. In nagiosplugin's order UNKNOWN comes first; there one check that
cannot see would hide the alarms of all others.
"""

from __future__ import annotations

from check_postfix.plugin.check import SEVERITY
from check_postfix.plugin.output import LONGEST_LINE, LONGEST_WORDS, STATES, Outcome, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.plugin.check import Check
    from check_postfix.plugin.output import Perfdata

    Said = Sequence[tuple[Check, Outcome]]

# Of one cause in the first line, in bytes, however many want room there.
_LEAST = 12


class Joint(Outcome):
    """What several checks say, as one outcome.

    Its long output has the first line of each check, in the order of the checks, and behind them
    what each has to say beyond it.
    """

    def __init__(self, name: str, checks: Sequence[Check], said: Said) -> None:
        """Join what was said.

        checks: all that could say something, whether they do or not: labels follow from them
        """
        state = max((one.exit_code for _, one in said), key=SEVERITY.__getitem__)
        room = LONGEST_WORDS - len(f"{name} {STATES[state]} - ")
        super().__init__(name, state, _summary(said, room), _perfdata(checks, said))
        self.lines = [one.words for _, one in said]
        for _, one in said:
            if one.lines:
                self.lines += [f"{one.name}:", *(f"  {line}" for line in one.lines)]

    def add(self, lines: Sequence[str]) -> None:
        """Add lines to the long output, which is as long as its checks want it."""
        self.lines += [plain(line, LONGEST_LINE) for line in lines]

    @property
    def room(self) -> int:
        """How long the words may be, in bytes.

        So many labels do not fit into a packet of NRPE 2, however few the words.
        """
        return LONGEST_WORDS


def short_name(check: Check) -> str:
    """Return what tells a check from the others: `deferred` of `postfix deferred`."""
    return check.name.rpartition(" ")[2]


def _summary(said: Said, room: int) -> str:
    """Return what is not OK, the worst first: names, states, and in short why.

    What several say in the same words, such as that there is no log, is said once. No name gives
    way to words.
    """
    by_reason: dict[str, list[tuple[Check, Outcome]]] = {}
    for check, one in sorted(said, key=lambda pair: -SEVERITY[pair[1].exit_code]):
        if one.exit_code:
            by_reason.setdefault(_reason(one), []).append((check, one))
    fine = len(said) - sum(map(len, by_reason.values()))
    if not by_reason:
        return "all conditions are OK" if fine > 1 else f"{short_name(said[0][0])} is OK"
    end = f"; {fine} OK" if fine else ""
    named = [_named(some) for some in by_reason.values()]
    taken = len(end) + sum(len(f"{names}: ; ") for names in named)
    share = max(_LEAST, (room - taken) // len(named))
    parts = zip(named, by_reason, strict=True)
    return "; ".join(f"{names}: {plain(reason, share)}" for names, reason in parts) + end


def _named(said: Said) -> str:
    """Return names and states: `log CRITICAL, deferred bounces UNKNOWN`."""
    by_state: dict[int, list[str]] = {}
    for check, one in said:
        by_state.setdefault(one.exit_code, []).append(short_name(check))
    return ", ".join(f"{' '.join(names)} {STATES[state]}" for state, names in by_state.items())


def _reason(outcome: Outcome) -> str:
    """Return why a check is not OK, in its own words."""
    remarks = "; ".join(outcome.remarks)
    if not remarks:
        return outcome.summary
    # Numbers are not why something is not known.
    return remarks if STATES[outcome.exit_code] == "UNKNOWN" else f"{outcome.summary} ({remarks})"


def _perfdata(checks: Sequence[Check], said: Said) -> list[Perfdata]:
    """Return all labels, each once.

    One that means the same in several checks is said by the first of them. One that means
    something else in a later check has that check's name before it, whichever checks are run: what
    a label means is constant.
    """
    meanings: dict[str, str] = {}
    shown: dict[tuple[str, str], str] = {}
    for check in checks:
        for label in check.labels:
            is_same = meanings.setdefault(label.name, label.meaning) == label.meaning
            name = label.name if is_same else f"{short_name(check)}_{label.name}"
            shown[check.name, label.name] = name
    joined: dict[str, Perfdata] = {}
    for check, one in said:
        for metric in one.metrics:
            name = shown[check.name, metric.label]
            joined.setdefault(name, metric.called(name))
    return list(joined.values())
