"""Makes a small finished sweep on the disk without training: a real Optuna study, real rows, real PNGs of real digits.

Four trials of a VAE on digits: the defaults complete at fid 20, trial 1 wins with fid 12.5 at epoch 4 of 5, trial 2 is
stopped at epoch 2 and ties with the defaults, trial 3 fails with nan. The numbers are what the tests compute with.
"""

from __future__ import annotations

import datetime
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState
from PIL import Image
from safetensors.torch import save
from sklearn.datasets import load_digits
from sqlalchemy import event

from helpers.manifests import SMALL, small_manifest
from search_spaces.param import Param
from trainables import MODELS
from trainables.data import load

BOXES: dict[str, BaseDistribution] = {
    "lr": FloatDistribution(1e-4, 1e-2, log=True),
    "batch_size": IntDistribution(32, 256),
    "likelihood": CategoricalDistribution(["bernoulli", "gaussian"]),
}
FIXED: dict[str, Any] = {
    "beta1": 0.9, "beta2": 0.999, "epochs": 5, "latent_dim": 2, "width": 32, "net": "mlp", "beta": 1.0,
    "precision": "fp32",
}  # fmt: skip
READS: dict[str, dict[str, Any]] = {
    "cgan": {"d_norm": "none", "pack": 1, "out": "sigmoid", "d_dropout": 0.0, "label_dim": 2, "d_cond": "concat"},
    "dae": {"gmm": 2},
    "ae": {"gmm": 0},
}  # what other nets are built from
Planned = tuple[TrialState, dict[str, Any], list[float]]  # state, sampled parameters, objective by epoch
TRIALS: list[Planned] = [
    (TrialState.COMPLETE, {"lr": 1e-3, "batch_size": 128, "likelihood": "bernoulli"}, [60.0, 40.0, 30.0, 25.0, 20.0]),
    (TrialState.COMPLETE, {"lr": 3e-3, "batch_size": 64, "likelihood": "bernoulli"}, [50.0, 30.0, 15.0, 12.5, 14.0]),
    (TrialState.PRUNED, {"lr": 1e-4, "batch_size": 256, "likelihood": "gaussian"}, [90.0, 20.0]),
    (TrialState.FAIL, {"lr": 1e-2, "batch_size": 32, "likelihood": "gaussian"}, [10.0, 5.0]),
]
START = datetime.datetime(2026, 1, 2, 3, 4, 5)


def make(
    directory: Path,
    trials: list[Planned] = TRIALS,
    model: str = "vae",
    further: dict[str, list[float]] | None = None,
    **changes: Any,
) -> Path:
    """Writes the sweep into `directory`, with `changes` to its sweep.json, and returns it. `further` gives other keys
    of the goal, one value a trial."""
    directory.mkdir(parents=True)
    if "objective" in changes:
        changes = {"objectives": [changes["objective"]], **changes}
    meta = _meta(directory.name, len(trials)) | {"model": model} | changes
    (directory / "sweep.json").write_text(json.dumps(meta))
    ways = {"min": "MINIMIZE", "max": "MAXIMIZE"}
    of = [{key: values[number] for key, values in (further or {}).items()} for number in range(len(trials))]
    _study(directory, trials, of, [ways[one["mode"]] for one in meta["objectives"]])
    for number, (_, params, values) in enumerate(trials):
        _trial(directory / "trials" / f"{number:04d}", number, model, params, values, of[number])
    return directory


def _meta(name: str, trials: int) -> dict[str, Any]:
    space = {
        "lr": Param("float", 1e-4, 1e-2, log=True),
        "batch_size": Param("int", 32, 256),
        "likelihood": Param("categorical", choices=("bernoulli", "gaussian")),
    }
    return small_manifest(
        name=name,
        study=name,
        command=["gensweep", "run", "vae", "--trials", str(trials)],
        data=SMALL.data._replace(fingerprint=load("digits").fingerprint),
        space=space | {key: Param("fixed", value=value) for key, value in FIXED.items()},
        defaults=FIXED | TRIALS[0][1],
        trials=trials,
    ).to_json()


