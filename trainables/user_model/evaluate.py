"""Evaluate a user's model: its samples by every metric that needs samples, its own measures of held-out images."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trainables.engine.evaluate import CHUNK, grid_labels, with_samples
from trainables.engine.state import Data
from trainables.errors import UserError
from trainables.images import to_uint8
from trainables.metrics import EvalInputs, Evaluator, measure
from trainables.user_model.metrics import N_IMAGES, Pair, UserMetric, compute
from trainables.user_model.random_state import seeded_generators

OUT_OF_RANGE = 0.05  # samples further outside of 0..1 than this are in another range
PREFIX = "val_"  # of the model's own measures in rows


class UserGenerator(NamedTuple):
    """The functions that a user's `train` has named, with the nets whose mode they depend on."""

    nets: Sequence[nn.Module]
    sampler: Callable[..., Tensor] | None
    takes_labels: bool
    measure: Callable[[Tensor, Tensor], Mapping[str, Any]] | None
    device: str
    metrics: Mapping[str, UserMetric] = {}

    def pair(self, images: Tensor, data: Data) -> Pair | None:
        """Return these samples [N, C, H, W] and as many held-out images, for METRICS; None without samples."""
        n = min(len(images), len(data.images.val), N_IMAGES)
        if n == 0:
            return None
        real, _ = data.images.val.gather(torch.arange(n, device=data.device), data.device)
        return images[:n].cpu().float(), real.cpu()

    def draw(
        self, labels: Tensor, shape: tuple[int, ...], seed: int, stream: str, chunks: Sequence[int] = ()
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield samples [CHUNK, C, H, W] at a time with their labels.

        `chunks` holds the numbers of the chunks; if it is empty, all are drawn. Raise UserError if the sampler returns
        a wrong shape or type.
        """
        assert self.sampler is not None
        for start in [CHUNK * k for k in chunks] or range(0, len(labels), CHUNK):
            y = labels[start : start + CHUNK].to(self.device)
            with evaluation_mode(self.nets), seeded_generators(seed, stream, start):
                x = self.sampler(len(y), y) if self.takes_labels else self.sampler(len(y))
            check_samples(x, (len(y), *shape))
            yield x.float(), y

    def measured(self, data: Data, split: str, seed: int) -> dict[str, float]:
        """Return the means of the model's own measures over a split, with standard errors; nothing if it has none."""
        if self.measure is None:
            return {}
        images = getattr(data.images, split)
        sums: dict[str, list[Tensor]] = {}
        plain: dict[str, float] = {}
        for start in range(0, len(images), CHUNK):
            idx = torch.arange(start, min(start + CHUNK, len(images)), device=data.device)
            with evaluation_mode(self.nets), seeded_generators(seed, split, start):
                values = self.measure(*images.gather(idx, data.device))
            for name, value in values.items():
                tensor = torch.as_tensor(value)
                if tensor.shape == (len(idx),):
                    sums.setdefault(name, []).append(tensor)
                elif tensor.numel() == 1:
                    plain[name] = plain.get(name, 0.0) + float(tensor) * len(idx) / len(images)
                else:
                    raise UserError(
                        f"measure() gives {name} of shape {list(tensor.shape)}: one number an image, [{len(idx)}], or "
                        "one number is needed"
                    )
        rows = {f"{PREFIX}{name}": value for name, value in plain.items()}
        for name, parts in sums.items():
            wide = torch.cat(parts).double()
            rows |= {
                f"{PREFIX}{name}": float(wide.mean()),
                f"{PREFIX}{name}_se": float(wide.std()) / math.sqrt(len(wide)),
            }
        return rows


def takes_labels(sampler: Callable[..., Tensor]) -> bool:
    """Return whether a sampler is `fn(n, y)`: takes two positional arguments without a default."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(sampler).parameters.values()
    return sum(each.kind in kinds and each.default is inspect.Parameter.empty for each in parameters) > 1


@contextmanager
def evaluation_mode(nets: Sequence[nn.Module]) -> Generator[None]:
    """Put nets into eval mode, without gradients; put their mode back at the end."""
    modes = [(module, module.training) for net in nets for module in net.modules()]
    for net in nets:
        net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def check_samples(x: Any, shape: tuple[int, ...]) -> None:
    """Raise UserError unless x is a float tensor of this shape."""
    n = shape[0]
    if not isinstance(x, Tensor):
        raise UserError(f"sampler({n}) gives a {type(x).__name__}: a tensor {list(shape)} is needed")
    if tuple(x.shape) != tuple(shape):
        raise UserError(f"sampler({n}) gives {list(x.shape)}: {list(shape)} is needed")
    if not x.is_floating_point():
        raise UserError(f"sampler({n}) gives {str(x.dtype).removeprefix('torch.')}: floats in 0..1 are needed")


def check_range(x: Tensor) -> None:
    """Raise UserError if samples are not finite, or clearly not in 0..1."""
    broken = float((~x.isfinite()).double().mean())
    if broken:
        raise UserError(f"{broken:.0%} of the values of sampler({len(x)}) are nan or infinite")
    low, high = float(x.min()), float(x.max())
    if low < -OUT_OF_RANGE or high > 1 + OUT_OF_RANGE:
        cure = "return (x + 1) / 2" if low < -OUT_OF_RANGE and high <= 1 + OUT_OF_RANGE else "return x.clamp(0, 1)"
        raise UserError(f"samples lie in {low:.2f}..{high:.2f}, and images in 0..1: {cure}")


def refuse_what_needs_images(generator: UserGenerator) -> None:
    """Raise UserError if `train` has named a function that gensweep would call with images, and there are none."""
    named = {"trial.sampler()": generator.sampler, "trial.measure()": generator.measure, "METRICS": generator.metrics}
    needing = [name for name, value in named.items() if value]
    if needing:
        raise UserError(f"{' and '.join(needing)}: --dataset none has no images for that; trial.log() takes any number")


def inputs_of(generator: UserGenerator, data: Data, evaluator: Evaluator) -> EvalInputs:
    """Return what the metrics need of the samples; without a sampler only the real images."""
    inputs = EvalInputs(evaluator, data=data.images)
    if generator.sampler is None or data.extractor is None:
        return inputs

    def draw(labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        return generator.draw(labels, data.images.shape, evaluator.seed, "judged")

    return with_samples(inputs, data.extractor, draw, data.device, generator.takes_labels)


def scores(
    generator: UserGenerator,
    data: Data,
    evaluator: Evaluator,
    last: bool,
    also: tuple[str, ...] = (),
    all_own: bool = False,
) -> dict[str, Any]:
    """Return the metrics of the present weights; if `all_own`, also those of METRICS that are due at the last one."""
    inputs = inputs_of(generator, data, evaluator)
    quality = measure(inputs, last=last, also=also)
    numbers = compute(generator.metrics, lambda needs: generator.pair(inputs.images, data), last or all_own)
    return {**quality, **numbers, **generator.measured(data, "val", evaluator.seed)}


def evaluate(
    generator: UserGenerator, data: Data, evaluator: Evaluator, last: bool
) -> tuple[dict[str, Any], Tensor | None]:
    """Return the metrics of the present weights, and the fixed sample grid, uint8 [GRID, C, H, W], if it can sample."""
    quality = scores(generator, data, evaluator, last, evaluator.also if last else ())
    if generator.sampler is None:
        return quality, None
    return quality, to_uint8(grid(generator, data, evaluator.seed)).cpu()


def grid(generator: UserGenerator, data: Data, seed: int) -> Tensor:
    """Return the samples of the fixed grid, float [GRID, C, H, W]; with ten classes each column is one."""
    labels = grid_labels(len(data.images.classes)).to(data.device)
    return torch.cat([x for x, _ in generator.draw(labels, data.images.shape, seed, "grid")])
