"""Generate images from autoencoders, and measure their FID.

A VAE draws its codes from its prior. A plain autoencoder draws them from a Gaussian that is fitted to the codes of
held-out images. This is the simplest density that can be fitted after training (Ghosh et al. 2020, arXiv:1903.12436,
section 4.3), and of the same family as the prior. So the arms differ only by what they learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from analysis.nets import codes, rebuild
from analysis.read import dataset
from analysis.read.results import Sweep
from trainables import random_streams
from trainables.data import Dataset
from trainables.errors import UserError
from trainables.extractor_choice import ExtractorChoice
from trainables.metrics import Evaluator, build_evaluator, load_extractor
from trainables.metrics.extract import run_extractor
from trainables.metrics.fid import Moments, frechet, moments

CHUNK = 500


def sample_batches(sweep: Sweep, number: int, n: int, normal: bool = False) -> Iterator[Tensor]:
    """Yield n images of a trial's decoder in chunks, float [CHUNK, C, H, W] in [0, 1].

    The noise is the same for every trial. If `normal`, codes are from N(0, I) whatever the model.
    """
    nets = rebuild.load_nets(sweep, number)
    mean, root = _prior(sweep, number, normal)
    z = random_streams.draw(random_streams.Draw("normal", (len(mean),)), n, "cpu", sweep.manifest.seed, "sampled")
    with torch.no_grad():
        for part in torch.split(z @ root.T + mean, CHUNK):
            yield torch.sigmoid(nets["decoder"](part))


def _prior(sweep: Sweep, number: int, normal: bool) -> tuple[Tensor, Tensor]:
    """Return the mean [Z] of the density of the codes, and a root [Z, Z] of its covariance."""
    z = codes.encode_held_out(sweep, number).z.astype(np.float64)
    if normal or sweep.manifest.trainable.normal_codes:
        return torch.zeros(z.shape[1]), torch.eye(z.shape[1])
    root = np.linalg.cholesky(np.cov(z.T) + 1e-9 * np.eye(z.shape[1]))
    return torch.tensor(z.mean(0), dtype=torch.float32), torch.tensor(root, dtype=torch.float32)


@lru_cache(maxsize=2)
def _evaluator(fingerprint: str, name: str, data_dir: str | None, choice: ExtractorChoice | None) -> Evaluator:
    data: Dataset | None = dataset.load_once(name, data_dir)
    assert data is not None
    return build_evaluator(data, seed=0, choice=choice)


def normal_fid(sweep: Sweep, number: int) -> float:
    """Return the FID of samples with codes from N(0, I), which only a VAE is trained for."""
    return samples_fid(sweep, number, normal=True)


def samples_fid(sweep: Sweep, number: int, normal: bool = False) -> float:
    """Return the FID of the samples, with the extractor, sample count and reference of the sweep.

    Raise UserError if the images of the data set are not available.
    """
    data = dataset.sweep_dataset(sweep)
    if data is None:
        raise UserError(f"the images of {sweep.place.name!r} ({sweep.manifest.dataset}) are not at hand")
    manifest = sweep.manifest
    evaluator = _evaluator(data.fingerprint, manifest.dataset, manifest.data_dir, manifest.chosen_extractor)
    n = evaluator.n_samples
    features, _ = run_extractor(load_extractor(evaluator, "cpu"), sample_batches(sweep, number, n, normal), n)
    return frechet(moments(features), Moments(torch.tensor(evaluator.mean), torch.tensor(evaluator.cov)))
