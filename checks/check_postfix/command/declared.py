"""Declared: the options of the checks, as a subcommand takes them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser

    from check_postfix.plugin import Option


def add(parser: ArgumentParser, option: Option, help: str = "") -> None:
    """Let a subcommand take an option of the checks.

    help: where that of the checks does not hold
    """
    text = (help or option.help_with_default).replace("%", "%%")
    if option.switch:
        parser.add_argument(option.flag, action="store_true", help=text)
    elif option.repeatable:
        parser.add_argument(
            option.flag, metavar=option.metavar, action="append", default=[], help=text
        )
    else:
        parser.add_argument(option.flag, metavar=option.metavar, help=text)
