"""A page in headless Chromium: its picture, its text, what its console said, and every address that it asked for.

    python tests/helpers/browser.py ADDRESS PICTURE [WIDTH] [HEIGHT]

makes a picture, as those in docs/ were made, and fails where the console complained or another machine was asked.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LOCAL = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|file:|data:|blob:|chrome(-\w+)?:|devtools:|about:")


class Seen(NamedTuple):
    text: str  # the page as it stood in the end, as HTML
    console: list[str]  # errors and warnings
    strangers: list[str]  # addresses on other machines


def browse(address: str, picture: Path, width: int = 1280, height: int = 1600, wait_ms: int = 15_000) -> Seen:
    """Opens a page, waits, and closes it. No other machine can be reached meanwhile, and none may be asked for."""
    with tempfile.TemporaryDirectory() as folder:
        return _browse(address, picture, width, height, wait_ms, Path(folder))


def _browse(address: str, picture: Path, width: int, height: int, wait_ms: int, folder: Path) -> Seen:
    assert CHROMIUM is not None
    words = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--use-gl=swiftshader",
        "--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},{height}", f"--virtual-time-budget={wait_ms}", "--enable-logging=stderr",
        f"--log-net-log={folder / 'net.json'}",
    ]  # fmt: skip
    subprocess.run([*words, f"--screenshot={picture}", address], capture_output=True, timeout=180, check=True)
    done = subprocess.run([*words, "--dump-dom", address], capture_output=True, text=True, timeout=180, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line and ("ERROR" in line or "WARN" in line)]
    console += [line for line in done.stderr.splitlines() if "Uncaught" in line or "Refused to" in line]
    asked = _addresses((folder / "net.json").read_text(encoding="utf-8"))
    return Seen(done.stdout, console, sorted(one for one in asked if not LOCAL.match(one)))


def _addresses(log: str) -> set[str]:
    """Every address that a page asked for, in Chromium's log of the network; the browser's own have no origin."""
    try:
        events = json.loads(log)["events"]
    except ValueError:  # it is cut off where the browser was closed
        events = json.loads(log.rstrip().rstrip(",") + "]}")["events"]
    told = [event.get("params", {}) for event in events]
    return {str(one["url"]) for one in told if one.get("initiator", "not an origin") != "not an origin"}


def overflow(page: Path, folder: Path, width: int) -> int:
    """How many pixels of a page lie beyond the right edge of a screen of that width; the page may not have scripts.
    It stands in a frame, since Chromium's own window is never that narrow."""
    frame = f'<iframe id="f" width="{width}" height="900" frameborder="0" srcdoc="{html.escape(page.read_text())}">'
    ask = 'onload="document.title = document.getElementById(`f`).contentDocument.documentElement.scrollWidth"'
    outer = folder / "frame.html"
    outer.write_text(f"<!doctype html><body {ask}>{frame}</iframe></body>", encoding="utf-8")
    found = re.search(r"<title>(\d+)</title>", browse(outer.as_uri(), folder / "frame.png").text)
    assert found is not None
    return int(found[1]) - width


if __name__ == "__main__":
    address, picture, *size = sys.argv[1:]
    here = address if LOCAL.match(address) else Path(address).resolve().as_uri()
    seen = browse(here, Path(picture).resolve(), *map(int, size))
    print(*seen.console, *seen.strangers, sep="\n")
    sys.exit(bool(seen.console or seen.strangers))
