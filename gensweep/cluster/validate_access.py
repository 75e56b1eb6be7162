"""What a cluster file sends from this machine, and who could then get in: the token, the key, the files.

Each fault is one line; `preflight` gathers them.
"""

import re
import shutil
import stat
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from gensweep.units import format_size
from gensweep.version import __version__

Config = dict[str, Any]  # a cluster file
TOKEN = Path("~/.ray/auth_token")
MAX_UPLOAD_BYTES = 500 * 10**6  # bytes to upload: more is a mistake, such as a mounted checkout with its environment
OPEN_DASHBOARD = re.compile(r"--dashboard-host[= ](?!127\.0\.0\.1|localhost)(\S+)")


def iter_strings(part: Any) -> Iterator[str]:
    """Every text in a part of the file, keys too."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield str(key)
            yield from iter_strings(value)
    elif isinstance(part, list):
        for value in part:
            yield from iter_strings(value)
    elif part is not None:
        yield str(part)


def check_token(config: Config) -> Generator[str]:
    path = TOKEN.expanduser()
    if not path.is_file() or not path.read_text(encoding="utf-8").strip():
        yield f"there is no token in {TOKEN}: `gensweep cluster up` makes one"
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield f"{TOKEN} can be read by others: chmod 600 {TOKEN}"
    if config.get("file_mounts", {}).get(str(TOKEN)) != str(TOKEN):
        yield f"file_mounts: {TOKEN}: {TOKEN} is missing, so that the nodes would have no token"
    modes = set(re.findall(r"RAY_AUTH_MODE=['\"]?(\w+)", "\n".join(iter_strings(config))))
    if modes != {"token"}:
        said = f"is {' and '.join(sorted(modes))}" if modes else "is never set"
        yield f"RAY_AUTH_MODE {said}: it must be token on every node, or anyone who reaches one can run code on it"


def check_secrets(config: Config) -> Generator[str]:
    text = "\n".join(iter_strings(config))
    path = TOKEN.expanduser()
    token = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    if (token and token in text) or re.search(r"RAY_AUTH_TOKEN=", text):
        yield f"the token is written in the file, which is uploaded and logged: only {TOKEN} may hold it"
    if "aws_credentials" in config["provider"] or re.search(r"\bAKIA[0-9A-Z]{16}\b", text):
        yield "AWS keys are written in the file, which is uploaded to the head: use a profile here, and a role there"
    for host in OPEN_DASHBOARD.findall(text):
        yield f"--dashboard-host={host} opens the dashboard: leave it out, and reach it by `ray dashboard FILE`"


def check_installed(*programs: str) -> Generator[str]:
    """Yield a line for each program that is not on the PATH."""
    yield from (f"{program} is not installed on this machine" for program in programs if not shutil.which(program))


def check_ssh(config: Config) -> Generator[str]:
    yield from check_installed("ssh", "rsync")
    named = config.get("auth", {}).get("ssh_private_key")
    if named is None:
        if config["provider"]["type"] == "local":
            yield "auth.ssh_private_key is missing"
        return
    key = Path(named).expanduser()
    if not key.is_file():
        yield f"auth.ssh_private_key: there is no {named}"
    elif stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield f"auth.ssh_private_key: {named} can be read by others, and ssh refuses it: chmod 600 {named}"


def upload_sizes(config: Config) -> dict[str, int]:
    """Bytes that each local path of `file_mounts` has; those that are not there are left out."""
    found = {}
    for local in (config.get("file_mounts") or {}).values():
        path = Path(local).expanduser()
        if path.exists():
            files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
            found[str(local)] = sum(one.stat().st_size for one in files)
    return found


def check_mounts(config: Config) -> Generator[str]:
    there = upload_sizes(config)
    for remote, local in (config.get("file_mounts") or {}).items():
        if str(local) not in there and str(local) != str(TOKEN):
            made = ": `make wheel` makes it" if str(local) == "dist" else ""
            yield f"file_mounts: {remote}: there is no {local} here{made}"
        elif Path(local).name == "dist":
            wheels = sorted(path.name for path in Path(local).expanduser().glob("gensweep-*.whl"))
            if len(wheels) != 1 or not wheels[0].startswith(f"gensweep-{__version__}-"):
                held = " and ".join(wheels) or "no wheel"
                yield f"file_mounts: {local} holds {held}, and needs that of gensweep {__version__} alone: make wheel"
    if sum(there.values()) > MAX_UPLOAD_BYTES:
        heaviest = max(there, key=lambda local: there[local])
        yield f"file_mounts: {format_size(sum(there.values()))} to each node, most of it {heaviest}: mount a wheel only"
