"""The pages: what is written for people, in Markdown, wherever it stands in the tree."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.package import ROOT

_CODE = re.compile(r"```.*?```", re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    """Return every page of the tree, new ones as well."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return [path for path in map(ROOT.joinpath, sorted(listed)) if path.exists()]


def anchors(text: str) -> set[str]:
    """Return what a link to a heading of this page may end with, as GitHub makes it."""
    titles = (title.lower().replace("`", "") for title in _HEADING.findall(_CODE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}
