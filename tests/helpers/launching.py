"""Runs a small sweep on Ray in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from gensweep.config.options import Options
from gensweep.sweep.evaluation import evaluation_schedule
from gensweep.sweep.run_sweep import prepare_sweep, search_space, write_manifest
from gensweep.tune import run_tuner
from gensweep.tune.resources import Share
from gensweep.tune.run_trial import train
from trainables.metrics import build_evaluator

PINS = {"epochs": "4", "width": "8", "likelihood": "bernoulli", "latent_dim": "2"}


def launched(
    results: Path,
    function: Callable[..., None] = train,
    concurrent: int = 1,
    console: Console | None = None,
    **options: Any,
) -> tuple[Path, run_tuner.LaunchResult]:
    """A small sweep whose trials run `function`."""
    asked = Options(
        "vae", results=str(results), **{"trials": 2, "set": PINS, "scheduler": "none", "every": 1, **options}
    )
    directory, manifest, data = prepare_sweep(asked, ["gensweep"])
    evaluator = build_evaluator(data, seed=0, **evaluation_schedule(manifest))._replace(n_samples=360)
    directory.mkdir(parents=True)
    manifest = write_manifest(directory, manifest._replace(stamp=evaluator.stamp))
    given, console = Share(1, 0, concurrent), console or Console(quiet=True)
    parts = (data, evaluator)
    return directory, run_tuner.run(directory, manifest, search_space(manifest), parts, given, None, console, function)


def told(sweep: Path) -> list[tuple[str, str | None, str | None]]:
    """How each trial ended: its state, and of a failure the class and the line."""
    from analysis.read import results

    return [(one["state"], one["reason"], one["error"]) for one in results.load(sweep).trials.to_dict("records")]
