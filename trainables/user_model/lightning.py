"""`trial.lightning(module)`: a callback by which Lightning's Trainer runs the epochs of a trial.

The Trainer owns the loop, so the trial hooks into it: before an epoch the random generators are seeded, after it the
row is made, evaluated and reported. An epoch counts as ended when the next one starts or the training ends, since hooks
of the module and schedulers still run after the Trainer's own end of an epoch. Nothing here imports Lightning: the
module's class comes from `lightning` or from `pytorch_lightning`, and the callback is made of the same package.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from trainables.errors import UserError
from trainables.user_model.shipped_modules import LIGHTNING

MODULE, TRAINER = "module", "trainer"  # names under which they are kept


class TrialOfEpochs(Protocol):
    """What the callback needs of a trial."""

    device: torch.device
    n_epochs: int

    @property
    def epoch(self) -> int: ...
    def keep(self, **objects: Any) -> None: ...
    def log(self, **numbers: float | Tensor) -> None: ...
    def start_loop(self) -> bool: ...
    def begin_epoch(self) -> None: ...
    def end_epoch(self, is_last: bool = False) -> bool: ...
    def count_loaded_batch(self, n: int, n_batches: int) -> None: ...


def package_of(module: object) -> str:
    """Return the package of Lightning that a module is made of; raise UserError if it is not a LightningModule."""
    for kind in type(module).__mro__:
        if kind.__name__ == "LightningModule" and (root := kind.__module__.partition(".")[0]) in LIGHTNING:
            return LIGHTNING[root]
    raise UserError(f"trial.lightning(): a {type(module).__name__} is not a LightningModule")


def make_callback(trial: TrialOfEpochs, module: nn.Module) -> Any:
    """Return a callback for `Trainer(callbacks=[...])` that makes its epochs those of the trial."""
    package = package_of(module)
    logging.getLogger(package).setLevel(logging.WARNING)  # tips, and which devices there are, for every trial
    warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)  # Lightning 2.6 beside torch 2.15, in every epoch
    base = importlib.import_module(f"{package}.callbacks").Callback
    state = TrainerState()
    trial.keep(**{MODULE: module, TRAINER: state})
    return type("TrialCallback", (EpochHooks, base), {})(trial, state)


class TrainerState:
    """What a Trainer needs to go on, besides the module: progress, optimisers, schedulers, states of callbacks."""

    def __init__(self) -> None:
        self.trainer: Any = None
        self.saved: Mapping[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        trainer = self.trainer
        if trainer is None:
            return dict(self.saved)
        return {
            "progress": {name: item.state_dict() for name, item in progress_items(trainer.fit_loop.epoch_loop)},
            "optimizers": [optimizer.state_dict() for optimizer in trainer.optimizers],
            "schedulers": [each.scheduler.state_dict() for each in trainer.lr_scheduler_configs],
            "precision": trainer.precision_plugin.state_dict(),
            "callbacks": {each.state_key: state for each in trainer.callbacks if (state := each.state_dict())},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Remember a state; the Trainer that it is for does not exist yet."""
        self.saved = state

    def load_progress(self, epoch: int) -> None:
        """Make the Trainer begin with the epoch of this number."""
        loop = self.trainer.fit_loop
        for tracker in (loop.epoch_progress.current, loop.epoch_progress.total):
            tracker.ready = tracker.started = tracker.processed = tracker.completed = epoch
        for name, item in progress_items(loop.epoch_loop):
            item.load_state_dict(self.saved["progress"][name])

    def load_rest(self) -> None:
        """Load what exists once the Trainer has made the optimisers."""
        trainer, saved = self.trainer, self.saved
        for optimizer, state in zip(trainer.optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        for config, state in zip(trainer.lr_scheduler_configs, saved["schedulers"], strict=True):
            config.scheduler.load_state_dict(state)
        trainer.precision_plugin.load_state_dict(saved["precision"])
        for each in trainer.callbacks:
            if each.state_key in saved["callbacks"]:
                each.load_state_dict(saved["callbacks"][each.state_key])


def progress_items(loop: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the progress trackers of a loop of Lightning's and of the loops in it, by name."""
    for name, item in vars(loop).items():
        if name.endswith("_progress") and hasattr(item, "load_state_dict"):
            yield f"{prefix}{name}", item
        elif hasattr(item, "restarting"):
            yield from progress_items(item, f"{prefix}{name}.")


class EpochHooks:
    """The hooks of the callback."""

    def __init__(self, trial: TrialOfEpochs, state: TrainerState) -> None:
        self._trial, self._state = trial, state
        self._seen: set[str] = set()  # keys that have been logged by step in this epoch
        self._is_open = False

    def setup(self, trainer: Any, module: Any, stage: str) -> None:
        """Begin the trial's loop, or go on from its checkpoint. In a trial that only samples, leave here."""
        if stage != "fit":
            return
        module.to(self._trial.device)
        goes_on = self._trial.start_loop()
        self._state.trainer = trainer
        trainer.fit_loop.max_epochs = self._trial.n_epochs if goes_on else self._trial.epoch
        if self._trial.epoch:
            self._state.load_progress(self._trial.epoch)

    def on_train_start(self, trainer: Any, module: Any) -> None:
        if self._trial.epoch:
            self._state.load_rest()

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        if not self._end_epoch(trainer, is_last=False):
            trainer.should_stop = True
            raise StopIteration  # as Lightning's own loops do; fit() returns
        self._seen, self._is_open = set(), True
        self._trial.begin_epoch()

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log what this step has logged, and its loss."""
        results = getattr(trainer, "_results", None)
        logged = {} if results is None else dict(results.metrics(True)["callback"])
        numbers = {
            key: value for key, value in logged.items() if key.removesuffix("_step") not in logged.keys() - {key}
        }
        if isinstance(outputs, Mapping) and "loss" in outputs:
            numbers.setdefault("loss", outputs["loss"])
        self._trial.log(**numbers)
        self._seen |= numbers.keys()
        self._trial.count_loaded_batch(_length(batch), trainer.num_training_batches)

    def on_train_end(self, trainer: Any, module: Any) -> None:
        self._end_epoch(trainer, is_last=True)

    def _end_epoch(self, trainer: Any, is_last: bool) -> bool:
        """End the open epoch, if there is one; return whether the trial may go on."""
        if not self._is_open:
            return True
        self._is_open = False
        forked = {f"{key}{end}" for key in trainer.callback_metrics for end in ("_step", "_epoch")}
        late = {key: value for key, value in trainer.callback_metrics.items() if key not in self._seen | forked}
        self._trial.log(**late)
        return self._trial.end_epoch(is_last)


def _length(batch: Any) -> int:
    """Return the number of images in a batch: the length of its first tensor."""
    if isinstance(batch, Tensor):
        return len(batch)
    items = batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (list, tuple)) else ()
    return next((n for item in items if (n := _length(item))), 0)
