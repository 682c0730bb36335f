"""Whoever is woken at three and opens Icinga Web sees what the check has said, and nothing else.

The pictures are for looking at: pytest keeps those of the last three runs in
/tmp/pytest-of-USER/pytest-NUMBER/pictures0/.
"""

from __future__ import annotations

import re
from base64 import b64decode

import pytest

from tests.support.definitions import checks

from . import browser, icinga2, in_browser
from .conftest import observation as observed

pytestmark = pytest.mark.integration

SERVICES = [check.name.replace(" ", "-") for check in checks()]
EACH_SERVICE = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What a browser has seen."""
    needs = [*icinga2.PACKAGES, *in_browser.PACKAGES, *browser.PACKAGES]
    with observed("in_browser", *needs) as pages:
        pictures = tmp_path_factory.mktemp("pictures")
        for name, picture in pages["pictures"].items():
            (pictures / f"{name}.png").write_bytes(b64decode(picture))
        yield pages


@EACH_SERVICE
def test_the_whole_output_is_on_the_page_line_by_line(service, seen):
    page = seen["services"][service]

    assert page["output"].count("\n") >= 3
    # Between the two looks the check may have run again.
    shown, said = (
        re.sub(r"--since \S+", "", text) for text in (page["shown"]["text"], page["output"])
    )
    assert shown.splitlines() == said.splitlines()
    assert page["shown"]["whole"]


@EACH_SERVICE
def test_tables_are_set_in_letters_of_one_width(service, seen):
    assert seen["services"][service]["shown"]["font"].endswith("monospace")


@EACH_SERVICE
def test_nothing_in_the_output_is_drawn_as_html(service, seen):
    shown = seen["services"][service]["shown"]

    assert shown["elements"] == []
    assert shown["title"] == f"{service} on {in_browser.HOST} :: Icinga Web"


def test_nothing_in_the_list_of_services_is_drawn_as_html(seen):
    assert seen["elements_in_list"] == []


@pytest.mark.parametrize("name", [*SERVICES, *(f"{one}-folded" for one in SERVICES), "services"])
def test_there_is_a_picture_of_every_page(name, seen):
    assert b64decode(seen["pictures"][name]).startswith(b"\x89PNG")
