"""The images as a user's loop sees them: batches, of training images in an order that only seed and epoch decide."""

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
        self,
        split: Split,
        device: str,
        order: Callable[[int, int], Tensor] | None,
        count: Callable[[int, int], None],
        most: Callable[[], int | None] = lambda: None,
    ):
        self._split, self._device, self._count, self._most = split, device, count, most
        self._order = order  # None: their own

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        x, y = self._split.gather(torch.tensor([i]), "cpu")
        return x[0], int(y[0])

    def __getitems__(self, numbers: list[int]) -> list[tuple[Tensor, int]]:
        """Return several items at once: a DataLoader asks for a batch of them."""
        x, y = self._split.gather(torch.tensor(numbers), "cpu")
        return list(zip(x, y.tolist(), strict=True))

    def batches(self, batch_size: int, steps: int | None = None, labels: bool = True) -> Batches:
        """Return the batches of an epoch, to loop over. With `steps` there are that many, going round.

        Of training images the order is new in each loop, and an incomplete last batch is left out. Raise UserError if a
        batch is larger than all of them. Held-out images come in their own order, all of them.
        """
        n = len(self)
        if batch_size < 1 or (batch_size > n and self._order is not None):
            raise UserError(f"batches({batch_size}): a batch has 1 to {n} images, since there are {n}")
        per_pass = n // batch_size if self._order is not None else -(-n // batch_size)
        n_batches = per_pass if steps is None else steps
        most = self._most()
        n_batches = n_batches if most is None else min(n_batches, most)
        return Batches(lambda: self._iterate(batch_size, per_pass, n_batches, labels), n_batches)

    def _iterate(
        self, batch_size: int, per_pass: int, n_batches: int, labels: bool
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        order = torch.arange(len(self), device=self._device) if self._order is None else None
        for step in range(n_batches):
            number, i = divmod(step, per_pass)
            if order is None or (i == 0 and self._order is not None):
                assert self._order is not None
                order = self._order(len(self), number)
            x, y = self._split.gather(order[i * batch_size : (i + 1) * batch_size], self._device)
            self._count(batch_size, n_batches)
            yield x, (y if labels else None)


class Batches:
    """Batches on the trial's device: x float [B, C, H, W] in 0..1, and y int64 [B], or None without `labels`.

    A loop over it is an epoch. It can be looped over again, so Lightning's Trainer takes it as a loader.
    """

    def __init__(self, iterate: Callable[[], Iterator[tuple[Tensor, Tensor | None]]], n_batches: int) -> None:
        self._iterate, self._n_batches = iterate, n_batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        return self._iterate()

    def __len__(self) -> int:
        return self._n_batches


class DataView:
    """What a user's `train` gets as `data`.

    `shape` is (C, H, W), `classes` the names of the classes, `n` the number of training images, `train` and `val` the
    images. The test images are not in it: only gensweep measures on them.
    """

    def __init__(
        self,
        data: Dataset,
        device: str,
        seed: int,
        epoch: Callable[[], int],
        count: Callable[[int, int], None],
        most: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.shape, self.classes, self.n = data.shape, tuple(data.classes), len(data.train)
        self._calls = (-1, 0)  # the epoch of the last call of batches(), and how many came before it in that epoch

        def order(n: int, number: int) -> Tensor:
            now, calls = epoch(), self._calls
            if number == 0:  # a new call of batches(): the first, second ... of this epoch
                self._calls = (now, calls[1] + 1 if calls[0] == now else 0)
            return random_streams.permutation(n, device, seed, "order", now, self._calls[1], number)

        self.train = Images(data.train, device, order, count, most)
        self.val = Images(data.val, device, None, lambda _, __: None)
