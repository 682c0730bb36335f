"""A metric: a measured name, value and unit."""

from __future__ import annotations


class Metric:
    """One number that a check has measured.

    name:  its label in perfdata: constant, lower case
    value: a number
    uom:   `s`, `%`, `B` or nothing
    minimum, maximum: what it can be at all; None where there is no bound
    """

    __slots__ = ("maximum", "minimum", "name", "uom", "value")

    def __init__(
        self,
        name: str,
        value: float,
        uom: str = "",
        minimum: float | None = 0,
        maximum: float | None = None,
    ) -> None:
        self.name = name
        self.value = value
        self.uom = uom
        self.minimum = minimum
        self.maximum = maximum
