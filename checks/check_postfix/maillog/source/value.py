"""A value: an object that is nothing but its fields, each declared once, with its default.

This is what dataclasses are for; those take longer to load than a run with nothing new has.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, dataclass_transform
else:

    def dataclass_transform():  # noqa: D103 - tells a type checker what `Value` does
        return lambda cls: cls


@dataclass_transform()
class Value:
    """The base of values.

    A subclass annotates its fields and gives each a default that nobody changes; `FIELDS` are
    their names. It is made from the values of the first fields, in their order, and from
    others by name.
    """

    FIELDS: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        cls.FIELDS = tuple(cls.__annotations__)

    def __init__(self, *values: object, **named: object) -> None:
        if len(values) > len(self.FIELDS) or not named.keys() <= set(self.FIELDS[len(values) :]):
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(self.FIELDS)}")
        self.__dict__.update(zip(self.FIELDS, values, strict=False), **named)
