"""The training loop alone: one epoch of a 784-400-20 VAE on MNIST, one core, against its matrix products.

The bound is 3.9 MFLOP an image (forward and twice that backward) at the sgemm speed of the same core, measured beside
each epoch. Needs MNIST under GENSWEEP_DATA.
"""

import statistics
import time

import torch
from lib.results_table import keep

from trainables import MODELS, Data
from trainables.data import load
from trainables.engine.loop import train_epoch
from trainables.engine.state import start

FLOP = 3.9e6  # for an image
CONFIG = {"latent_dim": 20, "width": 400, "net": "mlp", "batch_size": 128, "lr": 1e-3, "beta1": 0.9, "beta2": 0.999}
CONFIG |= {"beta": 1.0, "warmup": 0.0, "free_bits": 0.0, "likelihood": "bernoulli", "epochs": 9, "precision": "fp32"}
CONFIG |= {"steps_per_epoch": 0, "lr_decay": 0.0}


def sgemm() -> float:
    """FLOP per second of a 1024-cubed product: the best of ten."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    times = []
    for _ in range(10):
        began = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - began)
    return 2 * 1024**3 / min(times)


def main() -> None:
    torch.set_num_threads(1)
    run = start(MODELS["vae"], CONFIG, Data(load("mnist").to("cpu")), 0)
    train_epoch(run)  # warm
    rows, ratios = [], []
    for _ in range(5):
        before, done = sgemm(), run.n_images
        began = time.perf_counter()
        train_epoch(run)
        took = time.perf_counter() - began
        speed, n = (before + sgemm()) / 2, run.n_images - done
        ratios.append(took / (FLOP * n / speed))
        rows.append([f"{speed / 1e9:.1f}", f"{took:.2f}", f"{n / took:,.0f}", f"{ratios[-1]:.2f}"])
    rows.append(["median", "", "", f"**{statistics.median(ratios):.2f}**"])
    keep(
        "training_loop",
        "Training loop against its matrix products",
        ["sgemm, GFLOP/s", "epoch, s", "images/s", "epoch / bound"],
        rows,
        "One core, fp32. The bound is what 3.9 MFLOP an image take at the sgemm speed measured beside the epoch.",
    )


if __name__ == "__main__":
    main()
