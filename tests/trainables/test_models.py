"""Contracts over every entry of TRAINABLES: adding a model adds no test code."""

from itertools import chain
from typing import Any

import pytest
import torch
from helpers.trials import assert_stacked_equals_solo, digits, small

from search_spaces import SPACES
from search_spaces.override import Probe, apply
from trainables import MODELS, TRAINABLES, ae, dae, vae
from trainables.config_schema import KEYS, Config, RecordedConfig, check
from trainables.engine.interface import Batch
from trainables.engine.loop import Sums, take_turn, train_epoch
from trainables.engine.stack import Stack, signature
from trainables.engine.state import start
from trainables.errors import UserError

pytestmark = pytest.mark.long

NAMES = list(MODELS)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


NUMBERS: dict[str, Any] = {
    "d_dropout": 0.3,
    "lr_decay": 0.7,
    "steps_per_epoch": 7,
}  # values that take another way through the code
WITH = {"concat": {"net": "mlp"}}  # what a choice needs besides
STATELESS = ("scheme", "penalty")  # choices between pure functions: test_schemes.py crosses them all


def variants(name: str) -> dict[str, Config]:
    """A small configuration for each structural choice of the model, one at a time."""
    found = {name: small(name)}
    for key in sorted(key for key in SPACES[name].roles if key not in STATELESS):
        for choice in KEYS[key].choices or ():
            if found[name].get(key) != choice:
                found[f"{name}-{choice}"] = small(name, {key: choice, **WITH.get(choice, {})})
    numbers = {key: value for key, value in NUMBERS.items() if key in found[name] and name in ("vae", "gan")}
    return {**found, **{f"{name}-{key}": small(name, **{key: value}) for key, value in numbers.items()}}


ALL = {label: config for name in NAMES for label, config in variants(name).items()}
CASES = [pytest.param(label.partition("-")[0], config, id=label) for label, config in ALL.items()]


def test_config_schema__choices_name_something() -> None:
    assert KEYS["likelihood"].choices == tuple(vae.LIKELIHOODS)
    assert KEYS["corruption"].choices == tuple(dae.CORRUPTIONS)


def test_config__copies_count_as_reading() -> None:
    config = RecordedConfig(small("ae", gmm=5))
    assert "gmm" in config
    assert len(list(config)) == len(config)
    assert config.read == set()
    assert config["gmm"] == 5
    assert config.read == {"gmm"}
    ae.nets({**config, "gmm": 0}, (1, 8, 8), 10)  # how a model would use the nets of another
    assert config.read == set(config)
    others = [dict, lambda config: config.get("lr"), lambda config: config.items() and list(config.values())]
    assert [bool(use(fresh) and fresh.read) for use in others if (fresh := RecordedConfig(config))] == [True] * 3


def test_config__cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        RecordedConfig(small("ae"))["gmm"] = 1  # type: ignore[index]


@pytest.mark.parametrize("name", NAMES)
def test_models__space_matches_what_is_read(name: str) -> None:
    listed = {key: ",".join(KEYS[key].choices or ()) for key in SPACES[name].roles}
    every_word = {key: text for key, text in listed.items() if text}
    spaces = [apply(SPACES[name], {}, 4), apply(SPACES[name], every_word, 4)]
    for seed in range(100):
        config = spaces[seed % 2].space(Probe(seed))
        assert set(config) == MODELS[name].reads(config)
        assert all(check(key, value) == value for key, value in config.items())
    assert set(SPACES[name].defaults) <= set(SPACES[name].roles)


@pytest.mark.parametrize(("name", "config"), CASES)
def test_models__every_key_is_read(name: str, config: Config) -> None:
    recorded = RecordedConfig({**config, "epochs": 1})
    list(TRAINABLES[name](recorded, digits()._replace(evaluator=None), 0))
    assert recorded.read == set(config) == MODELS[name].reads(config)


