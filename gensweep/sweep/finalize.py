"""Proof of a search's best: each is trained again from fresh seeds, the same for all, and scored on unseen images.

Like a study, a proof is some sweeps whose trials are the seeds: one for each finalist, in `final/` of the sweep's
directory, all in one run of Tune, with the judge of the search. The defaults (trial 0) always come along, because the
first question is whether the search was worth it. Then each training is scored once on the test split. `final.json`
holds the scores; analysis/sweep/final_results.py reads it. Typed again, it goes on; more
 finalists or more seeds are added to it.
"""

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from analysis.read.manifest import SweepManifest
from gensweep.config.options import Options, setting_texts
from gensweep.errors import UserError
from gensweep.provenance import git_commit, package_versions
from gensweep.storage import bucket_sync, lock, workdir
from gensweep.storage.atomic import write_json
from gensweep.sweep.session import SweepSession

if TYPE_CHECKING:
    from analysis.read.results import Sweep
    from trainables.data import Dataset
    from trainables.metrics import Evaluator

MIN_SEEDS = 5  # seeds, below which there is no interval


class FinalizeOptions(NamedTuple):
    """A proof as the user asked for it."""

    dir: str
    top: int = 5
    seeds: int = 10
    add_seeds: int = 0
    concurrent: int | None = None
    cpus_per_trial: float | None = None
    gpus_per_trial: float | None = None
    address: str | None = None


def run(asked: FinalizeOptions, command: list[str], console: Console) -> str:
    """Trains what is left of the proof and scores it; returns how that ended: done, interrupted or open.

    Raises:
        UserError: whatever the user has to change; a sweep without a winner.
    """
    from analysis.read import results
    from analysis.sweep import final_results
    from gensweep.sweep.run_sweep import evaluator_of, reopen_sweep

    directory = workdir.local_workdir(asked.dir)
    manifest, data = reopen_sweep(directory)
    sweep = results.load(asked.dir)
    before = final_results.read_final_json(sweep.place)
    seeds = _seeds(asked, before)
    chosen = _finalists(sweep, asked.top, before)
    session = SweepSession(directory / "final", asked.address, command, console)
    with session.stack:
        session.loaded[manifest.dataset, _root(manifest)] = data
        sweeps = [_again(asked, manifest, sweep, number, seeds) for number in chosen]
        say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
        session.evaluators[data.fingerprint] = evaluator_of(manifest, data, say)  # the search's: its noise, its stamp
        for options in sweeps:
            _lengthen(options, data)
        cause = session.train(sweeps)
    if cause == "done":
        _score(directory, manifest, sweep, data, (chosen, seeds), command, console)
    return cause


def _seeds(asked: FinalizeOptions, before: dict[str, Any] | None) -> int:
    """How many seeds each finalist is to have."""
    for name, value, low in (
        ("top", asked.top, 1),
        ("seeds", asked.seeds, MIN_SEEDS),
        ("add-seeds", asked.add_seeds, 0),
    ):
        if value < low:
            raise UserError(f"{name} {value} is too small: at least {low}")
    if asked.add_seeds and before is None:
        raise UserError(f"add-seeds {asked.add_seeds}: {asked.dir} has no proof yet; leave it out, or give --seeds")
    had = 0 if before is None else int(before["seeds"])
    return had + asked.add_seeds if asked.add_seeds else max(had, asked.seeds)


def _finalists(sweep: "Sweep", top: int, before: dict[str, Any] | None) -> list[int]:
    """The numbers of the trials to prove: the best of the search, those of an earlier proof, and the defaults."""
    from analysis.sweep import ranking

    numbers = ranking.winner_numbers(sweep, top)
    had = [] if before is None else [one["number"] for one in before["finalists"]]
    return [int(number) for number in dict.fromkeys([*had, *numbers, 0])]


def _root(manifest: SweepManifest) -> Path | None:
    return None if manifest.data_dir is None else Path(manifest.data_dir)


