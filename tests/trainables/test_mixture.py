"""The mixture on an autoencoder's codes, and the autoencoders that sample from it."""

from itertools import islice

import pytest
import torch
from helpers.trials import digits, small

from trainables import MODELS, TRAINABLES, random_streams
from trainables.config_schema import Config
from trainables.errors import UserError
from trainables.mixture import Mixture

NAMES = [name for name, model in MODELS.items() if model.fit is not None]


def noise(n: int, *shape: int) -> torch.Tensor:
    return random_streams.draw(random_streams.Draw("normal", shape), n, "cpu", 0, "z")


def test_mixture__draw_by_hand() -> None:
    """Shares of a quarter and three quarters: the first number picks at the quartile of N(0, 1), -0.674."""
    mixture = Mixture(2, 2)
    mixture.cumulative.copy_(torch.tensor([0.25, 1.0]))
    mixture.means.copy_(torch.tensor([[10.0, 0.0], [0.0, 20.0]]))
    mixture.roots.copy_(torch.tensor([[[1.0, 0.0], [2.0, 3.0]], [[5.0, 0.0], [0.0, 1.0]]]))
    z = torch.tensor([[-0.68, 1.0, 1.0], [-0.67, 1.0, 1.0], [9.0, 0.0, 0.0]])
    assert mixture(z).tolist() == [[11.0, 5.0], [5.0, 21.0], [0.0, 20.0]]


def test_mixture__moments() -> None:
    share, make = 0.3, torch.Generator().manual_seed(1)
    first = torch.randn(10_000, 3, generator=make) @ torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 2.0]])
    codes = torch.where(torch.rand(10_000, 1, generator=make) < share, first + 8, 0.1 * first - 4)
    mixture = Mixture(2, 3)
    mixture.fit(codes, 5)
    drawn = mixture(noise(20_000, 4))
    assert float((drawn[:, 0] > 2).float().mean()) == pytest.approx(share, abs=0.02)
    for side in (1, -1):
        of, real = (x[side * (x[:, 0] - 2) > 0] for x in (drawn, codes))
        torch.testing.assert_close(of.mean(0), real.mean(0), rtol=0.02, atol=0.1)
        torch.testing.assert_close(of.T.cov(), real.T.cov(), rtol=0.1, atol=0.05)


def test_mixture__scale_invariant() -> None:
    codes, mixtures = noise(500, 2), [Mixture(3, 2), Mixture(3, 2)]
    for mixture, scale in zip(mixtures, (1.0, 1e-5), strict=True):
        mixture.fit(scale * codes, 5)
    torch.testing.assert_close(1e-5 * mixtures[0](noise(9, 3)), mixtures[1](noise(9, 3)), rtol=1e-4, atol=1e-9)


def test_mixture__refused() -> None:
    mixture = Mixture(2, 2)
    mixture.fit(torch.full((9, 2), float("nan")), 5)
    assert mixture.means.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(UserError, match="gmm=2 needs at least as many training images, and there are 1"):
        mixture.fit(torch.zeros(1, 2), 5)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_mixture__autoencoder_resumes(name: str) -> None:
    torch.set_num_threads(1)
    model, config = MODELS[name], small(name, {"gmm": "4"}, epochs=2)
    first, last = islice(TRAINABLES[name](config, digits(), 7), 2)
    assert 0 < last.row["fid"] < first.row["fid"] * 1.5
    assert last.row["status"] == "ok"
    z = noise(6, *model.z_shape(config, (1, 8, 8)))
    images = drawn(name, config, last.weights(), z)
    assert images.shape == (6, 1, 8, 8)
    assert float(images.std()) > 0.05
    again = list(TRAINABLES[name](config, digits(), 7, first_snapshot(name, config)))[-1]
    assert again.row["fid"] == last.row["fid"]
    assert torch.equal(drawn(name, config, again.weights(), z), images)


def first_snapshot(name: str, config: Config) -> dict[str, object]:
    return next(TRAINABLES[name](config, digits(), 7)).snapshot()


def drawn(name: str, config: Config, weights: dict[str, torch.Tensor], z: torch.Tensor) -> torch.Tensor:
    """Images from the kept weights alone, as `gensweep sample` draws them."""
    model = MODELS[name]
    assert model.sample is not None
    nets = model.nets(config, (1, 8, 8), 10)
    for net, module in nets.items():
        module.load_state_dict({k.partition(".")[2]: v for k, v in weights.items() if k.partition(".")[0] == net})
        module.eval()
    with torch.no_grad():
        return model.sample(nets, z, torch.zeros(len(z), dtype=torch.int64))
