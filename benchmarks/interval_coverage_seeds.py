"""Does the interval of ten fresh seeds hold the mean of many? The question of interval_coverage_sweeps.py without the
search, and so for many more intervals.

GROUPS times ten trainings of one configuration of that benchmark, on the seeds that finalize would give a sweep of the
seed 1000, 1001, ...; the truth is the mean of them all. Besides the count it gives F, the variance between groups
against that within: 1 where the seeds of a group have nothing in common, as they should.

    python benchmarks/interval_coverage_seeds.py [GROUPS]
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from interval_coverage_sweeps import LEVEL, MODEL, SEEDS, SET, SLOTS
from lib.results_table import keep
from scipy.stats import binom, f

from analysis.base.paired_tests import interval
from gensweep.sweep.finalize import final_seed
from trainables import MODELS, Data
from trainables.data import load
from trainables.engine.evaluate import generate, prior_labels
from trainables.engine.loop import train_epoch
from trainables.engine.state import start
from trainables.metrics import build_evaluator, load_extractor
from trainables.metrics.extract import run_extractor
from trainables.metrics.fid import Moments, frechet, moments
from trainables.random_streams import derive_seed

GROUPS, FIRST, LR = 300, 1000, 0.004
OWN = {"beta1": 0.9, "beta2": 0.999, "precision": "fp32", "warmup": 0.0, "free_bits": 0.0}


@cache
def judged() -> tuple[Data, Moments]:
    """What every training of this process is given, and the moments of the real images."""
    torch.set_num_threads(1)
    images = load("digits")
    evaluator = build_evaluator(images, seed=FIRST)
    data = Data(images.to("cpu"), evaluator, load_extractor(evaluator, "cpu"))
    return data, Moments(torch.tensor(evaluator.mean), torch.tensor(evaluator.cov))


@torch.no_grad()
def fid(run: Any, data: Data, real: Moments) -> float:
    evaluator = data.evaluator
    assert evaluator is not None
    assert data.extractor is not None
    for net in run.nets.values():
        net.eval()
    labels = prior_labels(evaluator.class_prior.tolist(), evaluator.seed, evaluator.n_samples, "cpu")
    images = (x for x, _ in generate(run.model, run.config, run.nets, run.data.images.shape, labels, evaluator.seed))
    features, _ = run_extractor(data.extractor, images, evaluator.n_samples)
    return frechet(moments(features), real)


def read(text: str) -> Any:
    """A value of `--set`: a number where it is one."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def group(seed: int) -> list[float]:
    """The FIDs of the fresh seeds that a sweep of this seed would be proved with."""
    data, real = judged()
    model = MODELS[MODEL]
    config = OWN | {key: read(text) for key, text in SET.items()} | {"lr": LR}
    found = []
    for number in range(SEEDS):
        run = start(model, config, data, derive_seed(final_seed(seed), "trial", number))
        train_epoch(run)
        found.append(fid(run, data, real))
    return found


def main() -> None:
    groups, began = int(sys.argv[1]) if len(sys.argv) > 1 else GROUPS, time.monotonic()
    with ProcessPoolExecutor(SLOTS, mp_context=get_context("spawn")) as pool:
        scores = np.array(list(pool.map(group, range(FIRST, FIRST + groups))))  # [groups, SEEDS]
    inside = sum(low <= scores.mean() <= high for low, high in map(interval, scores))
    low, high = (int(end) for end in binom.interval(LEVEL, groups, LEVEL))
    ratio = SEEDS * scores.mean(1).var(ddof=1) / scores.var(1, ddof=1).mean()
    p = f.sf(ratio, groups - 1, groups * (SEEDS - 1))
    keep(
        "interval_coverage_seeds",
        f"Of {groups} groups of {SEEDS} fresh seeds: what lies in the 95 % interval",
        ["what", "in the interval", "share", "of a right interval", "F between groups"],
        [
            [
                "the mean of all seeds",
                f"{inside} of {groups}",
                f"{inside / groups:.1%}",
                f"{low} to {high}",
                f"{ratio:.2f} (p {p:.2f})",
            ]
        ],
        f"{(time.monotonic() - began) / 60:.1f} minutes.\n\n{__doc__}",
    )
    if inside < low:
        sys.exit("the interval holds the mean too rarely")


if __name__ == "__main__":
    main()
