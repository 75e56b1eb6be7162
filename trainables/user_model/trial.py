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
from trainables.user_model.lightning import TRAINER, make_callback
from trainables.user_model.random_state import seed_generators
from trainables.user_model.trial_parts import Measure, Sampler, TrialParts

NOMINAL_RATE = 2e-4  # the collapse alarm needs a rate, and a user's file has none by a known name: that of DCGAN
Emit = Callable[[Epoch], None]


class TrialInfo(NamedTuple):
    """Which trial of a sweep it is, and its own folder."""

    number: int = 0
    folder: Path = Path()


class ReadyToSample(BaseException):
    """Leaves a user's `train` at its epochs loop, when only the nets are wanted. `except Exception` lets it through."""


class Trial(TrialParts):
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
        super().__init__(torch.device(data.device), state)
        self.seed, self.number = seed, info.number
        self.n_epochs, self.dir = int(config["epochs"]), info.folder
        self._data, self._emit = data, emit
        self._epoch = 0  # that have ended
        self._open = self._looped = False  # whether an epoch is in progress, whether there was a loop
        self._counts_own = False  # whether batches come from `data`
        self._n_images = self._updates = 0
        self._wall_s, self._began = 0.0, time.perf_counter()
        self._lowest_fid = float("inf")
        self._quality: dict[str, Any] = {"eval_epoch": 0}

    def lightning(self, module: nn.Module, sampler: Sampler | None = None, measure: Measure | None = None) -> Any:
        """Return a callback for Lightning's `Trainer(callbacks=[...])`, in place of a loop over `epochs()`.

        It keeps the module and what the Trainer needs to go on. Rows have the means of what the module logs.
        """
        if sampler is not None:
            self.sampler(sampler)
        if measure is not None:
            self.measure(measure)
        return make_callback(self, module)

    def epochs(self) -> Generator[int]:
        """Yield the numbers of the epochs that are left, from 0. `break` ends the trial as done."""
        if not self.start_loop():
            return
        while self._epoch < self.n_epochs:
            self.begin_epoch()
            yield self._epoch
            if not self.end_epoch():
                return

    def start_loop(self) -> bool:
        """Begin the loop, or go on from the snapshot; return whether the trial may train."""
        if self._looped:
            raise UserError("train() loops over its epochs twice: a trial has one loop, or one Trainer.fit()")
        self._looped = True
        if self._emit is None:
            raise ReadyToSample
        if self._state is not None:
            self._go_on(self._state)
        return self._state is None or bool(self._state["row"]["status"] == "ok")

    def begin_epoch(self) -> None:
        """Seed the generators for the next epoch, and begin to sum what is logged."""
        seed_generators(self.seed, "epoch", self._epoch)
        self._sums, self._began, self._open = Sums(), time.perf_counter(), True

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
        if not self._looped and TRAINER in self._kept:
            raise UserError("no Trainer has run the callback of trial.lightning(): pl.Trainer(callbacks=[callback])")
        if not self._looped:
            raise UserError("train() returned without a loop `for epoch in trial.epochs():`")
        if self._open:
            self.end_epoch(is_last=True)

    def end_epoch(self, is_last: bool = False) -> bool:
        """Make the row of an epoch, evaluate if due, and pass it on; return whether the trial may go on."""
        self._open = False
        self._epoch += 1
        n_epochs = self._epoch if is_last else self.n_epochs
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

    def count_own_batch(self, n: int, n_batches: int) -> None:
        """Count a batch of `data.train.batches`."""
        self._counts_own = True
        self.count_batch(n, n_batches)

    def count_loaded_batch(self, n: int, n_batches: int) -> None:
        """Count a batch that a Trainer has trained, unless `data` counts them."""
        if not self._counts_own:
            self.count_batch(n, n_batches)

    @property
    def epoch(self) -> int:
        """The number of epochs that have ended."""
        return self._epoch

    @property
    def most_batches(self) -> int | None:
        """The number of batches that a loop over `data` may have; None: any. A probe has a limit."""
        return None

    @property
    def open_epoch(self) -> int:
        """The number of the epoch in progress; -1 if there is none, as when a Trainer tries out its validation."""
        return self._epoch if self._open else -1
