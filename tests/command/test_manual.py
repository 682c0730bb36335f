"""The manual page names every subcommand and every option of trace."""

from __future__ import annotations

import argparse

from check_postfix.command import cli, trace
from tests.support.package import ROOT

PAGE = (ROOT / "checks/debian/postfix-log.1").read_text().replace("\\-", "-")


def test_the_manual_page_names_every_subcommand():
    assert all(f".B {name}\n" in PAGE for name in cli.SUBCOMMANDS)


def test_the_manual_page_names_every_option_of_trace():
    parser = argparse.ArgumentParser(add_help=False)
    trace.add_arguments(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings}

    assert len(flags) > 5
    assert {flag for flag in flags if rf"\fB{flag}\fR" not in PAGE} == set()
