"""A check: the declaration of one condition, and how its numbers are judged."""

from __future__ import annotations

from argparse import Namespace

from check_postfix.plugin.at_least import AtLeast
from check_postfix.plugin.output import STATES, Outcome, Perfdata
from check_postfix.plugin.threshold import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    import nagiosplugin

    from check_postfix.plugin.label import Label
    from check_postfix.plugin.option import Option
    from check_postfix.plugin.threshold import Threshold


# What was not seen makes an OK worthless, but takes nothing from an alarm.
SEVERITY = {0: 0, 3: 1, 1: 2, 2: 3}
_ALARMS = (1, 2)


class Remark:
    """Something that must be known to understand the first line.

    text:    a few words
    unknown: whether an OK cannot be vouched for because of it
    explains: whether it only helps to understand an alarm, and is no news beside an OK
    finding: exit code that it makes, where it is what a check looks for: 0 for none
    """

    __slots__ = ("explains", "finding", "text", "unknown")

    def __init__(
        self, text: str, unknown: bool = False, explains: bool = False, finding: int = 0
    ) -> None:
        self.text = text
        self.unknown = unknown
        self.explains = explains
        self.finding = finding


class Source:
    """Where a check gets what it measures from.

    options: what decides where and how it is read
    open:    context manager: from the options' values to the subject that the check
             measures; raises Unknown if there is none
    measure: from the subject to numbers that all checks of this source have, by label
    labels:  of these numbers
    remarks: what must be said about the subject in the first line
    where:   from (subject, options) to lines for -v: what was read, and where what is kept lies
    about:   from (subject, options) to further lines for -vv: what was read
    missed:  from (subject, options, what tells a subject's exit code) to what must be said
             about the time in which nobody has run the check with these options
    """

    def __init__(
        self,
        options: Sequence[Option],
        open: Callable[[Namespace], AbstractContextManager[Any]],
        measure: Callable[[Any], Mapping[str, float]] = lambda _: {},
        labels: Sequence[Label] = (),
        remarks: Callable[[Any], list[Remark]] = lambda _: [],
        where: Callable[[Any, Namespace], list[str]] = lambda *_: [],
        about: Callable[[Any, Namespace], list[str]] = lambda *_: [],
        missed: Callable[[Any, Namespace, Callable[[Any], int]], Remark | None] = lambda *_: None,
    ) -> None:
        self.options = options
        self.open = open
        self.measure = measure
        self.labels = labels
        self.remarks = remarks
        self.where = where
        self.about = about
        self.missed = missed


