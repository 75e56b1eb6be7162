"""What a model says of held-out images, each measured by the model itself: reconstruction and the bound in nats.

Means over all of `val`, with their standard errors. A denoiser's reconstructions are of images with known noise, the
same whatever it trained on; a VAE's are from the mean code.
"""

from __future__ import annotations

from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MetricKey


def held_out(inputs: EvalInputs) -> dict[str, float]:
    """The mean of each of inputs.measured."""
    found: dict[str, float] = {}
    for name, values in inputs.measured.items():
        wide = values.double()
        found |= {name: float(wide.mean()), f"{name}_se": float(wide.std()) / len(wide) ** 0.5}
    return found


# A density of grey pixels and a probability of them do not compare; and what the other three weigh is the bound's KL,
# so that a search over them by the bound only finds its own weights again.
BOUND = ("likelihood", "beta", "warmup", "free_bits")

KEYS = {
    "recon_mse": MetricKey("reconstruction MSE", "min", "squared error per pixel on clean held-out images"),
    "psnr": MetricKey("PSNR", "max", "peak signal-to-noise ratio of the reconstruction, mean over images", "dB"),
    "ssim": MetricKey("SSIM", "max", "structural similarity of the reconstruction"),
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
