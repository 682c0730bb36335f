"""A ratio: one kind of failure in percent of the attempts that it is a part of."""

from __future__ import annotations

from check_postfix.common.attempts import Attempts
from check_postfix.plugin import Label, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from check_postfix.maillog.window.window import Window
    from check_postfix.plugin import Metric


class Ratio:
    """Its label, and what it is of.

    label: of the metric
    part:  the failures, `deferred` or `bounced`; also the word for them
    whole: what they are a part of, such names as well
    noun:  what one of the whole is called
    none:  what is said when there were none at all
    nouns: what the failures are called
    """

    def __init__(
        self, label: Label, part: str, whole: tuple[str, ...], noun: str, none: str, nouns: str
    ) -> None:
        self.label = label
        self._part = part
        self._whole = whole
        self._noun = noun
        self._none = none
        self._nouns = nouns

    def whole(self, attempts: Attempts) -> int:
        """Return how many attempts the failures are a part of."""
        return sum(getattr(attempts, name) for name in self._whole)

    def of(self, attempts: Attempts, options: Namespace) -> list[Metric]:
        """Return the metric in percent; with --per the worst domain's.

        It is left out when there was no attempt, or no domain had enough of them.
        """
        part, whole = getattr(attempts, self._part), self.whole(attempts)
        if options.per:
            worst = attempts.worst(self._part, self._whole)
            part, whole = (worst.part, worst.whole) if worst else (0, 0)
        # Rounded here, so that what is judged is what is shown.
        return [self.label.of(round(100 * part / whole, 1))] if whole else []

    def summary(
        self, measured: Mapping[str, float], window: Window, options: Namespace, more: str = ""
    ) -> str:
        """Return the first line's words.

        more: what they end with
        """
        span = values.span(window.seconds)
        attempts = Attempts(window, options)
        whole = self.whole(attempts)
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
        return f"{who}{percent} {self._part} in {span}{why}{more}"

    def details(self, window: Window, options: Namespace) -> list[str]:
        """Return where attempts failed most, and why."""
        return Attempts(window, options).tables(self._part, self._nouns)
