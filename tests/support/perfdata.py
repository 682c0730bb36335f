"""Perfdata, read back as strictly as the Monitoring Plugins guidelines write it."""

from __future__ import annotations

import re
from collections import namedtuple

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_RANGE = f"@?(?:(?:~|{_NUMBER}):(?:{_NUMBER})?|{_NUMBER})"
_LABEL = re.compile(
    rf"(?P<label>[a-z][a-z0-9_]*)=(?P<value>{_NUMBER})(?P<uom>s|%|B|c|)"
    rf"(?:;(?P<warning>(?:{_RANGE})?)(?:;(?P<critical>(?:{_RANGE})?)"
    rf"(?:;(?P<minimum>(?:{_NUMBER})?)(?:;(?P<maximum>(?:{_NUMBER})?))?)?)?)?"
)

Label = namedtuple("Label", "value uom warning critical minimum maximum")


def of(text: str) -> dict[str, Label]:
    """Return the perfdata of what a check has printed: label -> what stands behind it.

    Holds the text to its shape as well: all perfdata on the first line, behind
    exactly one ` | `, and no bar later.
    """
    first, *later = text.removesuffix("\n").split("\n")
    words, bar, perfdata = first.partition(" | ")
    assert "|" not in words + perfdata + "".join(later)
    assert bar or "|" not in first
    labels = {}
    for one in perfdata.split(" ") if bar else []:
        shape = _LABEL.fullmatch(one)
        assert shape, f"not perfdata: {one}"
        label, value, *rest = shape.groups()
        assert label not in labels
        labels[label] = Label(float(value), *(field or "" for field in rest))
    return labels
