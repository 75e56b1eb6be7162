"""The commands for a remote cluster: check, up, down, submit, fetch. All of them use Ray's own commands and ssh.

They do what `ray up` and `ray down` leave to the user: make the token, choose the autoscaler that starts the workers of
`provider: local` (Ray's default since 2.50 never does: ray-project/ray issues 57153 and 59905), and stop Ray on every
machine, since `ray down` stops it on the head only.
"""

import argparse
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gensweep.cli.commands import COMMANDS
from gensweep.cli.merge_options import merge_options
from gensweep.cli.parser import parsed
from gensweep.cli.send import local_files, named_here, named_there, send
from gensweep.cluster.remote import RAY, ray_environment, run_and_show_steps, run_on_head, stop_ray
from gensweep.cluster.validate import cluster_faults, read_cluster_file
from gensweep.cluster.validate_access import TOKEN, Config, check_installed, upload_sizes
from gensweep.config.options import Options
from gensweep.errors import UserError, unknown
from gensweep.units import format_size, parse_seconds
from trainables.filestore import is_url

OK, FAILED, BAD = 0, 1, 2
TRAINING = ("run", "study", "resume", "extend", "finalize")  # these need Ray, and go as jobs
NEW = ("run", "study")  # these say where results go


def check(args: argparse.Namespace, command: list[str]) -> int:
    """Print every fault of the file, or what would be uploaded."""
    config = read_cluster_file(args.cluster)
    if not _report_faults(config, inner_command(args)[1]):
        return BAD
    for local, n_bytes in upload_sizes(config).items():
        print(f"uploads {local}: {format_size(n_bytes)}")
    print(f"{args.cluster} is sound")
    print(f"next: gensweep cluster up {shlex.quote(args.cluster)}")
    return OK


def up(args: argparse.Namespace, command: list[str]) -> int:
    """Run `ray up`, then wait for the nodes."""
    config = read_cluster_file(args.cluster)
    new_token = make_token()
    if not _report_faults(config):
        return BAD
    if new_token:
        print(f"made a token in {TOKEN}: whoever has it may use the cluster")
    if not _ray("up", args.cluster, config):
        return FAILED
    n = args.wait or nodes_at_least(config)
    limit, results = parse_seconds(args.timeout), config["metadata"]["results"]
    ended = run_on_head(
        args.cluster, config, f"python -m gensweep.cluster.head wait {n} {limit} {shlex.quote(results)}", print
    )
    if ended == OK:
        print(f"next: gensweep submit {shlex.quote(args.cluster)} -- run gan --trials 24")
    return FAILED if ended is None else ended


def down(args: argparse.Namespace, command: list[str]) -> int:
    """Run `ray down`. On machines of one's own, also stop Ray on each and verify that no Ray process is left."""
    config = read_cluster_file(args.cluster)
    provider = config["provider"]
    left: dict[str, str] = {}
    _require("ssh")
    if "worker_ips" in provider:
        machines = [provider["head_ip"], *provider["worker_ips"]]
        with ThreadPoolExecutor(len(machines)) as pool:
            left = dict(zip(machines, pool.map(lambda machine: stop_ray(config, machine), machines), strict=True))
    unreached = [machine for machine, fault in left.items() if fault]
    for machine in unreached:
        print(f"{machine}: {left[machine]}", file=sys.stderr)
    if provider.get("head_ip") not in unreached and not _ray("down", args.cluster, config):
        return FAILED
    print(f"no Ray process is left on {len(left) - len(unreached)} machines" if left else "the cluster is down")
    return FAILED if unreached else OK


def submit(args: argparse.Namespace, command: list[str]) -> int:
    """Run a gensweep command on the head. Those that train run as a job, which continues if this process ends."""
    config = read_cluster_file(args.cluster)
    words, options = inner_command(args)
    if not words:
        raise UserError("say what to run behind --, as in `gensweep submit FILE -- run gan --trials 24`")
    typed = shlex.join(words)
    results = _shared(args.cluster, config)
    if options is not None:
        for fault in cluster_faults(config, options):
            raise UserError(fault)
    if is_url(results):
        words = in_bucket(words, results)
    sent = local_files(parsed(words))
    words = named_there(words, sent)
    home = "" if is_url(results) else f"mkdir -p {shlex.quote(results)}; cd {shlex.quote(results)}; "
    there = f"{home}python -m gensweep {shlex.join(words)}"
    if words[0] in TRAINING:
        words = [*words, "--address", "auto"]
        if words[0] in NEW:
            words += ["--storage", "journal"] if options is not None and options.storage is None else []
            words += [] if "--results" in words else ["--results", results if is_url(results) else "."]
        there = f"python -m gensweep.cluster.head submit {shlex.quote(results)} {shlex.join(words)}"
    _require("ssh", *(["rsync"] if sent else []))
    if sent:
        send(args.cluster, config, results, sent)
    here = f"gensweep submit {shlex.quote(args.cluster)} --"

    def say(line: str) -> None:
        print(named_here(line, sent).replace("next: gensweep", f"next: {here}"))

    ended = run_on_head(args.cluster, config, there, say)
    if ended is None:
        print("gensweep: the connection to the head ended; what was submitted goes on", file=sys.stderr)
        print(f"next: {here} {typed}")
    return FAILED if ended is None else ended


