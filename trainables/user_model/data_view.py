"""The images as a user's loop sees them: batches in a random order that only the seed and the epoch decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from trainables import random_streams
from trainables.data.dataset import Dataset, Split
from trainables.errors import UserError


class Images(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """A split of the data. Item i is the image float [C, H, W] in 0..1, on the CPU, and its label."""

    def __init__(
        self, split: Split, device: str, order: Callable[[int, int], Tensor], count: Callable[[int, int], None]
    ):
        self._split, self._device, self._order, self._count = split, device, order, count

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        x, y = self._split.gather(torch.tensor([i]), "cpu")
        return x[0], int(y[0])

    def batches(
        self, batch_size: int, steps: int | None = None, labels: bool = True
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield batches on the trial's device: x float [B, C, H, W] in 0..1, and y int64 [B], or None without `labels`.

        One pass over the images, whose incomplete last batch is left out; with `steps` that many batches, going round.
        Raise UserError if a batch is larger than the split.
        """
        n = len(self)
        if not 1 <= batch_size <= n:
            raise UserError(f"batches({batch_size}): a batch has 1 to {n} images, since there are {n}")
        per_pass = n // batch_size
        order = None
        n_batches = per_pass if steps is None else steps
        for step in range(n_batches):
            number, i = divmod(step, per_pass)
            if order is None or i == 0:
                order = self._order(n, number)
            x, y = self._split.gather(order[i * batch_size : (i + 1) * batch_size], self._device)
            self._count(batch_size, n_batches)
            yield x, (y if labels else None)


class DataView:
    """What a user's `train` gets as `data`.

    `shape` is (C, H, W), `classes` the names of the classes, `n` the number of training images, `train` and `val` the
    images. The test images are not in it: only gensweep measures on them.
    """

    def __init__(
        self, data: Dataset, device: str, seed: int, epoch: Callable[[], int], count: Callable[[int, int], None]
    ) -> None:
        self.shape, self.classes, self.n = data.shape, tuple(data.classes), len(data.train)
        self._calls = (-1, 0)  # the epoch of the last call of batches(), and how many came before it in that epoch

        def order(n: int, number: int) -> Tensor:
            now, calls = epoch(), self._calls
            if number == 0:  # a new call of batches(): the first, second ... of this epoch
                self._calls = (now, calls[1] + 1 if calls[0] == now else 0)
            return random_streams.permutation(n, device, seed, "order", now, self._calls[1], number)

        self.train = Images(data.train, device, order, count)
        self.val = Images(data.val, device, order, lambda _, __: None)
