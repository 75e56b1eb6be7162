"""Trainings of a user's file in this process, without Ray."""

from collections.abc import Callable, Mapping
from typing import Any

from trainables.data import load
from trainables.engine.loop import Epoch
from trainables.engine.state import Data
from trainables.metrics import build_evaluator, load_extractor
from trainables.user_model.model import Facts, UserModel
from trainables.user_model.model_file import ModelFile
from trainables.user_model.train import train_user
from trainables.user_model.trial import TrialInfo


def digits_data() -> Data:
    """Digits, evaluated at every epoch with 600 samples."""
    digits = load("digits")
    evaluator = build_evaluator(digits, seed=0)._replace(n_samples=600, every=1)
    return Data(digits.to("cpu"), evaluator, load_extractor(evaluator, "cpu"))


def model_of(text: str) -> UserModel:
    return UserModel("my_model", Facts(), ModelFile("my_model.py", text))


def rows_of(
    model: UserModel,
    config: Mapping[str, Any],
    data: Data,
    state: dict[str, Any] | None = None,
    each: Callable[[Epoch], None] = lambda epoch: None,
) -> list[dict[str, Any]]:
    """The rows of a training from seed 7, without what the clock says."""
    rows = []

    def emit(epoch: Epoch) -> None:
        each(epoch)
        rows.append({key: value for key, value in epoch.row.items() if key != "wall_s"})

    train_user(model, config, data, 7, TrialInfo(), state, emit)
    return rows