def fetch(args: argparse.Namespace, command: list[str]) -> int:
    """Copy a sweep from the shared folder to this machine, where every command that reads results works."""
    config = read_cluster_file(args.cluster)
    results = _shared(args.cluster, config)
    if is_url(results):
        raise UserError(
            f"the results are in a bucket, where every command finds them: gensweep best {results}/{args.name}"
        )
    _require("ssh", "rsync")
    source, target = f"{results}/{args.name}/", Path(args.out) / args.name
    target.mkdir(parents=True, exist_ok=True)
    words = [*RAY, "rsync-down", args.cluster, source, f"{target}/"]
    done = subprocess.run(words, env=ray_environment(config), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or not any(target.iterdir()):
        print(
            f"gensweep: {source} could not be fetched: {(done.stderr or done.stdout).strip()[-500:]}", file=sys.stderr
        )
        return FAILED
    print(f"next: gensweep best {shlex.quote(str(target))}")
    return OK


def cluster(args: argparse.Namespace, command: list[str]) -> int:
    return {"check": check, "up": up, "down": down}[args.action](args, command)


RUN: dict[str, Callable[[argparse.Namespace, list[str]], int]]
RUN = {"cluster": cluster, "submit": submit, "fetch": fetch}


def inner_command(args: argparse.Namespace) -> tuple[list[str], Options | None]:
    """Return the command behind `--`, and its options if it is a search.

    Raises:
        UserError: it is not a gensweep command, or has a mistake.
    """
    words: list[str] = args.words
    if not words:
        return [], None
    if words[0] not in COMMANDS or words[0] in RUN:
        raise unknown("command", words[0], [name for name in COMMANDS if name not in RUN])
    inner = parsed(words)
    if getattr(inner, "file", None) is not None:
        raise UserError(f"{inner.file} is on this machine, and the sweep is not: type its options behind --")
    return words, merge_options(inner)[0] if words[0] in ("run", "plan") else None


def in_bucket(words: list[str], results: str) -> list[str]:
    """Return the command with the full addresses of the sweeps that it names: names are relative to a folder, and a
    bucket is not the working directory."""
    there, words = vars(parsed(words)), list(words)
    for name in (there.get("dir"), *(there.get("dirs") or ()), there.get("warm_from")):
        for typed in (name, f"--warm-from={name}"):
            if name is not None and "/" not in name and typed in words[1:]:
                words[words.index(typed, 1)] = f"{typed.removesuffix(name)}{results}/{name}"
                break
    return words


def _report_faults(config: Config, options: Options | None = None) -> bool:
    """Print each fault of a cluster file. Return whether there is none."""
    lines = cluster_faults(config, options)
    if lines:
        print("\n".join(lines), file=sys.stderr)
    return not lines


def _require(*programs: str) -> None:
    """Raise UserError if a program is not installed on this machine."""
    for fault in check_installed(*programs):
        raise UserError(fault)


def _ray(action: str, file: str, config: Config) -> bool:
    """Run `ray up` or `ray down`, print a line if it failed, and return whether it succeeded."""
    code = run_and_show_steps([*RAY, action, "--yes", file], config)
    if code:
        print(f"gensweep: `ray {action}` failed, with exit code {code}: see above", file=sys.stderr)
    return code == OK


def _shared(file: str, config: Config) -> str:
    """Return the folder of results. Raise UserError if the file does not name one."""
    results = (config.get("metadata") or {}).get("results")
    if results is None:
        raise UserError(f"{file}: metadata.results is missing: name the folder that all nodes share")
    return str(results)


def make_token() -> bool:
    """Make the token that every node and client of our clusters shares, unless it exists. Only the user may read it.
    Return whether it is new."""
    path = TOKEN.expanduser()
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    return True


def nodes_at_least(config: Config) -> int:
    """Return how many nodes start without demand: the head, and the workers that always run."""
    kinds: dict[str, Any] = config.get("available_node_types") or {}
    always = [kind.get("min_workers", 0) for name, kind in kinds.items() if name != config.get("head_node_type")]
    listed = len(config["provider"].get("worker_ips", ()))
    return 1 + (sum(always) if kinds else int(config.get("min_workers", listed)))
