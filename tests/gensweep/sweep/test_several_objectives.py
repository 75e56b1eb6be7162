"""Several objectives and constraints through Ray and SQLite on the real digits: killed, resumed, and what then wins."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import SMALL, done, gensweep, rows, trials, wait_for_rows
from optuna.trial import TrialState

from analysis.read import results
from analysis.sweep import ranking
from gensweep import Sweep
from gensweep.sweep.run_sweep import read_manifest

pytestmark = [pytest.mark.ray, pytest.mark.slow]
TRIALS, EPOCHS = 4, 6
SAME = {"width": "16", "net": "mlp", "likelihood": "bernoulli", "epochs": str(EPOCHS)}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep whose driver was killed in its second trial, and which was resumed."""
    home = tmp_path_factory.mktemp("several")
    length = ["--trials", str(TRIALS), "--set", f"epochs={EPOCHS}", "--every", "1"]
    words = ["--objective", "fid:min,precision:max", "--concurrent", "1", "--scheduler", "none", "--sampler", "random"]
    driver = gensweep("run", "vae", *words, *length, *SMALL, cwd=home)
    sweep = home / "results" / "vae-digits"
    wait_for_rows(sweep, EPOCHS + 2, driver)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    code, out, err = done(gensweep("resume", str(sweep), cwd=home))
    assert (code, err) == (0, "")
    assert "objectives: fid (lower), precision (higher); early stopping" in out
    return sweep


def told(sweep: Path) -> dict[int, dict[str, Any]]:
    """The row of each trial's best epoch by FID, from its file alone."""
    return {int(name): min(lines, key=lambda row: (row["fid"], row["epoch"])) for name, lines in rows(sweep).items()}


def test_several_objectives__killed_and_resumed(swept: Path) -> None:
    assert [len(lines) for lines in rows(swept).values()] == [EPOCHS] * TRIALS
    assert [state for _, state, *_ in trials_of(swept)] == [TrialState.COMPLETE] * TRIALS
    at = told(swept)
    assert [values for *_, values in trials_of(swept)] == [[at[n]["fid"], at[n]["precision"]] for n in range(TRIALS)]


def trials_of(sweep: Path) -> list[Any]:
    from gensweep.search.study_storage import open_study

    with open_study(sweep, read_manifest(sweep), {}) as study:
        return [(one.number, one.state, one.values) for one in study.trials]


def test_several_objectives__front_equals_the_rows(swept: Path) -> None:
    at = {number: (row["fid"], -row["precision"]) for number, row in told(swept).items()}
    ahead = [n for n in at if not any(at[m] != at[n] and at[m][0] <= at[n][0] and at[m][1] <= at[n][1] for m in at)]
    code, out, err = done(gensweep("best", str(swept), "--json", cwd=swept))
    assert (code, err) == (0, "")
    assert [entry["number"] for entry in json.loads(out)] == sorted(ahead, key=lambda n: (at[n], n))


def test_several_objectives__constraint_excludes_the_best(swept: Path, tmp_path: Path) -> None:
    """The same random trials once more, under a limit that no epoch of the one with the best FID keeps."""
    lead = ranking.winner_numbers(results.load(swept))[0]
    most = {
        key: {int(name): max(row[key] for row in lines) for name, lines in rows(swept).items()}
        for key in ("precision", "modes", "recall", "coverage", "sharpness", "ssim")
    }
    key = next(key for key, of in most.items() if of[lead] < max(of.values()))
    limit = (most[key][lead] + max(most[key].values())) / 2
    about: dict[str, Any] = {"sampler": "random", "scheduler": "none", "every": 1, "trials": TRIALS, "set": SAME}
    result = Sweep("vae", results=str(tmp_path), constraints=[f"{key}>={limit:.12g}"], quiet=True, **about).run()
    assert [one["number"] for one in result.top(TRIALS)].count(lead) == 0
    assert result.best["metrics"][key] >= limit
    assert len(trials(result.directory)) == TRIALS
    assert rows(result.directory)[f"{lead:04d}"][-1]["fid"] == rows(swept)[f"{lead:04d}"][-1]["fid"]
