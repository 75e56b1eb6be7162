"""A sweep after its first launch: stopped from elsewhere, resumed, extended, and extended in a wider space."""

from pathlib import Path
from typing import Any

import pytest
from helpers import sweeps
from helpers.command_line import SMALL, done, gensweep, trials, wait_for_rows
from optuna.trial import TrialState

from analysis.read import results
from analysis.read.manifest import SweepManifest
from gensweep.cli.main import main
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.errors import UserError
from gensweep.search.extend import extend_manifest, rewrite_study
from gensweep.search.study_storage import open_study
from gensweep.sweep.run_sweep import search_space
from search_spaces.param import Param


@pytest.mark.slow
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
    assert read.manifest.space["lr"] == Param("float", 1e-5, 0.1, log=True)
    assert read.trials["number"].tolist() == [0, 1, 2, 3]


def test_nothing_to_stop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = sweeps.make(tmp_path / "s")
    assert main(["cancel", str(made)]) == 2
    assert capsys.readouterr().err == f"gensweep: no driver is running {made}: there is nothing to cancel\n"


def _sheet(**options: Any) -> SweepManifest:
    return make_manifest(Options("vae", trials=4, **options), ["gensweep"])


@pytest.mark.long
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
    assert (new.trials, new.study) == (16, "vae-digits@2")
    with open_study(tmp_path, new, {}) as study:
        assert [trial.number for trial in study.trials] == list(range(8))
        assert [trial.value for trial in study.trials] == [float(number) for number in range(8)]
        drawn = [space.space(study.ask())["lr"] for _ in range(12)]
    assert any(not 1e-4 <= lr <= 5e-3 for lr in drawn)


def test_an_extension_of_the_same_space_keeps_the_study(tmp_path: Path) -> None:
    old = _sheet()
    new, _ = extend_manifest(old, 3, {})
    assert rewrite_study(tmp_path, old, new) == old._replace(trials=7)


@pytest.mark.parametrize(("more", "settings"), [(0, {}), (1, {"lrr": "1e-3"}), (1, {"lr": "2:1"})])
def test_extensions_that_cannot_be(more: int, settings: dict[str, str]) -> None:
    with pytest.raises(UserError):
        extend_manifest(_sheet(), more, settings)
