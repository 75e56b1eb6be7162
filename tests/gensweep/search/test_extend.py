"""The life of a sweep after its first launch: stopped from elsewhere, resumed, extended in a wider space, warmed."""

from pathlib import Path
from typing import Any

import pytest
from helpers import sweeps
from helpers.command_line import SMALL, done, gensweep, trials, wait_for_rows
from optuna.trial import TrialState

from analysis.read import results
from gensweep import Sweep
from gensweep.cli.main import main
from gensweep.config import initial_points
from gensweep.config.manifest import Sheet
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.search.extend import extend_manifest, rewrite_study
from gensweep.search.study_storage import open_study
from gensweep.sweep.run_sweep import search_space
from search_spaces import SPACES
from trainables.objective import goal_of

VAE = SPACES["vae"]
GOAL = goal_of({"objective": {"metric": "fid", "mode": "min"}})


@pytest.mark.ray
def test_stopped_resumed_and_extended_on_a_journal(tmp_path: Path) -> None:
    sweep = tmp_path / "results" / "vae-digits"
    one = ["--concurrent", "1", "--scheduler", "none", "--storage", "journal", "--trials", "3", "--set", "epochs=12"]
    driver = gensweep("run", "vae", *one, "--point", "lr=0.002,latent_dim=9", *SMALL, cwd=tmp_path)
    wait_for_rows(sweep, 1, driver)
    assert done(gensweep("stop", str(sweep), cwd=tmp_path))[0] == 0
    code, out, err = done(driver)
    assert (code, err) == (0, "")
    assert out.splitlines()[-2:] == [
        "stopped, as asked, after the trials that were running",
        f"next: gensweep resume {sweep.relative_to(tmp_path)}",
    ]
    assert [state for _, state, *_ in trials(sweep)] == [TrialState.COMPLETE, TrialState.WAITING]
    code, out, err = done(gensweep("extend", str(sweep), "--trials", "1", "--set", "lr=1e-5:1e-1:log", cwd=tmp_path))
    assert (code, err) == (0, "")
    told = trials(sweep)
    assert [state for _, state, *_ in told] == [TrialState.COMPLETE] * 4
    assert (told[1][2]["lr"], told[1][2]["latent_dim"]) == (0.002, 9)
    read = results.load(sweep)
    assert read.meta["space"]["lr"] == {"kind": "float", "low": 1e-5, "high": 0.1, "log": True}
    assert read.trials["number"].tolist() == [0, 1, 2, 3]


def test_nothing_to_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = sweeps.make(tmp_path / "s")
    assert main(["cancel", str(made)]) == 2
    assert capsys.readouterr().err == f"gensweep: no driver is running {made}: there is nothing to cancel\n"


def _sheet(**options: Any) -> Sheet:
    return make_manifest(Options("vae", trials=4, **options), ["gensweep"])


def test_a_wider_space_reaches_the_sampler(tmp_path: Path) -> None:
    """Optuna's group TPE would go on drawing from the first range that it saw."""
    old = _sheet()
    with open_study(tmp_path, old, {}) as study:
        for number in range(8):
            trial = study.ask()
            search_space(old).space(trial)
            study.tell(trial, float(number))
    new, space = extend_manifest(old, 12, {"lr": "1e-7:1e-6:log"})
    with pytest.raises(UserError, match=r"extend only widens: lr=.* lies outside"):
        rewrite_study(tmp_path, old, new)
    new, space = extend_manifest(old, 12, {"lr": "1e-7:1:log"})
    new = rewrite_study(tmp_path, old, new)
    assert (new["trials"], new["study"]) == (16, "vae-digits@2")
    with open_study(tmp_path, new, {}) as study:
        assert [trial.number for trial in study.trials] == list(range(8))
        assert [trial.value for trial in study.trials] == [float(number) for number in range(8)]
        drawn = [space.space(study.ask())["lr"] for _ in range(12)]
    assert any(not 1e-4 <= lr <= 5e-3 for lr in drawn)


def test_an_extension_of_the_same_space_keeps_the_study(tmp_path: Path) -> None:
    old = _sheet()
    new, _ = extend_manifest(old, 3, {})
    assert rewrite_study(tmp_path, old, new) == {**old, "trials": 7}


