"""The README shows what the checks print, and its links and commands exist."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PSEUDONYM = re.compile("account-[0-9a-f]{10}")
CONSOLE = re.compile(r"```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n")


def printed(command: str) -> str:
    """Return what a command of the README prints, run at the top of the tree.

    Without a state pseudonyms are others in each run; here they are told by their order.
    """
    program, *arguments = shlex.split(command)
    module = program.replace("check_postfix_", "check_postfix.")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        env={"TZ": "UTC", "PYTHONPATH": str(ROOT / "checks")},
        check=False,
    )
    assert not done.stderr
    output = done.stdout.decode()
    for number, pseudonym in enumerate(dict.fromkeys(PSEUDONYM.findall(output))):
        digits = hashlib.sha256(str(number).encode()).hexdigest()[:10]
        output = output.replace(pseudonym, f"account-{digits}")
    return output


def with_outputs(readme: str) -> str:
    """Return the README with every shown output replaced by a fresh one."""
    return CONSOLE.sub(
        lambda block: f"```console\n$ {block['command']}\n{printed(block['command'])}```\n", readme
    )


@pytest.mark.parametrize(
    "block", list(CONSOLE.finditer(README.read_text())), ids=lambda block: block["command"]
)
def test_the_readme_shows_what_is_printed(block):
    assert block["output"] == printed(block["command"]), "run: python -m tests.test_readme"


def test_files_that_the_readme_links_to_exist():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text())

    assert links
    assert all((ROOT / link).exists() for link in links)


if __name__ == "__main__":
    README.write_text(with_outputs(README.read_text()))
