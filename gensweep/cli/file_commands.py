"""The commands for a user's own model file: new, check."""

import argparse
from collections.abc import Callable

from gensweep.cli.result_commands import OK, next_step

FAULTY = 1


def new_file(args: argparse.Namespace, command: list[str]) -> int:
    from gensweep.new_file.new_file import write_new_file

    write_new_file(args.file, args.kind, args.from_wandb)
    print(f"wrote {args.file}")
    next_step("check", args.file)
    return OK


def check_file(args: argparse.Namespace, command: list[str]) -> int:
    from gensweep.check.run_check import check

    ok = check(args.file, args.code, args.dataset, args.data_dir, lambda line: print(line, flush=True))
    code = [] if args.code is None else ["--code", args.code]
    next_step(*(["run"] if ok else ["check"]), args.file, *code, "--dataset", args.dataset)
    return OK if ok else FAULTY


RUN: dict[str, Callable[[argparse.Namespace, list[str]], int]] = {"new": new_file, "check": check_file}
