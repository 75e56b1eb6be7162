"""A page in headless Chromium: its picture, its text, what its console said, and every address that it asked for."""

import json
import re
import shutil
import subprocess
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
    assert CHROMIUM is not None
    folder = picture.parent
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
