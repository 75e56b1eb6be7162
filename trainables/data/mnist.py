"""mnist (LeCun et al. 1998), fashion_mnist (Xiao et al. 2017, arXiv:1708.07747) and kmnist (Clanuwat et al. 2018,
arXiv:1812.01718): 60,000 + 10,000 grey 28 x 28 images in IDX files. Layout, downloads and MD5
sums are torchvision's (the sums are copied, because the import takes a second; a test compares them). The .gz files are
verified and unpacked in memory, so they suffice, also in a read-only directory. Of files that are already unpacked,
size and header are checked. val is 5,000 images of the original training set, stratified; test is the original one."""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import Dataset, Split, make, stratified, take
from trainables.data.download import check_root, download, inflate, read_sized
from trainables.errors import UserError

N_TRAIN, N_VAL, N_TEST, SIDE = 60_000, 5_000, 10_000, 28
FILES = {  # name: images in it, and the header of the unpacked file
    "train-images-idx3-ubyte": (N_TRAIN, struct.pack(">4i", 2051, N_TRAIN, SIDE, SIDE)),
    "train-labels-idx1-ubyte": (N_TRAIN, struct.pack(">2i", 2049, N_TRAIN)),
    "t10k-images-idx3-ubyte": (N_TEST, struct.pack(">4i", 2051, N_TEST, SIDE, SIDE)),
    "t10k-labels-idx1-ubyte": (N_TEST, struct.pack(">2i", 2049, N_TEST)),
}


class Source(NamedTuple):
    """A data set of this family: its name here and in torchvision, the MD5 sums of FILES as .gz, its classes."""

    name: str
    folder: str
    md5: tuple[str, str, str, str]
    classes: tuple[str, ...]


MNIST = Source(
    "mnist",
    "MNIST",
    (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    tuple("0123456789"),
)
FASHION = Source(
    "fashion_mnist",
    "FashionMNIST",
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
KMNIST = Source(
    "kmnist",
    "KMNIST",
    (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
)


def mnist(root: Path) -> Dataset:
    """Return handwritten digits, [1, 28, 28]."""
    return _load(MNIST, root)


def fashion_mnist(root: Path) -> Dataset:
    """Return pictures of clothes, [1, 28, 28]."""
    return _load(FASHION, root)


def kmnist(root: Path) -> Dataset:
    """Return cursive hiragana, [1, 28, 28]."""
    return _load(KMNIST, root)


def _load(source: Source, root: Path) -> Dataset:
    folder = _find(source, root)
    images, labels, test_images, test_labels = (
        _read(folder, name, md5) for name, md5 in zip(FILES, source.md5, strict=True)
    )
    val, train = (take(images, labels.astype(np.int64), rows) for rows in stratified(labels.astype(np.int64), N_VAL))
    return make(source.name, source.classes, train, val, Split(test_images, test_labels.astype(np.int64)))


def _find(source: Source, root: Path) -> Path:
    """Return the folder that holds all four files, packed or not; download them if they are missing."""
    check_root(root)
    folder = root / source.folder / "raw"
    for candidate in (folder, folder.parent):
        if not _missing(candidate):
            return candidate
    _check_present(source, folder)
    download(source.name, folder, _missing(folder)[0], lambda: _torchvision(source, root))
    return folder


def _missing(folder: Path) -> list[str]:
    return [f"{name}.gz" for name in FILES if not (folder / f"{name}.gz").exists() and not (folder / name).exists()]


def _check_present(source: Source, folder: Path) -> None:
    """Raise UserError if a file is damaged: it is not replaced by a download."""
    for name, md5 in zip(FILES, source.md5, strict=True):
        if (folder / f"{name}.gz").exists():
            inflate(folder / f"{name}.gz", md5)


def _torchvision(source: Source, root: Path) -> None:
    from torchvision import datasets  # the import takes a second, and only a download needs it

    getattr(datasets, source.folder)(str(root), download=True)


def _read(folder: Path, name: str, md5: str) -> NDArray[np.uint8]:
    """Return images, uint8 [N, 1, 28, 28], or labels, uint8 [N], by the name of the file."""
    n_images, header = FILES[name]
    is_images = "images" in name
    packed = folder / f"{name}.gz"
    if packed.exists():
        content = inflate(packed, md5)
    else:
        n_bytes = len(header) + n_images * (SIDE * SIDE if is_images else 1)
        content = read_sized(folder / name, n_bytes, header)
    flat = np.frombuffer(content, np.uint8, offset=len(header))
    if is_images:
        return flat.reshape(n_images, 1, SIDE, SIDE)
    if flat.max() > 9:
        raise UserError(f"{folder / name} is damaged: it holds the label {flat.max()}, labels are 0 to 9; replace it")
    return flat
