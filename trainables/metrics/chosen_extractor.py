"""Make an extractor that a user chose: seeded random convolutions, or a net with weights from the user's disk.

Such a net knows nothing of the classes of the images. If they have labels, logistic regression on its features of
training images classifies samples for the metrics of classes; it is cached by data set and extractor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainables import random_streams
from trainables.data import Dataset
from trainables.data.dataset import Split
from trainables.errors import UserError
from trainables.extractor_choice import ExtractorChoice
from trainables.metrics.extract import run_extractor
from trainables.metrics.extractor import Extractor, SmallExtractor, make_arch
from trainables.metrics.extractor_file import Trained, read, write
from trainables.metrics.frozen_extractor import frozen
from trainables.metrics.pretrained import load_pretrained
from trainables.metrics.probe import logistic

N_FITTED = 5_000  # training images that the classifier of the features is fitted on
N_TESTED = 1_000
Arrays = dict[str, NDArray[np.float32]]


def build_chosen(choice: ExtractorChoice, dataset: Dataset, folder: Path) -> Trained:
    """Return a chosen extractor for a data set; its classifier of features is cached in `folder`.

    Raises:
        UserError: the file of weights does not fit, or the data set does without.
    """
    if dataset.name == "stacked_mnist":
        raise UserError(f"extractor {choice.text!r}: the modes of stacked_mnist are counted by its own: leave it out")
    n_classes = max(1, len(dataset.classes))
    if choice.net == "random":
        weights, arch = random_weights(dataset.shape)
    else:
        tensors, arch = load_pretrained(choice)
        weights = {name: tensor.numpy() for name, tensor in tensors.items()}
    arch = {**arch, "n_classes": n_classes}
    zeros = {"head.weight": np.zeros((n_classes, arch["features"]), np.float32), "head.bias": np.zeros(n_classes, "f")}
    about = Trained(
        {**weights, **zeros}, arch, 0.0, dataset.name, dataset.fingerprint, {}, f"--extractor {choice.text}"
    )
    if not dataset.classes:
        return about
    cached = folder / f"{dataset.fingerprint}-{extractor_id(choice, weights)}.head.safetensors"
    fitted = _read_head(cached)
    if fitted is None:
        fitted = fit_head(about, dataset)
        write(fitted, cached)
    return about._replace(weights={**weights, **fitted.weights}, accuracy=fitted.accuracy)


def extractor_id(choice: ExtractorChoice, weights: Arrays) -> str:
    """Return the name of a chosen extractor in a stamp: the net, and 12 hex digits of the sha256 of its weights.

    The classifier is left out: it is fitted on each machine, and sums round differently there.
    """
    body = {name: array for name, array in weights.items() if not name.startswith("head.")}
    return f"{choice.net}-{choice.sha256[:12] or Trained(body, {}, 0.0, '', '', {}, '').id}"


def random_weights(shape: tuple[int, int, int]) -> tuple[Arrays, dict[str, Any]]:
    """Return the weights of the small extractor as they were before a training, always the same ones, and its arch."""
    arch = make_arch(shape, 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = SmallExtractor(arch)
        for module in net.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):  # variance is kept from layer to layer: He et al. 2015
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.get_parameter("bias"))
    state = {name: tensor.contiguous().numpy() for name, tensor in net.state_dict().items()}
    return {name: array for name, array in state.items() if not name.startswith("head.")}, arch


def fit_head(about: Trained, dataset: Dataset) -> Trained:
    """Return the classifier of an extractor's features, fitted on training images, with its accuracy on test ones."""
    extractor = on_best_device(frozen(about.weights, about.arch))
    x, y = _features(extractor, dataset.train, N_FITTED)
    mean, sd = x.mean(0), x.std(0).clamp_min(1e-6)
    fitted = logistic((x - mean) / sd, y, about.arch["n_classes"])  # [F+1,K]
    weight = (fitted[:-1] / sd[:, None]).T  # [K,F] of features as they are
    bias = fitted[-1] - weight @ mean
    tested, labels = _features(extractor, dataset.test, N_TESTED)
    accuracy = float(((tested @ weight.T + bias).argmax(1) == labels).double().mean())
    return about._replace(
        weights={"head.weight": weight.contiguous().numpy(), "head.bias": bias.numpy()}, accuracy=accuracy
    )


def on_best_device(extractor: Extractor) -> Extractor:
    """Return a net from a user's file on the GPU if this machine has one; a small net is quick enough on the CPU."""
    is_large = not isinstance(extractor, SmallExtractor)
    return extractor.to("cuda" if is_large and torch.cuda.is_available() else "cpu")


def _features(extractor: Extractor, split: Split, n: int) -> tuple[Tensor, Tensor]:
    """Return the features [N,F] of at most n images of a split, and their labels [N]."""
    split = split.to("cpu")
    rows = random_streams.permutation(len(split), "cpu", 0, "probe")[:n]
    device = next(extractor.parameters()).device
    images = (split.gather(part, torch.device("cpu"))[0].to(device) for part in torch.split(rows, 500))
    labels = torch.as_tensor(np.asarray(split.labels))[rows]
    return run_extractor(extractor, images, len(rows)).features.cpu(), labels


def _read_head(path: Path) -> Trained | None:
    try:
        return read(path) if path.is_file() else None
    except ValueError:
        return None
