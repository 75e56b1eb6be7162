"""Check the values of a user's samples."""

from __future__ import annotations

from torch import Tensor

from trainables.errors import UserError

OUT_OF_RANGE = 0.05  # samples further outside of 0..1 than this are in another range


def check_range(x: Tensor) -> None:
    """Raise UserError if samples are not finite, or clearly not in 0..1."""
    broken = float((~x.isfinite()).double().mean())
    if broken:
        raise UserError(f"{broken:.0%} of the values of sampler({len(x)}) are nan or infinite")
    low, high = float(x.min()), float(x.max())
    if low < -OUT_OF_RANGE or high > 1 + OUT_OF_RANGE:
        cure = "return (x + 1) / 2" if low < -OUT_OF_RANGE and high <= 1 + OUT_OF_RANGE else "return x.clamp(0, 1)"
        raise UserError(f"samples lie in {low:.2f}..{high:.2f}, and images in 0..1: {cure}")
