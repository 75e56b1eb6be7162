"""Hosts without machines: network, mount, host-name and process namespaces on a bridge, an sshd in each.

`ray stop` ends every Ray process that it can see, so that each host needs a process namespace of its own; and Ray's
session folder, /dev/shm and the home are its own as well. What all of them share is the folder of results, on /mnt.
Ending a host's first process ends everything on it at once, as a power cut does.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from helpers import ROOT

NEEDED = {"ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux", "sshd": "openssh-server"}
NEEDED |= {"ssh": "openssh-client", "rsync": "rsync"}
PATIENCE_S = 10.0
BOOT = """
set -e
mount --make-rprivate /
hostname "$NAME"
mkdir -p /tmp/ray
for place in /tmp/ray /dev/shm /run; do mount -t tmpfs -o mode=1777 tmpfs $place; done
mkdir /run/sshd && chmod 755 /run/sshd
mount --bind "$OWN/passwd" /etc/passwd
mount --bind "$SHARED" /mnt
exec "$SSHD" -D -e -f "$OWN/sshd_config"
"""
SSHD = """
Port 22
HostKey {keys}/host
AuthorizedKeysFile {keys}/user.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
"""


class Host(NamedTuple):
    """A host that is up."""

    name: str
    address: str
    home: Path
    first: int  # the process whose end is the host's

    def run(self, *command: str, timeout: float = 60.0) -> str:
        """Standard output of a command on the host, as from its console; raises where the command fails."""
        words = ["nsenter", "--all", f"--target={self.first}", "env", f"HOME={self.home}", *command]
        return subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=True).stdout

    def processes(self) -> list[str]:
        """The command lines of Ray's processes on the host."""
        lines = self.run("ps", "-eo", "args", "--no-headers").splitlines()
        return [line for line in lines if "ray" in line.lower() and "ps -eo" not in line]

    def kill(self) -> None:
        """Cuts the power."""
        os.kill(self.first, signal.SIGKILL)


class Rack(NamedTuple):
    """Hosts on a bridge, and a laptop beside them: this process, with a home of its own."""

    hosts: list[Host]
    shared: Path  # what the hosts see as /mnt
    laptop: Path  # the home of whoever types
    key: Path
    known: dict[str, str]  # environment variables of everybody

    def environment(self) -> dict[str, str]:
        """For what the laptop runs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "GENSWEEP_"))}
        return {
            **kept,
            **self.known,
            "HOME": str(self.laptop),
            "RAY_TMPDIR": str(self.laptop / "ray"),
            "PYTHONPATH": str(ROOT),
        }

    def file(self, head: int = 0, workers: Sequence[int] = (1, 2), results: str = "/mnt/gensweep") -> Path:
        """deploy/onprem.yaml for these hosts, which find this checkout installed already."""
        config: dict[str, Any] = yaml.safe_load((ROOT / "deploy/onprem.yaml").read_text(encoding="utf-8"))
        config["provider"]["head_ip"] = self.hosts[head].address
        config["provider"]["worker_ips"] = [self.hosts[i].address for i in workers]
        config["auth"] = {"ssh_user": "root", "ssh_private_key": str(self.key)}
        config["min_workers"] = config["max_workers"] = len(workers)
        config["metadata"] = {"results": results}
        del config["file_mounts"]["~/gensweep"]
        config["setup_commands"] = []
        for role in ("head", "worker"):
            starts = config[f"{role}_start_ray_commands"]
            small = "ray start --num-cpus=1 --object-store-memory=200000000"
            config[f"{role}_start_ray_commands"] = [line.replace("ray start", small) for line in starts]
        path = self.laptop / f"cluster-{head}.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return path


def missing() -> str:
    """Why hosts cannot be made here; empty where they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = sorted({package for program, package in NEEDED.items() if _program(program) is None})
    if absent:
        return f"apt-get install {' '.join(absent)}"
    if importlib.util.find_spec("aiohttp") is None:
        return "pip install 'ray[default]': Ray's job server is not here"
    done = subprocess.run(["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "true"], capture_output=True)
    return done.stderr.decode().strip()


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def rack(
    folder: Path, n: int, python: Path, serve: Callable[[str], dict[str, str]] = lambda address: {}
) -> Generator[Rack]:
    """n hosts, h1 to hn, whose `python`, `ray` and `gensweep` are those beside `python` and of this checkout. `serve`
    may start something for them at the bridge's address, and says what everybody's environment gains."""
    keys, shared, laptop = folder / "keys", folder / "shared", folder / "laptop"
    for path in (keys, shared, laptop):
        path.mkdir()
    for name in ("host", "user"):
        _do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name))
    with ExitStack() as stack:
        bridge, net = _bridge(stack)
        known = serve(f"{net}.1")
        hosts = [stack.enter_context(_host(folder, i, bridge, net, python, known)) for i in range(1, n + 1)]
        yield Rack(hosts, shared, laptop, keys / "user", known)


