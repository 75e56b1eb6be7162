"""The parts of every data set: `Split`, images with labels, which returns batches by index, and `Dataset`, three splits
with class names. Arrays are numpy when loaded, so that a data set is pickled without a copy (protocol 5) and read from
Ray's object store in place; `to(device)` turns them into tensors. Only this file knows on which device pixels are."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trainables.errors import UserError
from trainables.lazy_import import Tensor, torch

# Shapes: N images, M stored pictures (M = N but for stacked planes), B batch, C H W image.
Array: TypeAlias = "NDArray[Any] | Tensor"
Device: TypeAlias = "torch.device | str"


@dataclass(frozen=True)
class Split:
    """Images and labels. Image i is `pixels[i]`; with `planes` it is the grey pictures `planes[i]` as channels.

    A dataclass and not a NamedTuple, because `len(split)` is the number of images."""

    pixels: Array  # [M, C, H, W]: uint8 0..255, uint16 0..65535, or float32 0..1
    labels: Array  # int64 [N]
    planes: Array | None = None  # int64 [N, 3], indices into M; pixels are then [M, 1, H, W]

    def __len__(self) -> int:
        return int(self.labels.shape[0])

    @property
    def n_bytes(self) -> int:
        """The number of bytes of all arrays."""
        return sum(int(a.nbytes) for a in (self.pixels, self.labels, self.planes) if a is not None)

    def to(self, device: Device) -> Split:
        """Return the split as tensors on `device`, or on the host if it would fill over half of the GPU's free memory.

        On the CPU nothing is copied: the tensors are views of the arrays and must not be changed.
        """
        target = torch.device(device)
        if target.type == "cuda" and 2 * self.n_bytes > torch.cuda.mem_get_info(target)[0]:
            target = torch.device("cpu")
        planes = None if self.planes is None else _tensor(self.planes).to(target)
        return Split(_tensor(self.pixels).to(target), _tensor(self.labels).to(target), planes)

    def gather(self, idx: Tensor, device: Device) -> tuple[Tensor, Tensor]:
        """Return images and labels on `device`: float32 [B, C, H, W] in [0, 1] and int64 [B].

        `idx` [B], int64, holds the numbers of the images. The split must come from `to()`.
        """
        pixels, labels, planes = self.pixels, self.labels, self.planes
        assert isinstance(pixels, torch.Tensor), "gather() needs tensors: call .to(device) first"
        assert isinstance(labels, torch.Tensor), "gather() needs tensors: call .to(device) first"
        idx = idx.to(pixels.device)
        if planes is None:
            x = _rows(pixels, idx)  # [B, C, H, W]
        else:
            assert isinstance(planes, torch.Tensor), "gather() needs tensors: call .to(device) first"
            which = planes.index_select(0, idx)  # [B, 3]
            x = _rows(pixels, which.view(-1)).view(*which.shape, *pixels.shape[2:])
        # The copy to the device comes before the cast, so that a quarter of the bytes are copied.
        return _in_unit_range(x.to(device)), labels.index_select(0, idx).to(device)


class Dataset(NamedTuple):
    """A named data set in three parts: `train` to learn, `val` to tune, `test` for the final scores only."""

    name: str
    classes: tuple[str, ...]  # K names; label k is classes[k]; empty if the images have no labels, which are then 0
    train: Split
    val: Split
    test: Split
    fingerprint: str  # sha256 of the content, hex
    notes: tuple[str, ...] = ()  # what a user should know of how the images were read

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of an image, (C, H, W)."""
        _, c, h, w = self.train.pixels.shape
        return (c if self.train.planes is None else int(self.train.planes.shape[1]), h, w)

    @property
    def has_images(self) -> bool:
        """Whether there are images: of `none` there are not."""
        return len(self.train) > 0

    def to(self, device: Device) -> Dataset:
        """Return the data set as tensors; see `Split.to`."""
        return self._replace(train=self.train.to(device), val=self.val.to(device), test=self.test.to(device))


def make(name: str, classes: Iterable[str], train: Split, val: Split, test: Split) -> Dataset:
    """Return a data set of numpy splits, with its fingerprint."""
    return Dataset(name, tuple(classes), train, val, test, fingerprint((train, val, test)))


