"""Ray's own commands and ssh, as `launcher` needs them: what they are told, and what of their words is passed on."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gensweep.cluster.validate_access import Config

INSTALLED_RAY = Path(sys.executable).with_name("ray")  # the command of the Ray that is installed here
RAY = (str(INSTALLED_RAY) if INSTALLED_RAY.exists() else shutil.which("ray") or "ray",)
COLOUR = re.compile(r"\x1b\[[\d;]*m")
STEP = re.compile(r"\[\d/7\] .*")  # how `ray up` tells of its progress
MARK = "::gensweep::"  # before and behind what a command on the head prints
SSH = "BatchMode=yes StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR ConnectTimeout=10"
STOP_COMMAND = (
    "bash --login -c -i 'source ~/.bashrc; ray stop --force' >/dev/null 2>&1; pgrep -l '^(raylet|gcs_server)$' || true"
)


def ray_environment(config: Config) -> dict[str, str]:
    """What Ray's own commands must be told here."""
    more = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
    if config["provider"]["type"] == "local":
        more["RAY_UP_enable_autoscaler_v2"] = "0"
    return {**os.environ, **more}


def _start(words: list[str], config: Config) -> "subprocess.Popen[str]":
    """One of Ray's own commands, all of whose words come through `stdout`."""
    return subprocess.Popen(
        words,
        env=ray_environment(config),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def run_and_show_steps(words: list[str], config: Config) -> int:
    """Runs `ray up` or `ray down`, and shows its steps; where it fails, all that it said."""
    process = _start(words, config)
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(COLOUR.sub("", line))
        step = STEP.search(said[-1])
        if step:
            print(f"head: {step[0]}", flush=True)
    if process.wait():
        print("".join(said), file=sys.stderr)
    return process.returncode


def run_on_head(file: str, config: Config, command: str, say: Callable[[str], None]) -> int | None:
    """Runs a command on the head; its exit code, or None where the connection broke before it had ended."""
    whole = f"echo {MARK}; {command}; echo {MARK} $?"
    ended, begun, before = None, False, []
    process = _start([*RAY, "exec", file, whole], config)
    assert process.stdout is not None
    for line in process.stdout:
        line = COLOUR.sub("", line).rstrip()
        if re.fullmatch(rf"{MARK} \d+", line):
            ended = int(line.split()[1])
        elif line == MARK:
            begun = True
        elif begun and ended is None:
            say(line)
            sys.stdout.flush()
        else:
            before.append(line)
    process.wait()
    if not begun:
        print("\n".join(before), file=sys.stderr)
    return ended


def stop_ray(config: Config, machine: str) -> str:
    """Stops Ray on a machine; what is wrong there then, or nothing."""
    auth = config["auth"]
    key = ["-i", str(Path(auth["ssh_private_key"]).expanduser())] if "ssh_private_key" in auth else []
    proxy = ["-o", f"ProxyCommand={auth['ssh_proxy_command']}"] if "ssh_proxy_command" in auth else []
    words = ["ssh", *(f"-o{one}" for one in SSH.split()), *key, *proxy, f"{auth['ssh_user']}@{machine}", STOP_COMMAND]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        return f"could not be reached, and Ray may run on there: {(done.stderr or 'no answer').strip()}"
    return f"Ray does not stop: {', '.join(done.stdout.split())}" if done.stdout.strip() else ""
