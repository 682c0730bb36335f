"""The commands that the pages show: none asks, and none restarts what would not start again."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support.package import ROOT
from tests.support.pages import pages

from .readme import commands

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
EACH_PAGE = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
CHECKED_BY = {"icinga2": "icinga2 daemon -C", "nagios4": "nagios4 -v /etc/nagios4/nagios.cfg"}


def lines(page):
    return [line for block in BLOCK.findall(page.read_text()) for line in block.splitlines()]


@EACH_PAGE
def test_monitoring_is_restarted_only_with_a_configuration_that_it_takes(page):
    for line in lines(page):
        for name, checked in CHECKED_BY.items():
            if f"restart {name}" in line:
                assert line == f"{checked} && systemctl restart {name}"


@EACH_PAGE
def test_apt_does_not_ask_where_lines_are_pasted(page):
    for line in lines(page):
        if re.match(r"apt(-get)? (install|remove|purge)\b", line):
            assert re.match(r"apt(-get)? \w+ -y ", line), line


def test_pip_makes_no_link_before_the_package_is_gone():
    typed = commands()["pip"].splitlines()

    removed = typed.index("dpkg --remove check-postfix")
    assert all(removed < number for number, line in enumerate(typed) if line.startswith("ln "))


def test_each_host_has_a_file_of_its_own():
    files = [
        name
        for block in commands().values()
        for name in re.findall(r"cat > (\S+/postfix-\S+) <<", block)
    ]

    assert len(set(files)) == len(files) == 4
    assert not [name for name in files if "hosts" in name]


# As the package brings it, and as the wizard of an agent writes it.
LISTENERS = [
    "  //accept_config = false\n  //accept_commands = false\n",
    "  accept_config = false\n  accept_commands = false\n",
    "  accept_config = true\n  accept_commands = true\n",
]


@pytest.mark.parametrize("listener", LISTENERS)
def test_an_agent_takes_configuration_and_commands_by_what_is_typed_there(listener, tmp_path):
    config = tmp_path / "features-available/api.conf"
    config.parent.mkdir()
    config.write_text(f'object ApiListener "api" {{\n{listener}  ticket_salt = TicketSalt\n}}\n')
    typed, _ = commands()["icinga agent"].splitlines()
    subprocess.run(["sh", "-c", typed.replace("/etc/icinga2", str(tmp_path))], check=True)

    assert config.read_text() == (
        'object ApiListener "api" {\n  accept_config = true\n  accept_commands = true\n'
        "  ticket_salt = TicketSalt\n}\n"
    )
