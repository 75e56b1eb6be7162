"""Run a user's `train(config, data, trial)`: to train, or up to its epochs loop, to sample from saved weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any

from torch import Tensor

from trainables.engine.state import Data, Snapshot
from trainables.errors import UserError
from trainables.user_model import kept
from trainables.user_model.data_view import DataView
from trainables.user_model.evaluate import UserGenerator
from trainables.user_model.metrics import metrics_of
from trainables.user_model.model import UserModel
from trainables.user_model.model_file import execute, modules_importable
from trainables.user_model.random_state import generators_put_back, seed_generators
from trainables.user_model.trial import Emit, ReadyToSample, Trial, TrialInfo
from trainables.user_model.user_config import UserConfig


def train_user(
    model: UserModel,
    config: Mapping[str, Any],
    data: Data,
    seed: int,
    info: TrialInfo,
    state: Snapshot | None,
    emit: Emit,
) -> None:
    """Execute the file of a model anew and train, from the start or from a snapshot; call `emit` after each epoch.

    A restored trial first emits the row of its snapshot once more. Raise UserError if `train` has no epochs loop.
    """
    call_train(execute(model.code), UserConfig(config), data, Trial(config, data, seed, info, state, emit))


def call_train(module: ModuleType, config: UserConfig, data: Data, trial: Trial) -> None:
    """Call `train` of a user's module from the trial's own random state, and put the state of every generator back.

    Raise UserError if it has no epochs loop. What `trial` raises to leave it goes through.
    """
    function, trial.metrics = train_function(module), metrics_of(module)
    epoch, most = (lambda: trial.open_epoch), (lambda: trial.most_batches)
    view = DataView(data.images, data.device, trial.seed, epoch, trial.count_own_batch, most)
    with generators_put_back(), modules_importable(module):
        seed_generators(trial.seed, "init")
        function(config, view, trial)
        trial.finish()


def rebuild(
    model: UserModel,
    config: Mapping[str, Any],
    data: Data,
    seed: int,
    weights: Mapping[str, Tensor],
    values: Mapping[str, Any],
) -> UserGenerator:
    """Return what draws and measures with saved weights: `train` is called, and left at its epochs loop.

    Raise UserError if it has no such loop, or if the weights do not fit.
    """
    trial = Trial(config, data, seed, TrialInfo(), None, None)
    with suppress(ReadyToSample):
        call_train(execute(model.code), UserConfig(config), data, trial)
    kept.load_weights(trial.kept_objects, weights)
    for name, item in trial.kept_objects.items():
        if isinstance(item, dict) and name in values:
            item.clear()
            item.update(values[name])
    return trial.generator()


def train_function(module: ModuleType) -> Callable[..., Any]:
    """Return `train` of a user's module; raise UserError if it has none."""
    function = getattr(module, "train", None)
    if not callable(function):
        raise UserError(f"{module.__file__} needs train(config, data, trial), and has none")
    signature = inspect.signature(function)
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        raise UserError(
            f"{module.__file__}: train{signature} takes {len(signature.parameters)} arguments: (config, data, trial) "
            "are given"
        ) from error
    return function  # type: ignore[no-any-return]
