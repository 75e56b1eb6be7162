"""One pass of the extractor over many images."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from trainables.data.dataset import Split
from trainables.metrics.extractor import Extractor, Scores

BATCH = 500  # measured on one core: 125 to 1,000 differ by less than 10 %


def split_images(split: Split, device: str = "cpu") -> Iterator[Tensor]:
    """All images of a split in order, [B,C,H,W] in [0,1]."""
    for idx in torch.split(torch.arange(len(split)), BATCH):
        yield split.gather(idx, torch.device(device))[0]


@torch.no_grad()
def run_extractor(extractor: Extractor, images: Iterator[Tensor], n_samples: int) -> Scores:
    """Scores of the first n_samples images, nan for one that is not finite. Raises ValueError where there are fewer."""
    parts: list[Scores] = []
    n_seen = 0
    for batch in images:
        for x in torch.split(batch[: n_samples - n_seen], BATCH):
            parts.append(_careful(extractor, x))
        n_seen = min(n_samples, n_seen + len(batch))
        if n_seen == n_samples:
            return Scores(*(torch.cat(column) for column in zip(*parts, strict=True)))
    raise ValueError(f"the sampler yielded {n_seen} images where the evaluator scores {n_samples}")


def _careful(extractor: Extractor, x: Tensor) -> Scores:
    # A trial may train under bf16 autocast: the extractor never does, or its scores would not compare.
    with torch.autocast(x.device.type, enabled=False):
        features, logits = extractor(x.float())
    # ReLU turns -inf into 0, so the net's own output does not tell that an image was broken.
    broken = ~x.isfinite().flatten(1).all(1, keepdim=True)  # [B,1]
    return Scores(features.masked_fill(broken, torch.nan), logits.masked_fill(broken, torch.nan))
