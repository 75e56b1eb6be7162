"""The trial object of a user's `train(config, data, trial)`, and what it does before and after every epoch.

Before an epoch `trial.epochs()` seeds the global random generators from (seed, epoch). After it, it makes the row,
evaluates if an evaluation is due, and passes the epoch on, to be saved and reported. So the user's loop needs no code
for checkpoints, early stopping or evaluation, and a resumed trial computes the numbers of an undisturbed one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trainables.engine.collapse import next_count
from trainables.engine.evaluate import is_eval_epoch
from trainables.engine.loop import Epoch, Sums, epoch_status
from trainables.engine.state import Data, Snapshot
from trainables.errors import UserError
from trainables.user_model import evaluate, kept
from trainables.user_model.metrics import UserMetric
from trainables.user_model.random_state import seed_generators

RESERVED = (
    "epoch",
    "epochs",
    "status",
    "eval_epoch",
    "wall_s",
    "best",
    "best_epoch",
    "host",
    "error",
    "number",
    "narrow",
)
NOMINAL_RATE = 2e-4  # the collapse alarm needs a rate, and a user's file has none by a known name: that of DCGAN
Emit = Callable[[Epoch], None]
Sampler = Callable[..., Tensor]  # (n) or (n, y) -> images [n, C, H, W] in 0..1
Measure = Callable[[Tensor, Tensor], Mapping[str, Any]]  # x, y -> {name: [B] or a number}


class TrialInfo(NamedTuple):
    """Which trial of a sweep it is, and its own folder."""

    number: int = 0
    folder: Path = Path()


class ReadyToSample(BaseException):
    """Leaves a user's `train` at its epochs loop, when only the nets are wanted. `except Exception` lets it through."""


