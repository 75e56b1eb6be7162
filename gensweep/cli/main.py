"""The command line. Each sub-command is one function; a user's mistake is one line and exit code 2.

Each command imports what it needs when it runs, so that a typing error is answered at once.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.read.manifest import SweepManifest
from gensweep.cli import cluster_commands, file_commands, result_commands
from gensweep.cli.commands import COMMANDS
from gensweep.cli.merge_options import merge_options, settings, typed_options
from gensweep.cli.parser import parsed
from gensweep.cli.result_commands import OK, next_step
from gensweep.config import save_file, user_models
from gensweep.config.options import Options, check_options
from gensweep.errors import UserError, unknown
from gensweep.storage import workdir
from gensweep.storage.atomic import is_disk_full
from gensweep.tune.ray_watchdog import RayDied
from trainables.user_model.model_file import is_model_file

if TYPE_CHECKING:
    from gensweep.tune.run_tuner import LaunchResult

FAILED, INTERRUPTED, UNREAD = 1, 130, 141  # the last is what a shell reports for SIGPIPE
STOPPED = {
    "budget": "the time budget is spent, and the trials that were running are kept",
    "interrupted": "interrupted, and the trials that were running are kept",
    "cancelled": "cancelled, and the trials that were running are kept",
    "stopped": "stopped, as asked, after the trials that were running",
    "open": "Ray gave up on the trials that are still open",
    "disk": "the disk is full, and the trials that were running are kept: free some space, or see --keep-checkpoints",
}

STOP_MESSAGES = {"stop": "it ends after the trials that run now", "cancel": "it ends now; running trials are kept"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 if it failed, 2 for bad input, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except KeyboardInterrupt:
        print("gensweep: interrupted; the same command again goes on", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `| head` closed the pipe: drop what is still buffered
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
        print("\n".join(f"gensweep: {line}" for line in error.lines), file=sys.stderr)
        return error.exit_code


def _dispatch(words: list[str]) -> int:
    try:
        if words and not words[0].startswith("-") and words[0] not in COMMANDS:
            raise unknown("command", words[0], COMMANDS)
        args = parsed(words)
        _register_user_model(args)
        return RUN[args.command](args, ["gensweep", *words])
    finally:
        sys.stdout.flush()  # a closed pipe shows here, also after --help


def _register_user_model(args: argparse.Namespace) -> None:
    """Take the file of a user's model, if one is named; `args.model` is then the model's name."""
    model = getattr(args, "model", None)
    if model is not None and is_model_file(model):
        args.model = user_models.register_file(model, args.code)
    elif getattr(args, "code", None) is not None and args.command != "check":
        raise UserError(f"--code {args.code}: it goes with the file of your own model, as my_model.py")
    elif model is not None and args.command not in ("run", "plan"):
        raise UserError(f"--model {model}: it takes the file of your own model, as --model my_model.py")


def run_sweep(args: argparse.Namespace, command: list[str]) -> int:
    options, notes = merge_options(args)
    from rich.console import Console

    from gensweep.cli.dry_run import format_manifest
    from gensweep.sweep.launch import launch_sweep
    from gensweep.sweep.run_sweep import prepare_sweep

    directory, manifest, data = prepare_sweep(options, command)
    print(*notes, sep="\n", end="\n" * bool(notes))
    if args.save_file is not None:
        save_file.save(Path(args.save_file), manifest)
        next_step("run", manifest.model, args.save_file)
        return OK
    if args.dry_run:
        print(format_manifest(directory, manifest))
        next_step("run", *[word for word in command[2:] if word != "--dry-run"])
        return OK
    return _finish(directory, launch_sweep(directory, manifest, data, options, Console(), {}))


def plan_sweep(args: argparse.Namespace, command: list[str]) -> int:
    options, notes = merge_options(args)
    from gensweep.sweep.plan import plan

    print("\n".join([*notes, *plan(options, command, args.price_per_hour)]))
    priced = [i for i, word in enumerate(command) if word.startswith("--price-per-hour")]
    for i in reversed(priced):
        del command[i : i + (1 if "=" in command[i] else 2)]
    next_step("run", *command[2:])
    return OK


def run_study(args: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from gensweep.sweep import run_study, study_arms

    typed = {
        key: value for key, value in vars(args).items() if key in study_arms.StudyOptions._fields and value is not None
    }
    pins = settings(typed.pop("set", []))
    options = study_arms.StudyOptions(args.study, **typed, set=pins)
    cause = run_study.run(options, command, Console())
    if cause != "done":
        return _unfinished(cause, *command[1:])
    next_step("report", str(options.directory))
    return OK


def finalize_sweep(args: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from analysis.read import results
    from analysis.sweep import final_results, final_results_text
    from gensweep.sweep import finalize

    typed = {
        key: value for key, value in vars(args).items() if key in finalize.FinalizeOptions._fields and value is not None
    }
    cause = finalize.run(finalize.FinalizeOptions(**typed), command, Console())
    if cause != "done":
        return _unfinished(cause, *command[1:])
    sweep = results.load(args.dir)
    finalists = final_results.load(sweep)
    if finalists is None:
        print("gensweep: every finalist failed on more than half of its seeds", file=sys.stderr)
        return FAILED
    print(final_results_text.format_finalists(sweep, finalists))
    next_step("report", args.dir)
    return OK


def resume_sweep(args: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from gensweep.sweep.launch import launch_sweep
    from gensweep.sweep.run_sweep import reopen_sweep

    directory = workdir.local_workdir(args.dir)
    manifest, data = reopen_sweep(directory)
    return _finish(directory, launch_sweep(directory, manifest, data, _launch_options(manifest, args), Console(), {}))


def extend_sweep(args: argparse.Namespace, command: list[str]) -> int:
    from rich.console import Console

    from gensweep.sweep.launch import launch_sweep
    from gensweep.sweep.run_sweep import add_trials, reopen_sweep

    directory = workdir.local_workdir(args.dir)
    manifest, data = reopen_sweep(directory)
    manifest = add_trials(directory, manifest, args.trials, settings(args.set or []), data)
    return _finish(directory, launch_sweep(directory, manifest, data, _launch_options(manifest, args), Console(), {}))


def _launch_options(manifest: SweepManifest, args: argparse.Namespace) -> Options:
    """Return the options of another launch of a sweep: those of the last launch, and what is typed wins."""
    previous = {name: getattr(manifest, name) for name in ("concurrent", "cpus_per_trial", "gpus_per_trial")}
    fixed = {"model": manifest.model, "trials": manifest.trials, "set": {}}
    return check_options(Options(**{**previous, **typed_options(args), **fixed}))


def stop_sweep(args: argparse.Namespace, command: list[str]) -> int:
    from gensweep.storage import lock
    from gensweep.sweep.run_sweep import read_manifest

    directory = workdir.local_workdir(args.dir)
    read_manifest(directory)
    lock.send_request(directory, args.command)
    print(STOP_MESSAGES[args.command])
    next_step("status", args.dir)
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
    **file_commands.RUN,
    **result_commands.RUN,
    **cluster_commands.RUN,
}


def _finish(directory: Path, ended: "LaunchResult") -> int:
    """Print the last lines of a launch and return its exit code."""
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


def _unfinished(cause: str, *words: str) -> int:
    """Print why a launch ended before its trials did, and the command that continues it; return the exit code."""
    print(STOPPED[cause])
    next_step(*words)
    return {"interrupted": INTERRUPTED, "open": FAILED, "disk": FAILED}.get(cause, OK)
