"""The commands that read results and train nothing: status, best, compare, report, sample, export, ui."""

import argparse
import json
import shlex
from collections.abc import Callable

from gensweep.errors import UserError

OK = 0
RUN_CODE = ("resume", "extend", "finalize", "sample", "export")  # commands that execute the model's code


def next_step(*words: str) -> None:
    """Print the exact next command."""
    print(f"next: {shlex.join(['gensweep', *words, *_file_words(*words)])}")


def _file_words(command: str, *words: str) -> list[str]:
    """Return the words that name the file of a user's model, if the command needs it and does not name it yet."""
    from analysis.read.manifest import read_manifest
    from trainables import filestore

    if command not in RUN_CODE or "--model" in words:
        return []
    try:
        return read_manifest(filestore.open_directory(words[0])).file_words
    except UserError:
        return []


def show_status(args: argparse.Namespace, command: list[str]) -> int:
    from analysis.read import results
    from analysis.sweep import diagnoses, status
    from gensweep.storage import bucket_sync, lock, workdir

    sweep, directory = results.load(args.dir), workdir.local_workdir(args.dir)
    running = lock.is_driven(directory) or bucket_sync.is_leased(directory)
    summary = {**status.summary(sweep), "findings": diagnoses.latest_counts(sweep), "running": running}
    if args.json:
        print(json.dumps(summary))
        return OK
    print(status.format_status(sweep))
    print(diagnoses.describe_latest(summary["findings"]))
    ended = summary["done"] + summary["stopped"] + summary["failed"]
    print("a driver is running" if running else "no driver is running")
    next_step(*(["report", args.dir] if ended >= summary["asked"] else ["status" if running else "resume", args.dir]))
    return OK


def show_best(args: argparse.Namespace, command: list[str]) -> int:
    from analysis.read import results
    from analysis.sweep import boundary, diagnoses, final_results, final_results_text, ranking

    sweep = results.load(args.dir)
    entries = ranking.top_entries(sweep, args.top)
    if args.json or args.format == "json":
        print(json.dumps(entries))
        return OK
    sweep = results.read_rows(sweep, [entry["number"] for entry in entries])
    if args.format is not None:
        from analysis.sweep import tables

        print(tables.write(sweep, args.top, args.format))
        return OK
    print(ranking.format_table(sweep, args.top))
    print(f"\n{diagnoses.format_findings(entries[0]['findings'])}")
    if edges := boundary.winner_edges(sweep):
        extend = boundary.extend_command(sweep, edges)
        print(f"\n{boundary.describe_edges(sweep, edges)}: {shlex.join(extend)}")
    finalists = final_results.load(sweep)
    if finalists is None:
        print("\nThese are scores of the search: one training each, and the luckiest is shown.")
        next_step("finalize", args.dir)
        return OK
    print(f"\nRetrained on fresh seeds:\n\n{final_results_text.format_finalists(sweep, finalists)}")
    next_step("report", args.dir)
    return OK


def compare_sweeps(args: argparse.Namespace, command: list[str]) -> int:
    from analysis.compare import equal_budget, text
    from analysis.read import results

    comparison = equal_budget.compare(*(results.read_rows(results.load(directory)) for directory in args.dirs))
    if args.json:
        print(json.dumps(text.comparison_dict(comparison)))
        return OK
    print(text.format_comparison(comparison))
    next_step(*(["finalize", comparison.unproven[0]] if comparison.unproven else ["report", *args.dirs]))
    return OK


def write_report(args: argparse.Namespace, command: list[str]) -> int:
    from analysis.read import results
    from analysis.report import sweep_page
    from analysis.study import study_page, study_results

    kinds = {study_results.is_study(directory) for directory in args.dirs}
    if kinds == {True, False}:
        raise UserError("report on studies or on sweeps, not on both at once")
    if kinds == {True}:
        for path in study_page.write(args.dirs, args.out):
            print(f"wrote {path}")
        next_step("report", *args.dirs, *([] if args.out else ["-o", "docs/studies"]))
        return OK
    print(f"wrote {sweep_page.write(args.dirs, args.out)}")
    manifest = results.load(args.dirs[0]).manifest
    samples = manifest.trainable.samples(manifest.defaults)
    next_step(
        *(["sample", args.dirs[0], "-n", "64", "-o", "grid.png"] if samples else ["best", args.dirs[0], "--json"])
    )
    return OK


def draw_sample(args: argparse.Namespace, command: list[str]) -> int:
    from analysis.nets import sample

    print(f"wrote {sample.save_samples(args.dir, args.n, args.label, args.out, args.trial, args.seed)}")
    next_step("best", args.dir)
    return OK


def export_winner(args: argparse.Namespace, command: list[str]) -> int:
    from analysis.export import export_folder
    from analysis.read.manifest import read_manifest
    from gensweep.config import save_file
    from trainables import filestore

    search = read_manifest(filestore.open_directory(args.dir))
    folder, lines = export_folder.write(args.dir, args.out, args.trial, {"sweep.yaml": save_file.written(search)})
    needs = "gensweep" if "gensweep" in lines[0] else "torch and safetensors alone"
    print(f"wrote {folder}; there, with {needs}:\n")
    print("\n".join(f"    {line}" for line in lines) + "\n")
    next_step("report", args.dir)
    return OK


def open_dashboard(args: argparse.Namespace, command: list[str]) -> int:
    from gensweep import dashboard

    dashboard.serve(args.dir, args.port)
    next_step("report", args.dir)
    return OK


RUN: dict[str, Callable[[argparse.Namespace, list[str]], int]] = {
    "status": show_status,
    "best": show_best,
    "compare": compare_sweeps,
    "report": write_report,
    "sample": draw_sample,
    "export": export_winner,
    "ui": open_dashboard,
}