@pytest.mark.parametrize(("name", "config"), CASES)
def test_models__finite_rows_and_valid_samples(name: str, config: Config) -> None:
    epochs = list(TRAINABLES[name](config, digits(), 1))
    assert [e.row["epoch"] for e in epochs] == [1, 2, 3]
    assert [e.samples is not None for e in epochs] == [True, True, True]  # the first, every second, the last
    row = epochs[-1].row
    assert row["status"] == "ok"
    assert all(abs(value) < float("inf") for value in row.values() if isinstance(value, float))
    assert SPACES[name].objective[0] in row
    assert row["n_images"] == 3 * (config["steps_per_epoch"] or len(digits().images.train) // 32) * 32
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


@pytest.mark.parametrize(("name", "config"), CASES)
def test_models__resumed_equals_never_stopped(name: str, config: Config) -> None:
    whole = [(e.row, e.snapshot()) for e in TRAINABLES[name](config, digits(), 7)]
    first = next(TRAINABLES[name](config, digits(), 7)).snapshot()
    torch.randn(3)  # the global random state must not matter
    resumed = [(e.row, e.snapshot()) for e in TRAINABLES[name](config, digits(), 7, first)]
    assert [row["epoch"] for row, _ in resumed] == [1, 2, 3]
    assert all(same(a, b) for a, b in zip(whole, resumed, strict=True))


CHANGES: list[dict[str, float]] = [
    {},
    {"lr": 2e-3, "lr_g": 1e-3, "lr_d": 4e-4, "beta": 3.0, "sigma": 0.3, "warmup": 2.0, "beta1": 0.3, "ema": 0.9},
    {"lr": 3e-4, "lr_g": 1e-4, "lr_d": 2e-3, "beta": 0.2, "sigma": 0.2, "free_bits": 0.1, "beta2": 0.99}
    | {"label_smoothing": 0.1},
]


@pytest.mark.parametrize(("name", "config"), [case for case in CASES if MODELS[str(case.values[0])].stacks])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_models__stacked_equals_solo(name: str, config: Config, dtype: torch.dtype) -> None:
    if config["precision"] != "fp32":
        pytest.skip("the contract is for float32 and float64")
    base = {**config, **({"ema": 0.5} if "ema" in config else {})}
    configs = [{**base, **{k: v for k, v in change.items() if k in base}} for change in CHANGES]
    assert_stacked_equals_solo(name, configs, dtype)


def test_stack__refuses_a_model_that_does_not_stack() -> None:
    model = MODELS["vae"]._replace(name="mine", stacks=False)
    with pytest.raises(ValueError, match="mine does not have stacks=True: its trials cannot be stacked"):
        Stack(model, [small("vae")], digits(), [0])


def test_stack__signature_ignores_numeric_keys() -> None:
    assert signature(small("vae")) == signature(small("vae", lr=0.5, beta=3.0, epochs=9))
    assert signature(small("vae")) != signature(small("vae", width=9))


@pytest.mark.parametrize(("d_steps", "g_steps"), [(1, 1), (2, 1), (1, 2)])
def test_loop__g_and_d_take_turns(d_steps: int, g_steps: int) -> None:
    run = start(MODELS["gan"], small("gan", d_steps=d_steps, g_steps=g_steps), digits(), 0)
    batch = Batch(*digits().images.train.gather(torch.arange(32), "cpu"))
    moved: list[str] = []
    for turn_state in run.turn_states:
        before = {name: [p.clone() for p in net.parameters()] for name, net in run.nets.items()}
        take_turn(run, turn_state, batch, Sums())
        for name, net in run.nets.items():
            if any(not torch.equal(a, b) for a, b in zip(before[name], net.parameters(), strict=True)):
                moved.append(name)
        count = turn_state.optimiser.updates
        assert count == {"d": d_steps, "g": g_steps}[turn_state.turn.name]
    assert moved == ["d", "g"]


def test_loop__average_follows_the_generator() -> None:
    run = start(MODELS["gan"], small("gan", ema=0.15), digits(), 0)
    expected = [p.detach().clone() for p in run.nets["g"].parameters()]
    batch = Batch(*digits().images.train.gather(torch.arange(32), "cpu"))
    for kept in (0.1, 0.15):  # 1/10, then 2/11, which is more than 0.15
        take_turn(run, run.turn_states[1], batch, Sums())
        run.step += 1
        for old, new in zip(expected, run.nets["g"].parameters(), strict=True):
            old.mul_(kept).add_(new.detach(), alpha=1 - kept)
    assert run.average is not None
    for average, value in zip(run.average.parameters(), expected, strict=True):
        torch.testing.assert_close(average, value)


def test_loop__nan_ends_the_trial() -> None:
    epochs = list(TRAINABLES["vae"](small("vae", lr=9.0, epochs=50), digits(), 0))
    assert epochs[-1].row["status"] == "nan"
    assert len(epochs) < 50


def test_loop__batch_larger_than_training_split() -> None:
    with pytest.raises(UserError, match=r"batch_size=5000 is more than the 320 training images"):
        next(TRAINABLES["ae"](small("ae", batch_size=5000), digits(), 0))


def test_loop__every_image_once_in_a_new_order() -> None:
    seen: list[list[int]] = []
    train = digits().images.train

    class Watching:
        labels, pixels, planes = train.labels, train.pixels, None

        def __len__(self) -> int:
            return len(train)

        def gather(self, idx: torch.Tensor, device: str) -> Any:
            seen.append(idx.tolist())
            return train.gather(idx, device)

    images = digits().images._replace(train=Watching())  # type: ignore[arg-type]
    run = start(MODELS["ae"], small("ae", batch_size=80), digits()._replace(images=images), 0)
    train_epoch(run)
    train_epoch(run)
    first, second = list(chain(*seen[:4])), list(chain(*seen[4:]))
    assert sorted(first) == sorted(second) == list(range(320))
    assert first != second


@pytest.mark.parametrize("name", NAMES)
def test_models__state_their_facts(name: str) -> None:
    model = MODELS[name]
    assert model.doc.strip()
    assert (model.reconstruct is not None) == model.shows_pairs
    if model.normal_codes:
        assert model.sample is not None
