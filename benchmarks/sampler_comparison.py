"""Is the search worth it? The best FID that small sweeps reach, over many repeats, at equal epochs of training.

REPEATS sweeps of TRIALS VAE trials on `digits`, up to EPOCHS epochs, evaluated at 1, 3 and 9, two at once, and three
ways to search: TPE + ASHA by gensweep; TPE + ASHA the ordinary way (ray.tune's OptunaSearch and ASHAScheduler, the same
function, space, first point and seeds, Optuna's settings); random + ASHA by gensweep. ASHA leaves each sweep another
number of epochs, so the three of a repeat are compared at the smallest: the best FID up to there. Below are the means
of log FID, and the paired difference to gensweep's TPE with its interval (analysis/base/paired_tests.py); below 0 %
is better.
"""

import functools
import io
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import ray.cloudpickle
from lib.results_table import keep
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from rich.console import Console

from analysis.base.paired_tests import interval
from analysis.read.manifest import SweepManifest
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.sweep.evaluation import evaluation_schedule
from gensweep.sweep.run_sweep import search_space
from gensweep.tune import ray_session, run_tuner
from gensweep.tune.resources import Share
from gensweep.tune.run_trial import Task
from search_spaces.override import default
from trainables.data import load
from trainables.metrics import build_evaluator

REPEATS, TRIALS, EPOCHS, SLOTS = 30, 16, 9, 2
SET = {"lr": "1e-5:1e-1:log", "width": "16:256:log", "latent_dim": "2:64:log", "batch_size": "16:256:log"}
SET |= {"likelihood": "bernoulli", "net": "mlp", "epochs": str(EPOCHS)}
OURS, PLAIN, RANDOM = "gensweep, TPE + ASHA", "OptunaSearch + ASHAScheduler", "gensweep, random + ASHA"
Curve = list[float]  # the best FID after each epoch that the sweep trained, all trials together


def training(config: dict[str, Any], *, data: Any, evaluator: Any, task: Any) -> None:
    """One trial, the same for everybody; a line in the sweep's log for each epoch."""
    import torch

    from trainables import TRAINABLES, Data
    from trainables.metrics import load_extractor

    torch.set_num_threads(1)
    own = {key: value for key, value in config.items() if key != "number"}
    images = Data(data.to("cpu"), evaluator, load_extractor(evaluator, "cpu"), "cpu")
    best = float("inf")
    for epoch in TRAINABLES[task.model](own, images, task.sweep_seed):
        row, evaluated = epoch.row, epoch.samples is not None
        counts = evaluated and row["status"] == "ok" and not row.get("narrow")
        best = min(best, row["fid"]) if counts else best
        with Path(task.directory, "log.jsonl").open("a") as log:
            log.write(json.dumps({"at": time.time(), "fid": row["fid"] if counts else None}) + "\n")
        if evaluated or row["status"] != "ok":
            value = row["fid"] if row["status"] == "ok" else float("nan")
            told: dict[str, Any] = {key: row[key] for key in ("epoch", "epochs", "eval_epoch", "status") if key in row}
            tune.report({**told, "narrow": row.get("narrow"), "fid": value, "best": best})


def manifest_of(sampler: str, seed: int) -> SweepManifest:
    return make_manifest(Options("vae", trials=TRIALS, sampler=sampler, seed=seed, set=SET), ["benchmark"])


def ours(folder: Path, sampler: str, seed: int, parts: Any) -> None:
    manifest = manifest_of(sampler, seed)
    quiet = Console(file=io.StringIO())
    run_tuner.run(folder, manifest, search_space(manifest), parts, Share(1, 0, SLOTS), None, quiet, training)


@functools.cache
def the_space() -> Any:
    return search_space(manifest_of("tpe", 0))


def searched(trial: optuna.Trial) -> dict[str, Any]:
    """The space, where OptunaSearch can find it by name: it pickles its searcher."""
    return {**the_space().space(trial)}


