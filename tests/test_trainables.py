"""Contracts over every entry of TRAINABLES: adding a model adds no test code."""

from itertools import chain
from typing import Any

import pytest
import torch

from search_spaces import SPACES
from search_spaces.override import Probe, apply, default
from trainables import MODELS, TRAINABLES, Data
from trainables.data import load
from trainables.engine import streams
from trainables.engine.loop import Sums, take_turn, train_epoch
from trainables.engine.model import Batch, Model
from trainables.engine.run import Run, start
from trainables.engine.stack import Stack, signature
from trainables.errors import BadInput
from trainables.keys import KEYS, Config, check
from trainables.metrics import build_judge, load_extractor

NAMES = list(MODELS)
NETS = ["mlp", "conv"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Data:
    """The embedded digits, with their judge."""
    images = load("digits")
    judge = build_judge(images, seed=5, every=2, rungs=())._replace(n_samples=600)
    return Data(images.to("cpu"), judge, load_extractor(judge, "cpu"))


def small(name: str, **changes: Any) -> Config:
    """The default configuration, made small."""
    config = default(apply(SPACES[name], {}, 3))[0]
    return {**config, "width": 8, "latent_dim": 4, "batch_size": 32, "epochs": 3, **changes}


def variants(name: str) -> list[Config]:
    """A small configuration for each structural choice of the model, one at a time."""
    found = [small(name)]
    for key in sorted(SPACES[name].roles):
        for choice in KEYS[key].choices or ():
            config = small(name, **{key: choice})
            if key == "likelihood" and choice == "gaussian":
                config["sigma"] = 0.1
            found.append(config)
    return found


ALL = [(name, config) for name in NAMES for config in variants(name)]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(ALL)]


