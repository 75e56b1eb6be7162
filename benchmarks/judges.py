"""How well does a judge that needs no labels rank trials, compared with the one that was trained on the labels?

    gensweep run vae --dataset digits --trials 16 --scheduler none --set epochs=15 --name vae-digits
    python benchmarks/judges.py results/vae-digits ...

For every trial of the sweeps samples are drawn from its best weights, and their FID is computed by three extractors:
trained on the labels (the default where there are labels), trained to tell images apart (exemplars.py, the default
without labels), and with random weights. Prints Spearman's rank correlation of the last two with the first over the
trials of a sweep, with a bootstrap interval of 95 %, and whether they choose the same winner.
"""

import sys

import numpy as np
import torch
from scipy.stats import spearmanr

from analysis.nets import rebuild
from analysis.read import dataset, results
from trainables.metrics import Evaluator, build_evaluator, load_extractor
from trainables.metrics.exemplars import exemplar_recipe, exemplar_set
from trainables.metrics.extract import run_extractor, split_images
from trainables.metrics.extractor import Extractor, make_arch
from trainables.metrics.fid import Moments, frechet, moments
from trainables.metrics.frozen_extractor import frozen
from trainables.metrics.train_extractor import fit

N_SAMPLES = 2_000
BOOTSTRAPS = 2_000


def extractors(data, evaluator: Evaluator) -> dict[str, Extractor]:  # type: ignore[no-untyped-def]
    """Return the judges by name."""
    exemplars = exemplar_set(data._replace(classes=()))
    trained = fit(exemplars, exemplar_recipe(len(exemplars.train), data.shape[1]), command="benchmarks/judges.py")
    torch.manual_seed(0)
    return {
        "labels": load_extractor(evaluator, "cpu"),
        "exemplars": frozen(trained.weights, trained.arch),
        "random": Extractor(make_arch(data.shape, 10)).requires_grad_(False).eval(),
    }


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


def judge(directory: str) -> list[str]:
    """Return the lines of the table for one sweep."""
    sweep = results.load(directory)
    data = dataset.sweep_dataset(sweep)
    assert data is not None, f"the images of {directory} are not here"
    judges = extractors(data, build_evaluator(data, seed=0))
    real = {
        name: moments(run_extractor(net, split_images(data.val.to("cpu")), len(data.val)).features)
        for name, net in judges.items()
    }
    scores: dict[str, list[float]] = {name: [] for name in judges}
    for number in sweep.scores:
        images = torch.tensor(rebuild.scored_samples(sweep, number, list(range(N_SAMPLES)))).float() / 255
        for name, net in judges.items():
            features = run_extractor(net, iter(torch.split(images, 500)), N_SAMPLES).features
            scores[name].append(frechet(moments(features), Moments(*real[name])))
    values = {name: np.array(each) for name, each in scores.items()}
    lines = []
    for name in ("exemplars", "random"):
        rho, low, high = interval(values["labels"], values[name])
        place = int(np.argsort(np.argsort(values["labels"]))[values[name].argmin()]) + 1
        lines.append(
            f"| {sweep.manifest.model} | {sweep.manifest.dataset} | {len(sweep.scores)} | {name} | "
            f"{rho:.2f} [{low:.2f}, {high:.2f}] | {place} |"
        )
    return lines


def main() -> None:
    """Print the table."""
    print("| model | data set | trials | judge | rank correlation with the label-trained judge | its winner's place |")
    print("|---|---|---|---|---|---|")
    for directory in sys.argv[1:]:
        print("\n".join(judge(directory)), flush=True)


if __name__ == "__main__":
    main()