def without_images(name: str, classes: Iterable[str], shape: Iterable[int], fingerprint: str = "") -> Dataset:
    """Return a data set without images, for code that asks for names and the shape of an image (C, H, W) only."""
    empty = Split(np.zeros((0, *shape), np.uint8), np.zeros(0, np.int64))
    return Dataset(name, tuple(classes), empty, empty, empty, fingerprint)


def take(pixels: NDArray[Any], labels: NDArray[np.int64], rows: NDArray[np.int64]) -> Split:
    """Return the images `rows` of pixels [M, C, H, W] and labels [M] as a split; they are copied."""
    return Split(pixels[rows], labels[rows])


def limited(data: Dataset, n: int | None) -> Dataset:
    """Return `data` with only n of its training images, with the same class shares; if n is None, with all.

    Name and fingerprint stay those of the whole set. Raise UserError if it has fewer than n.
    """
    if n is None:
        return data
    if n > len(data.train):
        raise UserError(f"train_images {n}: {data.name} has only {len(data.train)} training images")
    pixels, labels, planes = (np.asarray(data.train.pixels), np.asarray(data.train.labels), data.train.planes)
    rows = stratified(labels, n)[0]
    if planes is not None:
        return data._replace(train=Split(pixels, labels[rows], np.asarray(planes)[rows]))
    return data._replace(train=take(pixels, labels, rows))


def fingerprint(splits: Iterable[Split]) -> str:
    """Return the sha256, in hex, of the shapes, types and bytes of all arrays, in order."""
    digest = hashlib.sha256()
    for split in splits:
        for array in (split.pixels, split.labels, split.planes):
            if array is not None:
                content = np.ascontiguousarray(array)
                digest.update(f"{content.dtype.str}{content.shape}".encode())
                digest.update(content.data)
    return digest.hexdigest()


def noise(seed: int, n: int) -> NDArray[np.uint64]:
    """Return n random 64-bit words, from Philox's raw stream.

    numpy promises that this stream never changes between versions; for `permutation` or `integers` it does not.
    """
    return np.random.Philox(seed).random_raw(n)


def stratified(labels: NDArray[np.int64], *sizes: int) -> list[NDArray[np.int64]]:
    """Return disjoint parts of exactly `sizes` images, and last the rest, each as ascending indices.

    Each part has the same class shares, up to one image. The result is a function of `labels` [N] and `sizes` alone.
    `sizes` must leave some images of each class to the last part.
    """
    counts = np.bincount(labels)
    by_class = np.split(np.lexsort((noise(0, len(labels)), labels)), np.cumsum(counts)[:-1])
    parts: list[list[NDArray[np.int64]]] = [[] for _ in sizes]
    quotas = [_quota(counts, size) for size in sizes]
    for k, members in enumerate(by_class):
        for part, quota in zip(parts, quotas, strict=True):
            part.append(members[: quota[k]])
            members = members[quota[k] :]
        by_class[k] = members
    return [np.sort(np.concatenate(part)) for part in (*parts, by_class)]


def _quota(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return `size` divided over classes in proportion to `counts` [K]; the largest remainders are rounded up."""
    quota, remainder = np.divmod(counts * size, counts.sum())
    quota[np.argsort(-remainder, kind="stable")[: size - quota.sum()]] += 1
    return quota


def _rows(pixels: Tensor, idx: Tensor) -> Tensor:
    """Return the images `idx`, uint16 ones as int16: torch selects from these on every device."""
    return (pixels.view(torch.int16) if pixels.dtype == torch.uint16 else pixels).index_select(0, idx)


def _in_unit_range(x: Tensor) -> Tensor:
    """Return pixels as float32 in [0, 1]; int16 holds the bits of uint16."""
    if x.dtype == torch.float32:
        return x
    if x.dtype == torch.int16:
        return x.to(torch.int32).bitwise_and_(0xFFFF).to(torch.float32).mul_(1 / 65535)
    return x.to(torch.float32).mul_(1 / 255)


def _tensor(array: Array) -> Tensor:
    if isinstance(array, torch.Tensor):
        return array
    with warnings.catch_warnings():
        # Arrays in the object store are read-only, and nothing here writes to them.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
        return torch.from_numpy(array)
