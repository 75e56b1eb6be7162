"""A search without Ray: a small space, its manifest, and trials played as Tune plays them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.study import Study
from ray.tune.search import Searcher

from analysis.read.manifest import SweepManifest
from gensweep.search.study_storage import open_study
from gensweep.tune.searcher import Outcome, StudySearcher
from helpers.manifests import small_manifest
from search_spaces.param import Param

FIRST = {"kind": "flat", "x": 0.25, "n": 3}
EPOCHS = 3
PARAMS: dict[str, Param] = {  # no range: so that it is a grid as well
    "kind": Param("categorical", choices=("flat", "steep")),
    "n": Param("categorical", choices=tuple(range(1, 9))),
    "x": Param("categorical", choices=(0.0, 0.25, 1.0)),
    "slope": Param("categorical", choices=(0.1, 10.0)),
}


def space(trial: Any) -> dict[str, Any]:
    config = {"kind": trial.suggest_categorical("kind", ("flat", "steep")), "n": trial.suggest_int("n", 1, 8)}
    config["x"] = trial.suggest_float("x", 0.0, 1.0)
    if config["kind"] == "steep":
        config["slope"] = trial.suggest_float("slope", 0.1, 10.0, log=True)
    return config


def manifest(sampler: str = "tpe", seed: int = 0) -> SweepManifest:
    return small_manifest(sampler=sampler, seed=seed, space=PARAMS)


@contextmanager
def searching(
    folder: Path, total: int = 4, told: list[Outcome] | None = None, **settings: Any
) -> Generator[tuple[StudySearcher, Study]]:
    folder.mkdir(exist_ok=True)
    with open_study(folder, manifest(**settings), FIRST) as study:
        hear = told.append if told is not None else lambda outcome: None
        yield StudySearcher(study, space, manifest().goal, total, hear), study


def row(epoch: int, fid: float, **more: Any) -> dict[str, Any]:
    return {"epoch": epoch, "epochs": EPOCHS, "status": "ok", "eval_epoch": epoch, "fid": fid, "best": fid, **more}


def loss(config: dict[str, Any], epoch: int) -> float:
    return float((config["x"] - 0.7) ** 2 + 0.1 * config["n"] + config.get("slope", 1.0) / epoch)


def run_one(searcher: StudySearcher, name: str) -> dict[str, Any] | None:
    """One trial as Tune plays it; None where there are no more."""
    config = searcher.suggest(name)
    if config == Searcher.FINISHED:
        return None
    for epoch in range(1, EPOCHS):
        searcher.on_trial_result(name, row(epoch, loss(config, epoch)))
    searcher.on_trial_complete(name, row(EPOCHS, loss(config, EPOCHS)))
    return dict(config)


TWO: list[dict[str, str]] = [{"metric": "fid", "mode": "min"}, {"metric": "precision", "mode": "max"}]
