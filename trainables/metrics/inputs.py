"""The inputs of metrics: samples with features and logits, the model's own measures of real images, and results that
several metrics share. A model that cannot sample has no samples, one without an encoder no codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from trainables.data import Dataset
from trainables.lazy_import import Tensor, torch
from trainables.metrics.evaluator import Evaluator
from trainables.metrics.neighbours import Balls, Neighbours, neighbours

if TYPE_CHECKING:
    from trainables.metrics.extractor import Extractor


@dataclass(frozen=True)
class EvalInputs:
    """The inputs of metrics. Shapes: N samples, V val images, C H W image, F features, K classes, Z code."""

    evaluator: Evaluator
    images: Tensor = field(default_factory=lambda: torch.empty(0))  # [N,C,H,W] in [0,1]
    features: Tensor = field(default_factory=lambda: torch.empty(0))  # [N,F]
    logits: Tensor = field(default_factory=lambda: torch.empty(0))  # [N,K]
    labels: Tensor | None = None  # int64 [N] of the samples; None: the model uses no labels
    extractor: Extractor | None = None
    draw: Callable[[int], Iterator[tuple[Tensor, Tensor]]] | None = None  # n -> that many samples with labels
    data: Dataset | None = None  # the real images
    measured: Mapping[str, Tensor] = field(default_factory=dict)  # [V] each: what the model itself measures
    encode: Callable[[Tensor], Tensor] | None = None  # x [B,C,H,W] -> codes [B,Z]
    # x, y -> which draw -> log p(x,z) - log q(z|x) [B]
    log_weight: Callable[[Tensor, Tensor], Callable[[int], Tensor]] | None = None
    raw: Callable[[], Tensor] | None = None  # -> features [N,F] of samples of the trained net, if ``ema`` averages it

    def has(self, part: str) -> bool:
        """Return whether the field of this name has a value, and is not empty."""
        value = getattr(self, part)
        return value is not None and (not isinstance(value, Sized) or len(value) > 0)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; empty if the images have no labels."""
        return self.evaluator.classes

    @property
    def device(self) -> torch.device:
        """The device of the samples, or of the real images if the model does not sample."""
        if self.data is None or len(self.features):
            return self.features.device
        return torch.as_tensor(self.data.val.labels).device

    @cached_property
    def finite(self) -> bool:
        """Whether every sample is finite: if one is not, all scores are nan."""
        return bool(self.features.isfinite().all() & self.logits.isfinite().all())

    @cached_property
    def neighbours(self) -> Neighbours:
        """The neighbours of the first samples and the evaluator's real images; see neighbours.py."""
        features, nearest, radius = (torch.tensor(array).to(self.features.device) for array in self.evaluator.real)
        return neighbours(self.features, features, Balls(nearest, radius))

    def read(self, n: int) -> Tensor:
        """Return the logits [n,K] of n samples; if there are fewer, draw n new ones."""
        if n <= len(self.logits):
            return self.logits[:n]
        assert self.draw is not None
        assert self.extractor is not None
        from trainables.metrics.extract import run_extractor

        return run_extractor(self.extractor, (x for x, _ in self.draw(n)), n).logits