@pytest.mark.parametrize(("more", "settings"), [(0, {}), (1, {"lrr": "1e-3"}), (1, {"lr": "2:1"})])
def test_extensions_that_cannot_be(more: int, settings: dict[str, str]) -> None:
    with pytest.raises(UserError):
        extend_manifest(_sheet(), more, settings)


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"lrr": 1e-3}, "unknown key 'lrr': did you mean 'lr'"),
        ({"lr": 1.0}, "lr=1.0 lies outside what is searched: 0.0001 to 0.005"),
        ({"batch_size": 65}, "batch_size=65 lies outside what is searched: 64, 128, 256"),
        ({"sigma": 0.1}, "no trial reads 'sigma' with its other values"),
        ({"net": "conv"}, "net is fixed at mlp"),
    ],
)
def test_points_that_cannot_be(point: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        initial_points.check_point(VAE, point)


def test_points_come_right_after_the_defaults(tmp_path: Path) -> None:
    assert initial_points.parse_point("lr=5e-4, likelihood=gaussian,sigma=0.1") == {
        "lr": 5e-4,
        "likelihood": "gaussian",
        "sigma": 0.1,
    }
    sheet = _sheet(points=[initial_points.parse_point("lr=5e-4,likelihood=gaussian,sigma=0.1")])
    with open_study(tmp_path, sheet, {"lr": 1e-3}) as study:
        first, second = study.ask(), study.ask()
        search_space(sheet).space(first)
        config = search_space(sheet).space(second)
    assert first.params["lr"] == 1e-3
    assert (config["lr"], config["likelihood"], config["sigma"]) == (5e-4, "gaussian", 0.1)
    with pytest.raises(UserError, match="4 points and the defaults need at least 5 trials"):
        _sheet(points=[{"lr": 1e-3 * k} for k in (1, 2, 3, 4)])


def test_warm_from_takes_what_fits(tmp_path: Path) -> None:
    made = sweeps.make(tmp_path / "s")
    common = {"beta": 1.0, "epochs": 5}  # its latent_dim 2 and width 32 are outside, and trial 2 is short of a sigma
    assert initial_points.points_from_sweep(VAE, str(made), GOAL) == [
        {"likelihood": "bernoulli", "lr": 3e-3, "batch_size": 64, **common},
        {"likelihood": "bernoulli", "lr": 1e-3, "batch_size": 128, **common},
        {"likelihood": "gaussian", "lr": 1e-4, "batch_size": 256, **common},
    ]
    with pytest.raises(UserError, match="nothing of its best configurations lies in this space"):
        initial_points.points_from_sweep(
            SPACES["ae"]._replace(space=lambda trial: {"net": trial.suggest_categorical("net", ("conv",))}),
            str(made),
            GOAL,
        )


def test_a_grid_needs_values_and_ends_with_them() -> None:
    with pytest.raises(UserError, match="a grid needs values for beta, latent_dim, lr"):
        _sheet(sampler="grid")
    pinned = {"beta": "1", "latent_dim": "8", "lr": "1e-3,1e-4", "width": "128", "epochs": "1", "batch_size": "64"}
    sheet = make_manifest(
        Options("vae", sampler="grid", trials=50, set={**pinned, "likelihood": "bernoulli"}), ["gensweep"]
    )
    assert sheet["trials"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("retries", [0, 1])
def test_a_trial_that_does_not_end_is_ended(tmp_path: Path, retries: int) -> None:
    pins = {"epochs": "100000", "width": "16", "likelihood": "bernoulli"}
    space = Sweep(
        "vae", results=str(tmp_path), trials=1, set=pins, trial_timeout="3s", max_failures=retries, quiet=True
    )
    found = space.run()
    assert (found.cause, found.failed) == ("done", 1)
    (told,) = results.load(found.directory).trials.to_dict("records")
    assert (told["state"], told["reason"]) == ("failed", "timeout")
    stack = (found.directory / "trials" / "0000" / "timeout.txt").read_text()
    assert "most recent call first" in stack
