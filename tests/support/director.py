"""The basket: what the Icinga Director imports, a command and its fields for every check.

The keys are those that the Director's own export writes and its import reads
(library/Director/DirectorObject/Automation/BasketSnapshot.php, Objects/IcingaArguments.php).
A field carries no uuid, which the Director does not know before 1.11: the same field is found
again by comparing all of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from check_postfix.plugin import Check, Option
from check_postfix.plugin.together import Together

_DATA_TYPES = "Icinga\\Module\\Director\\DataType\\DataType"


def basket(
    checks: Sequence[Check | Together],
    settable: Callable[[Check | Together], list[Option]],
    timeout: int,
) -> str:
    """Return icinga/director-basket.json.

    settable: what of a check may be set
    timeout:  of the commands, in seconds
    """
    fields: dict[str, dict[str, Any]] = {}
    commands = {}
    for check in checks:
        references = []
        for option in settable(check):
            number = len(fields) + 1
            fields[str(number)] = _field(check, option)
            references.append({"datafield_id": number, "is_required": "n", "var_filter": None})
        commands[check.executable] = {
            "arguments": {option.flag: _argument(check, option) for option in settable(check)},
            "command": check.executable,
            "fields": references,
            "methods_execute": "PluginCheck",
            "object_name": check.executable,
            "object_type": "object",
            "timeout": str(timeout),
        }
    return json.dumps({"Command": commands, "Datafield": fields}, indent=4) + "\n"


def variable(check: Check | Together, option: Option) -> str:
    """Return the custom variable that sets an option."""
    return f"{check.executable}_{option.name}"


def _argument(check: Check | Together, option: Option) -> dict[str, Any]:
    macro = f"${variable(check, option)}$"
    argument: dict[str, Any] = {"description": option.help_with_default}
    if option.switch:
        return argument | {"set_if": macro}
    if option.repeatable:
        argument["repeat_key"] = True
    return argument | {"value": macro}


def _field(check: Check | Together, option: Option) -> dict[str, Any]:
    kind = "Boolean" if option.switch else "Array" if option.repeatable else "String"
    return {
        "caption": option.name.replace("_", " ").capitalize(),
        "category": None,
        "datatype": _DATA_TYPES + kind,
        "description": option.help_with_default,
        "format": None,
        "settings": {"visibility": "visible"} if kind == "String" else {},
        "varname": variable(check, option),
    }
