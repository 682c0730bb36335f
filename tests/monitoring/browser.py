"""A headless Chromium, told what to do the W3C's way (https://www.w3.org/TR/webdriver2/)."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from tests.integration.waiting import wait_until

PACKAGES = ["chromium", "chromium-driver", "fonts-dejavu-core"]
DRIVER = "http://127.0.0.1:9515"
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]


class Browser:
    """One window."""

    def __init__(self, directory: Path, width: int, height: int) -> None:
        """Open it.

        directory: for its profile
        """
        with (directory / "chromedriver.out").open("wb") as out:
            subprocess.Popen(["chromedriver", "--port=9515"], stdout=out, stderr=out)
        wait_until(_answers, "chromedriver")
        arguments = [
            *ARGUMENTS, f"--window-size={width},{height}", f"--user-data-dir={directory}/profile"
        ]  # fmt: skip
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments}}
        answer = _ask("session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"session/{answer['sessionId']}"

    def open(self, url: str) -> None:
        """Go to a page, and return when it is loaded."""
        _ask(f"{self._session}/url", {"url": url})

    def run(self, script: str) -> Any:
        """Return what a script returns."""
        return _ask(f"{self._session}/execute/sync", {"script": script, "args": []})

    def picture(self) -> str:
        """Return what is seen of the page, as base64 of PNG."""
        picture: str = _ask(f"{self._session}/screenshot")
        return picture


def _ask(path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{DRIVER}/{path}", data)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]


def _answers() -> bool:
    try:
        return bool(_ask("status")["ready"])
    except OSError:
        return False
