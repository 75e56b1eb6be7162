"""-log p(x) of held-out images by importance sampling: Burda et al. 2016, arXiv:1509.00519, eq. 8.

-log of the mean over S codes of w = p(x|z) p(z) / q(z|x), an upper bound that falls towards -log p(x) as S grows. On
binarised pixels, each drawn once with its grey value as probability (Salakhutdinov and Murray 2008), because a
Bernoulli likelihood is not a density of grey pixels. With few images and samples it only ranks models; papers use S =
5,000.
"""

from __future__ import annotations

import math

from trainables import random_streams
from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MetricKey

N_IMAGES, N_IMPORTANCE = 500, 100


def importance_nll(log_w: Tensor) -> Tensor:
    """Return -log of the mean of exp(log_w) [S,B] over S: [B] nats."""
    return math.log(len(log_w)) - log_w.logsumexp(0)


def likelihood(inputs: EvalInputs) -> dict[str, float]:
    """Return `nll` with its standard error over images."""
    assert inputs.log_weight is not None
    assert inputs.data is not None
    val = inputs.data.val
    n = min(N_IMAGES, len(val))
    device = inputs.device
    x, y = val.gather(torch.arange(n, device=device), device)
    chance = random_streams.draw(random_streams.Draw("uniform", tuple(x.shape[1:])), n, str(device), 0, "binarised")
    x = (chance < x).float()
    draw = inputs.log_weight(x, y)
    log_w = torch.stack([draw(s).double() for s in range(N_IMPORTANCE)])
    nats = importance_nll(log_w)
    return {"nll": float(nats.mean()), "nll_se": float(nats.std()) / math.sqrt(n)}


KEYS = {
    "nll": MetricKey(
        "negative log-likelihood", "min",
        f"binarised pixels, {N_IMPORTANCE} importance samples, {N_IMAGES} held-out images", "nats",
    )
}  # fmt: skip
