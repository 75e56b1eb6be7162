"""What is looked at before the first trial: whether the search means anything, and whether the disk can hold it.

Each fault is one line, and nothing has been written then.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gensweep.config.options import BadUsage, Options, amount
from gensweep.storage import workdir
from trainables.filestore import is_url

if TYPE_CHECKING:
    from gensweep.config.resolve import Sheet
    from search_spaces import Space
    from trainables.data import Dataset

MOUNTS = Path("/proc/self/mounts")
NETWORK = {  # file systems whose locks another machine may not see
    "nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "gpfs", "beegfs", "afs", "glusterfs", "ocfs2", "gfs2",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.mountpoint-s3", "fuse.gcsfuse", "fuse.juicefs",
}  # fmt: skip
DRAWS = 8  # configurations whose size is measured
ROW = 6_000  # bytes of an epoch in rows.jsonl and in the study; seen: 1,900 to 3,500


class Planned(NamedTuple):
    """Bytes that a trial of a sweep keeps, in the mean of the configurations that were measured."""

    checkpoints: float  # the newest and the one before
    largest: float  # of the largest configuration
    rest: float  # best weights, samples, rows: kept for ever


def sound(metrics: Iterable[str], boxes: dict[str, dict[str, Any]], options: Options) -> None:
    """Whether the search has something to choose from, and every score means the same in all of its trials.

    Raises:
        BadUsage: a space of one point, or an objective whose meaning a searched key changes.
    """
    searched = {key for key, box in boxes.items() if box["kind"] != "fixed" and len(box.get("choices", "..")) > 1}
    seeds_only = options.sampler == "random" and options.scheduler == "none"
    if not searched and options.trials > 1 and not seeds_only:
        raise BadUsage(
            f"nothing is left to search, every key is fixed, and {options.trials} trials would differ by their seeds "
            "only: free a key, or say --trials 1, or --sampler random --scheduler none to try seeds"
        )
    from trainables.metrics import keys

    for metric in metrics:
        about = keys().get(metric)
        moved = [key for key in (about.moved_by if about else ()) if key in searched]
        if moved:
            pins = " ".join(f"--set {key}={_any(boxes[key])}" for key in moved)
            raise BadUsage(f"{metric} of trials that differ in {', '.join(moved)} do not compare: fix it, as by {pins}")


def _any(box: dict[str, Any]) -> Any:
    return box["choices"][0] if "choices" in box else box["low"]


def writable(directory: Path) -> None:
    """Whether the directory, or the first one above it that exists, and the study in it can be written.

    Raises:
        BadUsage: one cannot.
    """
    for parent in (directory, *directory.parents):
        if parent.exists():
            if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
                raise BadUsage(f"{directory} cannot be written: {parent} is no folder that you may write to")
            break
    for name in ("sweep.json", "study.db", "study.journal"):
        if (directory / name).exists() and not os.access(directory / name, os.W_OK):
            raise BadUsage(f"{directory / name} is not yours to write: make it so, or begin a new sweep with --name")


def lockable(path: Path, mounts: str | None = None) -> None:
    """Whether SQLite's locks hold where a study would be; `mounts` is what the kernel says in /proc/self/mounts.

    Raises:
        BadUsage: on a network file system they do not, and a study would be damaged without a word.
    """
    table = MOUNTS.read_text(encoding="utf-8") if mounts is None and MOUNTS.exists() else mounts or ""
    found = [line.split()[1:3] for line in table.splitlines()]
    above = [(point, kind) for point, kind in found if path.resolve().is_relative_to(point.replace("\\040", " "))]
    kind = max(above, key=lambda one: len(one[0]), default=("", ""))[1]
    if kind in NETWORK:
        raise BadUsage(
            f"{path} is on a network file system ({kind}), where SQLite's locks do not hold: say --storage journal, or "
            "name a server"
        )


def whole(directory: Path, sheet: "Sheet") -> None:
    """Whether the study of the trials that are there can be read.

    Raises:
        BadInput: it cannot, or is gone.
    """
    from analysis.read import optuna_study
    from trainables import filestore

    where = filestore.at(workdir.home(directory))
    if where.names("trials"):
        optuna_study.trials(where, sheet)


def drawn(space: "Space", n: int, seed: int) -> list[dict[str, Any]]:
    """The defaults, and n configurations drawn at random from the space."""
    import optuna

    from search_spaces.override import default

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [default(space)[0], *(space.space(study.ask()) for _ in range(n))]


def every(sheet: "Sheet") -> int:
    """Epochs between evaluations: as asked, or so that the longest trial has about ten."""
    return int(sheet["every"] or max(1, sheet["epochs"] // 10))


def planned(sheet: "Sheet", space: "Space", data: "Dataset") -> Planned:
    """What a trial of the sweep keeps on the disk."""
    from trainables import MODELS, Data
    from trainables.data import limited
    from trainables.engine.evaluate import GRID
    from trainables.engine.size import size
    from trainables.trial_files import KEEP

    images = Data(limited(data, sheet["train_images"]).to("cpu"))
    sizes = [size(MODELS[sheet["model"]], config, images) for config in drawn(space, DRAWS, sheet["seed"])]
    pictures = GRID * data.train.pixels[0].nbytes * (1 if data.train.planes is None else 3)  # a PNG is no larger
    evaluations = 2 + min(sheet["epochs"], sheet["epochs"] // every(sheet))
    rest = sum(one.best for one in sizes) / len(sizes) + evaluations * pictures + sheet["epochs"] * ROW
    each = [KEEP * one.checkpoint for one in sizes]
    return Planned(sum(each) / len(each), max(each), rest)


def room(directory: Path, sheet: "Sheet", space: "Space", data: "Dataset", at_once: int) -> None:
    """Whether the disk has room for the trials that have no folder yet, and the budget for those that run at once; a
    bucket has room.

    Raises:
        BadUsage: it has not.
    """
    trials = directory / "trials"
    left = sheet["trials"] - (len(list(trials.iterdir())) if trials.exists() else 0)
    if left < 1 or is_url(workdir.home(directory)):
        return
    each, limit = planned(sheet, space, data), sheet.get("keep_checkpoints")
    open_ones = 1.5 * each.largest * at_once  # a checkpoint is written before an older one is deleted
    if limit is not None and limit < open_ones:
        raise BadUsage(
            f"keep-checkpoints {amount(limit)}: {at_once} trials at once need {amount(open_ones)} for their own"
        )
    kept = left * each.checkpoints if limit is None else min(limit, left * each.checkpoints)
    needed, there = kept + left * each.rest, free(directory)
    if needed > there:
        raise BadUsage(
            f"the disk of {directory} has {amount(there)} left, and {left} trials need {amount(needed)} "
            f"({amount(kept)} of it for checkpoints): free some space, choose another --results, or bound them by "
            "--keep-checkpoints"
        )


def free(directory: Path) -> int:
    """Bytes that are left where the directory is, or will be."""
    whole = directory.resolve()
    return shutil.disk_usage(next(one for one in (whole, *whole.parents) if one.exists())).free
