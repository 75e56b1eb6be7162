"""cifar10 (Krizhevsky 2009): 50,000 + 10,000 colour 32 x 32 images. The published binary layout is preferred if it is
in the data directory; its files have no published checksums, so only their size is checked. Otherwise the Python layout
is read, unpacked or from the .tar.gz. These files are pickles, and each is unpickled only if its bytes have the MD5 sum
that torchvision lists for it. val is 5,000 images of the training set, stratified; test is the original."""

import io
import pickle
import tarfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import Dataset, Split, make, stratified, take
from trainables.data.download import check_root, download, read_sized, read_verified, verify
from trainables.errors import UserError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BINARY_FOLDER = "cifar-10-batches-bin"
BINARY_FILES = (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin")
N_BATCH, N_VAL, SHAPE = 10_000, 5_000, (3, 32, 32)

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]  # [N, 3, 32, 32], [N]


def cifar10(root: Path) -> Dataset:
    """Return the data set [3, 32, 32]; raise UserError if a file is damaged, or missing and not downloadable."""
    check_root(root)
    binary = root / BINARY_FOLDER
    batches = [read_binary(binary / name) for name in BINARY_FILES] if binary.is_dir() else list(_published(root))
    images, labels = (np.concatenate(part) for part in zip(*batches[:5], strict=True))
    val, train = (take(images, labels, rows) for rows in stratified(labels, N_VAL))
    return make("cifar10", CLASSES, train, val, Split(*batches[5]))


def read_binary(path: Path, n_images: int = N_BATCH) -> Batch:
    """Return a batch in the binary layout: `n_images` records of one label byte and 3,072 pixels."""
    records = np.frombuffer(read_sized(path, n_images * 3073), np.uint8).reshape(n_images, 3073)
    if records[:, 0].max() > 9:
        raise UserError(f"{path} is damaged: it holds the label {records[:, 0].max()}, labels are 0 to 9; replace it")
    return np.ascontiguousarray(records[:, 1:]).reshape(-1, *SHAPE), records[:, 0].astype(np.int64)


def read_pickled(contents: Iterable[bytes]) -> Iterator[Batch]:
    """Yield batches in the Python layout, from bytes that must already have been verified."""
    for content in contents:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns of how arrays were pickled in 2009
            batch = pickle.loads(content, encoding="latin1")
        yield np.ascontiguousarray(batch["data"]).reshape(-1, *SHAPE), np.array(batch["labels"], np.int64)


def read_folder(folder: Path, md5: dict[str, str]) -> Iterator[bytes]:
    """Yield the bytes of the files in `md5`, verified."""
    return (read_verified(folder / name, wanted) for name, wanted in md5.items())


def read_archive(archive: Path, archive_md5: str, inside: str, md5: dict[str, str]) -> Iterator[bytes]:
    """Yield the bytes of the files in `md5`, verified, from the folder `inside` of a .tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(read_verified(archive, archive_md5))) as tar:
        for name, wanted in md5.items():
            member = tar.extractfile(f"{inside}/{name}")
            assert member is not None, f"{archive} has its published MD5 sum and no file {name}"
            yield verify(archive / name, member.read(), wanted)


def _published(root: Path) -> Iterator[Batch]:
    from torchvision.datasets import CIFAR10, utils  # the import takes a second

    archive, folder = root / CIFAR10.filename, root / CIFAR10.base_folder
    md5 = dict(CIFAR10.train_list + CIFAR10.test_list)
    if archive.exists() and not folder.exists():
        return read_pickled(read_archive(archive, CIFAR10.tgz_md5, folder.name, md5))
    if not folder.exists():
        parts = (CIFAR10.url, str(root), None, CIFAR10.filename, CIFAR10.tgz_md5)
        download("cifar10", root, CIFAR10.filename, lambda: utils.download_and_extract_archive(*parts))
    return read_pickled(read_folder(folder, md5))
