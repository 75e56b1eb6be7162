"""Build the evaluator of a data set: its extractor (shipped, cached, or trained now) and the reference statistics.

The extractor is pinned to the content of the data. A shipped one is used only for the very images it was trained on.
For any other data set one is trained once, and cached by fingerprint in $XDG_CACHE_HOME/gensweep/extractors (~/.cache).
Once, because another seed of the same net changes an FID by a factor of up to 1.6: scores are comparable only under the
same extractor.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from trainables.data import Dataset
from trainables.extractor_choice import ExtractorChoice
from trainables.metrics.chosen_extractor import build_chosen, extractor_id, on_best_device
from trainables.metrics.evaluator import Evaluator, without_images
from trainables.metrics.exemplars import exemplar_recipe, exemplar_set
from trainables.metrics.extractor import make_arch
from trainables.metrics.extractor_file import SHIPPED, Trained, read, write
from trainables.metrics.fid import moments
from trainables.metrics.frozen_extractor import frozen
from trainables.metrics.reference_stats import build_reference, choose
from trainables.metrics.train_extractor import Progress, Recipe, fit, make_recipe

N_SAMPLES = 5_000  # FID is biased by about 4000/n on MNIST, so 1,000 samples separate only gross failures


def build_evaluator(
    dataset: Dataset,
    *,
    seed: int,
    every: int = 1,
    rungs: tuple[int, ...] = (),
    alarm: bool = True,
    also: tuple[str, ...] = (),
    n_samples: int = N_SAMPLES,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    test: bool = False,
    choice: ExtractorChoice | None = None,
) -> Evaluator:
    """Return the evaluator of `dataset`.

    `seed` is the sweep's. `progress` is called if an extractor has to be trained first. With `test` the reference is
    the test split, which no search uses: only for the final scores. `choice` takes another extractor than the default.

    Raises:
        UserError: the weights of a chosen extractor do not fit.
    """
    if not dataset.has_images:
        return without_images(seed, every, rungs)
    folder = cache_dir or cache_folder()
    if choice is None:
        trained = find_extractor(dataset, cache_dir=folder, progress=progress)
        name = trained.id
    else:
        trained = build_chosen(choice, dataset, folder)
        name = extractor_id(choice, trained.weights)
    extractor = on_best_device(frozen(trained.weights, trained.arch))
    cached = folder / f"{dataset.fingerprint}-{name}{'.test' if test else ''}.features.safetensors"
    reference = build_reference(dataset, extractor, cached, test)
    mean, cov = moments(reference.features)
    return Evaluator(
        weights=trained.weights,
        arch=trained.arch,
        extractor_id=name,
        accuracy=trained.accuracy,
        mean=mean.numpy(),
        cov=cov.numpy(),
        real=reference.real,
        train=reference.train,
        edge_energy=reference.edge_energy,
        reference=choose(dataset, test)[0],
        n_reference=len(reference.features),
        n_samples=n_samples,
        class_prior=_shares(dataset),
        classes=dataset.classes,
        every=every,
        rungs=rungs,
        alarm=alarm,
        also=also,
        seed=seed,
    )


def find_extractor(dataset: Dataset, *, cache_dir: Path | None, progress: Progress | None) -> Trained:
    """Return the shipped extractor of these very images, else the cached one, else one trained now and cached."""
    folder = cache_dir or cache_folder()
    existing = existing_extractor(dataset, folder)
    if existing is not None:
        return existing
    task, recipe = training_task(dataset)
    trained = fit(task, recipe, command="trained at run time", progress=progress)
    write(trained, folder / f"{task.fingerprint}.safetensors")
    return trained


def existing_extractor(dataset: Dataset, folder: Path | None = None) -> Trained | None:
    """Return the shipped extractor of these very images, or the cached one; None if one has to be trained first."""
    if dataset.name == "stacked_mnist":
        return _of_planes(read(SHIPPED / "mnist.safetensors"))
    shipped = SHIPPED / f"{dataset.name}.safetensors"
    if shipped.is_file() and (trained := read(shipped)).fingerprint == dataset.fingerprint:
        return trained
    task, recipe = training_task(dataset)
    cached = _cached((folder or cache_folder()) / f"{task.fingerprint}.safetensors")
    design = (make_arch(task.shape, len(task.classes)), recipe._asdict())
    return cached if cached is not None and (cached.arch, cached.recipe) == design else None


def training_task(dataset: Dataset) -> tuple[Dataset, Recipe]:
    """Return what an extractor is trained on, and how: the classes, or without labels to tell some images apart."""
    if dataset.classes:
        return dataset, make_recipe(len(dataset.train), dataset.shape[1])
    exemplars = exemplar_set(dataset)
    return exemplars, exemplar_recipe(len(exemplars.train), dataset.shape[1])


def _cached(path: Path) -> Trained | None:
    # A damaged cache is not the user's mistake: train again and replace it.
    try:
        return read(path) if path.is_file() else None
    except ValueError:
        return None


def cache_folder() -> Path:
    """Return the folder where extractors, their features and their calibration are cached."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "gensweep" / "extractors"


def _of_planes(mnist: Trained) -> Trained:
    """Return the MNIST net for three planes; as planes are independent, all three are right with accuracy ** 3."""
    return mnist._replace(arch={**mnist.arch, "planes": 3}, accuracy=mnist.accuracy**3)


def _shares(dataset: Dataset) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    labels = torch.as_tensor(np.array(dataset.train.labels))
    counts = torch.bincount(labels, minlength=len(dataset.classes)).double()
    return (counts / counts.sum()).numpy()
