"""Write the commands that a page offers: train a configuration again, and search the same space at random."""

from __future__ import annotations

from typing import Any

from analysis.read.results import Sweep


def retrain_command(sweep: Sweep, number: int, config: dict[str, Any]) -> list[str]:
    """Return the command that trains one configuration alone: it fixes every key that was searched or set."""
    manifest = sweep.manifest
    words = [
        *_task_words(sweep),
        "--trials",
        "1",
        "--seed",
        str(manifest.seed),
        "--name",
        f"{manifest.name}-trial-{number}",
    ]
    unusual = {"precision"} if config.get("precision", "fp32") != "fp32" else set()
    pinned = [key for key in config if key in {*sweep.swept, *manifest.set, "epochs", *unusual}]
    return words + [word for key in pinned for word in ("--set", f"{key}={config[key]}")]


def control_command(sweep: Sweep) -> list[str]:
    """Return the command of a random search of the same space, with as many trials and fresh seeds."""
    manifest = sweep.manifest
    words = [*_task_words(sweep), "--sampler", "random", "--scheduler", "none", "--trials", str(manifest.trials)]
    words += ["--epochs", str(manifest.epochs), "--seed", str(manifest.seed + 1), "--name", f"{manifest.name}-random"]
    return words + [word for key, text in manifest.set.items() for word in ("--set", f"{key}={text}")]


def _task_words(sweep: Sweep) -> list[str]:
    """Return the words of a command that name the model, the data and the goal."""
    manifest, goal = sweep.manifest, sweep.goal
    words = ["gensweep", "run", manifest.typed_model, *manifest.code_words, "--dataset", manifest.dataset]
    if manifest.data_dir is not None:
        words += ["--data-dir", manifest.data_dir]
    if manifest.train_images is not None:
        words += ["--train-images", str(manifest.train_images)]
    if manifest.chosen_extractor is not None:
        words += ["--extractor", manifest.chosen_extractor.text]
    if len(goal.objectives) > 1 or "--objective" in manifest.command:
        words += ["--objective", ",".join(map(":".join, goal.objectives))]
    if goal.primary != goal.objectives[0]:
        words += ["--primary", goal.primary.metric]
    return words + [word for limit in goal.constraints for word in ("--constraint", str(limit))]
