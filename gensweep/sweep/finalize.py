"""Finalize a sweep: retrain its best configurations on the same fresh seeds, and score them on the test split.

Each finalist gets a sweep whose trials are the seeds, in `final/` of the sweep's directory. All of them run in one run
of Tune, with the evaluator of the search. The defaults (trial 0) are always a finalist, because the first question is
whether the search was worth it. Then each training is scored once on the test split. `final.json` holds the scores;
analysis/sweep/final_results.py reads it. The same command again continues; it can add finalists or seeds.
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

MIN_SEEDS = 5  # with fewer an interval means nothing


class FinalizeOptions(NamedTuple):
    """The options of `finalize`."""

    dir: str
    top: int = 5
    seeds: int = 10
    add_seeds: int = 0
    concurrent: int | None = None
    cpus_per_trial: float | None = None
    gpus_per_trial: float | None = None
    address: str | None = None


def run(options: FinalizeOptions, command: list[str], console: Console) -> str:
    """Train what is left of the finalists and score them. Return how it ended: done, interrupted or open.

    Raises:
        UserError: the user has to change something, or the sweep has no winner.
    """
    from analysis.read import results
    from analysis.sweep import final_results
    from gensweep.sweep.evaluation import evaluator_of
    from gensweep.sweep.run_sweep import reopen_sweep

    directory = workdir.local_workdir(options.dir)
    manifest, data = reopen_sweep(directory)
    sweep = results.load(options.dir)
    before = final_results.read_final_json(sweep.place)
    seeds = _seed_count(options, before)
    chosen = _finalists(sweep, options.top, before)
    session = SweepSession(directory / "final", options.address, command, console)
    with session.stack:
        session.loaded[manifest.dataset, _root(manifest)] = data
        sweeps = [_finalist_options(options, manifest, sweep, number, seeds) for number in chosen]
        say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
        # the evaluator of the search, with the same noise and the same stamp
        session.evaluators[data.fingerprint] = evaluator_of(manifest, data, say)
        for finalist in sweeps:
            _add_seeds(finalist, data)
        cause = session.train(sweeps)
    if cause == "done":
        _score(directory, manifest, sweep, data, (chosen, seeds), command, console)
    return cause


def _seed_count(options: FinalizeOptions, before: dict[str, Any] | None) -> int:
    """Return how many seeds each finalist gets in all; raise UserError if an option is too small."""
    for name, value, low in (
        ("top", options.top, 1),
        ("seeds", options.seeds, MIN_SEEDS),
        ("add-seeds", options.add_seeds, 0),
    ):
        if value < low:
            raise UserError(f"{name} {value} is too small: at least {low}")
    if options.add_seeds and before is None:
        raise UserError(
            f"add-seeds {options.add_seeds}: {options.dir} has not been finalized yet; leave it out, or give --seeds"
        )
    earlier = 0 if before is None else int(before["seeds"])
    return earlier + options.add_seeds if options.add_seeds else max(earlier, options.seeds)


def _finalists(sweep: "Sweep", top: int, before: dict[str, Any] | None) -> list[int]:
    """Return the numbers of the finalists: earlier ones, the best trials of the search, and the defaults."""
    from analysis.sweep import ranking

    numbers = ranking.winner_numbers(sweep, top)
    earlier = [] if before is None else [finalist["number"] for finalist in before["finalists"]]
    return [int(number) for number in dict.fromkeys([*earlier, *numbers, 0])]


def _root(manifest: SweepManifest) -> Path | None:
    return None if manifest.data_dir is None else Path(manifest.data_dir)


def _finalist_options(
    options: FinalizeOptions, manifest: SweepManifest, sweep: "Sweep", number: int, seeds: int
) -> Options:
    """Return the options of the sweep that trains a finalist's seeds.

    Trial k has the same seed in the sweep of every finalist. No trial of the search has this seed.
    """
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
        results=f"{options.dir}/final",
        alarm=False,  # a collapse is a result: every seed trains to its end
        every=manifest.every,
        train_images=manifest.train_images,
        extractor=None if manifest.chosen_extractor is None else manifest.chosen_extractor.text,
        max_failures=manifest.max_failures,
        objective=dict(manifest.goal.objectives),
        primary=manifest.goal.primary.metric,
        constraints=list(map(str, manifest.goal.constraints)),
        set=setting_texts(_settings(manifest, config)),
        concurrent=options.concurrent,
        cpus_per_trial=options.cpus_per_trial,
        gpus_per_trial=options.gpus_per_trial,
    )


def _settings(manifest: SweepManifest, config: dict[str, Any]) -> dict[str, Any]:
    """Return the keys to set for a configuration. Of a user's model these are the ones that vary or were set: what its
    file fixes may be of any type, and stays as it is."""
    if manifest.user_model is None:
        return config
    varying = {*manifest.searched, *manifest.set, "epochs"}
    return {key: value for key, value in config.items() if key in varying}


def final_seed(seed: int) -> int:
    """Return the seed of the finalists' sweeps, derived from the seed of the search."""
    from trainables.random_streams import derive_seed

    return derive_seed(seed, "final") % 2**31


