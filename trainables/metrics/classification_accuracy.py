"""Classification accuracy score: train on samples, test on real images. Ravuri and Vinyals 2019, arXiv:1905.10887.

A new extractor learns the classes from N_CAS samples with the labels that they were drawn for, and classifies the
images of val. It cannot learn what the samples lack. It takes a whole training, so it is measured only on request. A
generator that has memorised the training images gets the score of these images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import Split, make
from trainables.images import to_uint8
from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MetricKey

N_CAS, EPOCHS = 10_000, 5


def cas(inputs: EvalInputs) -> dict[str, float]:
    """Return `cas`, the accuracy on val of a classifier that was trained on samples, 0..1."""
    from trainables.metrics.train_extractor import fit, make_recipe  # this imports torch

    assert inputs.data is not None
    assert inputs.draw is not None
    batches = list(inputs.draw(N_CAS))
    pixels = _bytes(torch.cat([x for x, _ in batches]))
    labels = torch.cat([y.cpu() for _, y in batches]).numpy().astype(np.int64)
    real = _arrays(inputs.data.val)
    samples = make("samples", inputs.data.classes, Split(pixels, labels), real, real)
    recipe = make_recipe(len(labels), samples.shape[1])._replace(epochs=EPOCHS)
    with torch.enable_grad():
        return {"cas": fit(samples, recipe, command="").accuracy}


def _arrays(split: Split) -> Split:
    x, y = split.gather(torch.arange(len(split)), torch.device("cpu"))
    return Split(_bytes(x), y.numpy())


def _bytes(x: Tensor) -> NDArray[np.uint8]:
    return to_uint8(x).cpu().numpy()


KEYS = {
    "cas": MetricKey(
        "classification accuracy", "max", "on real images, of a classifier trained on 10,000 samples", "0..1"
    )
}
