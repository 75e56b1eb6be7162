"""Check the token, the ssh key and the uploads of a cluster file: what leaves this machine, and who could get in.

Every fault is one line; validate.py collects them.
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
MAX_UPLOAD_BYTES = 500 * 10**6  # more is a mistake, such as a mounted checkout with its environment
OPEN_DASHBOARD = re.compile(r"--dashboard-host[= ](?!127\.0\.0\.1|localhost)(\S+)")


def iter_strings(part: Any) -> Iterator[str]:
    """Yield every text in a part of the file, including keys."""
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
    """Yield what is wrong with the token of this machine, or would leave a node without it."""
    path = TOKEN.expanduser()
    if not path.is_file() or not path.read_text(encoding="utf-8").strip():
        yield f"{TOKEN} does not exist or is empty: `gensweep cluster up` creates it"
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield f"{TOKEN} can be read by others: chmod 600 {TOKEN}"
    if config.get("file_mounts", {}).get(str(TOKEN)) != str(TOKEN):
        yield f"file_mounts: {TOKEN}: {TOKEN} is missing, so the nodes would have no token"
    modes = set(re.findall(r"RAY_AUTH_MODE=['\"]?(\w+)", "\n".join(iter_strings(config))))
    if modes != {"token"}:
        setting = f"is {' and '.join(sorted(modes))}" if modes else "is never set"
        yield f"RAY_AUTH_MODE {setting}: it must be token on every node, or anyone who reaches one can run code on it"


def check_secrets(config: Config) -> Generator[str]:
    """Yield each secret that is written in the file, and whether the file opens the dashboard to others."""
    text = "\n".join(iter_strings(config))
    path = TOKEN.expanduser()
    token = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    if (token and token in text) or re.search(r"RAY_AUTH_TOKEN=", text):
        yield f"the token is written in the file, which is uploaded and logged: only {TOKEN} may hold it"
    if "aws_credentials" in config["provider"] or re.search(r"\bAKIA[0-9A-Z]{16}\b", text):
        yield "AWS keys are written in the file, which goes to the head: use a profile here, and a role on the nodes"
    for host in OPEN_DASHBOARD.findall(text):
        yield f"--dashboard-host={host} opens the dashboard: leave it out, and reach it by `ray dashboard FILE`"


def check_installed(*programs: str) -> Generator[str]:
    """Yield a line for each program that is not on the PATH."""
    yield from (f"{program} is not installed on this machine" for program in programs if not shutil.which(program))


def check_ssh(config: Config) -> Generator[str]:
    """Yield what is wrong with ssh, rsync or the private key on this machine."""
    yield from check_installed("ssh", "rsync")
    named = config.get("auth", {}).get("ssh_private_key")
    if named is None:
        if config["provider"]["type"] == "local":
            yield "auth.ssh_private_key is missing"
        return
    key = Path(named).expanduser()
    if not key.is_file():
        yield f"auth.ssh_private_key: {named} does not exist"
    elif stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield f"auth.ssh_private_key: {named} can be read by others, and ssh refuses it: chmod 600 {named}"


def upload_sizes(config: Config) -> dict[str, int]:
    """Return the size in bytes of each local path of `file_mounts` that exists."""
    sizes = {}
    for local in (config.get("file_mounts") or {}).values():
        path = Path(local).expanduser()
        if path.exists():
            files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
            sizes[str(local)] = sum(file.stat().st_size for file in files)
    return sizes


def check_mounts(config: Config) -> Generator[str]:
    """Yield each mount that does not exist here, each wrong wheel, and a warning if the uploads are too large."""
    sizes = upload_sizes(config)
    for remote, local in (config.get("file_mounts") or {}).items():
        if str(local) not in sizes and str(local) != str(TOKEN):
            hint = ": `make wheel` builds it" if str(local) == "dist" else ""
            yield f"file_mounts: {remote}: {local} does not exist here{hint}"
        elif Path(local).name == "dist":
            wheels = sorted(path.name for path in Path(local).expanduser().glob("gensweep-*.whl"))
            if len(wheels) != 1 or not wheels[0].startswith(f"gensweep-{__version__}-"):
                content = " and ".join(wheels) or "no wheel"
                only = f"only the wheel of gensweep {__version__}"
                yield f"file_mounts: {local} holds {content}, but must hold {only}: make wheel"
    if sum(sizes.values()) > MAX_UPLOAD_BYTES:
        largest = max(sizes, key=lambda local: sizes[local])
        yield f"file_mounts: {format_size(sum(sizes.values()))} to each node, most of it {largest}: mount a wheel only"
