"""What a metric sees: samples, what the extractor says of them, the model's own view of real images, and whatever
several metrics would compute twice. A model that draws nothing has no samples, one that encodes nothing no codes."""

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
    """One model, ready to be measured. Shapes: N samples, V val images, C H W image, F features, K classes, Z code."""

    evaluator: Evaluator
    images: Tensor = field(default_factory=lambda: torch.empty(0))  # [N,C,H,W] in [0,1]
    features: Tensor = field(default_factory=lambda: torch.empty(0))  # [N,F]
    logits: Tensor = field(default_factory=lambda: torch.empty(0))  # [N,K]
    labels: Tensor | None = None  # int64 [N], the classes asked for; None: the model takes none
    extractor: Extractor | None = None
    draw: Callable[[int], Iterator[tuple[Tensor, Tensor]]] | None = None  # n -> that many samples, labels asked for
    data: Dataset | None = None  # the real images
    measured: Mapping[str, Tensor] = field(default_factory=dict)  # [V] each: what the model itself measures
    encode: Callable[[Tensor], Tensor] | None = None  # x [B,C,H,W] -> codes [B,Z]
    # x, y -> which draw -> log p(x,z) - log q(z|x) [B]
    log_weight: Callable[[Tensor, Tensor], Callable[[int], Tensor]] | None = None

    def has(self, part: str) -> bool:
        """Whether there is anything under this name."""
        value = getattr(self, part)
        return value is not None and (not isinstance(value, Sized) or len(value) > 0)

    @property
    def device(self) -> torch.device:
        """Where the samples are, or the real images."""
        if self.data is None or len(self.features):
            return self.features.device
        return torch.as_tensor(self.data.val.labels).device

    @cached_property
    def finite(self) -> bool:
        """Whether every image is: one that is not makes all scores nan."""
        return bool(self.features.isfinite().all() & self.logits.isfinite().all())

    @cached_property
    def neighbours(self) -> Neighbours:
        """Of the first samples and the evaluator's real images; see neighbours.py."""
        features, own, radius = (torch.tensor(array).to(self.features.device) for array in self.evaluator.real)
        return neighbours(self.features, features, Balls(own, radius))

    def read(self, n: int) -> Tensor:
        """Logits [n,K] of n samples, drawn anew where there are not as many."""
        if n <= len(self.logits):
            return self.logits[:n]
        assert self.draw is not None
        assert self.extractor is not None
        from trainables.metrics.extract import run_extractor

        return run_extractor(self.extractor, (x for x, _ in self.draw(n)), n).logits
