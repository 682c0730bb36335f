"""Arguments: the command line of a check read into values, and shown by --help."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter

from check_postfix.plugin import values
from check_postfix.plugin.errors import UsageError
from check_postfix.plugin.option import Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from check_postfix.plugin.check import Check

    # Title and options of each group, as --help shows them
    Groups = Sequence[tuple[str, Sequence[Option]]]

_COLUMNS = 80

TIMEOUT = Option(
    "--timeout",
    "give up after this time, which is UNKNOWN",
    default="10",
    parse=values.timeout,
    metavar="SECONDS",
    short="-t",
)
VERBOSE = Option(
    "--verbose",
    "say more: -v the worst offenders, -vv what was read, -vvv how",
    short="-v",
    switch=True,
)
PROMETHEUS = Option(
    "--prometheus",
    "also write the metrics to this file, for node-exporter's textfile collector",
    parse=values.prom_file,
    metavar="FILE",
    example="/var/lib/prometheus/node-exporter/postfix_queue.prom",
)
OUTPUT = Option(
    "--output",
    "form of what is printed: text, json (for Zabbix), or checkmk (a line of a local check)",
    default="text",
    parse=values.one_of("text", "json", "checkmk"),
    metavar="FORM",
)
VERSION = Option("--version", "show the version", short="-V", switch=True)
HELP = Option("--help", "show this help", short="-h", switch=True)
STANDARD = (TIMEOUT, VERBOSE, PROMETHEUS, OUTPUT, VERSION, HELP)
STANDARD_GROUP = ("standard options", STANDARD)

# For each of its words argparse looks for a translation, which no machine has, and loads what
# reads locales for that: a fortieth of a run.
argparse._ = str  # type: ignore[attr-defined]

# How much of two names is the same where one may be meant for the other: --windows, --window.
_ALIKE = 0.7


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print to standard error."""
        raise UsageError(_in_plain_words(message))


def _in_plain_words(message: str) -> str:
    """Return what argparse says of an option, as `argument -w/--warning: ...`, with what to do."""
    named, _, said = message.removeprefix("argument ").partition(": ")
    flag = named.rpartition("/")[2]
    if said == "expected one argument":
        return f"{flag}: has no value; where one begins with - it is written {flag}=-5"
    before, ignored, written = said.partition("ignored explicit argument ")
    return f"{flag}: takes no value, so not {written[1:-1]}" if ignored and not before else message


class _Once(argparse.Action):
    """Of what chooses one, the last would have its way, and the others would not be looked at."""

    def __call__(
        self, _: ArgumentParser, namespace: Namespace, values: Any, option: Any = None
    ) -> None:
        before = getattr(namespace, self.dest)
        if before not in (None, values):
            raise UsageError(
                f"{option} {values}: beside {before}, and one run judges one or all; run it for"
                " each, or leave it out"
            )
        setattr(namespace, self.dest, values)


def options_of(
    check: Check, arguments: Sequence[str], options: Namespace | None = None
) -> Namespace:
    """Return the values of all options, by name.

    options: where an error ends it, filled with what was understood, None for the rest
    Raises:  UsageError naming the option, what is wrong and what would be right
    """
    options = options or Namespace(verbose=0)
    groups = [*check.groups, STANDARD_GROUP]
    faults = [
        *read(check.executable, groups, arguments, options),
        *evaluate([option for _, members in groups for option in members], options),
    ]
    if faults:
        raise faults[0]
    return options


def read(
    executable: str, groups: Groups, arguments: Sequence[str], options: Namespace
) -> list[UsageError]:
    """Take down what is written for each option, None where there is nothing.

    groups: of the options that there are
    Returns: what is wrong with it
    """
    try:
        parser = _parser(executable, groups)
        _, strange = parser.parse_known_args(list(arguments), options)
    except UsageError as error:
        return [error]
    return [UsageError(_not_an_option(written, groups)) for written in strange[:1]]


def evaluate(declared: Sequence[Option], options: Namespace) -> list[UsageError]:
    """Put values in the place of what is written for options, and defaults where nothing is.

    Returns: what is wrong; the value is None then
    """
    faults = []
    for option in declared:
        if option.switch:
            continue
        try:
            value = _value(option, getattr(options, option.name))
        except UsageError as error:
            faults.append(error)
            value = None
        setattr(options, option.name, value)
    # Where one is wrong by itself, that is what to mend first.
    conflicts = () if faults else (option.conflict(options) for option in declared)
    return faults + [fault for fault in conflicts if fault]


def _not_an_option(written: str, groups: Groups) -> str:
    if not written.startswith("-"):
        return f"{written}: every value needs an option before it"
    import difflib

    # The dashes, which all have, would make any two of them alike.
    names = [option.flag.lstrip("-") for _, members in groups for option in members]
    near = difflib.get_close_matches(written.partition("=")[0].lstrip("-"), names, 1, _ALIKE)
    return f"{written}: no such option" + (f"; did you mean --{near[0]}?" if near else "")


def _value(option: Option, written: Any) -> Any:
    if option.repeatable:
        return [option.value(one) for one in written or ()]
    if written is None:
        written = option.default
    return None if written is None else option.value(written)


def _parser(executable: str, groups: Groups) -> ArgumentParser:
    parser = _Parser(
        prog=executable,
        formatter_class=lambda prog: RawDescriptionHelpFormatter(
            prog, max_help_position=28, width=_COLUMNS
        ),
        add_help=False,
        allow_abbrev=False,
        usage=f"{executable} [options]",
    )
    for title, members in groups:
        group = parser.add_argument_group(title)
        for option in members:
            _add(group, option)
    return parser


def _add(group: Any, option: Option) -> None:
    flags = [option.short, option.flag] if option.short else [option.flag]
    help_text = option.help_with_default.replace("%", "%%")
    if option is VERBOSE:
        group.add_argument(*flags, action="count", default=SUPPRESS, help=help_text)
    elif option.switch:
        group.add_argument(*flags, action="store_true", help=help_text)
    else:
        group.add_argument(
            *flags,
            metavar=option.metavar,
            action="append" if option.repeatable else _Once if option.chooses else "store",
            help=help_text,
        )


def _epilog(examples: Sequence[tuple[str, str]]) -> str:
    import textwrap

    lines = [
        "ranges: 10 alerts above 10, 10: below 10, 10:20 outside, @10:20 inside,",
        "        ~:10 above 10 only, where numbers can be below 0",
    ]
    if examples:
        lines += ["", "examples:"]
        for command, what in examples:
            lines += [
                f"  {command}",
                *textwrap.wrap(f"      {what}", _COLUMNS - 1, subsequent_indent="      "),
            ]
    return "\n".join(lines)


def help_text(check: Check) -> str:
    """Return the text of --help, 80 columns wide."""
    groups = [*check.groups, STANDARD_GROUP]
    return help_of(check.executable, groups, check.description, check.examples)


def help_of(
    executable: str, groups: Groups, description: str, examples: Sequence[tuple[str, str]]
) -> str:
    """Return the text of --help of an executable with these options, 80 columns wide."""
    # Most runs show none.
    import textwrap

    parser = _parser(executable, groups)
    parser.description = textwrap.fill(description, _COLUMNS)
    parser.epilog = _epilog(examples)
    return parser.format_help()