def _again(asked: FinalizeOptions, manifest: SweepManifest, sweep: "Sweep", number: int, seeds: int) -> Options:
    """The sweep of a finalist's seeds: trial k of each has the same one, and no trial of the search has it."""
    from analysis.read import results

    config = manifest.defaults if number == 0 else results.read_trial(sweep, number).config
    return Options(
        manifest.model,
        dataset=manifest.dataset,
        data_dir=manifest.data_dir,
        trials=seeds,
        seed=final_seed(manifest.seed),
        sampler="random",
        scheduler="none",
        name=f"trial-{number:04d}",
        results=f"{asked.dir}/final",
        alarm=False,  # a collapse is a finding: every seed trains to its end
        every=manifest.every,
        train_images=manifest.train_images,
        max_failures=manifest.max_failures,
        objective=dict(manifest.goal.objectives),
        primary=manifest.goal.primary.metric,
        constraints=list(map(str, manifest.goal.constraints)),
        set=setting_texts(config),
        concurrent=asked.concurrent,
        cpus_per_trial=asked.cpus_per_trial,
        gpus_per_trial=asked.gpus_per_trial,
    )


def final_seed(seed: int) -> int:
    """The seed of the proof of a sweep with this one."""
    from trainables.random_streams import derive_seed

    return derive_seed(seed, "final") % 2**31


def _lengthen(options: Options, data: "Dataset") -> None:
    """Adds trials to a finalist's sweep that was begun with fewer seeds."""
    from gensweep.sweep.run_sweep import add_trials, read_manifest

    directory = workdir.local_workdir(f"{options.results}/{options.name}")
    lock.refuse_if_running(directory)
    bucket_sync.download_state(directory)
    if (directory / "sweep.json").exists():
        manifest = read_manifest(directory)
        if manifest.trials < options.trials:
            add_trials(directory, manifest, options.trials - manifest.trials, {}, data)


def _score(
    directory: Path,
    manifest: SweepManifest,
    sweep: "Sweep",
    data: "Dataset",
    asked: tuple[list[int], int],
    command: list[str],
    console: Console,
) -> None:
    """Scores every training on the test split and writes final.json; what it scored before is kept."""
    from analysis.read import results
    from analysis.sweep import final_results
    from trainables.metrics import build_evaluator

    chosen, seeds = asked
    evaluator = build_evaluator(data, seed=manifest.seed, test=True)
    before = final_results.read_final_json(sweep.place) or {"finalists": []}
    known = {one["number"]: one["seeds"] for one in before["finalists"] if before.get("test_stamp") == evaluator.stamp}
    searched = sweep.trials.set_index("number")["value"]
    finalists = []
    for number in chosen:
        trained = results.load(f"{sweep.place.name}/final/trial-{number:04d}")
        told = known.get(number, [])
        for k in range(len(told), seeds):
            told.append(_one(trained, k, data, evaluator))
        value = float(searched.get(number, math.nan))
        found = None if math.isnan(value) else value
        finalists.append({"number": number, "search": found, "seeds": told})
        tests = [one["test"][sweep.metric] for one in told if one["test"] is not None]
        mean = f"{sum(tests) / len(tests):.4g}" if tests else "none ran to its end"
        console.print(f"trial {number}: {sweep.metric} on test, {len(tests)} seeds: {mean}", highlight=False)
    written = {
        "format": final_results.FORMAT,
        "command": command,
        "seeds": seeds,
        "seed": final_seed(manifest.seed),
        "stamp": manifest.stamp,
        "test_stamp": evaluator.stamp,
        "finalists": finalists,
        "versions": package_versions(),
        **git_commit(),
    }
    write_json(directory / "final.json", written)
    bucket_sync.upload_file(directory, "final.json")


def _one(trained: "Sweep", k: int, data: "Dataset", evaluator: "Evaluator") -> dict[str, Any]:
    """The scores of seed number k of a finalist: `val` and `test` are None where the training failed;
    `broke` is whether it breaks a constraint on val."""
    from analysis.nets import test_scores
    from analysis.read import results

    one = results.read_trial(trained, k)
    narrow = bool(one.rows and one.rows[-1].get("narrow"))  # by the rule of the collapse alarm
    about = {"seed": one.seed, "collapsed": narrow, "val": None, "test": None, "epoch": None}
    ended = trained.trials.set_index("number")
    if ended["state"].get(k) != "complete" or one.best is None:
        return {**about, "reason": ended["reason"].get(k) or "collapsed"}
    metrics = test_scores.score_on_test(trained, k, data, evaluator)
    broke = not trained.goal.keeps(trained.scores[k])
    return {**about, "val": one.best[trained.metric], "epoch": one.best["epoch"], "test": metrics, "broke": broke}
