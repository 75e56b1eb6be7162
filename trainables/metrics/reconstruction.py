"""How close an image is to what it should be: squared error, PSNR and structural similarity, each per image.

SSIM is that of Wang et al. 2004, eq. 13 and section III.C: Gaussian window of 11 pixels and sd 1.5, K1 = .01,
K2 = .03, no padding, mean over the map. Ours differs for images smaller than the window: they get a smaller one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainables.metrics.sharpness import edge_energy

WINDOW, SD = 11, 1.5
C1, C2 = 0.01**2, 0.03**2
EXACT = 1e-10  # squared error of an exact copy, so that its PSNR is 100 dB and finite


def reconstruction(output: Tensor, x: Tensor) -> dict[str, Tensor]:
    """Return `recon_mse`, `psnr` [dB] and `ssim` of output against x, both [B,C,H,W] in [0,1]: [B] each.

    `recon_edges` is the output's edge energy, of which own_measures.py makes the sharpness of reconstructions.
    """
    mse = (output - x).square().flatten(1).mean(1)
    psnr = -10 * mse.clamp_min(EXACT).log10()
    return {"recon_mse": mse, "psnr": psnr, "ssim": ssim(output, x), "recon_edges": edge_energy(output)}


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Return the structural similarity of images [B,C,H,W] in [0,1]: [B], at most 1."""
    down, across = _band(a.shape[2], a), _band(a.shape[3], a)

    def blurred(x: Tensor) -> Tensor:
        return down.T @ x @ across  # two products: many times faster here than a convolution

    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    cov = blurred(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + C1) * (2 * cov + C2)
    return (likeness / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2))).flatten(1).mean(1)


def _band(n: int, like: Tensor) -> Tensor:
    """Return the matrix [n, n - window + 1] whose product with a row of n pixels is its Gaussian means."""
    window = min(WINDOW, n - 1 + n % 2)  # odd
    offset = torch.arange(window, device=like.device, dtype=like.dtype) - window // 2
    weight = torch.exp(-offset.square() / (2 * SD**2))
    band = like.new_zeros(n, n - window + 1)
    for i in range(band.shape[1]):
        band[i : i + window, i] = weight / weight.sum()
    return band
