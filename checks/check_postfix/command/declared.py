"""Declared: options that are declared as those of the checks are, as a subcommand takes them."""

from __future__ import annotations

from argparse import Namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from check_postfix.plugin import Option


def add(parser: ArgumentParser, option: Option, help: str = "") -> None:
    """Let a subcommand take an option.

    help: where that of the checks does not hold
    """
    flags = [option.short, option.flag] if option.short else [option.flag]
    text = (help or option.help_with_default).replace("%", "%%")
    if option.switch:
        parser.add_argument(*flags, action="store_true", help=text)
    elif option.repeatable:
        parser.add_argument(*flags, metavar=option.metavar, action="append", default=[], help=text)
    else:
        parser.add_argument(*flags, metavar=option.metavar, help=text)


def values(written: Namespace, options: Sequence[Option]) -> Namespace:
    """Return what was written, with the values of these options in place of their texts.

    Raises: UsageError
    """
    read = Namespace(**vars(written))
    for option in options:
        given = getattr(written, option.name)
        if option.switch:
            continue
        if option.repeatable:
            value: object = [option.value(one) for one in given]
        else:
            given = option.default if given is None else given
            value = None if given is None else option.value(given)
        setattr(read, option.name, value)
    return read
