"""What a user's `train` names to its trial: what to keep, how to draw, what to measure, what to log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trainables.engine.loop import Sums
from trainables.engine.state import Snapshot
from trainables.errors import UserError
from trainables.user_model import evaluate, kept
from trainables.user_model.metrics import UserMetric

RESERVED: tuple[str, ...] = ("epoch", "epochs", "status", "eval_epoch", "wall_s", "best", "best_epoch", "host", "error")
RESERVED += ("number", "narrow", "updates", "n_images")
Sampler = Callable[..., Tensor]  # (n) or (n, y) -> images [n, C, H, W] in 0..1
Measure = Callable[[Tensor, Tensor], Mapping[str, Any]]  # x, y -> {name: [B] or a number}


class TrialParts:
    """What has been named so far."""

    def __init__(self, device: torch.device, state: Snapshot | None) -> None:
        self.device, self._state = device, state
        self._kept: dict[str, Any] = {}
        self._sampler: Sampler | None = None
        self._measure: Measure | None = None
        self._takes_labels = False
        self.metrics: Mapping[str, UserMetric] = {}
        self._sums = Sums()

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

    def generator(self) -> evaluate.UserGenerator:
        """Return what draws and measures with the present weights of the kept nets."""
        nets = [item for item in self._kept.values() if isinstance(item, nn.Module)]
        functions = (self._sampler, self._takes_labels, self._measure)
        return evaluate.UserGenerator(nets, *functions, str(self.device), self.metrics)

    @property
    def kept_objects(self) -> Mapping[str, Any]:
        """What `keep` was given, by name."""
        return self._kept
