"""The common example's VAE (784-400-20, batch 128, Adam 1e-3, Bernoulli on grey pixels) on MNIST: nats on test images.

Public logs of pytorch/examples print 105.6 nats an image after ten epochs on all 60,000 training images; ours keeps
5,000 of them for validation. Three seeds. Needs MNIST under GENSWEEP_DATA.
"""

import statistics
import time

import torch
from lib.results_table import keep
from training_loop import CONFIG

from trainables import MODELS, Data
from trainables.data import load
from trainables.engine.evaluate import measure_held_out
from trainables.engine.loop import train_epoch
from trainables.engine.state import start

EPOCHS, SEEDS = 10, 3


def main() -> None:
    torch.set_num_threads(1)
    model, data = MODELS["vae"], Data(load("mnist").to("cpu"))
    rows, last = [], []
    for seed in range(SEEDS):
        began = time.perf_counter()
        run = start(model, CONFIG, data, seed)
        nats = []
        for _ in range(EPOCHS):
            train_epoch(run)
            with torch.no_grad():
                nats.append(measure_held_out(model, CONFIG, data, run.nets, run.hp, "test", 0)["nats"].mean().item())
        last.append(nats[-1])
        rows.append(
            [str(seed), f"{nats[0]:.2f}", f"{nats[3]:.2f}", f"{nats[-1]:.2f}", f"{time.perf_counter() - began:.0f}"]
        )
    rows.append(["mean", "", "", f"**{statistics.mean(last):.2f}**", ""])
    columns = ["seed", "epoch 1", "epoch 4", "epoch 10", "s"]
    keep("vae_reference", "Test nats of the common VAE example on MNIST", columns, rows)


if __name__ == "__main__":
    main()
