"""The budget of checkpoints: whose are deleted first."""

from pathlib import Path

from helpers import sweeps
from optuna.trial import TrialState

from analysis.read.manifest import read_manifest
from gensweep.search.study_storage import open_study
from gensweep.tune.checkpoint_cleanup import CheckpointLimit
from gensweep.tune.searcher import Outcome
from trainables.filestore import open_directory


def test_the_worst_that_have_ended_lose_their_checkpoints_first(tmp_path: Path) -> None:
    directory = sweeps.make(tmp_path / "s")  # 0: fid 20, 1: 12.5, 2: stopped at 20, 3: failed
    for number in range(6):
        folder = directory / "trials" / f"{number:04d}"
        folder.mkdir(exist_ok=True)
        for epoch in (1, 2):
            (folder / f"checkpoint_{epoch:04d}.pt").write_bytes(bytes(100))

    def left() -> list[int]:
        return sorted({int(path.parent.name) for path in directory.glob("trials/*/checkpoint_*.pt")})

    manifest = read_manifest(open_directory(directory))
    with open_study(directory, manifest, {}) as study:
        told = study.get_trials()
    goal = manifest.goal
    files = {path for path in directory.rglob("*") if not path.name.startswith("checkpoint")}
    assert CheckpointLimit(directory, None, goal, told).line() == []
    assert left() == [0, 1, 2, 3, 4, 5]
    budget = CheckpointLimit(directory, 1000, goal, told)  # 4 and 5 are open
    assert left() == [0, 1, 2, 4, 5]
    budget.end(Outcome(5, TrialState.COMPLETE, {}, {1: {"fid": 99.0}}, 1))
    assert left() == [0, 1, 2, 4, 5]
    for epoch in (1, 2):
        (directory / "trials" / "0004" / f"checkpoint_{epoch:04d}.pt").write_bytes(bytes(300))
    budget.end(Outcome(4, TrialState.PRUNED, {}, {1: {"fid": 50.0}}, 1))
    assert left() == [0, 1, 2]  # 3 had failed, 5 was the worst of the others, then 4
    (line,) = budget.line()
    assert line.startswith("checkpoints of 3 trials (1 kB) were deleted")
    assert line.endswith("these trials cannot be trained further")
    (directory / "trials" / "0004" / "checkpoint_0003.pt").write_bytes(bytes(300))
    CheckpointLimit(directory, 1, goal, told)  # to which 4 is open
    assert left() == [4]
    assert {path for path in directory.rglob("*") if not path.name.startswith("checkpoint")} == files
