"""The data room: contracts over every data set whose files are here (see datafiles.py), splits, batches, pickling."""

import pickle
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.datafiles import real, unpacked

from trainables.data import DATASETS, Split, limited, load
from trainables.data.dataset import fingerprint, stratified
from trainables.data.mnist import MNIST
from trainables.errors import UserError

PUBLISHED = {  # images to train on, to tune by and to test on; a new data set needs no entry
    "digits": (1257, 180, 360),
    "mnist": (55_000, 5_000, 10_000),
    "fashion_mnist": (55_000, 5_000, 10_000),
    "kmnist": (55_000, 5_000, 10_000),
    "cifar10": (45_000, 5_000, 10_000),
    "stacked_mnist": (128_000, 5_000, 10_000),
    "parabola": (25_000, 5_000, 5_000),
}


@pytest.mark.parametrize("name", sorted(DATASETS.keys() - {"none"}))
def test_datasets__contract(name: str) -> None:
    data = real(name)
    assert data.name == name
    sizes = tuple(len(split) for split in (data.train, data.val, data.test))
    assert sizes == PUBLISHED.get(name, sizes)
    assert min(sizes) > 0
    assert re.fullmatch("[0-9a-f]{64}", data.fingerprint)
    for split in (data.train, data.val, data.test):
        labels = np.asarray(split.labels)
        assert labels.dtype == np.int64
        assert set(np.unique(labels)) <= set(range(len(data.classes)))
        assert split.pixels.dtype == np.uint8
        assert np.asarray(split.pixels).flags.c_contiguous
        x, y = split.to("cpu").gather(torch.tensor([3, 0, 3]), "cpu")
        assert (x.shape, x.dtype, y.dtype) == ((3, *data.shape), torch.float32, torch.int64)
        assert torch.equal(x[0], x[2])
        many = split.to("cpu").gather(torch.arange(100), "cpu")[0]
        assert 0 <= float(many.min()) < 0.1
        assert 0.5 < float(many.max()) <= 1
        assert y.tolist() == [labels[3], labels[0], labels[3]]
    assert len(np.unique(data.val.labels)) == len(data.classes) or name == "stacked_mnist"


def test_digits__equal_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    bunch, data = load_digits(), load("digits")
    splits = (data.train, data.val, data.test)
    ours = np.concatenate([np.asarray(split.pixels) for split in splits]).reshape(-1, 64)
    theirs = np.rint(bunch.data / 16 * 255).astype(np.uint8)
    assert sorted(map(bytes, ours)) == sorted(map(bytes, theirs))
    assert (ours.min(), ours.max()) == (0, 255)
    assert load("digits").fingerprint == data.fingerprint
    assert data.fingerprint == "b056f42d9d66" + data.fingerprint[12:]  # the same on every machine


def test_fingerprint__sees_one_pixel_and_one_label() -> None:
    pixels, labels = np.zeros((4, 1, 2, 2), np.uint8), np.zeros(4, np.int64)
    prints = {fingerprint([Split(pixels, labels)])}
    for change in (pixels, labels):
        change.flat[3] = 1
        prints.add(fingerprint([Split(pixels, labels)]))
    prints.add(fingerprint([Split(pixels[:2], labels[:2]), Split(pixels[2:], labels[2:])]))
    assert len(prints) == 4


def test_stratified__by_hand() -> None:
    labels = np.array([0] * 50 + [1] * 30 + [2] * 20)
    test, val, train = stratified(labels, 10, 20)
    assert [np.bincount(labels[part]).tolist() for part in (test, val, train)] == [[5, 3, 2], [10, 6, 4], [35, 21, 14]]
    assert sorted(np.concatenate([test, val, train])) == list(range(100))
    assert np.bincount(labels[stratified(labels, 7)[0]]).tolist() == [4, 2, 1]  # 3.5, 2.1, 1.4: the odd one to 3.5


