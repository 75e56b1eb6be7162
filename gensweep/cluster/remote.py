"""Run Ray's own commands and ssh on behalf of the cluster commands, and filter their output."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gensweep.cluster.validate_access import Config

INSTALLED_RAY = Path(sys.executable).with_name("ray")  # the command of the Ray that this Python imports
RAY = (str(INSTALLED_RAY) if INSTALLED_RAY.exists() else shutil.which("ray") or "ray",)
COLOUR = re.compile(r"\x1b\[[\d;]*m")
STEP = re.compile(r"\[\d/7\] .*")  # how `ray up` prints its progress
MARK = "::gensweep::"  # printed before and after the output of a command on the head
SSH = "BatchMode=yes StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR ConnectTimeout=10"
STOP_COMMAND = (
    "bash --login -c -i 'source ~/.bashrc; ray stop --force' >/dev/null 2>&1; pgrep -l '^(raylet|gcs_server)$' || true"
)


def ray_environment(config: Config) -> dict[str, str]:
    """Return the environment for Ray's own commands."""
    settings = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
    if config["provider"]["type"] == "local":
        settings["RAY_UP_enable_autoscaler_v2"] = "0"
    return {**os.environ, **settings}


def _start(words: list[str], config: Config) -> "subprocess.Popen[str]":
    """Start one of Ray's own commands; all of its output goes to `stdout`."""
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
    """Run `ray up` or `ray down` and print its steps; if it fails, print its whole output. Return its exit code."""
    process = _start(words, config)
    assert process.stdout is not None
    output = []
    for line in process.stdout:
        output.append(COLOUR.sub("", line))
        step = STEP.search(output[-1])
        if step:
            print(f"head: {step[0]}", flush=True)
    if process.wait():
        print("".join(output), file=sys.stderr)
    return process.returncode


def run_on_head(file: str, config: Config, command: str, say: Callable[[str], None]) -> int | None:
    """Run a command on the head. Return its exit code, or None if the connection broke before it ended."""
    marked = f"echo {MARK}; {command}; echo {MARK} $?"
    exit_code, started, ray_output = None, False, []
    process = _start([*RAY, "exec", file, marked], config)
    assert process.stdout is not None
    for line in process.stdout:
        line = COLOUR.sub("", line).rstrip()
        if re.fullmatch(rf"{MARK} \d+", line):
            exit_code = int(line.split()[1])
        elif line == MARK:
            started = True
        elif started and exit_code is None:
            say(line)
            sys.stdout.flush()
        else:
            ray_output.append(line)
    process.wait()
    if not started:
        print("\n".join(ray_output), file=sys.stderr)
    return exit_code


def stop_ray(config: Config, machine: str) -> str:
    """Stop Ray on a machine. Return what is wrong there afterwards, or an empty text."""
    auth = config["auth"]
    key = ["-i", str(Path(auth["ssh_private_key"]).expanduser())] if "ssh_private_key" in auth else []
    proxy = ["-o", f"ProxyCommand={auth['ssh_proxy_command']}"] if "ssh_proxy_command" in auth else []
    options = [*(f"-o{option}" for option in SSH.split()), *key, *proxy]
    words = ["ssh", *options, f"{auth['ssh_user']}@{machine}", STOP_COMMAND]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        return f"could not be reached, and Ray may still be running there: {(done.stderr or 'no answer').strip()}"
    return f"Ray does not stop: {', '.join(done.stdout.split())}" if done.stdout.strip() else ""
