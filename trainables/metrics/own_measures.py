"""What a model itself measures on held-out images: reconstruction and the bound in nats.

Means over all of `val`, with their standard errors. A denoiser reconstructs images with known noise, which is the same
whatever it was trained on; a VAE reconstructs from the mean code.
"""

from __future__ import annotations

from trainables.metrics.inputs import EvalInputs
from trainables.metrics.sharpness import FLAT
from trainables.metrics.types import MetricKey


def held_out(inputs: EvalInputs) -> dict[str, float]:
    """Return the mean of each of inputs.measured, with its standard error."""
    means: dict[str, float] = {}
    for name, values in inputs.measured.items():
        wide = values.double()
        if name == "recon_edges":
            name, wide = "recon_sharpness", wide / max(inputs.evaluator.edge_energy, FLAT)
        means |= {name: float(wide.mean()), f"{name}_se": float(wide.std()) / len(wide) ** 0.5}
    return means


# A density of grey pixels and a probability of them are not comparable. The other three weigh the KL of the loss, so a
# search over them by the bound would only find the weights of the bound again.
BOUND = ("likelihood", "beta", "warmup", "free_bits")

KEYS = {
    "recon_mse": MetricKey("reconstruction MSE", "min", "squared error per pixel on clean held-out images"),
    "psnr": MetricKey("PSNR", "max", "peak signal-to-noise ratio of the reconstruction, mean over images", "dB"),
    "ssim": MetricKey("SSIM", "max", "structural similarity of the reconstruction"),
    "recon_sharpness": MetricKey(
        "sharpness of reconstructions", None, "edge energy of reconstructions over that of real images"
    ),
    "nats": MetricKey(
        "nats per image",
        "min",
        "minus the evidence bound: one code an image, KL weight 1, grey pixels",
        "nats",
        moved_by=BOUND,
    ),
    "nats_recon": MetricKey("reconstruction part", None, "the bound's -log p(x given z)", "nats", moved_by=BOUND),
    "nats_kl": MetricKey("KL part", None, "the bound's KL of code and prior", "nats", moved_by=BOUND),
}
