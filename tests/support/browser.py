"""A headless Chromium that a test drives over the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import websocket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STARTS_WITHIN_SECONDS = 60
_ENDS_WITHIN_SECONDS = 10


class Page:
    """One page, and all that it did beside being shown.

    Attributes:
        events: Every event of the protocol, as it came.
    """

    def __init__(self, connection: websocket.WebSocket) -> None:
        self._connection = connection
        self._calls = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and wait for what it returns."""
        self._calls += 1
        self._connection.send(json.dumps({"id": self._calls, "method": method, "params": params}))
        while True:
            said = json.loads(self._connection.recv())
            if said.get("id") == self._calls:
                assert "error" not in said, said
                found: dict[str, Any] = said["result"]
                return found
            self.events.append(said)

    def open(self, path: Path) -> None:
        """Load a file, and wait until it has loaded."""
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self._connection.recv()))

    def value(self, expression: str) -> Any:
        """What JavaScript gives; a promise is waited for."""
        found = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def shown(self, width: int, scheme: str) -> None:
        """Show it as wide, and light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        media = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[media])

    def press(self, key: str) -> None:
        """Press a key of the keyboard."""
        code = {"Tab": 9, "Enter": 13}[key]
        said = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **said, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **said)

    def of(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the events of one kind."""
        return [event["params"] for event in self.events if event["method"] == method]


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page of a Chromium of its own; its profile lies in the folder."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "these tests need Chromium: apt-get install chromium"
    process = subprocess.Popen(
        [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--remote-debugging-port=0", f"--user-data-dir={folder}",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        connection = websocket.create_connection(
            _address(folder), suppress_origin=True, timeout=_STARTS_WITHIN_SECONDS
        )
        with contextlib.closing(connection):
            yield Page(connection)
    finally:
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(folder: Path) -> str:
    """The address of the first page, once Chromium has written where it listens."""
    import urllib.request

    port = folder / "DevToolsActivePort"
    until = time.monotonic() + _STARTS_WITHIN_SECONDS
    while not (port.is_file() and port.read_text().strip()):
        assert time.monotonic() < until, "Chromium does not start"
        time.sleep(0.05)
    number = port.read_text().split()[0]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        with opener.open(f"http://127.0.0.1:{number}/json/list") as answer:
            pages = [one for one in json.load(answer) if one["type"] == "page"]
        if pages:
            found: str = pages[0]["webSocketDebuggerUrl"]
            return found
        assert time.monotonic() < until, "Chromium shows no page"
        time.sleep(0.05)
