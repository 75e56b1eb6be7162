"""The default GAN step against the same nets in plain torch: milliseconds a step on Fashion-MNIST, on one core.

The plain loop is what a person writes after the PyTorch DCGAN example: nn.Sequential nets, torch.optim.Adam, images in
memory, one update of D on real and generated images, one of G, and no averaged weights. Both run in turn, five times.
Needs Fashion-MNIST under GENSWEEP_DATA.
"""

import statistics
import time
from collections.abc import Callable

import torch
from lib.results_table import keep
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from search_spaces import SPACES
from search_spaces.override import apply, default
from trainables import MODELS, Data
from trainables.data import load
from trainables.engine.loop import train_epoch
from trainables.engine.state import start

STEPS, ROUNDS = 40, 5


def plain_nets(z: int, w: int) -> tuple[nn.Module, nn.Module]:
    """Return DCGAN's nets for images of 28x28 pixels."""
    g = nn.Sequential(
        nn.Linear(z, 2 * w * 49, bias=False), nn.Unflatten(1, (2 * w, 7, 7)), nn.BatchNorm2d(2 * w), nn.ReLU(),
        nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(),
        nn.ConvTranspose2d(w, 1, 4, 2, 1), nn.Sigmoid(),
    )  # fmt: skip
    d = nn.Sequential(
        nn.Conv2d(1, w, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * w), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(2 * w * 49, 1),
    )  # fmt: skip
    return g, d


def plain_loop(images: Tensor, z: int, w: int, batch: int) -> Callable[[], None]:
    """Return a function that makes STEPS steps."""
    g, d = plain_nets(z, w)
    of_g, of_d = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (g, d))

    def steps() -> None:
        for _ in range(STEPS):
            real = 2 * images[torch.randint(len(images), (batch,))].float() / 255 - 1
            of_d.zero_grad()
            fake = g(torch.randn(batch, z))
            on_real, on_fake = d(real), d(2 * fake.detach() - 1)
            (bce(on_real, torch.ones_like(on_real)) + bce(on_fake, torch.zeros_like(on_fake))).backward()  # type: ignore[no-untyped-call]
            of_d.step()
            of_g.zero_grad()
            outputs = d(2 * g(torch.randn(batch, z)) - 1)
            bce(outputs, torch.ones_like(outputs)).backward()  # type: ignore[no-untyped-call]
            of_g.step()

    return steps


def timed(run: Callable[[], object]) -> float:
    """Return milliseconds a step."""
    began = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - began) / STEPS


def main() -> None:
    torch.set_num_threads(1)
    data = Data(load("fashion_mnist").to("cpu"))
    config = {**default(apply(SPACES["gan"], {}))[0], "steps_per_epoch": STEPS}
    training = start(MODELS["gan"], config, data, 0)
    pixels = data.images.train.pixels
    assert isinstance(pixels, Tensor)
    plain = plain_loop(pixels, config["latent_dim"], config["width"], config["batch_size"])
    train_epoch(training)  # warm
    plain()
    rows, ratios = [], []
    for _ in range(ROUNDS):
        ours, theirs = timed(lambda: train_epoch(training)), timed(plain)
        ratios.append(ours / theirs)
        rows.append([f"{ours:.1f}", f"{theirs:.1f}", f"{ratios[-1]:.2f}"])
    rows.append(["median", "", f"**{statistics.median(ratios):.2f}**"])
    head = ["gensweep, ms a step", "plain torch, ms a step", "ratio"]
    keep("gan_step", "The default GAN step against plain torch", head, rows, "One core, fp32, with averaged weights.")


if __name__ == "__main__":
    main()
