"""What holds the slope of D: by hand where the slope is known, else by finite differences."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from trainables import blocks
from trainables.penalties import PENALTIES


def inputs() -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Real and fake [3, 1, 2, 2], and the draws that a penalty may ask for."""
    make = torch.Generator().manual_seed(4)
    shapes = {"real": (3, 1, 2, 2), "fake": (3, 1, 2, 2), "mix": (3, 1, 1, 1), "near": (3, 1, 2, 2)}
    drawn = {key: torch.rand(shape, generator=make, dtype=torch.float64) for key, shape in shapes.items()}
    return drawn.pop("real"), drawn.pop("fake"), drawn


def by_hand(name: str, real: Tensor, fake: Tensor, noise: dict[str, Tensor], n: Callable[[Tensor], Tensor]) -> Tensor:
    """A penalty from the norm n(x) [B] of the gradient at x."""
    mix = noise["mix"]
    between = mix * real + (1 - mix) * fake
    near = real + mix * noise["near"] * real.std() / 2
    penalties = {"gp": (n(between) - 1) ** 2, "dragan": (n(near) - 1) ** 2, "r1": n(real) ** 2 / 2}
    return penalties[name].mean()


BY_HAND = ("gp", "dragan", "r1")  # a new penalty needs no line here; its own oracle is welcome


GRADIENT_PENALTIES = [name for name, penalty in PENALTIES.items() if penalty.term is not None]


@pytest.mark.parametrize("name", BY_HAND)
def test_penalties__known_slope(name: str) -> None:
    """|x|^2 / 2 has slope |x| at x, and 3 sum(x) has slope 6 in four pixels: (6 - 1)^2, or 6^2 / 2 for R1."""
    term, (real, fake, noise) = PENALTIES[name].term, inputs()
    assert term is not None
    bowl = term(lambda x: 0.5 * x.flatten(1).square().sum(1), real, fake, noise)
    torch.testing.assert_close(bowl, by_hand(name, real, fake, noise, lambda x: x.flatten(1).norm(dim=1)))
    flat = term(lambda x: 3 * x.flatten(1).sum(1), real, fake, noise)
    assert float(flat) == pytest.approx(18 if name == "r1" else 25)


@pytest.mark.parametrize("name", BY_HAND)
def test_penalties__finite_differences(name: str) -> None:
    term, (real, fake, noise), h = PENALTIES[name].term, inputs(), 1e-5
    assert term is not None
    make = torch.Generator().manual_seed(5)
    first, last = (torch.randn(shape, generator=make, dtype=torch.float64) for shape in ((4, 6), (6,)))

    def critic(weight: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda x: torch.tanh(x.flatten(1) @ weight) @ last

    def slope(weight: Tensor, x: Tensor) -> Tensor:
        d, pixels = critic(weight), torch.eye(4, dtype=torch.float64).view(4, 1, 2, 2)
        rises = torch.stack([(d(x + h * e) - d(x - h * e)) / (2 * h) for e in pixels], 1)  # [B, 4]
        return rises.square().sum(1).sqrt()

    def numeric(weight: Tensor) -> Tensor:
        return by_hand(name, real, fake, noise, lambda x: slope(weight, x))

    weight = first.clone().requires_grad_()
    value = term(critic(weight), real, fake, noise)
    torch.testing.assert_close(value.detach(), numeric(first), rtol=1e-8, atol=0)
    value.backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    for at in range(first.numel()):
        e = torch.eye(first.numel(), dtype=torch.float64)[at].view_as(first)
        rise = (numeric(first + 1e-4 * e) - numeric(first - 1e-4 * e)) / 2e-4
        torch.testing.assert_close(weight.grad.flatten()[at], rise, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", GRADIENT_PENALTIES)
def test_penalties__zero_slope_finite_gradient(name: str) -> None:
    term, (real, fake, noise) = PENALTIES[name].term, inputs()
    assert term is not None
    weight = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    term(lambda x: x.flatten(1) @ weight, real, fake, noise).backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert torch.isfinite(weight.grad).all()


def test_clipping__by_hand() -> None:
    project = PENALTIES["clip"].project
    assert project is not None
    clipped = project(torch.tensor([-3.0, -0.01, 0.02]), {"clip": torch.tensor(0.015)})
    assert clipped.tolist() == pytest.approx([-0.015, -0.01, 0.015])


def test_spectral_norm__diagonal_by_hand() -> None:
    """diag(3, 1): from u = (1, 1)/sqrt(2), v ~ (3, 1) and then u ~ (9, 1); sigma = |W'u| = |(27, 1)| / sqrt(82)."""
    layer = nn.Linear(2, 2, bias=False)
    layer.weight.data = torch.diag(torch.tensor([3.0, 1.0]))
    net = nn.Sequential(layer)
    blocks.spectral_norm(net)
    buffers, weights = dict(net.named_buffers()), dict(net.named_parameters())
    (name,) = buffers
    buffers[name].fill_(0.5**0.5)
    buffers[name].copy_(blocks.spectral_vectors_after(weights, buffers)[name])
    sigma = (27**2 + 1) ** 0.5 / 82**0.5
    torch.testing.assert_close(net(torch.eye(2)), torch.diag(torch.tensor([3.0, 1.0])) / sigma)
