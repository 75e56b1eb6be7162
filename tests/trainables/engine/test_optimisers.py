"""Each optimiser and schedule of the engine: the numbers of torch.optim, stacked as alone, resumed as undisturbed."""

import math
from typing import Any

import pytest
import torch
from helpers.trials import digits
from helpers.trials import steps as solo_steps
from torch import Tensor, nn

from trainables.config_schema import Config
from trainables.engine.interface import Batch, Hp, Model, Nets, Noise, Shape, State, Turn
from trainables.engine.loop import train, train_epoch
from trainables.engine.optimisers import OPTIMISERS, Optimiser
from trainables.engine.schedules import cosine, warmup
from trainables.engine.stack import Stack
from trainables.engine.state import start
from trainables.errors import UserError
from trainables.random_streams import Draw
from trainables.user_model.engine_model import make_model, make_turn

VALUES = {"beta1": 0.8, "beta2": 0.97, "momentum": 0.7, "weight_decay": 0.1}
THEIRS: dict[str, Any] = {
    "adam": (torch.optim.Adam, {"betas": (0.8, 0.97), "weight_decay": 0.1}),
    "adamw": (torch.optim.AdamW, {"betas": (0.8, 0.97), "weight_decay": 0.1}),
    "sgd": (torch.optim.SGD, {"momentum": 0.7, "weight_decay": 0.1}),
    "rmsprop": (torch.optim.RMSprop, {"alpha": 0.97, "momentum": 0.7, "weight_decay": 0.1}),
}


def trained(name: str, theirs: bool, n: int = 200, rates: bool = False) -> list[Tensor]:
    """Return two weights after n updates towards a noisy target, by an optimiser of ours or of torch."""
    draw = torch.Generator().manual_seed(0)
    weights = [nn.Parameter(torch.randn(shape, generator=draw, dtype=torch.float64)) for shape in ((3, 4), (5,))]
    make, options = THEIRS[name]
    optimiser: Any = make(weights, lr=0.01, **options) if theirs else Optimiser(name, weights, 0.01, VALUES)
    for update in range(n):
        factor = warmup(0.2, cosine)(update / n) if rates else 1.0
        if theirs:
            optimiser.param_groups[0]["lr"] = 0.01 * factor
        else:
            optimiser.lr = 0.01 * factor
        for weight in weights:
            weight.grad = (weight - torch.randn(weight.shape, generator=draw, dtype=torch.float64)).detach()
        optimiser.step()
    return [weight.detach() for weight in weights]


@pytest.mark.parametrize("rates", [False, True])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers__numbers_of_torch(name: str, rates: bool) -> None:
    for ours, theirs in zip(trained(name, False, rates=rates), trained(name, True, rates=rates), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_optimisers__without_fused_kernel(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    fused = trained(name, False, 5)
    monkeypatch.delattr(torch, OPTIMISERS[name].fused)
    for by_formula, expected in zip(trained(name, False, 5), fused, strict=True):
        torch.testing.assert_close(by_formula, expected, rtol=1e-6, atol=1e-7)


def test_optimisers__weight_without_gradient_stays() -> None:
    weights = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))]
    optimiser = Optimiser("sgd", weights, 0.1, VALUES)
    weights[0].grad = torch.ones(2)
    optimiser.step()
    assert torch.equal(weights[1], torch.ones(3))
    assert not torch.equal(weights[0], torch.ones(2))


# A model that has all of it: a turn for each kind of optimiser with a schedule, noise, and an average of codes


class Coder(nn.Module):
    """Codes of an image by a linear map, with a running mean of the codes, which is a buffer."""

    mean: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        self.map = nn.Linear(n, 4)
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        codes: Tensor = self.map(x.flatten(1))
        return codes


def model_with(optimiser: str, takes_nets: bool = True) -> Model:
    def nets(config: Any, shape: Shape, n_classes: int) -> dict[str, nn.Module]:
        n = math.prod(shape)
        return {"encoder": Coder(n), "decoder": nn.Sequential(nn.Linear(4, n), nn.Unflatten(1, shape))}

    def loss(nets: Nets, batch: Batch, noise: Noise, hp: Hp) -> tuple[Tensor, dict[str, Tensor]]:
        codes = nets["encoder"](batch.x) + 0.1 * noise["eps"]
        return (nets["decoder"](codes) - batch.x).square().mean(), {}

    def after(w: State, b: State, hp: Hp, batch: Batch, noise: Noise, nets: Nets) -> dict[str, Tensor]:
        if "mean" not in b:
            return {}
        return {"mean": b["mean"].lerp(nets["encoder"](batch.x).mean(0) + 0.01 * noise["eps"].mean(0), 0.1)}

    def after_alone(w: State, b: State, hp: Hp, batch: Batch, noise: Noise) -> dict[str, Tensor]:
        return {"mean": b["mean"].lerp(batch.y.to(w["map.bias"].dtype).mean() * w["map.bias"], 0.1)} if b else {}

    def turns(config: Any, shape: Shape) -> tuple[Turn, ...]:
        return (
            make_turn(
                "",
                ("encoder", "decoder"),
                lr="lr",
                loss=loss,
                noise={"eps": Draw("normal", (4,))},
                after=after if takes_nets else after_alone,
                optimiser=optimiser,
                schedule=warmup(0.3, cosine),
            ),
        )

    return make_model(nets, turns, averaged="encoder")._replace(name="mine", stacks=True)


