"""Debian's Firefox without a display, driven by its Marionette protocol: a socket, and JSON with its length."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

FIREFOX = "firefox-esr"
PATIENCE_SECONDS = 60

ENTER, LEFT, UP, RIGHT, DOWN = "\ue007", "\ue012", "\ue013", "\ue014", "\ue015"
"""Keys as WebDriver writes them."""


class Firefox:
    """A Firefox with an empty profile below a folder; what it downloads lies in `downloads`."""

    def __init__(self, folder: Path) -> None:
        profile, self.downloads = folder / "profile", folder / "downloads"
        for place in (profile, self.downloads):
            place.mkdir(parents=True)
        settings = {
            "marionette.port": 0,  # one that is free; it is written to the profile
            "browser.download.folderList": 2,
            "browser.download.dir": str(self.downloads),
        }
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
        (profile / "user.js").write_text("\n".join(lines))
        command = [shutil.which(FIREFOX), "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._port(profile / "MarionetteActivePort")
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self._answers, self._n_sent = self._socket.makefile("rb"), 0
        self._answer()  # it says which protocol it speaks
        self.send("WebDriver:NewSession")

    def __enter__(self) -> "Firefox":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.kill()  # asked to end, it sometimes waits for ever for its own processes
        self._process.wait(PATIENCE_SECONDS)

    def _port(self, told: Path) -> int:
        late = time.monotonic() + PATIENCE_SECONDS
        while not (told.exists() and told.read_text()):
            assert self._process.poll() is None, "Firefox ended"
            assert time.monotonic() < late, f"Firefox told no port in {PATIENCE_SECONDS} s"
            time.sleep(0.05)
        return int(told.read_text())

    def _answer(self) -> list | dict:
        digits = b""
        while (digit := self._answers.read(1)) != b":":
            digits += digit
        return json.loads(self._answers.read(int(digits)))

    def send(self, command: str, **parameters: object) -> object:
        """What the command answers. Raises RuntimeError."""
        self._n_sent += 1
        message = json.dumps([0, self._n_sent, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._answer()
        if error is not None:
            raise RuntimeError(f"{command}: {error['message']}")
        return result

    def evaluate(self, script: str) -> object:
        """What the body of a function returns in the page."""
        return self.send("WebDriver:ExecuteScript", script=f"return {script}", args=[])["value"]

    def wait_for(self, script: str) -> None:
        """Until this holds in the page."""
        late = time.monotonic() + PATIENCE_SECONDS
        while not self.evaluate(script):
            assert time.monotonic() < late, script
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """These keys, one after another; a text is its letters."""
        letters = [letter for key in keys for letter in key]
        actions = [{"type": how, "value": letter} for letter in letters for how in ("keyDown", "keyUp")]
        self.send("WebDriver:PerformActions", actions=[{"type": "key", "id": "keys", "actions": actions}])
