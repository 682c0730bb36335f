"""The commands of the README's installation, by the marks that stand before them."""

from __future__ import annotations

import re

from tests.support.package import ROOT

_MARKED = re.compile(r"<!-- (?P<mark>[a-z0-9. ]+) -->\n```sh\n(?P<commands>.*?)```\n", re.DOTALL)


def commands() -> dict[str, str]:
    """Return what is to be typed, by its mark: `pip`, `icinga master`."""
    text = (ROOT / "README.md").read_text()
    return {found["mark"]: found["commands"] for found in _MARKED.finditer(text)}


def written(mark: str, path: str) -> str:
    """Return what the commands of a mark write into a file."""
    (text,) = re.findall(rf"(?ms)^cat >>? {re.escape(path)} <<'END'\n(.*?)^END$", commands()[mark])
    return str(text)


def shells() -> int:
    """Return how many blocks of commands the installation has, marked or not."""
    text = (ROOT / "README.md").read_text()
    return text[text.index("\n## Install it") : text.index("\n## The checks")].count("\n```sh\n")
