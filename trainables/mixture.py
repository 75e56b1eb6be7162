"""A Gaussian mixture on the codes of training images, from which an autoencoder samples: ex-post density estimation
(Ghosh et al. 2020, arXiv:1903.12436, §4: ten components, full covariances).

Each evaluation fits it by scikit-learn's EM to the codes under the present weights. It is a net whose buffers hold the
mixture, so it is part of the snapshot and of the best weights, and sampling needs nothing else. A sample is a function
of normal noise alone: the quantile of the first number in N(0, 1) picks the component, the others make the code.
"""

import warnings

import numpy as np
import torch
from torch import Tensor, nn
from torch.special import ndtr

from trainables.errors import UserError

ITERATIONS = 100  # of EM; the first few dozen gain most of the likelihood
LEAST_VARIANCE = (
    1e-6  # added to each, in units of the codes' variance: a component on few codes then does not shrink to a point
)


class Mixture(nn.Module):
    """Normal noise [B, 1 + Z] -> codes [B, Z], by M components; N(0, I) until it is fitted."""

    def __init__(self, components: int, width: int) -> None:
        super().__init__()
        self.cumulative: Tensor
        self.means: Tensor
        self.roots: Tensor
        self.register_buffer("cumulative", torch.linspace(0, 1, components + 1)[1:])  # [M] of the weights
        self.register_buffer("means", torch.zeros(components, width))  # [M, Z]
        self.register_buffer("roots", torch.eye(width).repeat(components, 1, 1))  # [M, Z, Z], L of covariance L L'

    def forward(self, z: Tensor) -> Tensor:
        chosen = torch.searchsorted(self.cumulative, ndtr(z[:, 0])).clamp(max=self.cumulative.shape[0] - 1)
        spread = torch.einsum("mij,bj->bmi", self.roots, z[:, 1:])
        return self.means[chosen] + spread[torch.arange(z.shape[0], device=z.device), chosen]

    def fit(self, codes: Tensor, seed: int) -> None:
        """Fit to codes [N, Z]; if one of them is not finite, leave the mixture as it is.

        Raise UserError if there are fewer codes than components.
        """
        from sklearn.exceptions import ConvergenceWarning  # 90 MB and a second, which other models do not need
        from sklearn.mixture import GaussianMixture
        from threadpoolctl import threadpool_limits

        components = len(self.means)
        if len(codes) < components:
            raise UserError(f"gmm={components} needs at least as many training images, and there are {len(codes)}")
        if not codes.isfinite().all():
            return
        x = codes.double().cpu().numpy()
        unit = max(float(x.var(0).mean()), 1e-12) ** 0.5
        model = GaussianMixture(
            components, reg_covar=LEAST_VARIANCE, max_iter=ITERATIONS, init_params="k-means++", random_state=seed
        )
        # On one thread, because sums over threads are not always added in the same order.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)  # the fit is good enough then
            model.fit(x / unit)
        _copy_into(self.cumulative, np.cumsum(model.weights_))
        _copy_into(self.means, model.means_ * unit)
        _copy_into(self.roots, np.linalg.cholesky(model.covariances_) * unit)


def _copy_into(buffer: Tensor, value: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> None:
    buffer.copy_(torch.from_numpy(value))