def plain(folder: Path, sampler: str, seed: int, parts: Any) -> None:
    task = Task("vae", str(folder), manifest_of("random", seed).goal, seed)
    first = default(the_space())[1]
    searcher = OptunaSearch(searched, metric="fid", mode="min", seed=seed, points_to_evaluate=[first])
    rule = ASHAScheduler(time_attr="epoch", metric="fid", mode="min", max_t=EPOCHS, grace_period=1, reduction_factor=3)
    config = tune.TuneConfig(
        search_alg=searcher, scheduler=rule, num_samples=TRIALS, max_concurrent_trials=SLOTS, reuse_actors=True
    )
    function = tune.with_parameters(training, data=parts[0], evaluator=parts[1], task=task)
    run = tune.RunConfig(storage_path=str(folder / "ray"), verbose=0)
    tune.Tuner(tune.with_resources(function, {"cpu": 1}), tune_config=config, run_config=run).fit()


ARMS: dict[str, tuple[Any, str]] = {OURS: (ours, "tpe"), PLAIN: (plain, "tpe"), RANDOM: (ours, "random")}


def curve(folder: Path) -> Curve:
    lines = sorted(map(json.loads, (folder / "log.jsonl").read_text().splitlines()), key=lambda line: line["at"])
    found = [np.inf if line["fid"] is None else line["fid"] for line in lines]
    return [float(value) for value in np.minimum.accumulate(found)]


def table(curves: dict[str, list[Curve]]) -> tuple[list[list[str]], bool]:
    """The rows, and whether gensweep's TPE is worse than another arm beyond the interval."""
    repeats = len(curves[OURS])
    budget = [min(len(curves[arm][i]) for arm in ARMS) for i in range(repeats)]
    logs = {arm: np.log([curves[arm][i][budget[i] - 1] for i in range(repeats)]) for arm in ARMS}
    rows, worse = [], False
    for arm in ARMS:
        epochs = np.mean([len(one) for one in curves[arm]])
        row = [arm, f"{epochs:.1f}", f"{np.mean(budget):.1f}", f"{np.exp(logs[arm].mean()):.3f}", "–", "–", "–"]
        if arm != OURS:
            gain = logs[OURS] - logs[arm]
            low, high = interval(gain)
            row[4] = f"{100 * np.expm1(gain.mean()):+.1f} %"
            row[5] = f"{100 * np.expm1(low):+.1f} to {100 * np.expm1(high):+.1f} %"
            row[6] = f"{np.sum(gain < 0)} / {np.sum(gain > 0)}"
            worse |= low > 0
        rows.append(row)
    return rows, worse


def main() -> int:
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    data = load("digits")
    evaluator = build_evaluator(data, seed=0, **evaluation_schedule(manifest_of("tpe", 0)._replace(every=EPOCHS)))
    parts = (data, evaluator._replace(n_samples=360))
    curves: dict[str, list[Curve]] = {arm: [] for arm in ARMS}
    own_ray = ray_session.connect(None, {"num_cpus": SLOTS})
    with tempfile.TemporaryDirectory() as root, ray_session.ray_environment(), own_ray:
        for seed in range(repeats):
            for k, (arm, (way, sampler)) in enumerate(ARMS.items()):
                folder = Path(root) / f"{seed}-{k}"
                folder.mkdir()
                way(folder, sampler, seed, parts)
                curves[arm].append(curve(folder))
                print(seed, arm, len(curves[arm][-1]), f"{curves[arm][-1][-1]:.3f}", flush=True)
    columns = ["search", "epochs of a sweep", "compared at", "best FID", "TPE is", "interval", "better / worse"]
    rows, worse = table(curves)
    keep("sampler_comparison", f"The best of {TRIALS} trials, {repeats} repeats", columns, rows, __doc__ or "")
    return int(worse)


if __name__ == "__main__":
    raise SystemExit(main())
