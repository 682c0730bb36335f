"""What nagios/README.md has for other monitoring systems, tried by their syntax or for real."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration import packages
from tests.support import mail_log, perfdata
from tests.support.definitions import ROOT, checks, log_checks, names

PAGE = (ROOT / "nagios/README.md").read_text()
PLUGINS = "/usr/lib/nagios/plugins/"
BIN = f"{Path(sys.executable).parent}/"


def block(title: str) -> str:
    """Return the first block of the section of this title."""
    section = PAGE.partition(f"\n### {title}\n")[2].partition("\n### ")[0]
    found = re.search(r"```\w*\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


def run(command: str, tmp_path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page by a shell, with the checks of this tree, on a log of trouble."""
    if not (log := tmp_path / "mail.log").exists():
        mail_log.write(log, mail_log.lines([*mail_log.EVERYTHING] * 20))
    python = (
        f"{os.environ.get('VIRTUAL_ENV') or os.path.dirname(os.path.dirname(os.sys.executable))}"
    )
    command = re.sub(
        rf"{PLUGINS}(check_postfix_\S+)", rf"{python}/bin/\1 --no-state --log {log}", command
    )
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


def test_mrpe_has_a_name_without_spaces_and_a_command_in_each_line(tmp_path):
    """As Checkmk's documentation of mrpe.cfg says; what the command prints is a plugin's output."""
    lines = block("Checkmk").splitlines()

    for line in lines:
        name, command = line.split(None, 1)
        assert re.fullmatch(r"[A-Za-z_]+", name)
        assert shlex.split(command)[0].startswith(PLUGINS)
    told = run(lines[0].split(None, 1)[1], tmp_path)
    assert told.returncode in (1, 2)
    assert perfdata.of(told.stdout)


def test_sensu_gets_a_check_whose_output_is_nagios_perfdata(tmp_path):
    found = block("Sensu")

    command = re.search(r"^  command: (.*)$", found, re.MULTILINE)[1]
    assert "  output_metric_format: nagios_perfdata" in found
    told = run(command, tmp_path)
    assert told.returncode in (1, 2)
    assert perfdata.of(told.stdout)


def test_centreon_gets_a_command_line_with_its_plugin_directory(tmp_path):
    command = block("Centreon").strip()

    told = run(
        command.replace("$USER1$/", PLUGINS).replace("$_SERVICEEXTRAOPTIONS$", "-v"), tmp_path
    )

    assert told.returncode in (1, 2)
    assert perfdata.of(told.stdout)


@pytest.mark.integration
@pytest.mark.parametrize("check", names(log_checks()))
def test_a_real_zabbix_agent_takes_the_item_and_the_json_path_finds_the_number(check, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("installing the agent of Zabbix needs root")
    packages.install("zabbix-agent")
    run("true", tmp_path)  # the log
    item = block("Zabbix").replace(PLUGINS, BIN)
    item = item.replace("--output json", f"--output json --no-state --log {tmp_path}/mail.log")
    config = tmp_path / "agent.conf"
    config.write_text(f"Server=127.0.0.1\nHostname=mx\nAllowRoot=1\nTimeout=15\n{item}")

    done = subprocess.run(
        ["zabbix_agentd", "-c", config, "-t", f"postfix[{check}]"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    value = re.search(r"\[t\|(\{.*\})\]", done.stdout)
    assert value, done.stdout
    found = json.loads(value[1])
    assert found["check"] == f"postfix_{check}"
    assert found["state"] in (0, 1, 2)
    assert isinstance(found["summary"], str)
    assert check != "deferred" or found["metrics"]["deferred_ratio"] > 0


def test_the_json_paths_of_the_page_are_those_of_the_object():
    section = PAGE.partition("### Zabbix")[2].partition("###")[0]

    assert re.findall(r"`\$\.([a-z_.]+)`", section) == [
        "state", "metrics.deferred_ratio", "summary", "state", "checks.postfix_deferred.state"
    ]  # fmt: skip


def test_all_at_once_have_the_state_of_each_where_the_page_says(tmp_path):
    told = run(f"{PLUGINS}check_postfix_all --output json", tmp_path)

    found = json.loads(told.stdout)
    assert found["state"] == told.returncode
    assert found["checks"]["postfix_deferred"]["state"] in (1, 2)


def test_checkmk_gets_a_local_check_of_each_condition(tmp_path):
    told = run(f"{PLUGINS}check_postfix_all --output checkmk", tmp_path)

    assert f"{PLUGINS}check_postfix_all --output checkmk" in PAGE
    found = [line.split('"')[1] for line in told.stdout.splitlines()]
    assert found == [f"postfix {name}" for name in names(checks())]


def test_the_api_of_icinga_gets_one_request_for_each_condition(tmp_path):
    section = PAGE.partition("## All at once")[2].partition("\n## ")[0]
    command = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[0]
    curl = tmp_path / "curl"
    curl.write_text(f'#!/bin/sh\nfor word; do echo "$word"; done >>{tmp_path}/sent\n')
    curl.chmod(0o755)

    told = run(f"PATH={tmp_path}:$PATH\n{command}", tmp_path)

    assert (told.returncode, told.stderr) == (0, "")
    sent = (tmp_path / "sent").read_text().splitlines()
    bodies = [json.loads(word) for word in sent if word.startswith("{")]
    assert [body["filter_vars"] for body in bodies] == [
        {"on_host": "mx2.example.com", "of_service": f"postfix-{name}"} for name in names(checks())
    ]
