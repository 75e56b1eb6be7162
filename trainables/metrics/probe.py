"""How well a linear map predicts the class from the codes: Alain and Bengio 2017, arXiv:1610.01644.

Multinomial logistic regression on the standardised codes of training images, by L-BFGS to convergence, tested on val.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainables import random_streams
from trainables.data.dataset import Split
from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.manifold import share
from trainables.metrics.types import MetricKey

N_PROBE = 5_000  # images to fit on, and at most to test on
DECAY = 1e-4
MANY = 100  # with more classes than this 5,000 images are too few


def probe(inputs: EvalInputs) -> dict[str, float]:
    """Return `probe_accuracy` of the codes, 0..1, with its standard error; nothing if there are too many classes."""
    assert inputs.data is not None
    if len(inputs.data.classes) > MANY:
        return {}
    x, y = _codes(inputs, inputs.data.train)
    val, labels = _codes(inputs, inputs.data.val)
    mean, sd = x.mean(0), x.std(0).clamp_min(1e-6)
    weights = logistic((x - mean) / sd, y, len(inputs.data.classes))
    value, se = share(_with_ones((val - mean) / sd).mm(weights).argmax(1) == labels)
    return {"probe_accuracy": value, "probe_accuracy_se": se}


def _codes(inputs: EvalInputs, split: Split) -> tuple[Tensor, Tensor]:
    assert inputs.encode is not None
    idx = random_streams.permutation(len(split), "cpu", 0, "probe")[:N_PROBE].to(inputs.device)
    codes, labels = [], []
    for part in torch.split(idx, 500):
        x, y = split.gather(part, inputs.device)
        codes.append(inputs.encode(x).float())
        labels.append(y)
    return torch.cat(codes), torch.cat(labels)


def _with_ones(x: Tensor) -> Tensor:
    return torch.nn.functional.pad(x, (0, 1), value=1.0)


def logistic(x: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Return the weights [Z + 1, K] of the logistic regression of y [N] on x [N,Z]; the last row is the intercept."""
    from scipy.optimize import minimize  # torch.optim would import torch._dynamo: 2 s and 120 MB in each worker

    like, x = x, _with_ones(x.detach()).double()
    right = torch.nn.functional.one_hot(y, n_classes).double()

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = torch.from_numpy(flat).to(x.device).view(-1, n_classes)
        logits = x @ weights
        slope = x.T @ (logits.softmax(1) - right) / len(x) + 2 * DECAY * weights
        value = torch.nn.functional.cross_entropy(logits, y) + DECAY * weights.square().sum()
        return float(value), slope.flatten().cpu().numpy()

    result = minimize(loss, np.zeros(x.shape[1] * n_classes), jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return torch.from_numpy(result.x).view(-1, n_classes).to(like)


KEYS = {
    "probe_accuracy": MetricKey(
        "linear-probe accuracy", "max", f"of the codes: logistic regression on {N_PROBE:,} training images", "0..1"
    )
}
