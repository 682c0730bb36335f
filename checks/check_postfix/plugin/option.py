"""An option: its name, default, meaning and the text that explains it, in one place."""

from __future__ import annotations

from check_postfix.plugin import values
from check_postfix.plugin.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any


class Option:
    """One option of a check.

    flag:    `--min-attempts`
    help:    one sentence; the default is added to it
    default: as it would be written on the command line; None for none
    parse:   from the written text to the value; raises ValueError with what is wrong
             with it, and where an example would not help, with what to do about it
    example: values that it takes, for who has written another; None for the default
    metavar: what stands for the value in help
    short:   a second, short flag
    repeatable: whether it may be given several times, which makes its value a list
    switch:  whether it takes no value
    chooses: whether it says of what alone a run tells, so that two of them are a mistake
    series:  name of the label by which graphs tell apart what was measured with
             different values of it
    """

    def __init__(
        self,
        flag: str,
        help: str,
        default: str | None = None,
        parse: Callable[[str], object] = values.text,
        metavar: str = "TEXT",
        short: str = "",
        repeatable: bool = False,
        switch: bool = False,
        series: str = "",
        example: str | None = None,
        chooses: bool = False,
    ) -> None:
        self.flag = flag
        self.help = help
        self.default = default
        self.parse = parse
        self.metavar = metavar
        self.short = short
        self.repeatable = repeatable
        self.switch = switch
        self.series = series
        self.chooses = chooses
        self.example = default if example is None else example

    @property
    def name(self) -> str:
        """The attribute that its value is found under."""
        return self.flag.lstrip("-").replace("-", "_")

    @property
    def help_with_default(self) -> str:
        """The help sentence and the default."""
        return f"{self.help} (default: {self.default})" if self.default else self.help

    def words(self, value: Any) -> list[str]:
        """Return what gives this value on a command line; nothing where there is none.

        value: as it was written, or True of a switch; a list of what may be repeated
        """
        if self.switch:
            return [self.flag] if value else []
        return [
            word
            for one in (value or () if self.repeatable else [value])
            if one is not None
            for word in (self.flag, one)
        ]

    def value(self, written: str) -> object:
        """Return the value of what was written.

        Raises: UsageError
        """
        try:
            return self.parse(written)
        except ValueError as error:
            raise self.fault(written, error) from None

    def fault(self, written: str, error: ValueError) -> UsageError:
        """Return what to tell whoever has written something that is no value."""
        cause, *fix = error.args
        if not fix and self.example:
            fix = [f"use for example {self.example}"]
        return UsageError(f"{self.flag} {written}: {'; '.join([cause, *fix])}")

    def conflict(self, _: Namespace) -> UsageError | None:
        """Return why this option and others make no sense together, None if they do.

        It is given the values of all, by name.
        """
        return None
