"""Train the extractor of a data set: the shipped ones, and those made at run time.

AdamW under a one-cycle rate (Smith and Topin 2017, arXiv:1708.07120), with random shifts and, for small sets, warps,
but no mirror images: those of digits are not digits. It learns from train, reports progress on val, and reads test
once, for the final accuracy.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trainables.data import Dataset
from trainables.data.dataset import Split
from trainables.metrics.extract import run_extractor, split_images
from trainables.metrics.extractor import Extractor, SmallExtractor, folded, make_arch
from trainables.metrics.extractor_file import Trained

STEPS_TIMED = 5
Progress = Callable[[int, int, float], None]  # (epochs done, epochs in all, accuracy on val 0..1)


class Recipe(NamedTuple):
    """How an extractor is trained."""

    epochs: int
    batch_size: int
    lr: float  # the peak of the cycle
    weight_decay: float
    shift: int  # pixels, each way
    warp: float = 0.0  # of the image's height and width, each way: turns, zooms and shears
    seed: int = 0


def make_recipe(n_train: int, size: int) -> Recipe:
    """Return the recipe: about 600,000 images, in 10 to 60 epochs; small sets are warped too, as it helps there."""
    epochs = min(60, max(10, 600_000 // n_train))
    shift = max(1, size // 20)
    if n_train > 20_000:
        return Recipe(epochs, batch_size=128, lr=4e-3, weight_decay=0.02, shift=shift)
    return Recipe(epochs, batch_size=min(32, n_train), lr=4e-3, weight_decay=0.02, shift=shift, warp=0.15)


def fit(data: Dataset, recipe: Recipe, *, command: str, progress: Progress | None = None) -> Trained:
    """Return the extractor of `data`, trained by `recipe` on one core; the global random state is restored."""
    data = data.to("cpu")
    arch = make_arch(data.shape, len(data.classes))
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        extractor = _train(data, arch, recipe, progress)
    return Trained(
        weights={name: tensor.contiguous().numpy() for name, tensor in extractor.state_dict().items()},
        arch=arch,
        accuracy=accuracy(extractor, data.test),
        data=data.name,
        fingerprint=data.fingerprint,
        recipe=recipe._asdict(),
        command=command,
    )


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: sums then round the same on every machine, and the weights keep their id."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _train(data: Dataset, arch: dict[str, Any], recipe: Recipe, progress: Progress | None) -> SmallExtractor:
    net = SmallExtractor(arch, training=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    n_steps = len(data.train) // recipe.batch_size
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=n_steps * recipe.epochs)
    for epoch in range(1, recipe.epochs + 1):
        net.train()
        for idx in torch.split(torch.randperm(len(data.train)), recipe.batch_size)[:n_steps]:
            x, y = data.train.gather(idx, torch.device("cpu"))
            loss = nn.functional.cross_entropy(net(shifted(warped(x, recipe.warp), recipe.shift)).logits, y)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            cycle.step()
        # Also without progress: the folded net draws from the same stream, so skipping it would change the rest.
        share = accuracy(folded(net, arch), data.val)
        if progress is not None:
            progress(epoch, recipe.epochs, share)
    return folded(net, arch)


def estimate_seconds(data: Dataset, recipe: Recipe) -> float:
    """Return about how long `fit` would take on this machine, from a few of its steps."""
    data = data.to("cpu")
    net = SmallExtractor(make_arch(data.shape, len(data.classes)), training=True)
    x, y = data.train.gather(torch.arange(min(recipe.batch_size, len(data.train))), torch.device("cpu"))
    began = 0.0
    with one_thread(), torch.random.fork_rng(devices=[]):
        for step in range(1 + STEPS_TIMED):
            if step == 1:  # the first one is slower
                began = time.perf_counter()
            torch.autograd.backward(nn.functional.cross_entropy(net(shifted(warped(x, recipe.warp), 1)).logits, y))
    seconds = (time.perf_counter() - began) / STEPS_TIMED
    return seconds * recipe.epochs * (len(data.train) // recipe.batch_size)


def warped(x: Tensor, most: float) -> Tensor:
    """Return images [B,C,H,W], each under a random linear map about its centre: identity plus U[-most, most]."""
    if most == 0:
        return x
    maps = torch.eye(2, 3) + nn.functional.pad((2 * torch.rand(len(x), 2, 2) - 1) * most, (0, 1))  # [B,2,3]
    grid = nn.functional.affine_grid(maps, list(x.shape), align_corners=False)
    return nn.functional.grid_sample(x, grid, align_corners=False)


def shifted(x: Tensor, most: int) -> Tensor:
    """Return images [B,C,H,W], each shifted by random whole pixels in [-most, most] each way, and filled with 0."""
    n, channels, height, width = x.shape
    padded = nn.functional.pad(x, (most,) * 4)
    down, right = torch.randint(0, 2 * most + 1, (2, n, 1))
    rows = down + torch.arange(height)  # [B,H]
    columns = right + torch.arange(width)  # [B,W]
    image = torch.arange(n)[:, None, None, None]
    channel = torch.arange(channels)[None, :, None, None]
    return padded[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def accuracy(extractor: Extractor, split: Split) -> float:
    """Return the share of the split's images that the extractor classifies correctly, 0..1."""
    _, logits = run_extractor(extractor, split_images(split), len(split))
    return float((logits.argmax(1) == torch.as_tensor(split.labels)).double().mean())
