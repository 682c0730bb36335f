"""The manual page and the completions say what the subcommands declare, and can be used.

That they are up to date is seen by tests/test_definitions.py.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from check_postfix.command import cli
from tests.support import manual

PAGE = manual.page().replace("\\-", "-")
GROFF = pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
EACH = pytest.mark.parametrize("name", cli.SUBCOMMANDS)


def section(name: str) -> str:
    return PAGE.partition(f".SH {name.upper()}\n")[2].partition("\n.SH ")[0]


@EACH
def test_the_manual_page_has_a_section_for_each_subcommand_with_every_option(name):
    flags = {
        flag
        for action in manual.subparsers()[name]._actions
        for flag in action.option_strings
        if action.dest != "help"
    }

    assert flags
    assert {flag for flag in flags if rf"\fB{flag}\fR" not in section(name)} == set()


@GROFF
def test_troff_has_nothing_to_complain_about():
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"],
        input=manual.page().encode(), capture_output=True, check=True,
    )  # fmt: skip

    assert done.stderr == b""


@GROFF
def test_the_page_shows_what_is_declared():
    shown = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou"],
        input=manual.page().encode(), capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip

    assert "--log PATH" in shown
    assert "postfix-log top --by client" in shown


COMPLETE = """
source {path}
COMP_WORDS=({words} "")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
COMP_LINE="{words} " COMP_POINT=99
_shtab_postfix_log
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(*words: str, begun: str = "") -> set[str]:
    """Return what bash offers after some words."""
    script = COMPLETE.format(path=manual.COMPLETIONS["bash"], words=" ".join(words))
    script = script.replace('"")', f'"{begun}")')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_bash_offers_the_subcommands():
    assert set(cli.SUBCOMMANDS) <= completed("postfix-log")


@EACH
def test_bash_offers_every_option_of_a_subcommand(name):
    flags = {
        flag for action in manual.subparsers()[name]._actions for flag in action.option_strings
    }

    assert flags <= completed("postfix-log", name, begun="-")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@EACH
def test_the_other_shells_know_every_long_option(shell, name):
    text = manual.COMPLETIONS[shell].read_text()

    for action in manual.subparsers()[name]._actions:
        for flag in action.option_strings:
            if flag.startswith("--"):
                assert (flag if shell == "zsh" else f"-l {flag[2:]}") in text