def test_gather__scales_and_stacks() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1)
    x, _ = Split(ramp, np.zeros(256, np.int64)).to("cpu").gather(torch.arange(256), "cpu")
    assert torch.allclose(x.flatten(), torch.arange(256) / 255, atol=1e-7)
    assert x[-1].item() == 1
    planes = np.array([[5, 9, 7], [0, 1, 2]])
    x, y = Split(ramp, np.array([40, 41]), planes).to("cpu").gather(torch.tensor([1, 0]), "cpu")
    assert (x.flatten() * 255).round().tolist() == [0, 1, 2, 5, 9, 7]
    assert (x.shape, y.tolist()) == ((2, 3, 1, 1), [41, 40])


def test_gather__before_to() -> None:
    with pytest.raises(AssertionError, match=r"call \.to\(device\) first"):
        load("digits").train.gather(torch.tensor([0]), "cpu")


def test_datasets__out_of_band_pickle() -> None:
    data, buffers = load("digits"), list[pickle.PickleBuffer]()
    text = pickle.dumps(data, protocol=5, buffer_callback=buffers.append)
    assert len(text) < 5_000  # the pixels are in the buffers
    back = pickle.loads(text, buffers=[bytes(buffer.raw()) for buffer in buffers])
    assert back.shape == (1, 8, 8)
    assert not back.train.pixels.flags.writeable
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split = back.to("cpu").train
    assert split.pixels.data_ptr() == back.train.pixels.ctypes.data  # a view, not a copy


@pytest.mark.long
def test_stacked_mnist__classes(tmp_path: Path) -> None:
    unpacked(tmp_path, MNIST)
    data = load("stacked_mnist", tmp_path)
    grey = load("mnist", tmp_path)
    assert (data.shape, len(data.classes), data.classes[7]) == ((3, 28, 28), 1000, "007")
    x, y = data.test.to("cpu").gather(torch.arange(100), "cpu")
    digit = {
        int(p): int(k) for p, k in zip(np.asarray(grey.test.pixels)[:250, 0, 0, 0], grey.test.labels, strict=False)
    }
    assert data.test.planes is not None
    source = np.asarray(grey.test.labels)[np.asarray(data.test.planes)[:100]]
    assert y.tolist() == [100 * r + 10 * g + b for r, g, b in source]
    assert digit[7] == 7
    first = np.asarray(grey.test.pixels)[np.asarray(data.test.planes)[0], 0]  # [3, 28, 28]
    assert torch.equal((x[0] * 255).round().to(torch.uint8), torch.from_numpy(first))
    assert data.fingerprint == load("stacked_mnist", tmp_path).fingerprint
    assert len(np.unique(data.train.labels)) == 1000


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["digits", "stacked_mnist"])
def test_gather__gpu_equals_cpu(name: str) -> None:
    data, idx = real(name), torch.tensor([5, 1, 4])
    on_cpu, on_gpu = data.to("cpu"), data.to("cuda")
    assert isinstance(on_gpu.train.pixels, torch.Tensor)
    assert on_gpu.train.pixels.is_cuda
    for split in (on_gpu.train, on_cpu.train):
        x, y = split.gather(idx, "cuda")
        assert x.is_cuda
        assert torch.allclose(x.cpu(), on_cpu.train.gather(idx, "cpu")[0], atol=1e-7)
        assert torch.equal(y.cpu(), on_cpu.train.gather(idx, "cpu")[1])


def test_limited__keeps_class_shares() -> None:
    data = real("digits")
    some = limited(data, 200)
    assert len(some.train) == 200
    assert (some.fingerprint, some.val) == (data.fingerprint, data.val)
    whole, part = (np.bincount(np.asarray(one.train.labels)) / len(one.train) for one in (data, some))
    assert abs(whole - part).max() < 1 / 200
    assert limited(data, None) is data
    with pytest.raises(UserError, match="only 1257 training images"):
        limited(data, 1258)


def test_parabola__on_its_curve() -> None:
    x, y = np.asarray(load("parabola").val.pixels).reshape(-1, 2).T / 255.0
    assert abs(y - (2 * x - 1) ** 2).max() < 0.01  # the grid of 256 levels
    assert np.asarray(load("parabola").val.labels).mean() == 0.5
