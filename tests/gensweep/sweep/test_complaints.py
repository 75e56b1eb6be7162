"""Two complaints about sweeps of one's own model: early stopping that does nothing; disks and memory that fill up."""

import gc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from helpers.manifests import small_manifest
from helpers.user_files import small_file

from gensweep.tune.schedulers import EarlyStopping, early_stopping
from trainables.data import load
from trainables.engine.loop import Epoch
from trainables.engine.state import Data
from trainables.metrics import build_evaluator, load_extractor
from trainables.objective import Goal, Objective
from trainables.ray_trainable import TrialWriter
from trainables.trial_files import TrialFiles
from trainables.user_model.model import Facts, UserModel
from trainables.user_model.model_file import ModelFile
from trainables.user_model.train import train_user
from trainables.user_model.trial import TrialInfo

pytestmark = pytest.mark.long
CONFIG = {"lr": 1e-2, "width": 8, "weight": 1.0, "batch_size": 64, "epochs": 4}
FID, ERROR = Objective("fid", "min"), Objective("val_error", "min")
BIG = ("import torch\n", "import torch\nBIG = torch.ones(5_000_000)\n")  # 20 MB in the globals of each trial


@pytest.fixture(scope="module")
def data() -> Data:
    digits = load("digits")
    evaluator = build_evaluator(digits, seed=0)._replace(n_samples=600, every=1)
    return Data(digits.to("cpu"), evaluator, load_extractor(evaluator, "cpu"))


class Stopped(BaseException):
    """As Tune leaves a trial that early stopping ends: by what its report raises."""


def epochs_of(data: Data, rule: EarlyStopping, number: int, **config: Any) -> int:
    """Train the small file until its end, or until the rule stops it; return the epochs."""
    rows = []

    def report(epoch: Epoch) -> None:
        rows.append(epoch.row)
        if rule.stops(number, epoch.row):
            raise Stopped

    model = UserModel("my_model", Facts(), ModelFile("my_model.py", small_file()))
    with suppress(Stopped):
        train_user(model, {**CONFIG, **config}, data, 7, TrialInfo(number), None, report)
    return len(rows)


@pytest.mark.parametrize("objectives", [(FID,), (FID, ERROR), (ERROR, FID)])
def test_complaint__early_stopping_stops_bad_trials(data: Data, objectives: tuple[Objective, ...]) -> None:
    """The file makes no call for it: what ends an epoch of its loop is also what reports it."""
    goal = Goal(objectives[0], objectives)
    rule = early_stopping(small_manifest(scheduler="asha", goal=goal, epochs=4, grace=1, reduction_factor=3), {})
    assert rule is not None
    assert epochs_of(data, rule, 1) == 4
    assert epochs_of(data, rule, 2, lr=1e-6) == 1


def test_complaint__disk_holds_the_last_checkpoints_and_the_best(data: Data, tmp_path: Path) -> None:
    writer = TrialWriter(TrialFiles(str(tmp_path), 3), {"number": 3, "model": "my_model"}, Goal(FID, (FID,)), {})
    sizes = []

    def write(epoch: Epoch) -> None:
        writer.write(epoch)
        sizes.append(sum(path.stat().st_size for path in tmp_path.rglob("*") if path.suffix in (".pt", ".safetensors")))

    model = UserModel("my_model", Facts(), ModelFile("my_model.py", small_file()))
    train_user(model, {**CONFIG, "epochs": 6}, data, 7, TrialInfo(3), None, write)
    names = sorted(path.name for path in (tmp_path / "0003").iterdir() if path.suffix in (".pt", ".safetensors"))
    assert names == ["best.safetensors", "checkpoint_0005.pt", "checkpoint_0006.pt"]
    assert sizes[-1] < 1.1 * sizes[1]


def live_modules() -> Iterator[ModuleType]:
    gc.collect()
    return (item for item in gc.get_objects() if type(item) is ModuleType and item.__name__.startswith("gensweep_user"))


def test_complaint__memory_of_many_trials_in_a_worker(data: Data) -> None:
    model = UserModel("my_model", Facts(), ModelFile("my_model.py", small_file(BIG)))
    of_other_tests = {id(module) for module in live_modules()}

    def run(n: int) -> int:
        for number in range(n):
            train_user(
                model, {**CONFIG, "epochs": 1}, data._replace(evaluator=None), number, TrialInfo(), None, lambda _: None
            )
        assert sum(id(module) not in of_other_tests for module in live_modules()) <= 1  # the last trial's
        tensors = [item for item in gc.get_objects() if issubclass(type(item), torch.Tensor)]
        return sum(item.nbytes for item in tensors)

    before = run(3)
    grown = run(15) - before
    print(f"grown by {grown / 1e6:.0f} MB in 15 trials of 20 MB each")
    assert grown < 30e6
