"""Adam by torch's private kernel, and what happens if a later torch lacks it."""

import pytest
import torch
from torch import nn

from trainables.engine.adam import Adam


def trained() -> list[torch.Tensor]:
    """Five updates of two parameters, one of which has no gradient at first."""
    draw = torch.Generator().manual_seed(0)
    parameters = [nn.Parameter(torch.randn(3, 4, generator=draw)), nn.Parameter(torch.randn(5, generator=draw))]
    adam = Adam(parameters, 0.01, (0.5, 0.99))
    for update in range(5):
        for parameter in parameters[: 1 if update == 0 else 2]:
            parameter.grad = torch.randn(parameter.shape, generator=draw)
        adam.step()
    return [*parameters, *adam.first, *adam.second]


def test_adam__without_fused_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    fused = trained()
    monkeypatch.delattr(torch, "_fused_adam_")
    for by_formula, expected in zip(trained(), fused, strict=True):
        torch.testing.assert_close(by_formula, expected, rtol=1e-5, atol=1e-6)
