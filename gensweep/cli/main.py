"""The command line. Each sub-command is one function; a mistake of the user's is one line and exit code 2.

What a command needs is imported when it runs, so that a typing error is answered at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.read.manifest import SweepManifest
from gensweep.cli import cluster_commands, result_commands
from gensweep.cli.merge_options import asked, by_name, settings
from gensweep.cli.parser import COMMANDS, parsed
from gensweep.cli.result_commands import OK, next_step
from gensweep.config import sweep_yaml
from gensweep.config.options import Options, check_options
from gensweep.errors import UserError, unknown
from gensweep.storage import workdir
from gensweep.storage.atomic import is_disk_full
from gensweep.tune.ray_watchdog import RayDied

if TYPE_CHECKING:
    from gensweep.tune.run_tuner import LaunchResult

FAILED, BAD, INTERRUPTED, UNREAD = 1, 2, 130, 141  # the last as a shell says it of SIGPIPE
STOPPED = {
    "budget": "the time budget is spent, and the trials that were running are kept",
    "interrupted": "interrupted, and the trials that were running are kept",
    "cancelled": "cancelled, and the trials that were running are kept",
    "stopped": "stopped, as asked, after the trials that were running",
    "open": "Ray gave up on the trials that are still open",
    "disk": "the disk is full, and the trials that were running are kept: free some space, or see --keep-checkpoints",
}

ASKED = {"stop": "it ends after the trials that run now", "cancel": "it ends now; running trials are kept"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code: 0, 1 where nothing came of it, 2 for bad input, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _obey(words)
    except KeyboardInterrupt:
        print("gensweep: interrupted; the same command again goes on", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough: what is still buffered goes nowhere, without a word
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except RayDied as error:
        print(f"gensweep: {error}", file=sys.stderr)
        return FAILED
    except Exception as error:
        if is_disk_full(error):
            print("gensweep: the disk is full: free some space; the same command again goes on", file=sys.stderr)
            return FAILED
        if not isinstance(error, UserError):
            raise
        print(f"gensweep: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code


def _obey(words: list[str]) -> int:
    try:
        if words and not words[0].startswith("-") and words[0] not in COMMANDS:
            raise unknown("command", words[0], COMMANDS)
        given = parsed(words)
        return RUN[given.command](given, ["gensweep", *words])
    finally:
        sys.stdout.flush()  # here, where it is seen that nobody reads on; also after --help


def run_sweep(given: argparse.Namespace, command: list[str]) -> int:
    options, notes = asked(given)
    from rich.console import Console

    from gensweep.cli.dry_run import readable
    from gensweep.sweep.launch import launch_sweep
    from gensweep.sweep.run_sweep import prepare_sweep

    directory, manifest, data = prepare_sweep(options, command)
    print(*notes, sep="\n", end="\n" * bool(notes))
    if given.save_file is not None:
        sweep_yaml.save(Path(given.save_file), manifest)
        next_step("run", manifest.model, given.save_file)
        return OK
    if given.dry_run:
        print(readable(directory, manifest))
        next_step("run", *[word for word in command[2:] if word != "--dry-run"])
        return OK
    return _close(directory, launch_sweep(directory, manifest, data, options, Console(), {}))


def plan_sweep(given: argparse.Namespace, command: list[str]) -> int:
    options, notes = asked(given)
    from gensweep.sweep.plan import plan

    print("\n".join([*notes, *plan(options, command, given.price_per_hour)]))
    priced = [i for i, word in enumerate(command) if word.startswith("--price-per-hour")]
    for i in reversed(priced):
        del command[i : i + (1 if "=" in command[i] else 2)]
    next_step("run", *command[2:])
    return OK


def run_study(given: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from gensweep.sweep import run_study, study_arms

    typed = {
        key: value for key, value in vars(given).items() if key in study_arms.StudyOptions._fields and value is not None
    }
    pins = settings(typed.pop("set", []))
    asked = study_arms.StudyOptions(given.study, **typed, set=pins)
    cause = run_study.run(asked, command, Console())
    if cause != "done":
        return _unfinished(cause, *command[1:])
    next_step("report", str(asked.directory))
    return OK


def finalize_sweep(given: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from analysis.read import results
    from analysis.sweep import final_results, final_results_text
    from gensweep.sweep import finalize

    typed = {
        key: value
        for key, value in vars(given).items()
        if key in finalize.FinalizeOptions._fields and value is not None
    }
    cause = finalize.run(finalize.FinalizeOptions(**typed), command, Console())
    if cause != "done":
        return _unfinished(cause, *command[1:])
    sweep = results.load(given.dir)
    found = final_results.load(sweep)
    if found is None:
        print("gensweep: every finalist failed on more than half of its seeds", file=sys.stderr)
        return FAILED
    print(final_results_text.format_finalists(sweep, found))
    next_step("report", given.dir)
    return OK


def resume_sweep(given: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from gensweep.sweep.launch import launch_sweep
    from gensweep.sweep.run_sweep import reopen_sweep

    directory = workdir.local_workdir(given.dir)
    manifest, data = reopen_sweep(directory)
    return _close(directory, launch_sweep(directory, manifest, data, _again(manifest, given), Console(), {}))


def extend_sweep(given: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from gensweep.sweep.launch import launch_sweep
    from gensweep.sweep.run_sweep import add_trials, reopen_sweep

    directory = workdir.local_workdir(given.dir)
    manifest, data = reopen_sweep(directory)
    manifest = add_trials(directory, manifest, given.trials, settings(given.set or []), data)
    return _close(directory, launch_sweep(directory, manifest, data, _again(manifest, given), Console(), {}))


def _again(manifest: SweepManifest, given: argparse.Namespace) -> Options:
    """The options of one more launch of a sweep: as the last one, but for what is typed."""
    kept = {name: getattr(manifest, name) for name in ("concurrent", "cpus_per_trial", "gpus_per_trial")}
    return check_options(Options(manifest.model, **{**kept, **by_name(given), "trials": manifest.trials, "set": {}}))


def stop_sweep(given: argparse.Namespace, command: list[str]) -> int:
    from gensweep.storage import lock
    from gensweep.sweep.run_sweep import read_manifest

    directory = workdir.local_workdir(given.dir)
    read_manifest(directory)
    lock.send_request(directory, given.command)
    print(ASKED[given.command])
    next_step("status", given.dir)
    return OK


RUN: dict[str, Callable[[argparse.Namespace, list[str]], int]] = {
    "run": run_sweep,
    "plan": plan_sweep,
    "study": run_study,
    "finalize": finalize_sweep,
    "resume": resume_sweep,
    "extend": extend_sweep,
    "stop": stop_sweep,
    "cancel": stop_sweep,
    **result_commands.RUN,
    **cluster_commands.RUN,
}


def _close(directory: Path, ended: "LaunchResult") -> int:
    """The last lines of a launch, and its exit code."""
    print("\n".join(ended.lines))
    if ended.cause != "done":
        return _unfinished(ended.cause, "resume", workdir.display_name(directory))
    if ended.failed == ended.trials:
        print(f"gensweep: all {ended.trials} trials failed", file=sys.stderr)
        next_step("status", workdir.display_name(directory))
        return FAILED
    if not ended.won:
        print(f"gensweep: none of the {ended.trials} trials keeps the constraints", file=sys.stderr)
        next_step("extend", workdir.display_name(directory), "--trials", str(ended.trials))
        return FAILED
    next_step("report", workdir.display_name(directory))
    return OK


def _unfinished(cause: str, *again: str) -> int:
    """Why a launch ended before its trials had, and the command that goes on."""
    print(STOPPED[cause])
    next_step(*again)
    return {"interrupted": INTERRUPTED, "open": FAILED, "disk": FAILED}.get(cause, OK)
