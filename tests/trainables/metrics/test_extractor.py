"""The extractors: the shipped ones against the real data, those trained at run time, and the net itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from helpers.datafiles import real

from trainables.data import Dataset
from trainables.data.dataset import Split, make
from trainables.metrics import Evaluator, build_evaluator, load_extractor
from trainables.metrics.evaluator_setup import find_extractor
from trainables.metrics.extractor import SmallExtractor, folded, make_arch
from trainables.metrics.extractor_file import SHIPPED, Trained, read, write
from trainables.metrics.train_extractor import Recipe, accuracy, fit, one_thread, shifted, warped

PROMISED = {"digits": 0.98, "mnist": 0.992, "fashion_mnist": 0.915}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.mark.parametrize("name", PROMISED)
def test_extractor__shipped_weights(name: str) -> None:
    path = SHIPPED / f"{name}.safetensors"
    trained = read(path)  # checks that the id is the hash
    assert path.stat().st_size <= 600_000
    assert trained.data == name
    assert "trainables.metrics.fit" in trained.command
    assert trained.accuracy >= PROMISED[name]


@pytest.mark.parametrize("name", PROMISED)
def test_extractor__shipped_accuracy(name: str) -> None:
    data = real(name)
    shipped = read(SHIPPED / f"{name}.safetensors")
    assert shipped.fingerprint == data.fingerprint
    evaluator = build_evaluator(data, seed=0)
    assert evaluator.extractor_id == shipped.id
    found = accuracy(load_extractor(evaluator, "cpu"), data.test.to("cpu"))
    assert found >= PROMISED[name]
    assert found == pytest.approx(evaluator.accuracy, abs=2 / len(data.test))  # convolutions round by machine


def test_extractor__damaged_file(tmp_path: Path) -> None:
    whole = (SHIPPED / "digits.safetensors").read_bytes()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "bent").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    for name, message in {"cut": "holds no extractor", "bent": "is damaged"}.items():
        with pytest.raises(ValueError, match=message):
            read(tmp_path / name)


def other_data(n: int = 64, shape: tuple[int, int, int] = (1, 8, 8)) -> Dataset:
    """Two classes that the first plane tells apart, under a name that has no shipped extractor."""
    labels = np.arange(n) % 2
    pixels = np.random.default_rng(0).integers(0, 100, (n, *shape), dtype=np.uint8)
    pixels[labels == 1, 0] += 150
    split = Split(pixels, labels.astype(np.int64))
    return make("folder:dots", ("dark", "red"), split, split, split)


class Kept(NamedTuple):
    """A data set, the cache that its first evaluator filled, that evaluator, and the epochs that `progress` got."""

    data: Dataset
    cache: Path
    evaluator: Evaluator
    epochs: list[int]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    data, cache, epochs = other_data(), tmp_path_factory.mktemp("cache"), list[int]()
    evaluator = build_evaluator(data, seed=0, cache_dir=cache, progress=lambda epoch, *_: epochs.append(epoch))
    return Kept(data, cache, evaluator, epochs)


@pytest.mark.long
def test_extractor__trained_once(kept: Kept) -> None:
    features = f"{kept.data.fingerprint}-{kept.evaluator.extractor_id}.features.safetensors"
    assert {path.name for path in kept.cache.iterdir()} == {f"{kept.data.fingerprint}.safetensors", features}
    assert kept.epochs == list(range(1, 61))
    assert kept.evaluator.accuracy == 1.0
    again = build_evaluator(
        kept.data, seed=1, cache_dir=kept.cache, progress=lambda epoch, *_: kept.epochs.append(epoch)
    )
    assert again.extractor_id == kept.evaluator.extractor_id
    assert len(kept.epochs) == 60
    np.testing.assert_array_equal(again.mean, kept.evaluator.mean)
    np.testing.assert_array_equal(again.train.features, kept.evaluator.train.features)


@pytest.mark.long
def test_extractor__shipped_for_its_own_images_only(kept: Kept) -> None:
    impostor = kept.data._replace(name="digits")
    assert find_extractor(impostor, cache_dir=kept.cache, progress=None).id == kept.evaluator.extractor_id


@pytest.mark.long
def test_extractor__damaged_cache_replaced(kept: Kept) -> None:
    path = kept.cache / f"{kept.data.fingerprint}.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    found = find_extractor(kept.data, cache_dir=kept.cache, progress=None)
    assert found.id == kept.evaluator.extractor_id == read(path).id


def test_extractor__fit_is_reproducible() -> None:
    data = other_data(shape=(3, 32, 32))
    recipe = Recipe(epochs=2, batch_size=16, lr=1e-3, weight_decay=0.0, shift=1)
    before = torch.get_rng_state()
    ids = {fit(data, recipe, command="").id for _ in range(2)}
    assert len(ids) == 1
    assert torch.equal(torch.get_rng_state(), before)


def test_extractor__folding_keeps_the_function() -> None:
    arch = make_arch((3, 9, 9), 4)
    net = SmallExtractor(arch, training=True)
    x = torch.rand(16, 3, 9, 9)
    net(x)  # moves the running statistics
    plain = folded(net, arch)
    torch.testing.assert_close(plain(x).logits, net.eval()(x).logits, rtol=1e-4, atol=1e-5)


def test_augment__shifts() -> None:
    x = torch.zeros(200, 2, 5, 5)
    x[:, :, 2, 2] = 1
    moved = shifted(x, 1)
    assert torch.equal(moved[:, 0], moved[:, 1])
    assert moved[:, 0, 1:4, 1:4].flatten(1).sum(1).eq(1).all()
    assert moved[:, 0, 1:4, 1:4].sum(0).gt(0).all()  # all nine places occur


def test_augment__warps() -> None:
    x = torch.zeros(100, 1, 5, 5)
    x[:, 0, 2, 2] = 1
    x[:, 0, 2, 4] = 1
    moved = warped(x, 0.3)
    assert moved[:, 0, 2, 2].sub(1).abs().max() < 1e-5  # the centre stays
    assert moved[:, 0, 2, 4].std() > 0.1  # the rim does not
    assert warped(x, 0.0) is x


def test_extractor__stacked_mnist_classes() -> None:
    arch = make_arch((1, 28, 28), 10)
    one, three = SmallExtractor(arch).eval(), SmallExtractor({**arch, "planes": 3}).eval()
    three.load_state_dict(one.state_dict())
    x = torch.rand(4, 3, 28, 28)
    found = three(x)
    planes = [one(x[:, k : k + 1]) for k in range(3)]
    assert found.logits.shape == (4, 1000)
    red, green, blue = (plane.logits.argmax(1) for plane in planes)
    assert torch.equal(found.logits.argmax(1), 100 * red + 10 * green + blue)
    torch.testing.assert_close(found.features, torch.cat([plane.features for plane in planes], 1))


def test_extractor__stacked_mnist_uses_mnist() -> None:
    evaluator = build_evaluator(real("stacked_mnist"), seed=0)
    mnist = read(SHIPPED / "mnist.safetensors")
    assert evaluator.extractor_id == mnist.id
    assert evaluator.mean.shape == (192,)
    assert evaluator.accuracy == pytest.approx(mnist.accuracy**3)
    assert len(evaluator.class_prior) == 1000


def test_extractor__weights_round_trip(tmp_path: Path) -> None:
    trained = Trained({"a": np.ones(3, np.float32)}, {"size": [8, 8]}, 0.5, "digits", "f", {"epochs": 1}, "by hand")
    write(trained, tmp_path / "sub" / "w.safetensors")
    found = read(tmp_path / "sub" / "w.safetensors")
    assert found._replace(weights={}) == trained._replace(weights={})
    np.testing.assert_array_equal(found.weights["a"], trained.weights["a"])
