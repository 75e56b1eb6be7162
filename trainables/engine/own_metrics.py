"""METRICS of a user's file whose model the engine trains, from its samples, reconstructions and codes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trainables.engine.state import TrainingState
from trainables.user_model.metrics import N_IMAGES, Pair, compute

CHUNK = 500  # images at once


@torch.no_grad()
def own_metrics(training: TrainingState, nets: Mapping[str, nn.Module], images: Tensor, last: bool) -> dict[str, Any]:
    """Return the numbers of all metrics that are due, for the samples [N, C, H, W] and the held-out images."""
    return compute(training.model.metrics, lambda needs: pair_for(training, nets, images, needs), last)


@torch.no_grad()
def pair_for(training: TrainingState, nets: Mapping[str, nn.Module], images: Tensor, needs: str) -> Pair | None:
    """Return the two arguments of a metric with these needs, on the CPU; None without samples."""
    model, val, device = training.model, training.data.images.val, training.data.device
    n = min(len(val), N_IMAGES, len(images) if needs == "samples" else N_IMAGES)
    if n == 0:
        return None
    parts = [val.gather(chunk, device) for chunk in torch.split(torch.arange(n, device=device), CHUNK)]
    real, labels = torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])
    if needs == "samples":
        return images[:n].cpu().float(), real.cpu()
    if needs == "reconstructions":
        assert model.reconstruct is not None
        return real.cpu(), torch.cat([model.reconstruct(nets, x) for x, _ in parts]).cpu().float()
    assert model.encode is not None
    codes = torch.cat([model.encode(nets, x) for x, _ in parts]).cpu().float()
    return codes, labels.cpu() if training.data.images.classes else None
