"""Together: several checks that one process judges, declared as one."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace

from check_postfix import __version__, ending
from check_postfix.ending import Ended
from check_postfix.plugin import timer, values
from check_postfix.plugin.arguments import (
    HELP,
    PROMETHEUS,
    STANDARD,
    STANDARD_GROUP,
    TIMEOUT,
    VERBOSE,
    VERSION,
    evaluate,
    help_of,
    read,
)
from check_postfix.plugin.errors import UsageError
from check_postfix.plugin.joint import Joint, short_name
from check_postfix.plugin.judging import Judging
from check_postfix.plugin.option import Option
from check_postfix.plugin.output import Outcome
from check_postfix.plugin.run import UNKNOWN, export, how, is_written, outcome_of_error
from check_postfix.plugin.timer import TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, NoReturn

    from check_postfix.plugin.arguments import Groups
    from check_postfix.plugin.check import Check
    from check_postfix.plugin.label import Label

# What was to end something, and was lost where nobody could be told, comes again so soon.
# In seconds.
_SOON = 0.01

OUTPUT = Option(
    "--output",
    "form of what is printed: text; json (for Zabbix); checkmk (lines of local checks); or passive"
    " results, one for each condition: nsca (for send_nsca), command (for the external command"
    " file), or icinga (for process-check-result of Icinga 2's API)",
    default="text",
    parse=values.one_of("text", "json", "checkmk", "nsca", "command", "icinga"),
    metavar="FORM",
)


def _host(written: str) -> str:
    """Return the name of a host, which ends no field of a passive result."""
    if not written.isprintable() or ";" in written:
        raise ValueError("not the name of a host")
    return values.text(written)


SERVICE_HOST = Option(
    "--service-host",
    "name that Nagios or Icinga has for this host, in passive results; their services are called"
    " postfix-deferred and so on (default: this machine's name)",
    parse=_host,
    metavar="NAME",
    example="mx1.example.com",
)


class Together:
    """Several checks.

    name:     `postfix all`: the executable is check_ + that with an underscore
    description: one or two sentences for --help
    checks:   in the order in which they are told; those whose source may be slow come last
    shared:   options that are given once, for every check that has them
    follows:  from (check, values of the shared options as written) to further values that follow
              from them for a check, as written, by name
    examples: (command line, what it does) for --help
    """

    def __init__(
        self,
        name: str,
        description: str,
        checks: Sequence[Check],
        shared: Sequence[Option],
        follows: Callable[[Check, Namespace], Mapping[str, Any]] = lambda *_: {},
        examples: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.name = name
        self.description = description
        self.checks = {short_name(check): check for check in checks}
        self._shared = shared
        self._follows = follows
        self.examples = examples
        one_of_them = values.one_of(*self.checks)
        some = next(iter(self.checks))
        self._only = Option(
            "--only", "judge this condition and no other", parse=one_of_them, metavar="CONDITION",
            repeatable=True, example=some,
        )  # fmt: skip
        self._except = Option(
            "--except", "leave this condition out", parse=one_of_them, metavar="CONDITION",
            repeatable=True, example=some,
        )  # fmt: skip
        self._with = Option(
            "--with",
            "a condition and options for it alone, as its own executable takes them, no shell:"
            f" '{some} -w 5 -c 15'; they go before what is given for all",
            parse=self._words,
            metavar="WORDS",
            repeatable=True,
            example=f"'{some} -w 5 -c 15'",
        )

    @property
    def executable(self) -> str:
        """The command's name."""
        return "check_" + self.name.replace(" ", "_")

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        """All options but the standard ones, under the titles that --help gives them."""
        return [
            ("what is judged", [self._only, self._except, self._with]),
            ("what is read", list(self._shared)),
            ("passive results", [SERVICE_HOST]),
        ]

    @property
    def options(self) -> list[Option]:
        """All options but the standard ones."""
        return [option for _, members in self.groups for option in members]

    @property
    def standard(self) -> Sequence[Option]:
        """The standard options, with more forms of output."""
        return (TIMEOUT, VERBOSE, PROMETHEUS, OUTPUT, VERSION, HELP)

    @property
    def unreadable(self) -> int:
        """Exit code where nothing of all can be read."""
        return UNKNOWN

    @property
    def labels(self) -> Sequence[Label]:
        """Of what is measured beyond what each check measures."""
        return ()

    @property
    def help_text(self) -> str:
        """The text of --help, 80 columns wide."""
        return help_of(self.executable, self._groups, self.description, self.examples)

    @property
    def _groups(self) -> Groups:
        return [*self.groups, ("standard options", self.standard)]

    def run(self, arguments: Sequence[str] | None = None) -> NoReturn:
        """Run the checks and leave with the exit code of the worst."""
        raise SystemExit(self.answer(sys.argv[1:] if arguments is None else arguments))

    def answer(self, arguments: Sequence[str]) -> int:
        """Run the checks, print what they say, and return the exit code of the worst."""
        sys.unraisablehook = self._unraisable
        text, code = self.outcome_of(arguments, answers=True)
        return code if is_written(text) else UNKNOWN

    def _unraisable(self, error: Any) -> None:
        """Be silent about what goes wrong where nobody can be told; a time that is up, is up."""
        if isinstance(error.exc_value, TimedOut):
            timer.start(_SOON)
        elif isinstance(error.exc_value, Ended):
            os.write(1, str(Outcome(self.name, UNKNOWN, str(error.exc_value))).encode())
            os._exit(UNKNOWN)

    def outcome_of(self, arguments: Sequence[str], answers: bool = False) -> tuple[str, int]:
        """Return what is printed when called like this, and the exit code.

        answers: whether signals that end the process are answered from now on, by a line as well
        """
        options = Namespace(verbose=0)
        try:
            try:
                if answers:
                    ending.interrupt()
                started = time.monotonic()
                written = self._options_of(arguments, options)
                if options.help:
                    return self.help_text, UNKNOWN
                if options.version:
                    return f"{self.executable} {__version__}\n", UNKNOWN
                parts, found = self._parts(options, written)
                judged = [(check, own) for check, own in parts if check.name not in found]
                found |= Judging(self.executable, judged, options.timeout).finish()
            finally:
                ending.be_deaf()
            said = [(check, found[check.name]) for check, _ in parts]
            joint = Joint(self.name, list(self.checks.values()), said)
            if options.verbose >= 3:
                joint.add(how(options, time.monotonic() - started))
        except BaseException as error:  # noqa: BLE001 - the last resort: Nagios must be told
            outcome = outcome_of_error(self, error, options)
            return self._printed(outcome, self._as_each(outcome, options), options), UNKNOWN
        if options.prometheus:
            text = lambda: self._exposition(joint, options, parts, found)  # noqa: E731
            export(joint, options.prometheus, text)
        return self._printed(joint, [one for _, one in said], options), joint.exit_code

    # -- options

    def _options_of(self, arguments: Sequence[str], options: Namespace) -> Namespace:
        """Put the values of all options into their place; return what is written for them.

        Raises: UsageError
        """
        faults = read(self.executable, self._groups, arguments, options)
        written = Namespace(**vars(options))
        faults += evaluate([*self.options, *self.standard], options)
        if faults:
            raise faults[0]
        return written

    def _words(self, written: str) -> tuple[str, list[str]]:
        """Return a condition and the words of its options, split as a shell would."""
        import shlex

        try:
            name, *words = shlex.split(written)
        except ValueError:
            raise ValueError("not a condition and its options") from None
        if name not in self.checks:
            raise ValueError("no such condition", f"there are {', '.join(self.checks)}")
        not_for_one = {flag for option in STANDARD for flag in (option.flag, option.short) if flag}
        for word in words:
            if word.partition("=")[0] in not_for_one:
                raise ValueError(f"{word} is for all conditions", "write it outside of --with")
        return name, words

    def _parts(
        self, options: Namespace, written: Namespace
    ) -> tuple[list[tuple[Check, Namespace]], dict[str, Outcome]]:
        """Return the chosen checks with their options, and what those say whose are wrong.

        Raises: UsageError
        """
        parts: list[tuple[Check, Namespace]] = []
        faults: dict[str, Outcome] = {}
        words_of: dict[str, list[str]] = {}
        for name, words in getattr(options, self._with.name):
            words_of[name] = [*words_of.get(name, []), *words]
        for name in self._chosen(options):
            check = self.checks[name]
            own, wrong = self._options_for(check, words_of.get(name, []), written)
            own.verbose, own.timeout = options.verbose, options.timeout
            parts.append((check, own))
            if wrong:
                faults[check.name] = outcome_of_error(check, wrong[0], own)
        return parts, faults

    def _chosen(self, options: Namespace) -> list[str]:
        """Return the conditions that are to be judged.

        Raises: UsageError
        """
        only, but = (getattr(options, option.name) for option in (self._only, self._except))
        chosen = [name for name in only or self.checks if name not in but]
        if not chosen:
            raise UsageError(f"{self._except.flag}: leaves no condition; leave one of them out")
        return [name for name in self.checks if name in chosen]

    def _options_for(
        self, check: Check, words: Sequence[str], written: Namespace
    ) -> tuple[Namespace, list[UsageError]]:
        """Return the values of options that a check would have alone, and what is wrong with them.

        words:   for it alone
        written: for all checks
        """
        options = Namespace(verbose=0)
        wrong = []
        if words:  # to make a parser for each check would take long
            groups = [*check.groups, STANDARD_GROUP]
            wrong = read(check.executable, groups, words, options)
        shared = {one.name: getattr(written, one.name) for one in self._shared_by(check)}
        given = {**shared, **self._follows(check, written)}
        declared = [*check.options, *STANDARD]
        for option in declared:
            if not getattr(options, option.name, None):
                nothing = False if option.switch else None
                setattr(options, option.name, given.get(option.name, nothing))
        wrong += evaluate(declared, options)
        return options, wrong

    def _shared_by(self, check: Check) -> list[Option]:
        there = set(map(id, check.options))
        return [option for option in self._shared if id(option) in there]

    # -- what is said

    def _as_each(self, outcome: Outcome, options: Namespace) -> list[Outcome]:
        """Return what keeps all checks from being judged, as each of them says it."""
        try:
            chosen = self._chosen(options)
        except (AttributeError, TypeError, UsageError):  # just that is wrong
            chosen = list(self.checks)
        return [
            Outcome(self.checks[name].name, outcome.exit_code, outcome.summary) for name in chosen
        ]

    def _printed(self, joint: Outcome, each: Sequence[Outcome], options: Namespace) -> str:
        """Return outcomes in the form that is asked for; as text where nobody could tell which."""
        form = getattr(options, OUTPUT.name, None)
        if form in (None, "text"):
            return str(joint)
        # Many runs print text.
        from check_postfix.plugin import forms, passive

        if form == "json":
            return forms.joint_json(joint, each)
        if form == "checkmk":
            return "".join(map(forms.checkmk, each))
        host = getattr(options, SERVICE_HOST.name, None) or os.uname().nodename
        if form == "nsca":
            return passive.nsca(each, host)
        if form == "icinga":
            return passive.icinga(each, host)
        return passive.command(each, host, time.time())

    def _exposition(
        self,
        joint: Outcome,
        options: Namespace,
        parts: Sequence[tuple[Check, Namespace]],
        found: Mapping[str, Outcome],
    ) -> str:
        """Return the text of a file for Prometheus: what each check would write, and the worst."""
        from check_postfix.plugin import prometheus

        now = time.time()
        # The first tells whose file it is.
        return prometheus.exposition(self, joint, options, now) + "".join(
            prometheus.exposition(check, found[check.name], own, now) for check, own in parts
        )