def _bridge(stack: ExitStack) -> tuple[str, str]:
    """A bridge of a network that nobody else uses: its name, and the first three numbers of its addresses."""
    taken = subprocess.run(["ip", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    net = next(net for net in (f"10.77.{i}" for i in range(200)) if f"{net}." not in taken)
    name = f"gs{net.rpartition('.')[2]}br"
    _do("ip", "link", "add", name, "type", "bridge")
    stack.callback(_do, "ip", "link", "del", name)
    _do("ip", "addr", "add", f"{net}.1/24", "dev", name)
    _do("ip", "link", "set", name, "up")
    return name, net


@contextmanager
def _host(folder: Path, i: int, bridge: str, net: str, python: Path, known: dict[str, str]) -> Generator[Host]:
    name, address, space = f"h{i}", f"{net}.{10 + i}", f"{bridge}-h{i}"
    own = folder / name
    home = own / "home"
    home.mkdir(parents=True)
    lines = Path("/etc/passwd").read_text(encoding="utf-8").splitlines()
    users = [line.replace(":/root:", f":{home}:") if line.startswith("root:") else line for line in lines]
    (own / "passwd").write_text("\n".join(users) + "\n", encoding="utf-8")
    (own / "sshd_config").write_text(SSHD.format(keys=folder / "keys"), encoding="utf-8")
    # `~/.bashrc` is read by every command that Ray sends; `python -m gensweep` needs no installed script.
    more = "".join(f" {key}={value}" for key, value in known.items())
    (home / ".bashrc").write_text(f"export PATH={python.parent}:$PATH PYTHONPATH={ROOT}{more}\n")
    with ExitStack() as stack:
        _do("ip", "netns", "add", space)
        stack.callback(_do, "ip", "netns", "del", space)
        _do("ip", "link", "add", f"{space}v", "type", "veth", "peer", "name", "eth0", "netns", space)
        stack.callback(_do, "ip", "link", "del", f"{space}v")
        _do("ip", "link", "set", f"{space}v", "master", bridge, "up")
        for words in (f"addr add {address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            _do("ip", "-n", space, *words.split())
        _do("ip", "-n", space, "route", "add", "default", "via", f"{net}.1")
        boot = {"NAME": name, "OWN": str(own), "SHARED": str(folder / "shared"), "SSHD": _program("sshd") or "sshd"}
        unshare = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]
        with (own / "console").open("w") as console:
            process = subprocess.Popen(
                ["ip", "netns", "exec", space, *unshare, BOOT],
                env={**os.environ, **boot},
                stdout=console,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        stack.callback(process.wait)
        stack.callback(process.kill)
        yield Host(name, address, home, _first(process.pid, own / "console"))


def _first(pid: int, console: Path) -> int:
    """The first process of a host, once its sshd listens."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        text = console.read_text(encoding="utf-8")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children and "Server listening" in text:
            return int(children[0])
        time.sleep(0.05)
    raise TimeoutError(f"a host does not boot: {console.read_text(encoding='utf-8')}")


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


SWEEP = ["run", "gan", "--scheduler", "none", "--set", "width=16", "--seed", "3"]


def gensweep(rack: Rack, *words: object, code: int = 0, timeout: float = 300.0) -> str:
    """What a command prints on the laptop; it must end with this code."""
    command = [sys.executable, "-m", "gensweep", *map(str, words)]
    done = subprocess.run(
        command, env=rack.environment(), cwd=rack.laptop, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == code, f"{words}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def begin(rack: Rack, *words: object) -> "subprocess.Popen[str]":
    """A command on the laptop that goes on while the test looks at it."""
    return subprocess.Popen(
        [sys.executable, "-m", "gensweep", *map(str, words)],
        env=rack.environment(),
        cwd=rack.laptop,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
