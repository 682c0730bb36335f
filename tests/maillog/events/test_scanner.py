"""The scanner's one expression: its groups, and where it looks for a text at all."""

from __future__ import annotations

import ast
import inspect
import re

from check_postfix.maillog.events import found, scanner
from check_postfix.maillog.syntax import frame
from tests.support import corpus, material


def test_a_block_is_taken_apart_by_the_names_of_the_groups_in_their_order():
    tree = ast.parse(inspect.getsource(scanner))
    unpacked = [
        tuple(name.id.removeprefix("_") for name in node.targets[0].elts)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Tuple)
        and isinstance(node.value, ast.Name)
        and node.value.id == "found"
    ]

    assert unpacked == [found.Found._fields]


def test_a_text_without_an_id_is_looked_at_if_its_first_letter_is_that_of_one_that_counts():
    needed = {b"[", b"m"}  # what Solaris and rsyslog put around a text starts with these
    for line in material.corpus_lines():
        record = frame.parse(line)
        shape = record and corpus.reader(record)
        if record and shape and not shape.id and shape.words != (b"",):
            needed.add(record.text[:1])

    is_looked_at = re.compile(found.FIRST_LETTERS).match
    assert {byte for number in range(256) if is_looked_at(byte := bytes([number]))} == needed
