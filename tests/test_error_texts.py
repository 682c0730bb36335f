"""Whatever an administrator may be told of an error stands in a test, word for word.

The texts are read where they are made: in the package, in each call of a class of errors. Between
their words are values, which the tests set. The words of one text stand in one file of tests.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.package import MODULES, PACKAGE, ROOT

# What the code says to itself: nobody sees it.
_OURS = {"TypeError", "OSError", "AssertionError", "SystemExit"}
_BASES = {"Exception", "ValueError", "PermissionError"}
# Signs that stand around a value, and where a sentence goes on in a test's next string
_AROUND = " :;,.'\"()\n"


def _classes() -> set[str]:
    """Return the names of the classes of errors: Python's that are told, and all made of them."""
    found = _BASES.copy()
    classes = [
        (node.name, {ast.unparse(base).rpartition(".")[2] for base in node.bases})
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    while more := {name for name, bases in classes if bases & found} - found:
        found |= more
    return found


def _words(text: ast.expr) -> tuple[str, ...]:
    """Return the words between the values of a text, which may be put together of several."""
    constants = [
        node.value
        for node in ast.walk(text)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    words = [one.strip(_AROUND) for one in constants]
    return tuple(one for one in words if " " in one or len(one) > 8)


def _texts() -> dict[str, tuple[str, ...]]:
    """Return where it stands -> words, for each text of an error."""
    errors = _classes() - _OURS
    found = {}
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in errors:
                for text in node.args:
                    branches = [text.body, text.orelse] if isinstance(text, ast.IfExp) else [text]
                    for branch in branches:
                        if words := _words(branch):
                            found[f"{path.relative_to(PACKAGE)}:{branch.lineno}"] = words
    return found


@cache
def _expected() -> dict[Path, str]:
    """Return all strings of each file of tests; an expression as the text that it fits."""
    found = {}
    for path in (ROOT / "tests").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        texts = [
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        found[path] = re.sub(r"\\(?=\W)", "", "\n".join(texts))
    return found


TEXTS = _texts()


@pytest.mark.parametrize("place", TEXTS)
def test_the_words_of_an_error_stand_in_a_test(place):
    words = TEXTS[place]

    assert any(all(one in text for one in words) for text in _expected().values()), words


def test_the_errors_of_each_room_are_found():
    rooms = {place.partition("/")[0] for place in TEXTS}

    assert {"command", "common", "maillog", "mailqueue", "plugin"} <= rooms
