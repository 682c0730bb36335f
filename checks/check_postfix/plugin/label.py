"""A label: what is known of a metric before anything is measured."""

from __future__ import annotations

from check_postfix.plugin.metric import Metric


class Label:
    """What a check may measure. Graphs and exports are made for what is declared with it.

    name:    as it stands in perfdata: constant, lower case
    meaning: what the number is, in a few words
    uom:     `s`, `%`, `B` or nothing
    minimum, maximum: what it can be at all; None where there is no bound
    """

    __slots__ = ("maximum", "meaning", "minimum", "name", "uom")

    def __init__(
        self,
        name: str,
        meaning: str,
        uom: str = "",
        minimum: float | None = 0,
        maximum: float | None = None,
    ) -> None:
        self.name = name
        self.meaning = meaning
        self.uom = uom
        self.minimum = minimum
        self.maximum = maximum

    def of(self, value: float) -> Metric:
        """Return the metric with this value."""
        return Metric(self.name, value, self.uom, self.minimum, self.maximum)
