"""How well does a judge that needs no labels rank trials, compared with the one that was trained on the labels?

    gensweep run vae --dataset digits --trials 16 --scheduler none --set epochs=15 --name vae-digits
    python benchmarks/judges.py results/vae-digits ...

For every trial of the sweeps samples are drawn from its best weights, and their FID is computed by four extractors:
trained on the labels (the default where there are labels), trained to tell images apart (exemplars.py, the default
without labels), with random weights (`--extractor random`), and the encoder of an autoencoder. Prints Spearman's rank
correlation of the last three with the first over the trials of a sweep, with a bootstrap interval of 95 %, and the
place that the label-trained one gives to each one's winner.

A second table asks what a small set of real images can still rank: the label-trained FID and KID against REPEATS random
sets of SIZES real images, and the mean rank correlation of each with the FID against all of them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from analysis.nets import rebuild
from analysis.read import dataset, results
from trainables.data import Dataset
from trainables.errors import UserError
from trainables.metrics import build_evaluator, load_extractor
from trainables.metrics.chosen_extractor import random_weights
from trainables.metrics.evaluator_setup import find_extractor
from trainables.metrics.exemplars import N_TRAINED
from trainables.metrics.extract import run_extractor, split_images
from trainables.metrics.extractor import Extractor, SmallExtractor, make_arch
from trainables.metrics.fid import frechet, moments
from trainables.metrics.frozen_extractor import frozen
from trainables.metrics.kid import UNIT, mmd2
from trainables.metrics.reference_stats import choose

N_SAMPLES = 2_000
BOOTSTRAPS = 2_000
SIZES, REPEATS = (20, 50, 100, 300, 1000), 20
JUDGES = ("exemplars", "random", "autoencoder")


def extractors(data: Dataset) -> dict[str, Extractor]:
    """Return the judges by name."""
    weights, arch = random_weights(data.shape)
    head = {"head.weight": np.zeros((1, arch["features"]), np.float32), "head.bias": np.zeros(1, np.float32)}
    unlabelled = data._replace(classes=(), name="unlabelled", fingerprint=f"unlabelled-{data.fingerprint[:32]}")
    told_apart = find_extractor(unlabelled, cache_dir=None, progress=None)
    return {
        "labels": load_extractor(build_evaluator(data, seed=0), "cpu"),
        "exemplars": frozen(told_apart.weights, told_apart.arch),
        "random": frozen({**weights, **head}, arch),
        "autoencoder": autoencoder(data),
    }


def autoencoder(data: Dataset) -> Extractor:
    """Return an extractor of the same shape that was trained to encode images, by the squared error of its decoder."""
    torch.manual_seed(0)
    encoder, n_pixels = SmallExtractor(make_arch(data.shape, 1), training=True), int(np.prod(data.shape))
    decoder = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, n_pixels), nn.Sigmoid())
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    train = data.train.to("cpu")
    for _ in range(N_TRAINED // 100):
        x, _ = train.gather(torch.randint(len(train), (100,)), torch.device("cpu"))
        loss = (decoder(encoder(x).features) - x.flatten(1)).square().mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return encoder.requires_grad_(False).eval()


def interval(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Return the rank correlation and its bootstrap interval."""
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(BOOTSTRAPS):
        rows = random.integers(0, len(first), len(first))
        if len(set(first[rows])) > 2:
            drawn.append(spearmanr(first[rows], second[rows]).statistic)
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(spearmanr(first, second).statistic), float(low), float(high)


def kid(x: Tensor, y: Tensor) -> float:
    """Return the KID of the product: of as many samples x as there are real images y, standardised by these."""
    sd, mean = y.std(0), y.mean(0)
    sd = torch.where(sd > 0, sd, 1)
    n = min(len(x), len(y))
    return mmd2((x[:n] - mean) / sd, (y[:n] - mean) / sd) / UNIT


def small_sets(samples: list[Tensor], real: Tensor, scores: np.ndarray) -> list[str]:
    """Return the cells of the second table: mean rank correlations of FID and KID for each size of the real set."""
    cells, fitted = [], [moments(features) for features in samples]
    for size in SIZES:
        if size > len(real) // 2:
            cells.append("")
            continue
        correlations = []
        for k in range(REPEATS):
            part = real[torch.randperm(len(real), generator=torch.Generator().manual_seed(k))[:size]]
            fid = [frechet(each, moments(part)) for each in fitted]
            kids = [kid(features, part) for features in samples]
            correlations.append([spearmanr(scores, fid).statistic, spearmanr(scores, kids).statistic])
        cells.append(" / ".join(f"{value:.2f}" for value in np.mean(correlations, 0)))
    return cells


def judge(directory: str) -> tuple[list[str], str]:
    """Return the lines of the first table for one sweep, and the line of the second."""
    sweep = results.load(directory)
    data = dataset.sweep_dataset(sweep)
    assert data is not None, f"the images of {directory} are not here"
    judges = extractors(data)
    _, parts = choose(data)  # as a sweep: val, or of a small set train and val
    images_of = {
        name: torch.cat([run_extractor(net, split_images(part.to("cpu")), len(part)).features for part in parts])
        for name, net in judges.items()
    }
    features: dict[str, list[Tensor]] = {name: [] for name in judges}
    for number in sweep.scores:
        try:
            images = torch.tensor(rebuild.scored_samples(sweep, number, list(range(N_SAMPLES)))).float() / 255
        except UserError:
            continue  # a trial that was killed early has left no weights
        for name, net in judges.items():
            features[name].append(run_extractor(net, iter(torch.split(images, 500)), N_SAMPLES).features)
    values = {
        name: np.array([frechet(moments(each), moments(images_of[name])) for each in features[name]]) for name in judges
    }
    Path(f"{Path(directory).name}-judges.json").write_text(json.dumps({k: v.tolist() for k, v in values.items()}))
    about = f"| {sweep.manifest.model} | {Path(sweep.manifest.dataset).name} | {len(values['labels'])} |"
    lines = []
    for name in JUDGES:
        rho, low, high = interval(values["labels"], values[name])
        place = int(np.argsort(np.argsort(values["labels"]))[values[name].argmin()]) + 1
        lines.append(f"{about} {name} | {rho:.2f} [{low:.2f}, {high:.2f}] | {place} |")
    cells = small_sets(features["labels"], images_of["labels"], values["labels"])
    return lines, f"{about} {' | '.join(cells)} |"


def main() -> None:
    """Print both tables."""
    print("| model | data set | trials | judge | rank correlation with the label-trained judge | its winner's place |")
    print("|---|---|---|---|---|---|")
    small = []
    for directory in sys.argv[1:]:
        lines, line = judge(directory)
        print("\n".join(lines), flush=True)
        small.append(line)
    print("\n| model | data set | trials | " + " | ".join(f"{size} real images" for size in SIZES) + " |")
    print("|---|---|---|" + "---|" * len(SIZES))
    print("\n".join(small))


if __name__ == "__main__":
    main()
