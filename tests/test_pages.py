"""The pages show what the checks print, and what they name and link to exists.

python -m tests.test_pages          # renews what is shown
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from check_postfix import __version__
from tests.support.package import ROOT
from tests.support.pages import anchors, pages

EACH_PAGE = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
PSEUDONYM = re.compile("account-[0-9a-f]{10}")
CONSOLE = re.compile(r"```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```\n")
LINK = re.compile(r"\]\((?!http)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]+))?\)")
# Something of the tree, named from its top.
NAMED = re.compile(r"(?<![\w./-])(?:checks|icinga|nagios|tests)/[\w./-]*\w")
MODULE = re.compile(r"python -m\s+(tests[\w.]*)")
# Where the pages' reader has put the tree.
PLACE = "/usr/src/check_postfix/"
AGE_OF_A_MESSAGE = 7410
POSTQUEUE = f"""\
#!/bin/sh
arrival=$(($(/bin/date +%s) - {AGE_OF_A_MESSAGE}))
for id in 4ABCDEF012 4ABCDEF013 4ABCDEF014; do
    echo '{{"queue_name": "deferred", "queue_id": "'$id'", "arrival_time": '$arrival',' \
        '"message_size": 2048, "forced_expire": false, "sender": "ann@example.com",' \
        '"recipients": [{{"address": "bob@example.net", "delay_reason": "connect to'\
        ' mx.example.net[192.0.2.25]:25: Connection timed out"}}]}}'
done
"""


def printed(command: str) -> str:
    """Return what a command of a page prints, run at the top of the tree.

    It has a queue and a home of its own. Without a state pseudonyms are others in each run; here
    they are told by their order.
    """
    program, *arguments = shlex.split(command)
    module = program.replace("check_postfix_", "check_postfix.")
    module = module.replace("postfix-log", "check_postfix.command")
    with tempfile.TemporaryDirectory() as home:
        postqueue = Path(home, "postqueue")
        postqueue.write_text(POSTQUEUE)
        postqueue.chmod(0o755)
        if program.startswith("check_") and "--log" in arguments and "--no-state" not in arguments:
            arguments += ["--state", f"{home}/state"]  # not what this machine's own runs have left
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            capture_output=True,
            env={"TZ": "UTC", "PYTHONPATH": str(ROOT / "checks"), "PATH": home, "HOME": home},
            check=False,
        )
    assert not done.stderr
    output = done.stdout.decode().replace(f"{ROOT}/", PLACE)
    for number, pseudonym in enumerate(dict.fromkeys(PSEUDONYM.findall(output))):
        digits = hashlib.sha256(str(number).encode()).hexdigest()[:10]
        output = output.replace(pseudonym, f"account-{digits}")
    # A second may pass between two clocks.
    return re.sub(r"\b(deferred_oldest=)\d+", rf"\g<1>{AGE_OF_A_MESSAGE}", output)


def with_outputs(text: str) -> str:
    """Return a page's text with every shown output replaced by a fresh one."""
    return CONSOLE.sub(
        lambda block: f"```console\n$ {block['command']}\n{printed(block['command'])}```\n", text
    )


SHOWN = [
    pytest.param(
        block["command"], block["output"], id=f"{page.relative_to(ROOT)}: {block['command']}"
    )
    for page in pages()
    for block in CONSOLE.finditer(page.read_text())
]


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_a_page_shows_what_is_printed(command, output):
    assert output == printed(command), "run: python -m tests.test_pages"


@EACH_PAGE
def test_a_page_shows_no_command_that_is_not_run(page):
    text = page.read_text()

    assert text.count("```console") == len(CONSOLE.findall(text))


@EACH_PAGE
def test_what_a_page_links_to_exists(page):
    for link in LINK.finditer(page.read_text()):
        target = page.parent / link["path"] if link["path"] else page
        assert target.exists(), link[0]
        assert not link["anchor"] or link["anchor"] in anchors(target.read_text()), link[0]


def can_be_run(module):
    """Tell whether `python -m` can run it: a package needs a __main__."""
    found = importlib.util.find_spec(module)
    if found and found.submodule_search_locations:
        found = importlib.util.find_spec(f"{module}.__main__")
    return found is not None


@EACH_PAGE
def test_what_a_page_names_of_the_tree_exists(page):
    text = page.read_text()
    gone = [name for name in NAMED.findall(text) if not (ROOT / name).exists()]
    modules = [name for name in MODULE.findall(text) if not can_be_run(name)]

    assert (gone, modules) == ([], [])


def test_every_page_can_be_reached_from_the_readme():
    start = ROOT / "README.md"
    reached, left = {start}, [start]
    while left:
        page = left.pop()
        links = LINK.finditer(page.read_text())
        linked = {(page.parent / link["path"]).resolve() for link in links}
        new = {path for path in linked - reached if path.suffix == ".md"}
        reached |= new
        left += new

    assert set(pages()) <= reached


def test_the_changelog_says_what_is_in_this_version():
    assert f"\n## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


if __name__ == "__main__":
    for written in pages():
        written.write_text(with_outputs(written.read_text()))
