"""What goes wrong between plain Ray Tune and plain Optuna, and not here: each failure shown on both.

The plain half asserts that the failure is there, with the versions that are installed: a test that fails there says
that Ray or Optuna has mended it.
"""

import inspect
import io
import math
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import optuna
import pytest
from helpers.scheduling import plays
from helpers.searching import manifest, run_one, searching
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from rich.console import Console

from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.search.study_storage import check_storage, open_study
from gensweep.sweep.run_sweep import search_space
from gensweep.tune import ray_session, run_tuner
from gensweep.tune.resources import Share

pytestmark = [pytest.mark.ray, pytest.mark.slow]  # of Ray and Optuna, not of gensweep
EPOCHS = 4
BOX: dict[str, BaseDistribution] = {"x": FloatDistribution(0.0, 100.0)}
UNLUCKY = 13.0  # its objective is nan
RISING = [1.0, 2.0, 30.0, 40.0, UNLUCKY]  # one after the other: halving stops the third and the fourth


@pytest.fixture(scope="module", autouse=True)
def one_ray() -> Generator[None]:
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    with ray_session.ray_environment(), ray_session.connect(None, {"num_cpus": 2}):
        yield


def loss(x: float, epoch: int) -> float:
    return math.nan if x == UNLUCKY else x + 10 / epoch


def toy(config: dict[str, Any]) -> None:
    """As a user writes it; where the configuration names a file, the third trial fails until it is there."""
    if "needs" in config and config["x"] == RISING[2] and not Path(config["needs"]).exists():
        raise RuntimeError("not yet")
    for epoch in range(1, EPOCHS + 1):
        tune.report({"fid": loss(config["x"], epoch), "epoch": epoch})


def ours(config: dict[str, Any], *, data: Any, evaluator: Any, task: Any) -> None:
    """The same for gensweep; `data` are the values of x by number. The last one's worker dies at its first attempt."""
    x, died = data[config["number"]], Path(task.directory, "died")
    for epoch in range(1, EPOCHS + 1):
        about = {"epoch": epoch, "epochs": EPOCHS, "eval_epoch": epoch, "status": "ok"}
        tune.report({**about, "fid": loss(x, epoch), "best": loss(x, epoch)})
        if evaluator == "dies" and config["number"] == len(data) - 1 and not died.exists():
            died.touch()
            os._exit(1)


def searched(folder: Path, xs: list[float], evaluator: str = "") -> list[optuna.trial.FrozenTrial]:
    """The study of such a sweep, one trial after the other."""
    about = make_manifest(Options("vae", trials=len(xs), epochs=EPOCHS, reduction_factor=2), ["test"])
    folder.mkdir()
    parts: Any = (xs, evaluator)
    run_tuner.run(folder, about, search_space(about), parts, Share(1, 0, 1), None, Console(file=io.StringIO()), ours)
    with open_study(folder, about, {}) as study:
        return study.get_trials()


def database(folder: Path) -> RDBStorage:
    return RDBStorage(f"sqlite:///{folder}/plain.db")


def plain(folder: Path, xs: list[float], rule: Any = None, **constants: Any) -> tune.Tuner:
    points = [{"x": x} for x in xs]
    return tune.Tuner(
        toy,
        param_space=constants,
        tune_config=tune.TuneConfig(
            search_alg=OptunaSearch(BOX, points_to_evaluate=points, metric="fid", mode="min", storage=database(folder)),
            scheduler=rule,
            num_samples=len(xs),
            max_concurrent_trials=1,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(name="plain", storage_path=str(folder), verbose=0),
    )


def halving() -> ASHAScheduler:
    return ASHAScheduler("epoch", "fid", "min", max_t=EPOCHS + 1, grace_period=1, reduction_factor=2)


def told(folder: Path) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="optuna", storage=database(folder)).get_trials()


