"""A ratio: one kind of failed attempts in percent of all attempts."""

from __future__ import annotations

from check_postfix.common.attempts import MIN_ATTEMPTS, MIN_FAILURES, Attempts
from check_postfix.plugin import Label, Least, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from check_postfix.maillog.window.window import Window


# So many failures are judged, whatever their domains.
_SURELY = 20


class Ratio:
    """A ratio of delivery attempts.

    label: of the metric
    part:  the family of the failures, `deferred` or `bounced`; also the word for them
    whole: the families of all attempts, those of the failures too
    noun:  for one attempt
    none:  the first line's words when there was no attempt
    nouns: for the failures
    """

    def __init__(
        self, label: Label, part: str, whole: Sequence[str], noun: str, none: str, nouns: str
    ) -> None:
        self.label = label
        self._part = part
        self._whole = whole
        self._noun = noun
        self._none = none
        self._nouns = nouns
        # What there must be to judge it
        self.enough = [
            Least(self._attempts, MIN_ATTEMPTS, f"{noun}s"),
            Least(self._failures, MIN_FAILURES, part),
        ]

    def _attempts(self, window: Window, options: Namespace) -> int:
        return Attempts(window, options).whole(self._whole)

    def _failures(self, window: Window, options: Namespace) -> int:
        """Return how many failures are judged: with --per those of the worst domain.

        Retries of a few messages to a dead domain are most of what is tried in a quiet night.
        """
        attempts = Attempts(window, options)
        if not options.per:
            failures = attempts.count(self._part)
            if self._part == "deferred" and failures < _SURELY:
                failures -= attempts.to_dead_domains(self._part)
            return failures
        worst = attempts.worst(self._part, self._whole)
        return worst.part if worst else 0

    def measure(self, window: Window, options: Namespace) -> dict[str, float]:
        """Return the ratio in percent by its label; with --per that of the worst domain.

        There is none without an attempt, or without a domain that had enough of them.
        """
        attempts = Attempts(window, options)
        part, whole = attempts.count(self._part), attempts.whole(self._whole)
        if options.per:
            worst = attempts.worst(self._part, self._whole)
            part, whole = (worst.part, worst.whole) if worst else (0, 0)
        # Rounded here, so that what is judged is what is shown.
        return {self.label.name: round(100 * part / whole, 1)} if whole else {}

    def summary(
        self,
        measured: Mapping[str, float],
        window: Window,
        options: Namespace,
        is_alarm: bool,
        more: str = "",
    ) -> str:
        """Return the first line's words.

        is_alarm: whether they tell where most failures were, and why
        more:     words at their end
        """
        span = values.span(window.seconds)
        attempts = Attempts(window, options)
        whole = attempts.whole(self._whole)
        who = why = ""
        if options.per and whole:
            worst = attempts.worst(self._part, self._whole)
            if worst is None:
                least = values.amount(options.min_attempts, self._noun)
                return f"no recipient domain with {least} in {span}, {whole} in all{more}"
            who, whole, why = f"{worst.name}: ", worst.whole, worst.why and f", {worst.why}"
        if not whole:
            return f"{self._none} in {span}{more}"
        percent = f"{measured[self.label.name]:g} % of {values.amount(whole, self._noun)}"
        if is_alarm and not options.per and (where := attempts.most(self._part)):
            why = f", {where}"
        return f"{who}{percent} {self._part} in {span}{why}{more}"

    def details(self, window: Window, options: Namespace) -> list[str]:
        """Return where attempts failed most, and why."""
        return Attempts(window, options).tables(self._part, self._nouns)

    def cause(self, window: Window, options: Namespace) -> list[str]:
        """Return the command that shows the messages that failed most."""
        # Few runs are asked for it.
        from check_postfix.common import cause

        attempts = Attempts(window, options)
        worst = attempts.worst(self._part, self._whole) if options.per else None
        if worst and worst.part:
            patterns = [worst.name, f"status={self._part}"]
        else:
            patterns = attempts.patterns(self._part)
        return cause.command(window, options, patterns)
