"""A disk that is full, really: a small tmpfs, filled to its last byte under a trial's files, a study and a sweep."""

import threading
import time
from pathlib import Path

import pytest
import torch
from helpers.command_line import rows, trials
from helpers.full_disk import fill
from helpers.searching import FIRST, manifest, row, run_one, space
from optuna.trial import TrialState
from ray.tune.search import Searcher

from gensweep.cli.main import main
from gensweep.search.study_storage import open_study
from gensweep.storage.atomic import is_disk_full
from gensweep.tune.run_trial import classify
from gensweep.tune.searcher import StudySearcher
from trainables.trial_files import TrialFiles

BLOCK = 4096


def test_full_disk__previous_checkpoint_stays(small_disk: Path) -> None:
    files = TrialFiles(str(small_disk), 3)
    files.save_checkpoint({"epoch": 1, "w": torch.ones(8)})
    fill(small_disk, 2 * BLOCK)
    with pytest.raises(OSError) as found:
        files.save_checkpoint({"epoch": 2, "w": torch.rand(BLOCK)})
    assert is_disk_full(found.value)
    assert classify(found.value)[0] == "disk"
    assert sorted(path.name for path in (small_disk / "0003").iterdir()) == ["checkpoint_0001.pt", "samples"]
    newest = files.newest_checkpoint()
    assert newest is not None
    assert newest["epoch"] == 1


@pytest.mark.parametrize("storage", [None, "journal"])
def test_full_disk__optuna_study_pauses_and_goes_on(small_disk: Path, storage: str | None) -> None:
    about, causes = manifest()._replace(storage=storage), list[str]()
    with open_study(small_disk, about, FIRST) as study:
        searcher = StudySearcher(study, space, about.goal, 3, stop=causes.append)
        run_one(searcher, "a")
        config, ballast = searcher.suggest("b"), fill(small_disk)
        told = 0
        while not causes:  # a record may still fit into the last page
            told += 1
            searcher.on_trial_result("b", row(told, 1.0 / told))
        searcher.on_trial_complete("b", row(told + 1, 0.0))  # its worker does not know yet
        assert searcher.suggest("c") == Searcher.FINISHED
        assert causes == ["disk"]
    ballast.unlink()
    with open_study(small_disk, about, FIRST) as study:
        assert [trial.state for trial in study.trials] == [TrialState.COMPLETE, TrialState.RUNNING]
        assert sorted(study.trials[1].intermediate_values) == list(range(1, told))
        searcher = StudySearcher(study, space, about.goal, 3)
        assert run_one(searcher, "b") == config
        run_one(searcher, "c")
        assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 3


@pytest.mark.slow
def test_full_disk__sweep_goes_on_to_same_numbers(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "vae", "--trials", "2", "--sampler", "random", "--scheduler", "none", "--set", "epochs=5"]
    assert main([*words, "--set", "width=64", "--results", str(tmp_path)]) == 0
    capsys.readouterr()
    sweep = small_disk / "vae-digits"

    def somebody() -> None:
        while not list(sweep.glob("trials/*/checkpoint_*.pt")):
            time.sleep(0.01)
        fill(small_disk)

    threading.Thread(target=somebody, daemon=True).start()
    assert main([*words, "--set", "width=64", "--results", str(small_disk)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[-2].startswith("the disk is full, and the trials that were running are kept")
    assert out[-1] == f"next: gensweep resume {sweep}"
    assert main(["status", str(sweep)]) == 0
    assert main(["resume", str(sweep)]) in (1, 2)
    assert capsys.readouterr().err.count("\n") == 1
    (small_disk / "ballast").unlink()
    assert main(["resume", str(sweep)]) == 0
    assert rows(sweep) == rows(tmp_path / "vae-digits")
    assert trials(sweep) == trials(tmp_path / "vae-digits")
