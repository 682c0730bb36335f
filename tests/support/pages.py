"""The pages: what is written for people, in Markdown, wherever it stands in the tree."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.package import ROOT

_CODE = re.compile(r"```.*?```", re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """Return every page of the tree, new ones as well."""
    rooms = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted([*ROOT.glob("*.md"), *(page for room in rooms for page in room.rglob("*.md"))])


def anchors(text: str) -> set[str]:
    """Return what a link to a heading of this page may end with, as GitHub makes it."""
    titles = (title.lower().replace("`", "") for title in _HEADING.findall(_CODE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}
