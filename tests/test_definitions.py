"""What is generated from the checks' declarations is up to date and complete."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support import definitions
from tests.support.package import ROOT
from tests.support.pages import pages


@pytest.mark.parametrize(
    "path", list(definitions.files()), ids=lambda path: str(path.relative_to(ROOT))
)
def test_generated_files_say_what_the_declarations_say(path):
    assert path.exists()
    assert path.read_text() == definitions.files()[path], "run: python -m tests.support.definitions"


@pytest.mark.parametrize("name", definitions.tables())
def test_every_table_stands_in_one_page(name):
    marked = [found for page in pages() for found in definitions.MARKED.findall(page.read_text())]

    assert marked.count(name) == 1


def test_a_mark_that_names_no_table_is_an_error():
    with pytest.raises(LookupError, match="no such table: gone; there are checks, perfdata, "):
        definitions.with_tables("<!-- gone -->\n\n<!-- end of gone -->\n")


@pytest.mark.parametrize("check", definitions.checks(), ids=lambda check: check.name)
def test_an_option_that_all_checks_of_the_log_share_is_explained_once(check):
    sections = definitions.tables()["options by check"].split("## ")
    (own,) = (text for text in sections if text.startswith(f"{check.executable}\n"))

    for option in check.options:
        flag = f"{option.flag}`" if option.switch else f"{option.flag} {option.metavar}`"
        assert (flag in own) is (option not in definitions.shared_options(check))


WRITTEN_BY_HAND = [
    "icinga/postfix-services.conf", "nagios/postfix-services.cfg",
    "nagios/postfix-nrpe-services.cfg", "nagios/postfix-passive.cfg",
]  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
@pytest.mark.parametrize("check", definitions.names(definitions.checks()))
def test_what_is_written_by_hand_for_monitoring_names_every_check(name, check):
    words = re.findall(r"[a-z]+", (ROOT / name).read_text())

    assert check in words


@pytest.mark.parametrize(
    "name", ["postfix-services.cfg", "postfix-nrpe-services.cfg", "postfix-passive.cfg"]
)
def test_every_check_of_the_log_depends_on_the_one_of_the_log_itself_in_nagios(name):
    text = (ROOT / "nagios" / name).read_text()
    (block,) = (
        block
        for block in text.split("}")
        if re.search(r"\n    service_description +postfix-log\n", block)
        and "servicedependency" in block
    )
    (dependent,) = re.findall(r"dependent_service_description +(.+)", block)

    others = [one for one in definitions.names(definitions.log_checks()) if one != "log"]
    assert dependent.split(", ") == [f"postfix-{one}" for one in others]


def test_all_checks_together_have_a_script():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    together = definitions.commands()[-1]
    assert scripts[together.executable] == "check_postfix.programs:together"


def test_every_module_with_a_check_has_a_script():
    modules = {
        path.stem
        for path in (ROOT / "checks" / "check_postfix").glob("*.py")
        if "\nCHECK = Check(" in path.read_text()
    }

    assert modules == set(definitions.names(definitions.checks()))


@pytest.mark.parametrize("check", definitions.commands(), ids=lambda check: check.name)
def test_every_option_explains_itself(check):
    for option in definitions.settable(check):
        assert option.help
        assert option.help[-1] != "."
