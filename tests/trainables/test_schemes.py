"""Every way to train a GAN: scheme x penalty x norm, with packing, averaging and update counts crossed in.

`make test` takes the pairs: a covering array, in which any two choices that go together meet in some row (Kuhn et al.
2004). The slow test takes every combination. The formulas have their numbers in test_losses.py and test_penalties.py.
"""

from itertools import combinations, product
from typing import Any

import pytest
import torch
from helpers.trials import assert_stacked_equals_solo, digits, small, steps

from trainables import MODELS, TRAINABLES
from trainables.config_schema import KEYS, Config
from trainables.engine.state import TrainingState, start
from trainables.errors import UserError
from trainables.penalties import PENALTIES
from trainables.schemes import SCHEMES

FACTORS: dict[str, tuple[Any, ...]] = {
    "scheme": tuple(SCHEMES),
    "penalty": tuple(PENALTIES),
    "d_norm": KEYS["d_norm"].choices or (),
    "model": ("gan", "cgan"),
    "net": ("conv", "mlp"),
    "pack": (1, 2),
    "ema": (0.0, 0.5),
    "times": ((1, 1), (2, 1), (1, 2)),  # d_steps, g_steps
}
Row = dict[str, Any]
Pair = tuple[tuple[str, Any], tuple[str, Any]]


def refused(row: Row) -> bool:
    return row["d_norm"] == "batch" and PENALTIES[row["penalty"]].term is not None


def pairs(row: Row) -> set[Pair]:
    return set(combinations(row.items(), 2))


def covering() -> list[Row]:
    """Rows that hold every pair of choices: each is the allowed one with the most pairs not yet seen."""
    rows = [dict(zip(FACTORS, values, strict=True)) for values in product(*FACTORS.values())]
    allowed = [(row, pairs(row)) for row in rows if not refused(row)]
    left: set[Pair] = set().union(*(of for _, of in allowed))
    chosen: list[Row] = []
    while left:
        row, of = max(allowed, key=lambda entry: len(entry[1] & left))
        chosen.append(row)
        left -= of
    return chosen


def config_of(row: Row, **changes: Any) -> Config:
    words = {key: str(row[key]) for key in ("scheme", "penalty", "d_norm", "net", "pack")}
    d_steps, g_steps = row["times"]
    return small(row["model"], words, ema=row["ema"], d_steps=d_steps, g_steps=g_steps, **changes)


def name(row: Row) -> str:
    return "-".join(str(value) for value in row.values()).replace(" ", "")


def assert_finite(run: TrainingState) -> None:
    for net in run.nets.values():
        for key, value in net.state_dict().items():
            assert torch.isfinite(value).all(), key


PAIRS = [pytest.param(row, id=name(row)) for row in covering()]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.long
@pytest.mark.parametrize("row", PAIRS)
def test_schemes__stacked_equals_solo(row: Row) -> None:
    config = config_of(row)
    other = {**config, "lr_g": 1e-3, "lr_d": 4e-4, "beta1": 0.3, "penalty_weight": 3.0, "clip": 0.05}
    configs = [config, {key: other[key] for key in config}]
    for dtype in (torch.float64, torch.float32):
        assert_stacked_equals_solo(row["model"], configs, dtype)


@pytest.mark.long
@pytest.mark.parametrize("row", PAIRS)
@pytest.mark.parametrize("precision", KEYS["precision"].choices or ())
def test_schemes__three_finite_steps(row: Row, precision: str) -> None:
    model, config = MODELS[row["model"]], config_of(row, precision=precision)
    run, before = steps(model, config, digits(), 3), start(model, config, digits(), 3)
    assert_finite(run)
    for net, module in run.nets.items():
        moved = zip(module.parameters(), before.nets[net].parameters(), strict=True)
        assert any(not torch.equal(now, then) for now, then in moved), net


@pytest.mark.slow
@pytest.mark.parametrize("model", FACTORS["model"])
@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_schemes__every_combination(scheme: str, model: str) -> None:
    """Of what makes a training; both kinds of net and of averaging are in the pairs."""
    factors = {**FACTORS, "scheme": (scheme,), "model": (model,), "net": ("mlp",), "ema": (0.5,)}
    for values in product(*factors.values()):
        row = dict(zip(factors, values, strict=True))
        if not refused(row):
            config = config_of(row)
            assert_finite(steps(MODELS[row["model"]], config, digits(), 3))
            assert_stacked_equals_solo(row["model"], [config, config], torch.float64)


@pytest.mark.parametrize("penalty", [key for key, penalty in PENALTIES.items() if penalty.term is not None])
def test_schemes__batch_norm_under_penalty_refused(penalty: str) -> None:
    with pytest.raises(UserError, match=rf"penalty={penalty} with d_norm=batch: .* use d_norm=none or d_norm=spectral"):
        start(MODELS["gan"], small("gan", {"penalty": penalty, "d_norm": "batch"}), digits(), 0)


def test_schemes__half_a_pack_refused() -> None:
    with pytest.raises(UserError, match=r"batch_size=32 with pack=3: a batch must be two or more whole packs"):
        start(MODELS["gan"], small("gan", {"pack": "3"}), digits(), 0)


def test_clipping__discriminator_only() -> None:
    run = steps(MODELS["gan"], small("gan", {"penalty": "clip", "clip": "0.01"}), digits(), 2)
    largest = {name: max(float(p.detach().abs().max()) for p in net.parameters()) for name, net in run.nets.items()}
    assert largest["d"] == pytest.approx(0.01)
    assert largest["g"] > 0.1


def test_spectral_norm__largest_singular_value_is_one() -> None:
    run = steps(MODELS["cgan"], small("cgan", {"d_norm": "spectral", "d_cond": "projection"}), digits(), 3)
    layers = [module for module in run.nets["d"].modules() if hasattr(module, "parametrizations")]
    assert len(layers) == 4  # a convolution, two linear layers, the labels' embedding
    for layer in layers:
        values = torch.linalg.svdvals(layer.weight.detach().flatten(1))  # type: ignore[operator]
        assert float(values[0]) == pytest.approx(
            1, abs=0.05
        )  # of weights that three steps have moved by a few per cent


def test_pack__discriminator_sees_the_whole_pack() -> None:
    """Swapping images between packs changes its outputs; swapping whole packs swaps them."""
    net = start(MODELS["cgan"], small("cgan", {"pack": "2"}), digits(), 0).nets["d"]
    x, y = torch.rand(6, 1, 8, 8), torch.arange(6)
    outputs = net(x, y)
    assert outputs.shape == (3,)
    swapped = [2, 3, 0, 1, 4, 5]
    torch.testing.assert_close(net(x[swapped], y[swapped]), outputs[[1, 0, 2]])
    assert not torch.allclose(net(x[[0, 2, 1, 3, 4, 5]], y), outputs)


def test_schemes__cost_by_step_and_update() -> None:
    epoch = next(TRAINABLES["gan"](small("gan", d_steps=2, g_steps=3), digits()._replace(evaluator=None), 0))
    assert epoch.row["n_images"] == 320
    assert (epoch.row["updates_d"], epoch.row["updates_g"]) == (20, 30)
    assert (epoch.row["n_images_d"], epoch.row["n_images_g"]) == (640, 960)