class Noting(dict[str, Any]):
    """A configuration that notes which keys were read."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)


def steps(model: Model, config: Config, data: Data, n: int, dtype: torch.dtype = torch.float32, seed: int = 3) -> Run:
    """A trial after ``n`` steps."""
    run = start(model, config, data, seed)
    for net in [*run.nets.values(), *([run.average] if run.average is not None else [])]:
        net.to(dtype)
    run.hp = {key: torch.tensor(config[key], dtype=dtype) for key in run.hp}
    order = streams.permutation(len(data.images.train), "cpu", seed, "order", 0)
    size = config["batch_size"]
    for i in range(n):
        x, y = data.images.train.gather(order[i * size : (i + 1) * size], "cpu")
        for mover in run.movers:
            _double_noise(run, mover, Batch(x.to(dtype), y), dtype)
        run.step += 1
    return run


def _double_noise(run: Run, mover: Any, batch: Batch, dtype: torch.dtype) -> None:
    """take_turn with its noise in ``dtype``: the draws are the same numbers."""
    loss = mover.turn.loss

    def cast(nets: Any, batch: Batch, noise: Any, hp: Any) -> Any:
        return loss(nets, batch, {key: value.to(dtype) for key, value in noise.items()}, hp)

    take_turn(run, mover._replace(turn=mover.turn._replace(loss=cast)), batch, Sums())


@pytest.mark.parametrize("name", NAMES)
def test_space_returns_exactly_what_the_trainable_reads(name: str, digits: Data) -> None:
    space = apply(SPACES[name], {}, 4)
    for seed in range(50):
        config = space.space(Probe(seed))
        assert set(config) == MODELS[name].reads(config)
        assert all(check(key, value) == value for key, value in config.items())
    assert set(SPACES[name].defaults) <= set(space.roles)


@pytest.mark.parametrize(("name", "config"), ALL, ids=IDS)
def test_every_key_is_read(name: str, config: Config, digits: Data) -> None:
    noting = Noting({**config, "epochs": 1})
    list(TRAINABLES[name](noting, digits._replace(judge=None), 0))
    assert noting.read == set(config) == MODELS[name].reads(config)


@pytest.mark.parametrize(("name", "config"), ALL, ids=IDS)
def test_rows_are_finite_and_samples_are_pictures(name: str, config: Config, digits: Data) -> None:
    epochs = list(TRAINABLES[name](config, digits, 1))
    assert [e.row["epoch"] for e in epochs] == [1, 2, 3]
    assert [e.samples is not None for e in epochs] == [True, True, True]  # the first, every second, the last
    row = epochs[-1].row
    assert row["status"] == "ok"
    assert all(abs(value) < float("inf") for value in row.values() if isinstance(value, float))
    assert SPACES[name].objective[0] in row
    assert row["n_images"] == 3 * (len(digits.images.train) // 32) * 32
    if "scheme" in config:
        assert {"grad_norm_g", "grad_norm_d", "d_real", "d_fake", "updates_g", "updates_d"} <= set(row)
    samples = epochs[-1].samples
    assert samples is not None
    assert samples.dtype == torch.uint8
    assert samples.shape == (80, 1, 8, 8)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a if k != "wall_s")
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@pytest.mark.parametrize(("name", "config"), ALL, ids=IDS)
def test_resumed_equals_never_stopped(name: str, config: Config, digits: Data) -> None:
    whole = [(e.row, e.snapshot()) for e in TRAINABLES[name](config, digits, 7)]
    first = next(TRAINABLES[name](config, digits, 7)).snapshot()
    torch.randn(3)  # the global random state must not matter
    resumed = [(e.row, e.snapshot()) for e in TRAINABLES[name](config, digits, 7, first)]
    assert [row["epoch"] for row, _ in resumed] == [1, 2, 3]
    assert all(same(a, b) for a, b in zip(whole, resumed, strict=True))


CHANGES: list[dict[str, float]] = [
    {},
    {"lr": 3e-3, "lr_g": 1e-3, "lr_d": 4e-4, "beta": 3.0, "sigma": 0.3, "beta1": 0.3, "ema": 0.9},
    {"lr": 3e-4, "lr_g": 1e-4, "lr_d": 2e-3, "beta": 0.2, "sigma": 0.2, "beta2": 0.99, "label_smoothing": 0.1},
]


@pytest.mark.parametrize(("name", "config"), ALL, ids=IDS)
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_stacked_equals_solo(name: str, config: Config, dtype: torch.dtype, bound: float, digits: Data) -> None:
    if config["precision"] != "fp32":
        pytest.skip("the contract is for float32 and float64")
    base = {**config, **({"ema": 0.5} if "ema" in config else {})}
    configs = [{**base, **{k: v for k, v in change.items() if k in base}} for change in CHANGES]
    seeds = [11, 12, 13]
    stack = Stack(MODELS[name], configs, digits, seeds, dtype)
    for _ in range(3):
        stack.step()
    for k, (one, seed) in enumerate(zip(configs, seeds, strict=True)):
        run = steps(MODELS[name], one, digits, 3, dtype, seed)
        for net, module in run.nets.items():
            state = {**stack.weights[net], **stack.buffers[net]}
            for key, value in module.state_dict().items():
                torch.testing.assert_close(state[key][k], value, rtol=bound, atol=bound)
        if run.average is not None and stack.average is not None:
            for key, value in run.average.named_parameters():
                torch.testing.assert_close(stack.average[key][k], value, rtol=bound, atol=bound)


def test_signature_ignores_numeric_keys() -> None:
    assert signature(small("vae")) == signature(small("vae", lr=0.5, beta=3.0, epochs=9))
    assert signature(small("vae")) != signature(small("vae", width=9))


@pytest.mark.parametrize(("d_steps", "g_steps"), [(1, 1), (2, 1), (1, 2)])
def test_g_and_d_move_on_their_own_turns(d_steps: int, g_steps: int, digits: Data) -> None:
    run = start(MODELS["gan"], small("gan", d_steps=d_steps, g_steps=g_steps), digits, 0)
    batch = Batch(*digits.images.train.gather(torch.arange(32), "cpu"))
    moved: list[str] = []
    for mover in run.movers:
        before = {name: [p.clone() for p in net.parameters()] for name, net in run.nets.items()}
        take_turn(run, mover, batch, Sums())
        for name, net in run.nets.items():
            if any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True)):
                moved.append(name)
        count = mover.optimiser.state[mover.parameters[0]]["step"]
        assert count == {"d": d_steps, "g": g_steps}[mover.turn.name]
    assert moved == ["d", "g"]


def test_average_follows_the_generator_from_the_start(digits: Data) -> None:
    run = start(MODELS["gan"], small("gan", ema=0.15), digits, 0)
    expected = [p.detach().clone() for p in run.nets["g"].parameters()]
    batch = Batch(*digits.images.train.gather(torch.arange(32), "cpu"))
    for kept in (0.1, 0.15):  # 1/10, then 2/11, which is more than 0.15
        take_turn(run, run.movers[1], batch, Sums())
        run.step += 1
        for old, new in zip(expected, run.nets["g"].parameters(), strict=True):
            old.mul_(kept).add_(new.detach(), alpha=1 - kept)
    assert run.average is not None
    for average, value in zip(run.average.parameters(), expected, strict=True):
        torch.testing.assert_close(average, value)


def test_numbers_that_blow_up_end_the_trial_with_a_class(digits: Data) -> None:
    epochs = list(TRAINABLES["vae"](small("vae", lr=9.0, epochs=50), digits, 0))
    assert epochs[-1].row["status"] == "nan"
    assert len(epochs) < 50


def test_a_batch_larger_than_the_training_split_is_named(digits: Data) -> None:
    with pytest.raises(BadInput, match=r"batch_size=5000 is more than the 1257 training images"):
        next(TRAINABLES["ae"](small("ae", batch_size=5000), digits, 0))


def test_an_epoch_sees_every_image_once_in_a_new_order(digits: Data) -> None:
    seen: list[list[int]] = []
    train = digits.images.train

    class Watching:
        labels, pixels, planes = train.labels, train.pixels, None

        def __len__(self) -> int:
            return len(train)

        def gather(self, idx: torch.Tensor, device: str) -> Any:
            seen.append(idx.tolist())
            return train.gather(idx, device)

    images = digits.images._replace(train=Watching())  # type: ignore[arg-type]
    run = start(MODELS["ae"], small("ae", batch_size=419), digits._replace(images=images), 0)
    train_epoch(run)
    train_epoch(run)
    first, second = list(chain(*seen[:3])), list(chain(*seen[3:]))
    assert sorted(first) == sorted(second) == list(range(1257))
    assert first != second
