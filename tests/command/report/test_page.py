"""The page in a real browser: on a telephone and a screen, in the dark and on paper."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration import packages
from tests.support.package import ROOT

from .browser import Browser, program
from .test_hostile import LINES

pytestmark = pytest.mark.integration

RECORDED = ROOT / "tests/recorded/mail.iso.log"
# What the text and the ground of a page are, light and dark
LIGHT = "rgb(28, 32, 36) rgb(255, 255, 255)"
DARK = "rgb(230, 232, 234) rgb(21, 24, 27)"
COLOURS = "(s => s.color + ' ' + s.backgroundColor)(getComputedStyle(document.body))"
# How far anything that is not to be scrolled by itself sticks out
STICKS_OUT = "document.documentElement.scrollWidth - innerWidth"
# The smallest text, in pixels as they are drawn
SMALLEST = (
    "Math.min(...[...document.querySelectorAll('svg text, td, p')]"
    ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
)
BAR = "document.querySelector('figure g rect').getBoundingClientRect()"


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("pages")
    hostile = directory / "mail.log"
    hostile.write_text(
        "".join(f"2026-11-24T16:{n:02}:00+00:00 mx1 {text}\n" for n, text in enumerate(LINES))
    )
    found = {}
    for name, log in (("recorded", RECORDED), ("hostile", hostile)):
        found[name] = directory / f"{name}.html"
        command = [sys.executable, "-m", "check_postfix.command", "report", "--log", str(log)]
        subprocess.run([*command, "--html", str(found[name])], check=True)
    return found


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if program() is None:
        packages.install("chromium")
    with Browser(tmp_path_factory.mktemp("profile")) as shown:
        yield shown


@pytest.mark.parametrize("name", ["recorded", "hostile"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_a_page_reads_at_any_width_by_day_and_night(browser, pages, name, width, dark):
    browser.show(pages[name], width, dark=dark)

    assert browser.value("innerWidth") == width
    assert browser.value(STICKS_OUT) == 0
    assert browser.value(SMALLEST) >= 11
    assert browser.value(COLOURS) == (DARK if dark else LIGHT)
    assert browser.errors == []
    assert browser.requests == []


def test_a_page_is_white_on_paper_and_everything_is_on_it(browser, pages, tmp_path):
    browser.show(pages["recorded"], 800, dark=True, media="print")
    browser.printed(tmp_path / "page.pdf")

    assert browser.value(COLOURS) == LIGHT
    assert browser.value("document.querySelectorAll('details').length") == 0
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")


def test_bars_are_as_wide_as_there_is_room(browser, pages):
    browser.show(pages["recorded"], 390)
    narrow = browser.value(f"{BAR}.width"), browser.value(f"{BAR}.height")
    browser.show(pages["recorded"], 1280)
    wide = browser.value(f"{BAR}.width"), browser.value(f"{BAR}.height")

    assert wide[0] > 2 * narrow[0] > 10
    assert wide[1] == narrow[1] > 5


def test_a_strangers_script_would_not_run_even_if_it_got_into_the_page(browser, pages, tmp_path):
    leak = tmp_path / "leak.html"
    text = pages["recorded"].read_text()
    evil = (
        "<script>document.title='OWNED'</script><img src='http://192.0.2.1/x'"
        " onerror=\"document.title='OWNED'\"><p style='position:fixed'>x</p>"
    )
    leak.write_text(text.replace("<h1>", f"{evil}<h1>", 1))

    browser.show(leak, 390)

    assert browser.value("document.title").startswith("Mail of mx1")
    assert browser.value("getComputedStyle(document.querySelector('p')).position") == "static"
    assert any("Content Security Policy" in error for error in browser.errors)
