"""A label: what is known of a metric before it is measured."""

from __future__ import annotations


class Label:
    """What a check may measure. Perfdata, graphs and exports follow from it.

    name:    as in perfdata: constant, lower case
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
