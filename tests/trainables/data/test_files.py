"""The files of the data sets: layouts, checksums, downloads that fail, and everything that can be wrong with a file."""

import hashlib
import pickle
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.datafiles import blank, listing, needs_files, paint, root_of, unpacked

from trainables.data import DATASETS, load
from trainables.data.cifar10 import BINARY_FILES, read_archive, read_binary, read_folder, read_pickled
from trainables.data.download import data_root, default_root
from trainables.data.mnist import FASHION, FILES, KMNIST, MNIST, Source
from trainables.errors import UserError


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every download fails at once: the proxy is a port of this machine on which nothing listens."""
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY", "GENSWEEP_DATA"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("source", [MNIST, FASHION, KMNIST], ids=lambda source: source.name)
def test_mnist__checksums_equal_torchvision(source: Source) -> None:
    from torchvision import datasets

    theirs = getattr(datasets, source.folder)
    assert theirs.resources == [(f"{name}.gz", md5) for name, md5 in zip(FILES, source.md5, strict=True)]
    assert [label.split(" - ")[0] for label in theirs.classes] == list(source.classes)


@pytest.mark.long
def test_mnist__unpacked_files(tmp_path: Path) -> None:
    unpacked(tmp_path, KMNIST)
    data = load("kmnist", tmp_path)
    assert data.classes[3] == "tsu"
    assert np.bincount(data.val.labels).tolist() == [500] * 10
    assert len({int(p) for p in np.asarray(data.test.pixels)[:, 0, 5, 5]}) == 251
    whole = np.sort(np.concatenate([np.asarray(s.pixels)[:, 0, 9, 9] for s in (data.train, data.val)]))
    assert np.array_equal(whole, np.sort(np.arange(60_000) % 251))


def test_mnist__gz_root_unchanged(tmp_path: Path, offline: None) -> None:
    root = root_of("mnist")
    published = load("mnist", root)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in FILES:
        (raw / f"{name}.gz").symlink_to((root / "MNIST" / "raw" / f"{name}.gz").resolve())
    for path in (raw, raw.parent, tmp_path):
        path.chmod(0o555)
    before = listing(tmp_path)
    assert load("mnist", tmp_path).fingerprint == published.fingerprint
    assert listing(tmp_path) == before
    tmp_path.chmod(0o755)


def test_data_root__order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENSWEEP_DATA", str(tmp_path / "named"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_root(tmp_path) == tmp_path
    assert data_root(None) == tmp_path / "named"
    monkeypatch.delenv("GENSWEEP_DATA")
    assert data_root(None) == default_root() == tmp_path / "cache" / "gensweep" / "data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root(None) == tmp_path / ".cache" / "gensweep" / "data"


def records(n: int) -> bytes:
    """n records of CIFAR-10's binary layout: label i % 10, and pixels i, i + 1, i + 2 in the three planes."""
    i = np.arange(n, dtype=np.uint8)[:, None]
    return np.concatenate([i % 10, np.repeat(np.concatenate([i, i + 1, i + 2], 1), 1024, 1)], 1).tobytes()


def test_cifar10__binary_layout(tmp_path: Path) -> None:
    (tmp_path / "batch.bin").write_bytes(records(20))
    pixels, labels = read_binary(tmp_path / "batch.bin", 20)
    assert pixels.shape == (20, 3, 32, 32)
    assert pixels[4, :, 31, 0].tolist() == [4, 5, 6]
    assert labels.tolist() == [*range(10), *range(10)]