def config_of(**changes: Any) -> dict[str, Any]:
    loop = {"batch_size": 32, "epochs": 3, "steps_per_epoch": 0, "lr_decay": 0.5, "ema": 0.5, "precision": "fp32"}
    return {**VALUES, **loop, "lr": 0.01, **changes}


@pytest.mark.parametrize("takes_nets", [True, False])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers__stacked_equals_alone(name: str, takes_nets: bool) -> None:
    """Each of three unlike trials has the weights, the average and the buffers that it has alone."""
    model, data, n = model_with(name, takes_nets), digits(), 8
    configs: list[Config] = [
        config_of(),
        config_of(lr=0.002, momentum=0.2, weight_decay=0.0, beta1=0.3, epochs=1),
        config_of(beta2=0.9, ema=0.9),
    ]
    stack = Stack(model, configs, data, [11, 12, 13], torch.float64)
    for _ in range(n):
        stack.step()
    for k, config in enumerate(configs):
        alone = solo_steps(model, config, data, n, torch.float64, 11 + k)
        for net, module in alone.nets.items():
            for key, value in module.state_dict().items():
                stacked = {**stack.weights[net], **stack.buffers[net]}[key][k]
                torch.testing.assert_close(stacked, value, rtol=1e-9, atol=1e-9)
        assert alone.average is not None
        assert stack.average is not None
        for key, value in alone.average.named_parameters():
            torch.testing.assert_close(stack.average[key][k], value, rtol=1e-9, atol=1e-9)
        mean = alone.nets["encoder"].mean
        assert float(mean.abs().sum()) > 0  # type: ignore[operator]
        assert torch.equal(alone.average.mean, mean)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers__resumed_equals_undisturbed(name: str) -> None:
    model, data = model_with(name), digits()._replace(evaluator=None)
    whole = [epoch.snapshot() for epoch in train(model, config_of(), data, 7)]
    first = next(train(model, config_of(), data, 7)).snapshot()
    torch.randn(3)
    resumed = [epoch.snapshot() for epoch in train(model, config_of(), data, 7, first)]
    for one, other in zip(whole, resumed, strict=True):
        for a, b in zip(tensors(one), tensors(other), strict=True):
            assert torch.equal(a, b)
        assert one["row"]["loss"] == other["row"]["loss"]


def tensors(state: Any) -> list[Tensor]:
    if isinstance(state, Tensor):
        return [state]
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return [tensor for part in parts for tensor in tensors(part)]


# Schedules


def test_schedules__values() -> None:
    assert [round(cosine(share), 6) for share in (0.0, 0.5, 1.0)] == [1.0, 0.5, 0.0]
    assert [warmup(0.5)(share) for share in (0.0, 0.25, 0.5, 1.0)] == [0.0, 0.5, 1.0, 1.0]
    assert [round(warmup(0.5, cosine)(share), 6) for share in (0.25, 0.5, 0.75, 1.0)] == [0.5, 1.0, 0.5, 0.0]
    assert warmup(0.0)(0.0) == 1.0


def test_schedules__rate_of_each_step() -> None:
    """The rate at step s of n is that of the share s / n, whatever the epoch."""
    model, config = model_with("sgd"), config_of(epochs=2, lr_decay=0.0)
    training = start(model, config, digits(), 0)
    rates = []
    sgd = training.turn_states[0].optimiser
    original, n = sgd.step, 20

    def step() -> None:
        rates.append(sgd.lr)
        original()

    sgd.step = step  # type: ignore[method-assign]
    train_epoch(training)
    train_epoch(training)
    assert rates == [0.01 * warmup(0.3, cosine)(s / n) for s in range(n)]


# What a user may write


def some_turn(**options: Any) -> Turn:
    return make_turn("", ("net",), lr="lr", loss=lambda nets, batch, noise, hp: (hp["lr"], {}), **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"optimiser": "adamW"}, r"unknown optimiser 'adamW': did you mean 'adamw'\? \(known: adam, adamw, sgd, rms"),
        ({"optimiser": torch.optim.SGD}, "unknown optimiser"),
        ({"schedule": 0.5}, r"schedule is a float: a function \(share\) is needed"),
        ({"schedule": lambda share, epoch: 1.0}, r"schedule\(share, epoch\) takes 2 arguments: \(share\) is given"),
        (
            {"after": lambda weights: {}},
            r"after\(weights\) takes 1 argument: \(weights, buffers, hp, batch, noise\) ",
        ),
    ],
)
def test_turn__refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        some_turn(**options)


def test_model__refused_latent() -> None:
    with pytest.raises(UserError, match=r"latent\(config\) takes 1 argument: \(config, shape\) are given"):
        make_model(lambda config, shape, n: {}, lambda config, shape: (), latent=lambda config: 3)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize("size", ["16", 1.5, (), (4, 0), True, (4, "7")])
def test_model__latent_is_a_length_or_a_shape(size: Any) -> None:
    model = make_model(lambda config, shape, n: {}, lambda config, shape: (), latent=lambda config, shape: size)
    with pytest.raises(UserError, match="a length such as 16, or a shape such as"):
        model.z_shape({}, (1, 8, 8))


def test_model__latent_shape() -> None:
    by_shape = make_model(lambda config, shape, n: {}, lambda config, shape: (), latent=lambda config, shape: shape)
    assert by_shape.z_shape({}, (1, 8, 8)) == (1, 8, 8)
    assert by_shape._replace(latent=lambda config, shape: 7).z_shape({}, (1, 8, 8)) == (7,)
