"""Two sweeps at equal budget, what is proven of them, and the noise of seeds: on numbers worked out by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import sweeps
from optuna.trial import TrialState

from analysis.compare import equal_budget, text
from analysis.read import results
from analysis.sweep import final_results, seed_noise
from gensweep.cli.main import main
from trainables.errors import UserError
from trainables.objective import Goal, Objective

pytestmark = pytest.mark.long


def planned(*values: float | None) -> list[sweeps.Planned]:
    """A trial a value, of one epoch, all of the same configuration; None is one that failed."""
    point = dict(sweeps.TRIALS[0][1])
    return [
        (TrialState.FAIL if value is None else TrialState.COMPLETE, point, [90.0 if value is None else value])
        for value in values
    ]


def proven(directory: Path, test: list[float], first_seed: int = 100) -> None:
    seeds = [
        {"seed": first_seed + k, "collapsed": False, "val": score + 1, "test": {"fid": score}, "epoch": 1}
        for k, score in enumerate(test)
    ]
    told = {"format": 1, "seeds": len(test), "test_stamp": {"reference": "test"}}
    told["finalists"] = [{"number": 1, "search": 9.0, "seeds": seeds}]
    (directory / "final.json").write_text(json.dumps(told))


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    a = sweeps.make(tmp_path / "a", planned(20.0, 12.0, None, 9.0, 8.0))
    b = sweeps.make(tmp_path / "b", planned(20.0, 15.0, 11.0), sampler="random", scheduler="none")
    return [a, b]


def both(pair: list[Path]) -> list[results.Sweep]:
    return [results.read_rows(results.load(directory)) for directory in pair]


def test_compare__at_equal_budget(pair: list[Path]) -> None:
    found = equal_budget.compare(*both(pair))
    trials, updates, images, seconds = found.reached
    assert (trials.budget, trials.scores, trials.trials) == (3, (12.0, 11.0), (3, 3))
    assert (updates.budget, updates.scores) == (3 * 20, (12.0, 11.0))
    assert (images.budget, images.scores) == (3 * 1257, (12.0, 11.0))
    assert seconds.budget == 3
    assert trials.random[0] is None
    assert trials.random[1] is not None
    assert trials.random[1][0] == 11.0  # the median of the best of three, from two draws
    said = text.headline(found)
    assert said.startswith("Not proven: when both had spent 3,771 training images, a had reached FID 12 and b 11")
    assert "b is a random search" in text.format_comparison(found)
    assert found.unproven == [str(path) for path in pair]


A = [10.0, 10.4, 9.7, 10.1, 9.9, 10.2, 10.3, 9.8]


def test_compare__finalists_of_same_seeds_are_paired(pair: list[Path]) -> None:
    proven(pair[0], A)
    proven(pair[1], [score + 2 + 0.01 * k for k, score in enumerate(A)])
    found = equal_budget.compare(*both(pair)).proof
    assert found is not None
    assert found.paired
    assert found.gain == pytest.approx(2.035)
    assert found.p == 2 / 256
    assert found.low == pytest.approx(2.02, abs=0.02)
    assert "Proven: on test (8 seeds, paired) a's pick (trial 1) beats b's" in text.headline(
        equal_budget.compare(*both(pair))
    )
    turned = text.headline(equal_budget.compare(*both(pair)[::-1]))
    assert "a's pick (trial 1) beats b's (trial 1) by 2.04 [2.0" in turned


def test_compare__finalists_of_other_seeds_are_not_paired(pair: list[Path]) -> None:
    proven(pair[0], A)
    proven(pair[1], [score + 0.1 for score in A[:6]], first_seed=900)
    found = equal_budget.compare(*both(pair))
    assert found.proof is not None
    assert not found.proof.paired
    assert found.proof.seeds == (8, 6)
    assert found.proof.low < 0 < found.proof.high
    assert text.headline(found).startswith("Open: on test (8 and 6 seeds, unpaired)")


def test_compare__scores_of_another_kind_refused(pair: list[Path], tmp_path: Path, capsys: Any) -> None:
    other = sweeps.make(tmp_path / "c", stamp={"extractor": "another", "n_samples": 5000})
    assert main(["compare", str(pair[0]), str(other)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "are scored differently" in err
    assert "digits-abc against another" in err
    most = sweeps.make(tmp_path / "d", objective={"metric": "modes", "mode": "max"})
    assert main(["compare", str(pair[0]), str(most)]) == 2
    assert "objective fid against modes" in capsys.readouterr().err


def test_compare__metrics_of_a_users_file_by_their_code(pair: list[Path]) -> None:
    """Two files, or two versions of one, compare by a metric whose code is the same in both."""

    def searched(sha256: str, source: str, objective: str = "spectrum") -> results.Sweep:
        facts = {"metrics": {"spectrum": {"metric": "spectrum", "when": "due", "better": "min", "source": source}}}
        goal = Objective(objective, "min")
        user_model = {"path": "mine.py", "sha256": sha256, "facts": facts, "bytes": [1, 1]}
        sweep = results.load(pair[0])
        return sweep._replace(manifest=sweep.manifest._replace(user_model=user_model, goal=Goal(goal, (goal,))))

    equal_budget.check_comparable(searched("a" * 64, "12ab"), searched("b" * 64, "12ab"))
    with pytest.raises(UserError, match="code of the metric 12ab against 34cd"):
        equal_budget.check_comparable(searched("a" * 64, "12ab"), searched("a" * 64, "34cd"))
    with pytest.raises(UserError, match=r"model file a+ against b+"):
        equal_budget.check_comparable(searched("a" * 64, "1", "val_psnr"), searched("b" * 64, "1", "val_psnr"))


def test_compare__command_line(pair: list[Path], capsys: Any) -> None:
    assert main(["compare", *map(str, pair)]) == 0
    said = capsys.readouterr().out
    assert "3 trials" in said
    assert said.splitlines()[-1] == f"next: gensweep finalize {pair[0]}"
    assert main(["compare", *map(str, pair), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["budgets"][0] == {
        "unit": "trials", "budget": 3, "best": [12, 11], "trials": [3, 3], "random": [None, [11, None, 15]]
    }  # fmt: skip
    assert told["proof"] is None
    assert told["verdict"].startswith("Not proven")


def test_seed_noise__by_hand(pair: list[Path]) -> None:
    sweep = both(pair)[0]
    assert "not known" in seed_noise.describe_noise(sweep, None)
    proven(pair[0], A)
    proof = final_results.load(sweep)
    assert proof is not None
    found = seed_noise.measure_noise(sweep, proof)
    assert found is not None
    assert found.sd == pytest.approx(np.std(A, ddof=1))
    assert found.low < found.sd < found.high
    assert (found.freedom, found.close) == (7, 0)
    assert "no other trial of the search lies within 0.68" in seed_noise.describe_noise(sweep, found)
