"""The Director's basket, by the Director's format, and what a real Icinga Director makes of it.

The format is what its source reads: library/Director/DirectorObject/Automation/BasketSnapshot.php
and BasketSnapshotFieldResolver.php, Objects/IcingaCommand.php, IcingaArguments.php and
DirectorDatafield.php.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import definitions
from tests.support.director import variable

BASKET: dict[str, Any] = json.loads(
    (definitions.ROOT / "icinga" / "director-basket.json").read_text()
)
COMMANDS, FIELDS = BASKET["Command"], BASKET["Datafield"]
# Properties of IcingaCommand; "fields" and "arguments" are relations of it.
COMMAND_KEYS = {
    *("object_name", "object_type", "command", "methods_execute", "timeout"),
    *("arguments", "fields"),
}
# IcingaArguments::mungeCommandArgument drops any other silently.
ARGUMENT_KEYS = {"value", "description", "set_if", "repeat_key", "skip_key", "required", "order"}
FIELD_KEYS = {"varname", "caption", "description", "datatype", "format", "settings", "category"}
REFERENCE_KEYS = {"datafield_id", "is_required", "var_filter"}
DATA_TYPES = {
    f"Icinga\\Module\\Director\\DataType\\DataType{kind}" for kind in ("String", "Boolean", "Array")
}

EACH_CHECK = pytest.mark.parametrize(
    "check", definitions.commands(), ids=lambda check: check.executable
)


def test_the_basket_holds_nothing_but_commands_and_their_fields():
    assert set(BASKET) == {"Command", "Datafield"}
    assert set(COMMANDS) == {check.executable for check in definitions.commands()}


@EACH_CHECK
def test_a_command_has_the_properties_that_the_director_knows(check):
    command = COMMANDS[check.executable]

    assert set(command) == COMMAND_KEYS
    # The Director finds an imported command again under this name.
    assert command["object_name"] == check.executable
    assert (command["object_type"], command["methods_execute"]) == ("object", "PluginCheck")


@EACH_CHECK
def test_every_option_is_an_argument(check):
    arguments = COMMANDS[check.executable]["arguments"]

    assert set(arguments) == {option.flag for option in definitions.settable(check)}
    for argument in arguments.values():
        assert set(argument) <= ARGUMENT_KEYS
        assert ("value" in argument) != ("set_if" in argument)


@EACH_CHECK
def test_every_option_has_a_field_for_its_variable(check):
    command = COMMANDS[check.executable]
    fields = [FIELDS[str(reference["datafield_id"])] for reference in command["fields"]]

    names = {variable(check, option) for option in definitions.settable(check)}
    assert {field["varname"] for field in fields} == names
    macros = {
        argument.get("value") or argument["set_if"] for argument in command["arguments"].values()
    }
    assert macros == {f"${name}$" for name in names}
    assert all(set(reference) == REFERENCE_KEYS for reference in command["fields"])


def test_a_field_has_the_properties_that_the_director_knows():
    for field in FIELDS.values():
        assert set(field) == FIELD_KEYS
        assert field["datatype"] in DATA_TYPES


@pytest.mark.integration
def test_a_director_imports_all_of_the_basket(one_director):
    first, _ = one_director["times"]

    assert first == {
        "commands": str(len(COMMANDS)),
        "fields": str(len(FIELDS)),
        "references": str(len(FIELDS)),
    }


@pytest.mark.integration
def test_importing_the_basket_again_changes_nothing(one_director):
    first, second = one_director["times"]

    assert second == first


@EACH_CHECK
@pytest.mark.integration
def test_a_director_exports_what_it_has_imported(check, one_director):
    exported = one_director["exported"][check.executable]
    command = COMMANDS[check.executable]

    # The Director numbers fields by itself, and from 1.11 on objects, too.
    assert len(exported.pop("fields")) == len(command["fields"])
    exported.pop("uuid", None)
    exported["timeout"] = str(exported["timeout"])
    assert exported == {key: value for key, value in command.items() if key != "fields"}


@pytest.mark.integration
def test_icinga_accepts_what_a_director_makes_of_the_basket(one_director):
    assert one_director["validated"] == 0, one_director["words"]
