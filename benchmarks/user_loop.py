"""What interface A costs: an epoch of a user's train() with gensweep's trial and data, against the same train() bare.

Bare are a stand-in for the trial that does nothing, and images that are plain float tensors, indexed by a permutation.
Both train for an epoch in turn, on one core; without evaluation, which a bare loop does not have. Must be <= 1.05.
Needs MNIST under GENSWEEP_DATA. Options: FILE, a model file (default: that of `gensweep new --kind vae`), --images N,
--rounds N: many short epochs, since the speed of a shared machine changes from second to second.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from lib.results_table import keep

from gensweep.new_file.new_file import write_new_file
from search_spaces.override import default
from search_spaces.user_space import user_space
from trainables import Data
from trainables.data import limited, load
from trainables.data.dataset import Dataset
from trainables.user_model.data_view import DataView
from trainables.user_model.model_file import ModelFile, execute
from trainables.user_model.train import train_function
from trainables.user_model.trial import Trial, TrialInfo
from trainables.user_model.user_config import UserConfig

MUST = 1.05


class BareTrial:
    """A trial that does nothing but count to one epoch."""

    device, n_epochs, seed, number, dir = torch.device("cpu"), 1, 0, 0, Path()

    def epochs(self) -> Iterator[int]:
        yield 0

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class BareImages:
    """Images as plain tensors."""

    def __init__(self, pixels: Any, labels: Any) -> None:
        self.x, self.y = torch.from_numpy(pixels.copy()).float() / 255, torch.from_numpy(labels.copy())

    def batches(self, size: int, steps: int | None = None, labels: bool = True) -> Iterator[tuple[Any, Any]]:
        for rows in torch.split(torch.randperm(len(self.x)), size)[: steps or len(self.x) // size]:
            yield self.x[rows], self.y[rows] if labels else None


def epoch_of_gensweep(train: Callable[..., Any], config: dict[str, Any], data: Dataset) -> Callable[[], None]:
    images = Data(data.to("cpu"))

    def run() -> None:
        trial = Trial(config, images, 0, TrialInfo(), None, lambda _: None)
        view = DataView(images.images, "cpu", 0, lambda: trial.open_epoch, trial.count_own_batch)
        train(UserConfig(config), view, trial)

    return run


def bare_epoch(train: Callable[..., Any], config: dict[str, Any], data: Dataset) -> Callable[[], None]:
    parts = {name: BareImages(split.pixels, split.labels) for name, split in (("train", data.train), ("val", data.val))}
    view = SimpleNamespace(shape=data.shape, classes=data.classes, n=len(data.train), **parts)
    return lambda: train(config, view, BareTrial())


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of a run, by the clock and of this process's own computing."""
    began, own = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - began, time.process_time() - own


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?")
    parser.add_argument("--images", type=int, default=2_560)
    parser.add_argument("--rounds", type=int, default=31)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or f"{folder}/my_vae.py"
        if not options.file:
            write_new_file(path, "vae", None)
        module = execute(ModelFile(path, Path(path).read_text(encoding="utf-8")))
    config = {**default(user_space(module))[0], "epochs": 1}
    data, train = limited(load("mnist"), options.images), train_function(module)
    runs = (bare_epoch(train, config, data), epoch_of_gensweep(train, config, data))
    for run in runs:
        run()  # warm
    rows, ratios = [], []
    for i in range(options.rounds):
        order = (0, 1) if i % 2 else (1, 0)
        seconds = {which: timed(runs[which]) for which in order}
        (bare, bare_cpu), (ours, ours_cpu) = seconds[0], seconds[1]
        ratios.append((ours / bare, ours_cpu / bare_cpu))
        rows.append([f"{bare:.2f}", f"{ours:.2f}", *(f"{ratio:.3f}" for ratio in ratios[-1])])
    clock, own = (statistics.median(column) for column in zip(*ratios, strict=True))
    rows.append(["median", "", f"**{clock:.3f}**", f"**{own:.3f}**"])
    keep(
        "user_loop",
        f"Interface A: an epoch of {options.images:,} MNIST images against the bare loop",
        ["bare, s", "gensweep, s", "ratio", "ratio of CPU time"],
        rows,
        __doc__ or "",
    )
    return int(clock > MUST)


if __name__ == "__main__":
    raise SystemExit(main())
