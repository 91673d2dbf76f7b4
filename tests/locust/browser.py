"""A headless Chromium that is driven through its DevTools protocol."""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import websocket

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """One tab. Every expression is JavaScript that is evaluated in it."""

    def __init__(self, connection: websocket.WebSocket) -> None:
        self._connection = connection
        self._number = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv())
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        give_up = time.monotonic() + 30
        while not self.evaluate("!!document.body && document.readyState === 'complete'"):
            assert time.monotonic() < give_up, f"{url} did not load"
            time.sleep(0.1)

    def evaluate(self, expression: str) -> Any:
        """Its value, as data."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str, within_s: float = 30) -> Any:
        """Its value, as soon as it is true."""
        give_up = time.monotonic() + within_s
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < give_up, f"never came true: {expression}; {self.text()}"
            time.sleep(0.1)
        return value

    def text(self) -> str:
        return str(self.evaluate("document.body.innerText"))

    def click(self, text: str) -> None:
        """Press the button (or the head of a section) that says so."""
        wanted = json.dumps(text.lower())
        button = f"[...document.querySelectorAll('button')].find(b => b.innerText.toLowerCase() === {wanted})"
        self.wait_for(f"!!{button} && !{button}.disabled")
        self.evaluate(f"{button}.click()")

    def fill(self, name: str, value: str) -> None:
        """Type into a field of a form, in place of what is in it."""
        field = f"document.querySelector('input[name={name}]')"
        self.wait_for(f"!!{field}")
        self.evaluate(f"{field}.focus(); {field}.select()")
        self.call("Input.insertText", text=value)
        assert self.evaluate(f"{field}.value") == value


@contextlib.contextmanager
def browse(folder: Path) -> Iterator[Page]:
    """A page of a new browser, whose profile is in an empty folder."""
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
    size = "--window-size=1400,1600"
    process = subprocess.Popen(
        [CHROMIUM, *options, size, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = folder / "DevToolsActivePort"
        for _ in range(300):
            if told.is_file() and len(told.read_text().splitlines()) == 2:
                break
            time.sleep(0.1)
        port = int(told.read_text().splitlines()[0])
        tabs = httpx.get(f"http://127.0.0.1:{port}/json/list", trust_env=False).json()
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        connection = websocket.create_connection(address, timeout=30, suppress_origin=True)
        try:
            yield Page(connection)
        finally:
            connection.close()
    finally:
        process.terminate()
        process.wait(20)
