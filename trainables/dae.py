"""Denoising autoencoder: reconstruct the clean image from a corrupted one (Vincent et al. 2010, JMLR 11, §4.1).

Corruptions C(x~|x), §3.3: ``gaussian``, x~ = x + N(0, sigma^2); ``masking``, each pixel is set to 0 with probability
sigma; ``salt_and_pepper``, each is set with probability sigma to 0 or 1, by a fair coin. An error on the
trial's own corruption would mean something else for each sigma. So ``recon_mse`` always compares with the clean image,
from inputs with the same three levels of Gaussian noise, whatever the trial was trained on.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from trainables import ae
from trainables.config_schema import Config
from trainables.engine.interface import Batch, Hp, Measure, Nets, Noise, Shape, Show, Turn
from trainables.errors import UserError
from trainables.metrics.reconstruction import reconstruction
from trainables.random_streams import Draw

LEVELS = (0.1, 0.3, 0.5)  # sd of the noise that every trial is measured at


def _gaussian(x: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    return x + sigma * noise


def _masking(x: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    return torch.where(noise < sigma, torch.zeros_like(x), x)


def _salt_and_pepper(x: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    return torch.where(noise < sigma, (noise < sigma / 2).to(x.dtype), x)


CORRUPTIONS: dict[str, tuple[Callable[[Tensor, Tensor, Tensor], Tensor], Literal["normal", "uniform"]]] = {
    "gaussian": (_gaussian, "normal"),
    "masking": (_masking, "uniform"),
    "salt_and_pepper": (_salt_and_pepper, "uniform"),
}


def turns(config: Config, shape: Shape) -> tuple[Turn, ...]:
    """Return the one turn, which minimises the squared error from corrupted images to clean ones."""
    corrupt, kind = CORRUPTIONS[config["corruption"]]

    def loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        output = ae.reconstruct(nets, corrupt(batch.x, noise["x"], hp["sigma"]))
        return (output - batch.x).square().sum() / batch.x.shape[0], {}

    return (Turn("", ("encoder", "decoder"), "lr", 1, {"x": Draw(kind, shape)}, loss),)


def measure(config: Config, shape: Shape) -> tuple[Measure, dict[str, Draw]]:
    """Return the measure of held-out images: their reconstruction error, averaged over the LEVELS of noise."""

    def mse(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> dict[str, Tensor]:
        each = [reconstruction(ae.reconstruct(nets, batch.x + level * noise["x"]), batch.x) for level in LEVELS]
        return {key: torch.stack([values[key] for values in each]).mean(0) for key in each[0]}

    return mse, {"x": Draw("normal", shape)}


def show(config: Config, shape: Shape) -> tuple[Show, dict[str, Draw]]:
    """Return what to draw: each image with noise beside its reconstruction."""

    def pairs(nets: Nets, batch: Batch, noise: Noise) -> Tensor:
        noisy = batch.x + LEVELS[1] * noise["x"]
        return torch.stack([noisy.clamp(0, 1), ae.reconstruct(nets, noisy)], 1).flatten(0, 1)

    return pairs, {"x": Draw("normal", shape)}


def check(config: Config) -> None:
    """Raise UserError if sigma is a share of the pixels and above 1."""
    if config["corruption"] != "gaussian" and config["sigma"] > 1:
        raise UserError(f"sigma={config['sigma']} with corruption={config['corruption']}: a share is at most 1")


MODEL = ae.MODEL._replace(
    name="dae",
    keys=(*ae.MODEL.keys, "sigma", "corruption"),
    turns=turns,
    measure=measure,
    show=show,
    check=check,
    doc=__doc__,
)