def _add_seeds(options: Options, data: "Dataset") -> None:
    """Add trials to a finalist's sweep that began with fewer seeds."""
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
    finalists_and_seeds: tuple[list[int], int],
    command: list[str],
    console: Console,
) -> None:
    """Score every training on the test split and write final.json. Earlier scores are kept."""
    from analysis.read import results
    from analysis.sweep import final_results
    from trainables.metrics import build_evaluator

    chosen, seeds = finalists_and_seeds
    evaluator = build_evaluator(data, seed=manifest.seed, test=True, choice=manifest.chosen_extractor)
    before = final_results.read_final_json(sweep.place) or {"finalists": []}
    same_evaluator = before.get("test_stamp") == evaluator.stamp
    known = {finalist["number"]: finalist["seeds"] for finalist in before["finalists"] if same_evaluator}
    searched = sweep.trials.set_index("number")["value"]
    finalists, where = [], final_results.where_measured(sweep)
    for number in chosen:
        trained = results.load(f"{sweep.place.name}/final/trial-{number:04d}")
        scores = known.get(number, [])
        for k in range(len(scores), seeds):
            scores.append(_score_seed(trained, k, data, evaluator))
        value = float(searched.get(number, math.nan))
        search_score = None if math.isnan(value) else value
        finalists.append({"number": number, "search": search_score, "seeds": scores})
        tests = [score["test"][sweep.metric] for score in scores if score["test"] is not None]
        mean = f"{sum(tests) / len(tests):.4g}" if tests else "none ran to its end"
        console.print(f"trial {number}: {sweep.metric} {where}, {len(tests)} seeds: {mean}", highlight=False)
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


def _score_seed(trained: "Sweep", k: int, data: "Dataset", evaluator: "Evaluator") -> dict[str, Any]:
    """Return the scores of seed number k of a finalist.

    `val` and `test` are None if the training failed; `broke` is true if it breaks a constraint on val.
    """
    from analysis.nets import test_scores
    from analysis.read import results

    trial = results.read_trial(trained, k)
    narrow = bool(trial.rows and trial.rows[-1].get("narrow"))  # by the rule of the collapse alarm
    about = {"seed": trial.seed, "collapsed": narrow, "val": None, "test": None, "epoch": None}
    ended = trained.trials.set_index("number")
    if ended["state"].get(k) != "complete" or trial.best is None:
        return {**about, "reason": ended["reason"].get(k) or "collapsed"}
    metrics = test_scores.score_on_test(trained, k, data, evaluator)
    broke = not trained.goal.keeps(trained.scores[k])
    return {**about, "val": trial.best[trained.metric], "epoch": trial.best["epoch"], "test": metrics, "broke": broke}
