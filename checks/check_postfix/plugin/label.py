"""A label: what is known of a metric before anything is measured."""

from __future__ import annotations

from collections import namedtuple

from check_postfix.plugin.metric import Metric


class Label(namedtuple("Label", "name meaning uom minimum maximum", defaults=("", 0, None))):
    """What a check may measure. Graphs and exports are made for what is declared with it.

    name:    as it stands in perfdata: constant, lower case
    meaning: what the number is, in a few words
    uom:     `s`, `%`, `B` or nothing
    minimum, maximum: what it can be at all; None where there is no bound
    """

    __slots__ = ()

    name: str
    meaning: str
    uom: str
    minimum: float | None
    maximum: float | None

    def of(self, value: float) -> Metric:
        """Return the metric with this value."""
        return Metric(self.name, value, self.uom, self.minimum, self.maximum)