class Check:
    """One condition.

    name:       `postfix deferred`: the executable is check_ + that with an underscore
    description: one or two sentences for --help
    source:     what it reads
    measure:    from (subject, options) to numbers by label; opens nothing, changes nothing
    thresholds: what is compared; the first is -w and -c
    summary:    from (numbers by label, subject, options, whether it is an alarm) to the first
                line's words, which tell of an alarm where and why
    details:    from (subject, options) to lines for -v, the worst offenders
    labels:     of every number that may be measured, in the order of perfdata; those of
                the source follow
    options:    further options of this check alone
    examples:   (command line, what it does) for --help
    worst_case: from the subject to what it would be if all that was not understood were
                failures; None if there is no such thing
    cause:      from (subject, options) to the last line for -v: the command that shows what is
                behind the number
    findings:   of a check that looks for what others only remark: from (subject, options, what
                is remarked) to what is to be said instead, with the exit codes that it makes
    unreadable: exit code where the source cannot be read
    """

    def __init__(
        self,
        name: str,
        description: str,
        source: Source,
        measure: Callable[[Any, Namespace], Mapping[str, float]],
        thresholds: Sequence[Threshold],
        summary: Callable[[Mapping[str, Any], Any, Namespace, bool], str],
        details: Callable[[Any, Namespace], list[str]] = lambda *_: [],
        labels: Sequence[Label] = (),
        options: Sequence[Option] = (),
        examples: Sequence[tuple[str, str]] = (),
        worst_case: Callable[[Any], Any] = lambda _: None,
        cause: Callable[[Any, Namespace], list[str]] = lambda *_: [],
        findings: Callable[[Any, Namespace, list[Remark]], list[Remark]] | None = None,
        unreadable: int = 3,
    ) -> None:
        self.name = name
        self.description = description
        self.source = source
        self.measure = measure
        self.thresholds = thresholds
        self.summary = summary
        self.details = details
        self.labels = [*labels, *source.labels]
        self.own_options = options
        self.examples = examples
        self._worst_case = worst_case
        self._cause = cause
        self._findings = findings
        self.unreadable = unreadable

    @property
    def executable(self) -> str:
        """The command's name."""
        return "check_" + self.name.replace(" ", "_")

    @property
    def groups(self) -> list[tuple[str, list[Option]]]:
        """All options but the standard ones, under the titles that --help gives them."""
        return [
            ("thresholds", [o for t in self.thresholds for o in (t.warning, t.critical)]),
            ("what is judged", list(self.own_options)),
            ("what is read", list(self.source.options)),
        ]

    @property
    def options(self) -> list[Option]:
        """All options but the standard ones: thresholds, the check's own, the source's."""
        return [option for _, members in self.groups for option in members]

    def judge(self, subject: Any, options: Namespace, verbosity: int = 0) -> Outcome:
        """Return what is to be said of a subject.

        subject:   what the source has read
        options:   the values of self.options, by name
        verbosity: 0 to 3, how often -v was given
        """
        measured = {**self.measure(subject, options), **self.source.measure(subject)}
        state, perfdata, not_judged = self._compare(subject, measured, options)
        remarks = [*self.source.remarks(subject), *not_judged]
        if self._findings is not None:
            findings = self._findings(subject, options, remarks)
            state = max([state, *(one.finding for one in findings)], key=SEVERITY.__getitem__)
            remarks = sorted(findings, key=lambda one: -SEVERITY[one.finding])
        state_of = lambda other: self._state_of(other, options)  # noqa: E731
        if missed := self.source.missed(subject, options, state_of):
            remarks.append(missed)
        oddities = (threshold.oddity(options) for threshold in self.thresholds)
        remarks += [Remark(words) for words in oddities if words]
        worst = None if state else self._worst_case(subject)
        if worst is not None and (state_then := self._state_of(worst, options)):
            words = f"what was not understood could make it {STATES[state_then]}"
            remarks.append(Remark(words, unknown=True))
        if any(remark.unknown for remark in remarks):
            state = max(state, 3, key=SEVERITY.__getitem__)
        words = self.summary(measured, subject, options, state in _ALARMS)
        remarks = [remark for remark in remarks if state or not remark.explains]
        lines = []
        if verbosity >= 1:
            lines = [*self.details(subject, options), *self.source.where(subject, options)]
        if verbosity >= 2:
            lines = [*lines, *self.source.about(subject, options)]
        if verbosity >= 1:
            lines = [*lines, *self._cause(subject, options)]
        said = [remark.text for remark in remarks]
        return Outcome(self.name, state, words, perfdata, lines, said)

    def rehearsed(self, subject: Any, options: Namespace) -> tuple[int, dict[str, float]]:
        """Return the exit code that a subject's numbers make, and those that are judged, by label.

        What makes a run UNKNOWN besides them is no part of it.
        """
        measured = self.measure(subject, options)
        judged = {
            threshold.metric: measured[threshold.metric]
            for threshold in self.thresholds
            if threshold.metric in measured and not _lacking(threshold, subject, options)
        }
        return self._compare(subject, measured, options)[0], judged

    def _state_of(self, subject: Any, options: Namespace) -> int:
        """Return the exit code that the numbers of a subject make."""
        return self._compare(subject, self.measure(subject, options), options)[0]

    def _compare(
        self, subject: Any, measured: Mapping[str, float], options: Namespace
    ) -> tuple[int, list[Perfdata], list[Remark]]:
        """Return the worst state of what was measured, its perfdata, and what was not judged."""
        labels = [label for label in self.labels if label.name in measured]
        assert len(labels) == len(measured), f"not all declared: {', '.join(measured)}"
        limits = {threshold.metric: threshold for threshold in self.thresholds}
        perfdata, remarks = [], []
        state = 0
        for label in labels:
            value = measured[label.name]
            threshold = limits.get(label.name)
            result, metric = _judge_metric(label, value, threshold, options)
            if threshold and result and (lacking := _lacking(threshold, subject, options)):
                remarks.append(Remark(f"{lacking}, not judged"))
                # Without its ranges: what draws them would show an alarm where there is none.
                result, metric = _judge_metric(label, value, None, options)
            perfdata.append(metric)
            state = max(state, result, key=SEVERITY.__getitem__)
        return state, perfdata, remarks


def _judge_metric(
    label: Label, value: float, threshold: Threshold | None, options: Namespace
) -> tuple[int, Perfdata]:
    """Return a metric's exit code and its perfdata."""
    import nagiosplugin

    if threshold is None:
        return 0, Perfdata(label.name, value, label.uom, "", "", label.minimum, label.maximum)
    warning = getattr(options, threshold.warning.name)
    critical = getattr(options, threshold.critical.name)
    proven = _provable if isinstance(value, AtLeast) else lambda limits: limits
    context = nagiosplugin.ScalarContext(label.name, proven(warning), proven(critical))
    judged = nagiosplugin.Metric(
        label.name,
        value,
        label.uom or None,
        label.minimum,
        label.maximum,
        context=label.name,
        contextobj=context,
    )
    state: int = judged.evaluate().state.code
    return state, Perfdata(
        label.name,
        value,
        label.uom,
        shown(warning, label.minimum),
        shown(critical, label.minimum),
        label.minimum,
        label.maximum,
    )


def _provable(limits: nagiosplugin.Range | None) -> nagiosplugin.Range | None:
    """Return a range outside of which all is that is greater than something outside of it."""
    if limits is None or (limits.invert and limits.end != float("inf")):
        return None
    return limits if limits.invert else limits._replace(start=float("-inf"))


def _lacking(threshold: Threshold, subject: Any, options: Namespace) -> str:
    """Return why there is too little to judge, in a few words; nothing if there is enough."""
    for least in threshold.enough:
        number: float = getattr(options, least.option.name)
        if least.count(subject, options) < number:
            return f"fewer than {number} {least.of}"
    return ""
