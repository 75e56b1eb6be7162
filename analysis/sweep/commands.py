"""Commands that a page offers: to train a configuration again, and to search the same space at random."""

from __future__ import annotations

from typing import Any

from analysis.read.results import Sweep


def retrain_command(sweep: Sweep, number: int, config: dict[str, Any]) -> list[str]:
    """The command that trains one configuration by itself: every swept or set key is pinned, so one trial is left."""
    meta = sweep.meta
    words = [
        *_task_words(sweep),
        "--trials",
        "1",
        "--seed",
        str(meta["seed"]),
        "--name",
        f"{meta['name']}-trial-{number}",
    ]
    unusual = {"precision"} if config["precision"] != "fp32" else set()
    pinned = [key for key in config if key in {*sweep.swept, *meta["set"], "epochs", *unusual}]
    return words + [word for key in pinned for word in ("--set", f"{key}={config[key]}")]


def control_command(sweep: Sweep) -> list[str]:
    """The command of a random search of the same space, with as many trials and fresh seeds."""
    meta = sweep.meta
    words = [*_task_words(sweep), "--sampler", "random", "--scheduler", "none", "--trials", str(meta["trials"])]
    words += ["--epochs", str(meta["epochs"]), "--seed", str(meta["seed"] + 1), "--name", f"{meta['name']}-random"]
    return words + [word for key, text in meta["set"].items() for word in ("--set", f"{key}={text}")]


def _task_words(sweep: Sweep) -> list[str]:
    """Model, data and goal."""
    meta, goal = sweep.meta, sweep.goal
    words = ["gensweep", "run", meta["model"], "--dataset", meta["dataset"]]
    if meta["data_dir"] is not None:
        words += ["--data-dir", meta["data_dir"]]
    if meta.get("train_images") is not None:
        words += ["--train-images", str(meta["train_images"])]
    if len(goal.objectives) > 1 or "--objective" in meta["command"]:
        words += ["--objective", ",".join(map(":".join, goal.objectives))]
    if goal.primary != goal.objectives[0]:
        words += ["--primary", goal.primary.metric]
    return words + [word for one in goal.constraints for word in ("--constraint", str(one))]
