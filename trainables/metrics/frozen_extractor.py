"""Build an extractor from its weights: the small net, or one of a user's choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainables.metrics.extractor import Extractor, SmallExtractor


def frozen(weights: dict[str, NDArray[np.float32]], arch: dict[str, Any]) -> Extractor:
    """Return an extractor with these weights, in eval mode and without gradients."""
    extractor: Extractor
    if "net" in arch:
        from trainables.metrics.pretrained import Pretrained  # only if needed: it imports torchvision's nets

        extractor = Pretrained(arch)
    else:
        extractor = SmallExtractor(arch)
    extractor.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    return extractor.requires_grad_(False).eval()
