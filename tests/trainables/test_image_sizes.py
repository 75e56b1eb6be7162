"""The default nets of every model at the image sizes that people have: they build, train and draw."""

import numpy as np
import pytest
import torch
from helpers.trials import small

from trainables import MODELS, Data
from trainables.blocks import Unflatten
from trainables.data import Dataset, Split, load
from trainables.engine.interface import Shape
from trainables.engine.loop import train_epoch
from trainables.engine.state import start
from trainables.errors import UserError

SIZES = (8, 16, 28, 32, 64, 128)
STEPS = 20
FIRST_MAP = {8: 4, 16: 4, 28: 7, 32: 4, 64: 4, 128: 4}  # side of the map that the generator begins with


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def images(size: int, channels: int) -> Dataset:
    """A data set of random images with ten classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, channels, size, size), np.uint8)
    split = Split(torch.from_numpy(pixels), torch.arange(64) % 10)
    return load("digits")._replace(train=split, val=split, test=split)


@pytest.mark.long
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["gan", "cgan"])
def test_image_sizes__conv_trains_and_draws(name: str, size: int, channels: int) -> None:
    model, config = MODELS[name], small(name, epochs=1, steps_per_epoch=STEPS, batch_size=4)
    assert config["net"] == "conv"
    training = start(model, config, Data(images(size, channels).to("cpu")), 0)
    means = train_epoch(training)
    assert training.step == STEPS
    assert all(np.isfinite(list(means.values())))
    assert model.sample is not None
    drawn = model.sample({"g": training.nets["g"].eval()}, torch.randn(3, config["latent_dim"]), torch.arange(3))
    assert drawn.shape == (3, channels, size, size)
    first = next(module for module in training.nets["g"].modules() if isinstance(module, Unflatten))
    assert first.shape[1:] == (FIRST_MAP[size], FIRST_MAP[size])
    assert first.shape[0] * FIRST_MAP[size] == 8 * size // 2  # width 8, doubled at each halving but the first


@pytest.mark.parametrize("name", ["ae", "vae", "cvae"])
@pytest.mark.parametrize("net", ["conv", "pyramid"])
@pytest.mark.parametrize("size", [8, 28, 64])
def test_image_sizes__autoencoders(name: str, net: str, size: int) -> None:
    config = small(name, {"net": net}, epochs=1, steps_per_epoch=2, batch_size=4)
    training = start(MODELS[name], config, Data(images(size, 3).to("cpu")), 0)
    assert all(np.isfinite(list(train_epoch(training).values())))


@pytest.mark.parametrize(
    ("shape", "says"),
    [((1, 30, 30), "halves the image twice, and 30x30 is not a multiple of 4"),
     ((3, 28, 33), "halves the image twice, and 28x33 is not a multiple of 4"),
     ((3, 100, 100), "halves the image 4 times, and 100x100 is not a multiple of 16")],
)  # fmt: skip
def test_image_sizes__refused(shape: Shape, says: str) -> None:
    with pytest.raises(UserError, match=says):
        MODELS["gan"].nets(small("gan"), shape, 10)
