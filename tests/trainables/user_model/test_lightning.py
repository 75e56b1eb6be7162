"""A LightningModule as a trial: its Trainer's epochs are the trial's, also after a kill."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers.lightning_files import BY_HAND, LOADERS, SMALL
from helpers.user_files import small_file
from helpers.user_training import digits_data, model_of, rows_of

from trainables.engine.loop import Epoch
from trainables.engine.state import Data
from trainables.errors import UserError
from trainables.user_model.model import UserModel
from trainables.user_model.train import rebuild

pytest.importorskip("lightning.pytorch")
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
]
CONFIG = {"lr": 1e-3, "width": 8, "batch_size": 64, "epochs": 3}
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def data() -> Data:
    return digits_data()


def model(*changes: tuple[str, str]) -> UserModel:
    return model_of(small_file(*changes, text=SMALL))


def train(
    data: Data,
    *changes: tuple[str, str],
    state: dict[str, Any] | None = None,
    each: Callable[[Epoch], None] = lambda epoch: None,
    **config: Any,
) -> Rows:
    """Return the rows, without what the clock says."""
    return rows_of(model(*changes), {**CONFIG, **config}, data, state, each)


def whole_and_parts(data: Data, *changes: tuple[str, str]) -> tuple[Rows, list[Rows]]:
    """Return the rows of a training, and those of it resumed from the checkpoint of each epoch."""
    states: list[io.BytesIO] = []

    def save(epoch: Epoch) -> None:
        states.append(io.BytesIO())
        torch.save(epoch.snapshot(), states[-1])

    whole, parts = train(data, *changes, each=save), []
    for saved in states:
        saved.seek(0)
        parts.append(train(data, *changes, state=torch.load(saved, weights_only=True)))
    return whole, parts


def test_lightning__rows(data: Data) -> None:
    rows = train(data)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["updates"] for row in rows] == [19, 38, 57]
    assert rows[-1]["n_images"] == 57 * 64
    assert {"loss", "step_loss", "both", "val_loss", "fid", "val_error", "val_error_se"} <= rows[0].keys()
    assert not {"both_step", "both_epoch"} & rows[0].keys()
    assert rows[0]["step_loss"] == rows[0]["loss"] == rows[0]["both"]  # means over the epoch, not the last step's
    assert rows[2]["loss"] < rows[0]["loss"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([LOADERS], id="loaders"),
        pytest.param([], id="batches", marks=pytest.mark.slow),
        pytest.param(BY_HAND, id="by hand", marks=pytest.mark.slow),
    ],
)
def test_lightning__resumed_equals_undisturbed(data: Data, changes: list[tuple[str, str]]) -> None:
    whole, parts = whole_and_parts(data, *changes)
    assert len(whole) == 3
    for k, rows in enumerate(parts):
        assert rows == whole[k:]


def test_lightning__same_for_any_random_state_around_it(data: Data) -> None:
    torch.manual_seed(1)
    first = train(data, LOADERS, epochs=2)
    torch.manual_seed(2)
    assert train(data, LOADERS, epochs=2) == first


def test_lightning__stops_early_by_itself(data: Data) -> None:
    stop = ("callbacks=[callback]", "callbacks=[callback, pl.callbacks.EarlyStopping('val_loss', 9.0, 1)]")
    rows = train(data, stop)
    assert [(row["epoch"], row["epochs"], row["status"]) for row in rows] == [(1, 3, "ok"), (2, 2, "ok")]
    assert rows[-1]["eval_epoch"] == 2


def test_lightning__nan_ends_it(data: Data) -> None:
    rows = train(data, ("        return loss\n", "        return loss * (float('nan') if self.current_epoch else 1)\n"))
    assert [row["status"] for row in rows] == ["ok", "nan"]


class Stopped(BaseException):
    """As the scheduler stops a trial: what reports an epoch raises."""


def test_lightning__a_stopped_trial_ends_at_once(data: Data) -> None:
    ended = []

    def report(epoch: Epoch) -> None:
        ended.append(epoch.row["epoch"])
        raise Stopped

    with pytest.raises(Stopped):
        train(data, each=report)
    assert ended == [1]


def test_lightning__rebuilt_from_weights(data: Data) -> None:
    last: list[Epoch] = []
    rows = train(data, each=last.append)
    generator = rebuild(model(), CONFIG, data, 7, last[-1].weights(), {})
    assert data.evaluator is not None
    assert generator.measured(data, "val", data.evaluator.seed)["val_error"] == rows[-1]["val_error"]


FIT = "    trainer.fit(net, data.train.batches(64), data.val.batches(9))\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("trial.lightning(net,", "trial.lightning(net.enc,"), "a Sequential is not a LightningModule"),
        (
            ("    trainer.fit", "    trainer.fit(net, data.train.batches(64), data.val.batches(9))\n    trainer.fit"),
            "twice",
        ),
        (("callbacks=[callback]", "callbacks=[]"), "no Trainer has run the callback"),
    ],
)
def test_lightning__refused(data: Data, change: tuple[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        train(data, change, epochs=1)
