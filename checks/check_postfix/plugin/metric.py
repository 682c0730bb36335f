"""A metric: a measured name, value and unit."""

from __future__ import annotations

from collections import namedtuple


class Metric(namedtuple("Metric", "name value uom minimum maximum", defaults=("", 0, None))):
    """One number that a check has measured.

    name:  its label in perfdata: constant, lower case
    value: a number
    uom:   `s`, `%`, `B` or nothing
    minimum, maximum: what it can be at all; None where there is no bound
    """

    __slots__ = ()

    name: str
    value: float
    uom: str
    minimum: float | None
    maximum: float | None
