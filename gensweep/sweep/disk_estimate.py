"""Estimate how many bytes a sweep will keep, and check before the first trial that the disk has room for them."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gensweep.errors import UserError
from gensweep.storage import workdir
from gensweep.storage.checks import free_bytes
from gensweep.units import format_size
from trainables.filestore import is_url

if TYPE_CHECKING:
    from analysis.read.manifest import SweepManifest
    from search_spaces import Space
    from trainables.data import Dataset

N_CONFIGS = 8  # configurations whose size is measured
ROW_BYTES = 6_000  # bytes of an epoch in rows.jsonl and in the Optuna study; measured: 1,900 to 3,500


class TrialBytes(NamedTuple):
    """The bytes that a trial of a sweep keeps: the mean over the measured configurations."""

    checkpoints: float  # of the newest two
    largest: float  # of the largest configuration
    rest: float  # best weights, samples, rows: never deleted


def random_configs(space: "Space", n: int, seed: int) -> list[dict[str, Any]]:
    """Return the defaults and n random configurations of the space."""
    import optuna

    from search_spaces.override import default

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [default(space)[0], *(space.space(study.ask()) for _ in range(n))]


def eval_every(manifest: "SweepManifest") -> int:
    """Return the number of epochs between evaluations. By default the longest trial has about ten evaluations."""
    return int(manifest.every or max(1, manifest.epochs // 10))


def estimate_trial_bytes(manifest: "SweepManifest", space: "Space", data: "Dataset") -> TrialBytes:
    """Return how many bytes a trial of the sweep keeps on disk, measured on some of its configurations."""
    from trainables import Data
    from trainables.data import limited
    from trainables.engine.estimate import Bytes, measure_bytes
    from trainables.engine.evaluate import GRID
    from trainables.trial_files import KEEP
    from trainables.user_model.model import UserModel
    from trainables.user_model.registry import find_model

    images = Data(limited(data, manifest.train_images).to("cpu"))
    model = find_model(manifest.model)
    if isinstance(model, UserModel):
        sizes = [Bytes(*model.bytes_of_trial)]
    else:
        configs = random_configs(space, N_CONFIGS, manifest.seed)
        sizes = [measure_bytes(model, config, images) for config in configs]
    # raw pixels as an upper bound of a PNG
    pictures = GRID * math.prod(data.train.pixels.shape[1:]) * (1 if data.train.planes is None else 3)
    evaluations = 2 + min(manifest.epochs, manifest.epochs // eval_every(manifest))
    rest = sum(size.best for size in sizes) / len(sizes) + evaluations * pictures + manifest.epochs * ROW_BYTES
    checkpoints = [KEEP * size.checkpoint for size in sizes]
    return TrialBytes(sum(checkpoints) / len(checkpoints), max(checkpoints), rest)


def check_disk_space(directory: Path, manifest: "SweepManifest", space: "Space", data: "Dataset", at_once: int) -> None:
    """Raise UserError if the disk, or the budget for checkpoints, is too small for the trials that have no folder yet.

    A bucket is never too small.
    """
    trials = directory / "trials"
    left = manifest.trials - (len(list(trials.iterdir())) if trials.exists() else 0)
    if left < 1 or is_url(workdir.trials_uri(directory)):
        return
    per_trial, limit = estimate_trial_bytes(manifest, space, data), manifest.keep_checkpoints
    running = 1.5 * per_trial.largest * at_once  # a checkpoint is written before an older one is deleted
    if limit is not None and limit < running:
        raise UserError(
            f"keep-checkpoints {format_size(limit)}: {at_once} trials at once need {format_size(running)} "
            "for their checkpoints"
        )
    checkpoints = left * per_trial.checkpoints if limit is None else min(limit, left * per_trial.checkpoints)
    needed, free = checkpoints + left * per_trial.rest, free_bytes(directory)
    if needed > free:
        raise UserError(
            f"the disk of {directory} has {format_size(free)} left, and {left} trials need {format_size(needed)} "
            f"({format_size(checkpoints)} of it for checkpoints): free some space, choose another --results, or "
            "bound them by --keep-checkpoints"
        )
