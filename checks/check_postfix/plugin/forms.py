"""Forms of an outcome for others than Nagios and Icinga: JSON, and Checkmk's local checks."""

from __future__ import annotations

from check_postfix.plugin.output import STATES, plain
from check_postfix.plugin.threshold import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from check_postfix.plugin.output import Outcome, Perfdata

# Of a text, in bytes
_LONGEST = 400
# How Checkmk names this field of a line that has none.
_NO_METRICS = "-"


def json(outcome: Outcome) -> str:
    """Return one JSON object in one line.

    check, state (0 to 3), state_name, summary, remarks (a list), metrics (label -> number),
    lines (a list)
    """
    import json

    return json.dumps({**_said(outcome), **_found(outcome)}) + "\n"


def joint_json(joint: Outcome, outcomes: Sequence[Outcome]) -> str:
    """Return one JSON object in one line: what is said of all, and `checks`.

    checks: an object with what json() has of each, by its name: `postfix_deferred`
    """
    import json

    each = {one.name.replace(" ", "_"): {**_said(one), **_found(one)} for one in outcomes}
    return json.dumps({**_said(joint), "checks": each}) + "\n"


def _said(outcome: Outcome) -> dict[str, Any]:
    return {
        "check": outcome.name.replace(" ", "_"),
        "state": outcome.exit_code,
        "state_name": STATES[outcome.exit_code],
        "summary": plain(outcome.summary, _LONGEST),
        "remarks": [plain(remark, _LONGEST) for remark in outcome.remarks],
    }


def _found(outcome: Outcome) -> dict[str, Any]:
    return {"metrics": outcome.values, "lines": outcome.lines}


def checkmk(outcome: Outcome) -> str:
    """Return the line of a local check: state, name in quotes, metrics, text.

    Metrics have no unit, and no limits but a number; a line of text ends with the two
    characters \\n (docs.checkmk.com, Local checks).
    """
    metrics = "|".join(map(_metric, outcome.metrics)) or _NO_METRICS
    text = "\\n".join([outcome.words, *outcome.lines])
    return f'{outcome.exit_code} "{outcome.name}" {metrics} {text}\n'


def _metric(label: Perfdata) -> str:
    limits = (limit if _is_number(limit) else "" for limit in (label.warning, label.critical))
    bounds = ("" if bound is None else number(bound) for bound in (label.minimum, label.maximum))
    return f"{label.label}={';'.join([number(label.value), *limits, *bounds]).rstrip(';')}"


def _is_number(limit: str) -> bool:
    return limit.replace(".", "", 1).isdecimal()
