"""The commands that look at what is on disk and train nothing: status, best, compare, report, sample, export, ui."""

import argparse
import json
import shlex
from collections.abc import Callable

from gensweep.errors import UserError

OK = 0


def next_step(*words: str) -> None:
    """Prints the exact next command."""
    print(f"next: {shlex.join(['gensweep', *words])}")


def show_status(given: argparse.Namespace, command: list[str]) -> int:
    from analysis.read import results
    from analysis.sweep import status
    from gensweep.storage import bucket_sync, lock, workdir

    sweep, directory = results.load(given.dir), workdir.local_workdir(given.dir)
    running = lock.is_driven(directory) or bucket_sync.is_leased(directory)
    found = {**status.summary(sweep), "running": running}
    if given.json:
        print(json.dumps(found))
        return OK
    print(status.format_status(sweep))
    ended = found["done"] + found["stopped"] + found["failed"]
    print("a driver is running" if running else "no driver is running")
    next_step(*(["report", given.dir] if ended >= found["asked"] else ["status" if running else "resume", given.dir]))
    return OK


def show_best(given: argparse.Namespace, command: list[str]) -> int:
    from analysis.read import results
    from analysis.sweep import boundary, final_results, final_results_text, ranking

    sweep = results.load(given.dir)
    found = ranking.top_entries(sweep, given.top)
    if given.json or given.format == "json":
        print(json.dumps(found))
        return OK
    sweep = results.read_rows(sweep, [entry["number"] for entry in found])
    if given.format is not None:
        from analysis.sweep import tables

        print(tables.write(sweep, given.top, given.format))
        return OK
    print(ranking.format_table(sweep, given.top))
    if found_edges := boundary.winner_edges(sweep):
        extend = boundary.extend_command(sweep, found_edges)
        print(f"\n{boundary.describe_edges(sweep, found_edges)}: {shlex.join(extend)}")
    proof = final_results.load(sweep)
    if proof is None:
        print("\nThese are scores of the search: one training each, and the luckiest is shown.")
        next_step("finalize", given.dir)
        return OK
    print(f"\nRetrained on fresh seeds:\n\n{final_results_text.format_finalists(sweep, proof)}")
    next_step("report", given.dir)
    return OK


def compare_sweeps(given: argparse.Namespace, command: list[str]) -> int:
    from analysis.compare import equal_budget, text
    from analysis.read import results

    found = equal_budget.compare(*(results.read_rows(results.load(directory)) for directory in given.dirs))
    if given.json:
        print(json.dumps(text.comparison_dict(found)))
        return OK
    print(text.format_comparison(found))
    next_step(*(["finalize", found.unproven[0]] if found.unproven else ["report", *given.dirs]))
    return OK


def write_report(given: argparse.Namespace, command: list[str]) -> int:
    from analysis.read import results
    from analysis.report import sweep_page
    from analysis.study import study_page, study_results
    from trainables import MODELS

    kinds = {study_results.is_study(directory) for directory in given.dirs}
    if kinds == {True, False}:
        raise UserError("report on studies or on sweeps, not on both at once")
    if kinds == {True}:
        for path in study_page.write(given.dirs, given.out):
            print(f"wrote {path}")
        next_step("report", *given.dirs, *([] if given.out else ["-o", "docs/studies"]))
        return OK
    print(f"wrote {sweep_page.write(given.dirs, given.out)}")
    manifest = results.load(given.dirs[0]).manifest
    model = MODELS[manifest.model]
    samples = model.samples(manifest.defaults)
    next_step(
        *(["sample", given.dirs[0], "-n", "64", "-o", "grid.png"] if samples else ["best", given.dirs[0], "--json"])
    )
    return OK


def draw_sample(given: argparse.Namespace, command: list[str]) -> int:
    from analysis.nets import sample

    print(f"wrote {sample.save_samples(given.dir, given.n, given.label, given.out, given.trial, given.seed)}")
    next_step("best", given.dir)
    return OK


def export_winner(given: argparse.Namespace, command: list[str]) -> int:
    from analysis.export import export_folder
    from analysis.read.manifest import read_manifest
    from gensweep.config import sweep_yaml
    from trainables import filestore

    search = read_manifest(filestore.open_directory(given.dir))
    where, lines = export_folder.write(given.dir, given.out, given.trial, {"sweep.yaml": sweep_yaml.written(search)})
    print(f"wrote {where}; there, with torch and safetensors alone:\n")
    print("\n".join(f"    {line}" for line in lines) + "\n")
    next_step("report", given.dir)
    return OK


def open_dashboard(given: argparse.Namespace, command: list[str]) -> int:
    from gensweep import dashboard

    dashboard.serve(given.dir, given.port)
    next_step("report", given.dir)
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