def rewrite(directory: Path, **changes: Any) -> None:
    """Change keys of a sweep's sweep.json."""
    path = directory / "sweep.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _study(directory: Path, trials: list[Planned], further: list[dict[str, float]], directions: list[str]) -> None:
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory}/study.db")
    event.listen(storage.engine, "connect", lambda connection, _: connection.execute("pragma synchronous=off"))
    storage.engine.dispose()
    ways = [StudyDirection[direction] for direction in directions]
    study = optuna.create_study(storage=storage, study_name=directory.name, directions=ways)
    for number, (state, params, values) in enumerate(trials):
        told = [min(values), *further[number].values()][: len(directions)]
        seen = {epoch: {"fid": value, **further[number]} for epoch, value in enumerate(values, start=1)}
        frozen = optuna.trial.create_trial(
            state=state,
            values=told if state == TrialState.COMPLETE else None,
            params=params,
            distributions={key: BOXES[key] for key in params},
            user_attrs=({"reason": "nan", "error": "loss is nan at epoch 3"} if state == TrialState.FAIL else {})
            | ({"seen": seen} if further[number] else {}),
            intermediate_values=dict(enumerate(values, start=1)) if len(directions) == 1 else {},
        )
        frozen.datetime_start = START + datetime.timedelta(seconds=number)
        frozen.datetime_complete = frozen.datetime_start + datetime.timedelta(seconds=10)
        study.add_trial(frozen)
    storage.remove_session()
    storage.engine.dispose()


def _trial(
    folder: Path, number: int, model: str, params: dict[str, Any], values: list[float], further: dict[str, float]
) -> None:
    (folder / "samples").mkdir(parents=True)
    params = {"number": number, "seed": 100 + number, "model": model, "config": FIXED | READS.get(model, {}) | params}
    (folder / "params.json").write_text(json.dumps(params))
    rows = [_row(epoch, value) | further for epoch, value in enumerate(values, start=1)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "best.safetensors").write_bytes(_weights(number, model))
    for epoch in range(1, len(values) + 1):
        (folder / "samples" / f"epoch_{epoch:04d}.png").write_bytes(grid(number * 64 + epoch))


def _weights(number: int, model: str) -> bytes:
    torch.manual_seed(number)
    nets = MODELS[model].nets(FIXED | READS.get(model, {}) | {"likelihood": "bernoulli"}, (1, 8, 8), 10)
    return save({f"{name}.{key}": value for name, net in nets.items() for key, value in net.state_dict().items()})


def _row(epoch: int, value: float) -> dict[str, Any]:
    return {
        "epoch": epoch, "epochs": 5, "status": "ok", "eval_epoch": epoch, "loss": value + 100, "nats": value + 90,
        "grad_norm": 1.5, "fid": value, "modes": 9.5, "precision": 0.75,
        "class_shares": [0.19, 0.01] + [0.1] * 8, "wall_s": epoch * 1.0,
        "n_images": epoch * 1257, "updates": epoch * 20, "best": value, "best_epoch": epoch,
    }  # fmt: skip


@cache
def _digits() -> NDArray[Any]:
    images: NDArray[Any] = load_digits().images
    return images


def grid(first: int) -> bytes:
    """80 real digits from number `first` on as the PNG that a trial writes: 8 rows of 10 cells of 8 x 8 pixels."""
    digits: NDArray[Any] = _digits().take(range(first, first + 80), 0, mode="wrap") * (255 / 16)
    pixels = digits.astype(np.uint8).reshape(8, 10, 8, 8).transpose(0, 2, 1, 3).reshape(64, 80)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


DRAWS: list[Planned] = [
    (TrialState.FAIL if value is None else TrialState.COMPLETE, dict(TRIALS[0][1]), [value or 90.0])
    for value in [20.0, 30.0, None, 10.0, 15.0, 12.0]
]