class Trial:
    """What a user's `train` gets as `trial`.

    `device` is where to put nets, `seed` the trial's own seed, `number` its number in the sweep, `n_epochs` the epochs
    of the whole training, `dir` the trial's own folder, which is also the current one.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        data: Data,
        seed: int,
        info: TrialInfo,
        state: Snapshot | None,
        emit: Emit | None,
    ) -> None:
        self.device, self.seed, self.number = torch.device(data.device), seed, info.number
        self.n_epochs, self.dir = int(config["epochs"]), info.folder
        self._data, self._state, self._emit = data, state, emit
        self._kept: dict[str, Any] = {}
        self._sampler: Sampler | None = None
        self._measure: Measure | None = None
        self._takes_labels = False
        self.metrics: Mapping[str, UserMetric] = {}
        self._sums = Sums()
        self._epoch = 0  # that have ended
        self._open = self._looped = False  # whether an epoch is in progress, whether there was a loop
        self._n_images = self._updates = 0
        self._wall_s, self._began = 0.0, time.perf_counter()
        self._lowest_fid = float("inf")
        self._quality: dict[str, Any] = {"eval_epoch": 0}

    def keep(self, **objects: Any) -> None:
        """Save these objects after each epoch, and restore them here when the trial goes on.

        Each is a dict of plain values, or has `state_dict()` and `load_state_dict()`: nets, optimisers, schedulers,
        averaged nets, gradient scalers. Raise UserError for anything else.
        """
        for name, item in objects.items():
            kept.check(name, item)
            if self._state is not None:
                kept.restore(name, item, self._state["kept"])
        self._kept |= objects

    def sampler(self, function: Sampler) -> None:
        """Name the function that draws samples: `fn(n)`, or `fn(n, y)` with labels y [n], returns [n, C, H, W] in 0..1.

        It is called when an evaluation is due, without gradients, with the kept nets in eval mode and with random
        generators that are the same for every trial of the sweep.
        """
        self._takes_labels = evaluate.takes_labels(function)
        self._sampler = function

    def measure(self, function: Measure) -> None:
        """Name the function that scores held-out images: `fn(x, y)` returns {name: [B] values or a number}.

        Rows have the mean as `val_NAME`, with its standard error `val_NAME_se` if there is a value for each image.
        `finalize` calls it with test images.
        """
        self._measure = function

    def log(self, **numbers: float | Tensor) -> None:
        """Log numbers; a row has the mean of an epoch. Tensors are read once an epoch. Call it as often as you like."""
        for name, value in numbers.items():
            if name in RESERVED:
                raise UserError(f"trial.log({name}=...): rows have their own {name!r}, use another name")
            tensor = value if isinstance(value, Tensor) else torch.tensor(float(value))
            if tensor.numel() != 1:
                raise UserError(f"trial.log({name}=...): one number is needed, not {list(tensor.shape)}; log its mean")
            self._sums.add(name, tensor.reshape(()))

    def epochs(self) -> Generator[int]:
        """Yield the numbers of the epochs that are left, from 0. `break` ends the trial as done."""
        self._looped = True
        if self._emit is None:
            raise ReadyToSample
        if self._state is not None:
            self._go_on(self._state)
            if self._state["row"]["status"] != "ok":
                return
        while self._epoch < self.n_epochs:
            seed_generators(self.seed, "epoch", self._epoch)
            self._sums, self._began, self._open = Sums(), time.perf_counter(), True
            yield self._epoch
            if not self._end_epoch(self.n_epochs):
                return

    def _go_on(self, state: Snapshot) -> None:
        """Continue from a snapshot, and pass on its row, which may never have arrived."""
        unused = state["kept"].keys() - self._kept.keys()
        if unused:
            raise UserError(f"the checkpoint has {', '.join(sorted(unused))}, and trial.keep() was not given it")
        torch.set_num_threads(state["threads"])
        self._epoch, self._n_images, self._updates = state["epoch"], state["n_images"], state["updates"]
        self._wall_s, self._lowest_fid, self._quality = state["wall_s"], state["lowest_fid"], dict(state["quality"])
        if state["row"]["epochs"] == self._epoch:  # a `break` has ended it
            self.n_epochs = self._epoch
        self._pass_on(state["row"], None)

    def finish(self) -> None:
        """End the epoch that a `break` has left open; raise UserError if there was no loop over `trial.epochs()`."""
        if not self._looped:
            raise UserError("train() returned without a loop `for epoch in trial.epochs():`")
        if self._open:
            self._end_epoch(self._epoch + 1)

    def _end_epoch(self, n_epochs: int) -> bool:
        """Make the row of an epoch, evaluate if due, and pass it on; return whether the trial may go on."""
        self._open = False
        self._epoch += 1
        means, evaluator, samples = self._sums.means(), self._data.evaluator, None
        finite = all(abs(value) < float("inf") for value in means.values())
        if finite and evaluator is not None and is_eval_epoch(evaluator, self._epoch, n_epochs):
            last = self._epoch == n_epochs
            quality, samples = evaluate.evaluate(self.generator(), self._data, evaluator, last)
            self._quality = {**quality, **self._narrow(quality), "eval_epoch": self._epoch}
        self._wall_s += time.perf_counter() - self._began
        row = {
            "epoch": self._epoch,
            "epochs": n_epochs,
            "status": "ok",
            **means,
            **self._quality,
            "updates": self._updates,
            "n_images": self._n_images,
            "wall_s": self._wall_s,
        }
        row["status"] = epoch_status(means, self._quality, self._data.evaluator)
        self._pass_on(row, samples)
        return bool(row["status"] == "ok")

    def _narrow(self, quality: Mapping[str, Any]) -> dict[str, int]:
        """Return for how many evaluations in a row the samples have been collapsed; nothing without samples."""
        if self._sampler is None or self._data.evaluator is None:
            return {}
        prior = self._data.evaluator.class_prior
        count = next_count(self._quality, quality, self._lowest_fid, prior, self._updates, NOMINAL_RATE)
        self._lowest_fid = min(self._lowest_fid, quality.get("fid", self._lowest_fid))
        return {"narrow": count}

    def _pass_on(self, row: dict[str, Any], samples: Tensor | None) -> None:
        assert self._emit is not None
        self._emit(
            Epoch(
                row,
                samples,
                lambda: self._snapshot(row),
                lambda: kept.weights(self._kept),
                lambda: kept.values(self._kept),
            )
        )

    def _snapshot(self, row: dict[str, Any]) -> Snapshot:
        return {
            "kept": kept.states(self._kept),
            "epoch": self._epoch,
            "n_images": self._n_images,
            "updates": self._updates,
            "wall_s": self._wall_s,
            "lowest_fid": self._lowest_fid,
            "quality": self._quality,
            "threads": torch.get_num_threads(),
            "row": row,
        }

    def count_batch(self, n: int, n_batches: int) -> None:
        """Count a batch of n training images, one of `n_batches` that the loop goes through."""
        self._updates += 1
        self._n_images += n

    @property
    def epoch(self) -> int:
        """The number of epochs that have ended."""
        return self._epoch

    def generator(self) -> evaluate.UserGenerator:
        """Return what draws and measures with the present weights of the kept nets."""
        nets = [item for item in self._kept.values() if isinstance(item, nn.Module)]
        functions = (self._sampler, self._takes_labels, self._measure)
        return evaluate.UserGenerator(nets, *functions, str(self.device), self.metrics)

    @property
    def kept_objects(self) -> Mapping[str, Any]:
        """What `keep` was given, by name."""
        return self._kept