@pytest.fixture(scope="module")
def plainly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plain search that has ended."""
    folder = tmp_path_factory.mktemp("plain")
    plain(folder, RISING, halving()).fit()
    return folder


@pytest.fixture(scope="module")
def soundly(tmp_path_factory: pytest.TempPathFactory) -> list[optuna.trial.FrozenTrial]:
    """The same search by gensweep."""
    return searched(tmp_path_factory.mktemp("ours") / "s", RISING)


def test_a_nan_trial_stays_running_for_ever(plainly: Path, soundly: list[optuna.trial.FrozenTrial]) -> None:
    assert told(plainly)[4].state == TrialState.RUNNING
    assert (soundly[4].state, soundly[4].user_attrs["reason"]) == (TrialState.FAIL, "nan")


def test_a_stopped_trial_is_told_complete_at_its_low_budget(
    plainly: Path, soundly: list[optuna.trial.FrozenTrial]
) -> None:
    assert [(trial.state, trial.value) for trial in told(plainly)[2:4]] == [
        (TrialState.COMPLETE, loss(30.0, 1)),
        (TrialState.COMPLETE, loss(40.0, 1)),
    ]
    assert told(plainly)[2].intermediate_values == {}  # and the step that stopped it is nowhere
    assert [(trial.state, trial.intermediate_values) for trial in soundly[2:4]] == [
        (TrialState.PRUNED, {1: loss(30.0, 1)}),
        (TrialState.PRUNED, {1: loss(40.0, 1)}),
    ]


def test_a_finished_sweep_cannot_be_extended(plainly: Path, tmp_path: Path) -> None:
    assert not {"tune_config", "num_samples"} & set(inspect.signature(tune.Tuner.restore).parameters)
    assert len(tune.Tuner.restore(str(plainly / "plain"), toy).fit()) == len(RISING)
    for total in (2, 3):
        with searching(tmp_path, total) as (searcher, study):
            while run_one(searcher, f"of {total}") is not None:
                pass
            assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * total


@pytest.fixture(scope="module")
def retried(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A plain search whose third trial failed and was resumed: its folder, and that trial's last row."""
    folder = tmp_path_factory.mktemp("retried")
    plain(folder, RISING[:3], halving(), needs=str(folder / "needed")).fit()
    (folder / "needed").touch()
    ended = tune.Tuner.restore(str(folder / "plain"), toy, resume_errored=True).fit()
    (again,) = [one for i in range(len(ended)) if (one := ended[i]).config and one.config["x"] == RISING[2]]
    assert again.error is None
    return folder, again.metrics


def test_a_retried_trial_is_dropped(retried: tuple[Path, Any], tmp_path: Path) -> None:
    folder, last = retried
    assert last["epoch"] == EPOCHS
    assert told(folder)[2].state == TrialState.FAIL  # though it has ended well
    (again,) = searched(tmp_path / "s", RISING[:1], "dies")
    assert (again.state, again.value) == (TrialState.COMPLETE, loss(RISING[0], EPOCHS))


def test_the_rungs_are_lost_on_restore(retried: tuple[Path, Any], plainly: Path) -> None:
    assert told(plainly)[2].value == loss(RISING[2], 1)  # undisturbed, the third trial is stopped at its first epoch
    assert retried[1]["epoch"] == EPOCHS
    assert plays("asha", 7) == plays("asha", None)


def test_a_search_restarted_after_an_error_aborts(tmp_path: Path) -> None:
    search = OptunaSearch(BOX, metric="fid", mode="min")
    search.suggest("first")
    search.on_trial_complete("first", error=True)
    with pytest.raises(KeyError):  # restart_errored gives the trial another id
        search.on_trial_result("second", {"fid": 1.0, "training_iteration": 1})
    with searching(tmp_path) as (searcher, study):
        searcher.on_trial_result("second", {"fid": 1.0, "epoch": 1, "epochs": 1, "eval_epoch": 1, "status": "ok"})
        searcher.on_trial_complete("second", error=True)
        assert not study.get_trials(states=[TrialState.FAIL])


def test_a_database_ahead_of_the_snapshot_is_not_restored(tmp_path: Path) -> None:
    """What a killed driver leaves: Tune saves every ten seconds or slower, the database has every trial at once."""
    search = OptunaSearch(BOX, metric="fid", mode="min", storage=database(tmp_path))
    search.suggest("a")
    search.save(str(tmp_path / "snapshot"))
    search.on_trial_complete("a", {"fid": 1.0, "training_iteration": 1})
    restored = OptunaSearch(BOX, metric="fid", mode="min", storage=database(tmp_path))
    restored.restore(str(tmp_path / "snapshot"))
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        restored.on_trial_result("a", {"fid": 1.0, "training_iteration": 1})
    with searching(tmp_path / "s", 2) as (searcher, _):
        assert run_one(searcher, "a") is not None
        assert searcher.suggest("b") is not None  # and here the driver is killed
    with searching(tmp_path / "s", 2) as (searcher, study):
        assert run_one(searcher, "c") is not None
        assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 2


def test_unrelated_searches_share_a_study(tmp_path: Path) -> None:
    for metric, mode in (("fid", "min"), ("accuracy", "max")):
        search = OptunaSearch(BOX, metric=metric, mode=mode, storage=database(tmp_path))
        search.suggest(metric)
        search.on_trial_complete(metric, {metric: 1.0, "training_iteration": 1})
    assert optuna.get_all_study_names(database(tmp_path)) == ["optuna"]
    study = optuna.load_study(study_name="optuna", storage=database(tmp_path))
    assert (len(study.trials), study.direction.name) == (2, "MINIMIZE")  # the accuracy too
    url = f"sqlite:///{tmp_path}/shared.db"
    for name in ("one", "two"):
        about = manifest()._replace(name=name, study=name, storage=url)
        with open_study(tmp_path, about, {}) as own:
            own.ask()
            assert [trial.number for trial in own.trials if trial.state == TrialState.RUNNING] == [0]
    with pytest.raises(UserError, match="holds a study named 'one' already"):
        check_storage(url, "one", True)
