"""A headless Chromium driven through its debugging pipe: no package is needed, and every request is seen."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe", "--hide-scrollbars"),
)
# The browser speaks the protocol on the descriptors 3 and 4.
LAUNCH = "import os, sys; [os.dup2(int(sys.argv[k]), k + 2) for k in (1, 2)]; os.execv(sys.argv[3], sys.argv[3:])"


class Browser:
    """One page in a browser of its own.

    Args:
        folder: for the profile, and for what the page downloads.
        width: of the window.
        height: of the window.
        options: further options of the browser.

    Attributes:
        requests: the addresses that the page asked for.
        console: what was written to the console, and exceptions that nobody caught.
    """

    def __init__(self, folder: Path, width: int = 1280, height: int = 900, options: tuple[str, ...] = ()) -> None:
        to_browser, write = os.pipe()
        read, from_browser = os.pipe()
        inside = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
        command = [*OPTIONS, *options, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}"]
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", LAUNCH, *map(str, inside), str(CHROMIUM), *command],
            pass_fds=inside,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (to_browser, from_browser, *inside):
            os.close(end)
        self.write, self.read = os.fdopen(write, "wb"), os.fdopen(read, "rb")
        self.requests: list[str] = []
        self.console: list[str] = []
        self.downloads = folder / "downloads"
        self.answers: dict[int, dict[str, Any]] = {}
        self.arrived = threading.Condition()
        self.loaded = threading.Event()
        self.number = 0
        self.session = ""
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def send(self, method: str, /, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol."""
        mine = self._post(method, params, self.session)
        with self.arrived:
            if not self.arrived.wait_for(lambda: mine in self.answers, timeout=90):
                raise TimeoutError(method)
            answer = self.answers.pop(mine)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _post(self, method: str, params: dict[str, Any], session: str) -> int:
        """Send a message, and do not wait for the answer."""
        with self.arrived:
            self.number += 1
            message: dict[str, Any] = {"id": self.number, "method": method, "params": params}
            if session:
                message["sessionId"] = session
            self.write.write(json.dumps(message).encode() + b"\0")
            self.write.flush()
            return self.number

    def _listen(self) -> None:
        buffer = b""
        while piece := os.read(self.read.fileno(), 1 << 16):
            *messages, buffer = (buffer + piece).split(b"\0")
            for text in messages:
                self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case None:
                with self.arrived:
                    self.answers[message["id"]] = message
                    self.arrived.notify_all()
            case "Target.attachedToTarget":  # a worker: its requests count too
                session = params["sessionId"]
                if session != self.session and params["targetInfo"]["type"] == "worker":
                    for method in ("Network.enable", "Runtime.enable", "Log.enable"):
                        self._post(method, {}, session)
                    self._post("Runtime.runIfWaitingForDebugger", {}, session)
            case "Page.loadEventFired":
                self.loaded.set()
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.console.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
            case "Runtime.exceptionThrown":
                self.console.append(json.dumps(params["exceptionDetails"])[:800])
            case "Log.entryAdded":
                self.console.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    def open(self, address: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self.loaded.clear()
        self.send("Page.navigate", url=address)
        if not self.loaded.wait(60):
            raise TimeoutError(address)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"].get("description", found))
        return found["result"].get("value")

    def wait(self, condition: str, seconds: float = 30) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"{condition}\n{self.evaluate('document.body.innerText')[:2000]}\n{self.console}")
            time.sleep(0.05)

    def key(self, key: str, code: str = "", modifiers: int = 0, text: str = "") -> None:
        """Press a key; modifiers: 1 Alt, 2 Ctrl, 8 Shift."""
        number = {"Enter": 13, "Tab": 9, "ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35}.get(key, 0)
        keys = {"key": key, "code": code or key, "modifiers": modifiers, "windowsVirtualKeyCode": number}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **keys)
        self.send("Input.dispatchKeyEvent", type="keyUp", **keys)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.send("Input.insertText", text=text)

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A picture of the page as PNG."""
        found = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._whole(whole))
        path.write_bytes(base64.b64decode(found["data"]))

    def _whole(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}}

    def close(self) -> None:
        """End the browser."""
        self.send("Browser.close")
        self.process.wait(timeout=20)
        self.reader.join(timeout=20)
        self.write.close()
        self.read.close()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
