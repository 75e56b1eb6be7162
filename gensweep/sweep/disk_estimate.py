"""What is looked at before the first trial: whether the search means anything, and whether the disk can hold it.

Each fault is one line, and nothing has been written then.
"""

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
ROW_BYTES = 6_000  # bytes of an epoch in rows.jsonl and in the study; seen: 1,900 to 3,500


class TrialBytes(NamedTuple):
    """Bytes that a trial of a sweep keeps, in the mean of the configurations that were measured."""

    checkpoints: float  # the newest and the one before
    largest: float  # of the largest configuration
    rest: float  # best weights, samples, rows: kept for ever


def random_configs(space: "Space", n: int, seed: int) -> list[dict[str, Any]]:
    """The defaults, and n configurations drawn at random from the space."""
    import optuna

    from search_spaces.override import default

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [default(space)[0], *(space.space(study.ask()) for _ in range(n))]


def eval_every(manifest: "SweepManifest") -> int:
    """Epochs between evaluations: as asked, or so that the longest trial has about ten."""
    return int(manifest.every or max(1, manifest.epochs // 10))


def estimate_trial_bytes(manifest: "SweepManifest", space: "Space", data: "Dataset") -> TrialBytes:
    """What a trial of the sweep keeps on the disk."""
    from trainables import MODELS, Data
    from trainables.data import limited
    from trainables.engine.estimate import measure_bytes
    from trainables.engine.evaluate import GRID
    from trainables.trial_files import KEEP

    images = Data(limited(data, manifest.train_images).to("cpu"))
    sizes = [
        measure_bytes(MODELS[manifest.model], config, images)
        for config in random_configs(space, N_CONFIGS, manifest.seed)
    ]
    pictures = GRID * data.train.pixels[0].nbytes * (1 if data.train.planes is None else 3)  # a PNG is no larger
    evaluations = 2 + min(manifest.epochs, manifest.epochs // eval_every(manifest))
    rest = sum(one.best for one in sizes) / len(sizes) + evaluations * pictures + manifest.epochs * ROW_BYTES
    each = [KEEP * one.checkpoint for one in sizes]
    return TrialBytes(sum(each) / len(each), max(each), rest)


def check_disk_space(directory: Path, manifest: "SweepManifest", space: "Space", data: "Dataset", at_once: int) -> None:
    """Whether the disk has room for the trials that have no folder yet, and the budget for those that run at once; a
    bucket has room.

    Raises:
        UserError: it has not.
    """
    trials = directory / "trials"
    left = manifest.trials - (len(list(trials.iterdir())) if trials.exists() else 0)
    if left < 1 or is_url(workdir.trials_uri(directory)):
        return
    each, limit = estimate_trial_bytes(manifest, space, data), manifest.keep_checkpoints
    open_ones = 1.5 * each.largest * at_once  # a checkpoint is written before an older one is deleted
    if limit is not None and limit < open_ones:
        raise UserError(
            f"keep-checkpoints {format_size(limit)}: {at_once} trials at once need {format_size(open_ones)} "
            "for their own"
        )
    kept = left * each.checkpoints if limit is None else min(limit, left * each.checkpoints)
    needed, there = kept + left * each.rest, free_bytes(directory)
    if needed > there:
        raise UserError(
            f"the disk of {directory} has {format_size(there)} left, and {left} trials need {format_size(needed)} "
            f"({format_size(kept)} of it for checkpoints): free some space, choose another --results, or bound them by "
            "--keep-checkpoints"
        )