@pytest.mark.slow
def test_cifar10__whole_binary_layout(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-bin").mkdir()
    for k, name in enumerate(BINARY_FILES):
        (tmp_path / "cifar-10-batches-bin" / name).write_bytes(bytes([k]) + bytes(3073 * 10_000 - 2) + bytes([50 + k]))
    data = load("cifar10", tmp_path)
    assert (data.shape, len(data.train), len(data.val), len(data.test)) == ((3, 32, 32), 45_000, 5_000, 10_000)
    assert (data.test.labels[0], data.test.pixels[-1, 2, 31, 31]) == (5, 55)


def test_cifar10__python_layout(tmp_path: Path) -> None:
    i = np.arange(6, dtype=np.uint8)
    batch = {"data": np.repeat(np.stack([i, i + 1, i + 2], 1), 1024, 1), "labels": i.tolist()}
    content = pickle.dumps(batch, protocol=2)
    (tmp_path / "py").mkdir()
    (tmp_path / "py" / "batch").write_bytes(content)
    with tarfile.open(tmp_path / "py.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "py" / "batch", "py/batch")
    md5 = {"batch": hashlib.md5(content).hexdigest()}
    archive_md5 = hashlib.md5((tmp_path / "py.tar.gz").read_bytes()).hexdigest()
    for contents in (read_folder(tmp_path / "py", md5), read_archive(tmp_path / "py.tar.gz", archive_md5, "py", md5)):
        ((pixels, labels),) = read_pickled(contents)
        assert pixels[2, :, 0, 31].tolist() == [2, 3, 4]
        assert labels.tolist() == list(range(6))
    with pytest.raises(UserError, match=r"py/batch is damaged"):
        list(read_folder(tmp_path / "py", {"batch": "0" * 32}))


def junk_gz(root: Path) -> str:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in FILES:
        (raw / f"{name}.gz").write_bytes(b"not what was published")
    return "mnist"


def truncated_raw(root: Path) -> str:
    raw = blank(root, KMNIST)
    with (raw / "t10k-labels-idx1-ubyte").open("r+b") as file:
        file.truncate(9_000)
    return "kmnist"


def swapped_raw(root: Path) -> str:
    raw = blank(root, KMNIST)
    with (raw / "train-images-idx3-ubyte").open("r+b") as file:
        file.write(struct.pack(">4i", 2051, 60_000, 28, 29))
    return "kmnist"


def wrong_label_raw(root: Path) -> str:
    raw = blank(root, KMNIST)
    with (raw / "t10k-labels-idx1-ubyte").open("r+b") as file:
        file.seek(5_000)
        file.write(b"\xff")
    return "kmnist"


def unreadable_raw(root: Path) -> str:
    raw = blank(root, KMNIST)
    (raw / "train-labels-idx1-ubyte").unlink()
    (raw / "train-labels-idx1-ubyte").mkdir()
    return "kmnist"


def missing_and_offline(root: Path) -> str:
    (blank(root, KMNIST) / "t10k-images-idx3-ubyte").unlink()
    return "kmnist"


def damaged_beside_missing(root: Path) -> str:
    junk_gz(root)
    (root / "MNIST" / "raw" / "train-images-idx3-ubyte.gz").unlink()
    return "mnist"


def truncated_cifar(root: Path) -> str:
    (root / "cifar-10-batches-bin").mkdir()
    for name in BINARY_FILES:
        (root / "cifar-10-batches-bin" / name).write_bytes(records(20))
    return "cifar10"


def damaged_cifar_archive(root: Path) -> str:
    (root / "cifar-10-python.tar.gz").write_bytes(b"half a download")
    return "cifar10"


def cifar_batch_missing(root: Path) -> str:
    (root / "cifar-10-batches-py").mkdir()
    return "cifar10"


def broken_image(root: Path) -> str:
    paint(root, {"a": 10, "b": 10})
    path = root / "b" / "7.png"
    path.write_bytes(path.read_bytes()[:60])
    return f"folder:{root}"


BAD_FILES: dict[Callable[[Path], str], str] = {
    junk_gz: r"/MNIST/raw/train-images-idx3-ubyte\.gz is damaged: 22 bytes with MD5 \w+, published is f68b\w+",
    truncated_raw: r"/KMNIST/raw/t10k-labels-idx1-ubyte is damaged: 9,000 bytes, it should have 10,008",
    swapped_raw: r"train-images-idx3-ubyte is damaged: it begins with",
    wrong_label_raw: r"t10k-labels-idx1-ubyte is damaged: it holds the label 255, labels are 0 to 9",
    unreadable_raw: r"kmnist: .*/train-labels-idx1-ubyte cannot be read",
    missing_and_offline: r"kmnist: t10k-images-idx3-ubyte\.gz is missing in .* could not be downloaded .*--data-dir",
    damaged_beside_missing: r"train-labels-idx1-ubyte\.gz is damaged",
    truncated_cifar: r"data_batch_1\.bin is damaged: 61,460 bytes, it should have 30,730,000",
    damaged_cifar_archive: r"cifar-10-python\.tar\.gz is damaged",
    cifar_batch_missing: r"cifar10: .*data_batch_1 cannot be read: No such file",
    broken_image: r"/b/7\.png is not a readable image",
}


@pytest.mark.parametrize("prepare", BAD_FILES, ids=lambda prepare: prepare.__name__)
def test_data_files__damaged(prepare: Callable[[Path], str], tmp_path: Path, offline: None) -> None:
    name = prepare(tmp_path)
    before = listing(tmp_path)
    with pytest.raises(UserError, match=BAD_FILES[prepare]) as error:
        load(name, tmp_path)
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", list(filter(needs_files, DATASETS)))
def test_data_files__bad_directory(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"data directory .*/nowhere does not exist: name one by --data-dir"):
        load(name, tmp_path / "nowhere")
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENSWEEP_DATA", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"data directory .*/file is not a directory"):
        load(name)


@pytest.mark.parametrize("name", list(filter(needs_files, DATASETS)))
def test_download__failure_leaves_no_trace(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"could not be downloaded .*refused.*; put the files there, or name") as error:
        load(name)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
