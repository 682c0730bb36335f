"""What is generated from the checks' declarations is up to date and complete."""

from __future__ import annotations

import pytest

from tests.support import definitions


@pytest.mark.parametrize("path", list(definitions.files()), ids=lambda path: path.name)
def test_generated_files_say_what_the_declarations_say(path):
    assert path.read_text() == definitions.files()[path], "run: python -m tests.support.definitions"


def test_every_module_with_a_check_has_a_script():
    modules = {
        path.stem
        for path in (definitions.ROOT / "checks" / "check_postfix").glob("*.py")
        if "\nCHECK = Check(" in path.read_text()
    }

    assert modules == {check.name.removeprefix("postfix ") for check in definitions.checks()}


@pytest.mark.parametrize("check", definitions.checks(), ids=lambda check: check.name)
def test_every_option_explains_itself(check):
    for option in definitions.settable(check):
        assert option.help
        assert option.help[-1] != "."
