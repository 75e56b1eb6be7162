"""A user's loop without Ray: what an epoch hands over, what a resume gives back, what is refused."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from helpers.user_files import small_file
from helpers.user_training import digits_data, model_of, rows_of

from trainables.engine.loop import Epoch
from trainables.engine.state import Data
from trainables.errors import UserError
from trainables.user_model.model import UserModel
from trainables.user_model.train import rebuild

pytestmark = pytest.mark.long
CONFIG = {"lr": 1e-3, "width": 8, "weight": 1.0, "batch_size": 64, "epochs": 3}


@pytest.fixture(scope="module")
def data() -> Data:
    return digits_data()


def model(*changes: tuple[str, str]) -> UserModel:
    return model_of(small_file(*changes))


def train(
    data: Data,
    *changes: tuple[str, str],
    state: dict[str, Any] | None = None,
    each: Callable[[Epoch], None] = lambda epoch: None,
    **config: Any,
) -> list[dict[str, Any]]:
    """Return the rows, without what the clock says."""
    return rows_of(model(*changes), {**CONFIG, **config}, data, state, each)


def test_trial__rows(data: Data) -> None:
    samples = []
    rows = train(data, each=lambda epoch: samples.append(epoch.samples))
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["updates"] for row in rows] == [19, 38, 57]
    assert rows[-1]["n_images"] == 57 * 64
    assert {"loss", "fid", "val_error", "val_error_se", "eval_epoch", "narrow"} <= rows[0].keys()
    assert rows[2]["loss"] < rows[0]["loss"]
    assert all(grid is not None and grid.shape == (80, 1, 8, 8) for grid in samples)


def test_trial__resumed_equals_undisturbed(data: Data) -> None:
    states: list[io.BytesIO] = []

    def save(epoch: Epoch) -> None:
        states.append(io.BytesIO())
        torch.save(epoch.snapshot(), states[-1])

    whole = train(data, each=save)
    for k, saved in enumerate(states):
        saved.seek(0)
        rows = train(data, state=torch.load(saved, weights_only=True))
        assert rows == whole[k:]


def test_trial__same_for_any_random_state_around_it(data: Data) -> None:
    torch.manual_seed(1)
    first = train(data, epochs=1)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    assert train(data, epochs=1) == first
    torch.manual_seed(2)
    assert train(data, epochs=1) == first
    torch.manual_seed(1)
    assert before[1] == np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002


def test_trial__break_ends_it_as_done(data: Data) -> None:
    rows = train(data, ("        sched.step()\n", "        sched.step()\n        if epoch == 1:\n            break\n"))
    assert [(row["epoch"], row["epochs"], row["status"]) for row in rows] == [(1, 3, "ok"), (2, 2, "ok")]
    assert rows[-1]["eval_epoch"] == 2


def test_trial__nan_ends_it(data: Data) -> None:
    rows = train(data, ("loss = config", "loss = (float('nan') if epoch else 1.0) * config"))
    assert [row["status"] for row in rows] == ["ok", "nan"]


def test_trial__sampler_with_labels(data: Data) -> None:
    by_label = ("trial.sampler(lambda n: dec(", "trial.sampler(lambda n, y: 0 * y.view(-1, 1, 1, 1) + dec(")
    rows = train(data, by_label, epochs=1)
    assert "accuracy" in rows[0]


def test_trial__without_a_sampler(data: Data) -> None:
    samples = []
    changes = ('    trial.sampler(lambda n: dec(torch.randn(n, config["width"], device=trial.device)))\n', "")
    rows = train(data, changes, epochs=1, each=lambda epoch: samples.append(epoch.samples))
    assert samples == [None]
    assert "val_error" in rows[0]
    assert "fid" not in rows[0]


def test_trial__evaluation_mode_and_back(data: Data) -> None:
    loop = "    for epoch in trial.epochs():\n"
    spoilt = (loop, f"    enc.p = nn.Dropout(0.5)\n{loop}        assert enc.training and enc.p.training\n")
    line = "        z = enc(x.flatten(1))\n"
    inside = (line, line + "        assert enc.p.training == z.requires_grad\n")
    train(data, spoilt, inside, epochs=2)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("    trial.keep(enc=enc", "    trial.keep(lr=0.1, enc=enc")], "a float has no state_dict"),
        ([("    trial.keep(enc=enc", "    trial.keep(state={'f': print}, enc=enc")], "plain values only"),
        ([("trial.log(loss=loss)", "trial.log(status=loss)")], "rows have their own 'status'"),
        ([("    for epoch in trial.epochs():\n", "    for epoch in range(1):\n")], "without a loop"),
    ],
)
def test_trial__refused(data: Data, changes: list[tuple[str, str]], says: str) -> None:
    with pytest.raises(UserError, match=says):
        train(data, *changes)


def test_trial__a_checkpoint_of_other_objects(data: Data) -> None:
    states: list[dict[str, Any]] = []
    train(data, each=lambda epoch: states.append(epoch.snapshot()), epochs=2)
    with pytest.raises(UserError, match="the checkpoint has no 'more'"):
        train(data, ("trial.keep(enc=enc", "trial.keep(more={}, enc=enc"), state=states[0], epochs=2)
    with pytest.raises(UserError, match=r"the checkpoint has sched, and trial.keep\(\) was not given it"):
        train(data, (", sched=sched)", ")"), state=states[0], epochs=2)


def test_rebuild__draws_what_training_drew(data: Data) -> None:
    last: list[Epoch] = []
    with_shift = ("trial.keep(enc=enc", "trial.keep(state={'shift': config['width']}, enc=enc")
    weights: list[Any] = []

    def note(epoch: Epoch) -> None:
        last.append(epoch)
        weights.append((epoch.weights(), epoch.values()))

    train(data, with_shift, epochs=1, each=note)
    assert weights[0][1] == {"state": {"shift": 8}}
    generator = rebuild(model(with_shift), {**CONFIG, "epochs": 1}, data, 7, *weights[0])
    images = torch.cat([x for x, _ in generator.draw(torch.arange(80) % 10, data.images.shape, 0, "grid")])
    assert last[0].samples is not None
    torch.testing.assert_close((images * 255).round().to(torch.uint8), last[0].samples, atol=1, rtol=0)
    assert not any(parameter.grad is not None for net in generator.nets for parameter in net.parameters())


METRICS = """
def spectrum(images, real):
    assert images.shape == real.shape
    return {"low": float(images.mean() - real.mean()), "high": 1.0}

METRICS = {"spectrum": gs.Metric(spectrum), "broken": gs.Metric(lambda images, real: 1 / int(images.shape[0] < 100))}
"""


def test_trial__metrics_of_the_file(data: Data) -> None:
    """A metric that fails costs the metric alone."""
    rows = train(
        data, ("import torch\n", "import torch\nimport gensweep as gs\n"), ("def space", METRICS + "\ndef space")
    )
    assert rows[0]["spectrum_high"] == 1.0
    assert -1 < rows[0]["spectrum_low"] < 1
    assert "broken" not in rows[0]
    assert rows[0]["error_broken"] == "ZeroDivisionError: division by zero"
