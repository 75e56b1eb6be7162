"""How much of a trial's time evaluation takes in the default GAN sweep on MNIST.

One core, as such a trial gets. A tenth of an epoch of training, a middle evaluation and the last one (which measures
more) are timed in CPU seconds, which a busy machine stretches less than wall time; the share is that of a whole trial,
which is evaluated after every one of its ten epochs. Needs MNIST under GENSWEEP_DATA.
"""

import os
import time
from collections.abc import Callable

import torch
from lib.results_table import keep

from search_spaces import SPACES
from search_spaces.override import apply, default
from trainables import MODELS, Data
from trainables.data import Split, load
from trainables.engine.evaluate import evaluate
from trainables.engine.loop import train_epoch
from trainables.engine.state import start
from trainables.metrics import build_evaluator, load_extractor

EPOCHS, ROUNDS, PART, BUDGET = 10, 2, 10, 0.15


def cpu_s(run: Callable[[], object]) -> float:
    """CPU seconds, the least of the rounds."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        run()
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    torch.set_num_threads(1)
    data = load("mnist")
    evaluator = build_evaluator(data, seed=0)
    n = len(data.train) // PART
    data = data._replace(train=Split(data.train.pixels[:n], data.train.labels[:n]))
    config = default(apply(SPACES["gan"], {}, EPOCHS))[0]
    run = start(MODELS["gan"], config, Data(data.to("cpu"), evaluator, load_extractor(evaluator, "cpu")), 0)
    epoch = PART * cpu_s(lambda: train_epoch(run))
    middle = cpu_s(lambda: evaluate(run))
    run.epoch = EPOCHS
    last = cpu_s(lambda: evaluate(run))
    spent = (EPOCHS - 1) * middle + last  # about ten evaluations are the default
    share = spent / (spent + EPOCHS * epoch)
    rows = [
        ["an epoch of training", f"{epoch:.2f}"],
        ["an evaluation", f"{middle:.2f}"],
        ["the last evaluation", f"{last:.2f}"],
        [f"evaluation's share of {EPOCHS} epochs with as many evaluations", f"**{share:.1%}**"],
    ]
    notes = f"Budget: {BUDGET:.0%}. Load average while it ran: {os.getloadavg()[0]:.1f}."
    keep("evaluation_share", "Evaluation in the default GAN sweep on MNIST", ["what", "CPU, s"], rows, notes)


if __name__ == "__main__":
    main()
