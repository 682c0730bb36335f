"""A real browser: Chromium without a window, told over a pipe what to do."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

# In seconds
_PATIENCE = 60
_OURS = ("file:", "data:", "about:")


def program() -> str | None:
    """Return the browser's path, None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """A browser with one page. Use it as a context manager.

    errors:   what its console has said, and what the page's policy has refused
    requests: what it has asked for besides the page itself
    """

    def __init__(self, profile: Path) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        said, self._ask = os.pipe()
        self._hear, answer = os.pipe()
        chromium = program()
        assert chromium is not None

        def put_in_place() -> None:
            # Chromium reads from 3 and writes to 4, either of which may be the other one's.
            reads, writes = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (said, answer))
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self._process = subprocess.Popen(
            [chromium, "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--disable-component-update",
             "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(3, 4), preexec_fn=put_in_place,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(said)
        os.close(answer)
        self._rest = b""

    def __enter__(self) -> Browser:
        target = self("Target.createTarget", url="about:blank")["targetId"]
        attached = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()
        os.close(self._ask)
        os.close(self._hear)

    def __call__(self, method: str, **parameters: object) -> dict[str, Any]:
        """Have it do something; return its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._ask, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            answer = self._heard()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)
        raise TimeoutError(method)

    def _heard(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            data = os.read(self._hear, 1 << 16)
            if not data:
                raise EOFError("the browser is gone")
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(message)
        return heard

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method"), event.get("params", {})
        if method in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
            self.errors.append(json.dumps(told))
        if method == "Network.requestWillBeSent":
            url = told["request"]["url"]
            if told.get("type") != "Document" or not url.startswith(_OURS):
                self.requests.append(url)
        self._events.append(event)

    def show(self, page: Path, width: int, *, dark: bool = False, media: str = "screen") -> None:
        """Show a page as a telephone or a screen of this width would, or paper (`print`)."""
        self(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=844, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self._events.clear()
        self("Page.navigate", url=page.resolve().as_uri())
        deadline = time.monotonic() + _PATIENCE
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            assert time.monotonic() < deadline
            self._note(self._heard())

    def value(self, expression: str) -> Any:
        """Return what an expression is, on the page."""
        found = self("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def picture(self, path: Path, most: int = 6000) -> None:
        """Keep what can be seen."""
        width = self.value("innerWidth")
        height = min(most, self.value("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def printed(self, path: Path) -> None:
        """Keep what a printer would get, as PDF."""
        sheet = self("Page.printToPDF", printBackground=False)
        path.write_bytes(base64.b64decode(sheet["data"]))
