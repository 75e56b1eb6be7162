"""Reading a sweep directory; and every directory that cannot be read."""

import sqlite3
from pathlib import Path

import pytest
from helpers import sweeps
from helpers.sweeps import rewrite
from optuna.trial import TrialState
from pyarrow import fs

from analysis.read import optuna_study, results
from analysis.sweep import ranking
from trainables.errors import UserError
from trainables.filestore import Directory


def test_results__trials_by_hand(made: Path) -> None:
    trials = results.load(made).trials
    assert trials["number"].tolist() == [0, 1, 2, 3]
    assert trials["state"].tolist() == ["complete", "complete", "pruned", "failed"]
    assert trials["value"].tolist() == [20.0, 12.5, 20.0, 5.0]
    assert trials["best_epoch"].tolist() == [5, 4, 2, 2]
    assert trials["lr"].tolist() == [1e-3, 3e-3, 1e-4, 1e-2]
    assert trials["width"].tolist() == [32] * 4
    assert (trials["reason"].iloc[3], trials["error"].iloc[3]) == ("nan", "loss is nan at epoch 3")


def test_results__metrics_of_the_best_epoch(made: Path) -> None:
    sweep = results.read_rows(results.load(made))
    assert sweep.trials["nats"].tolist() == [110.0, 102.5, 110.0, 95.0]
    assert sweep.trials["wall_s"].tolist() == [5.0, 5.0, 2.0, 2.0]
    assert len(sweep.rows) == 5 + 5 + 2 + 2
    one = results.read_rows(results.load(made), [1])
    assert one.rows["fid"].tolist() == [50.0, 30.0, 15.0, 12.5, 14.0]
    assert one.trials["nats"].notna().tolist() == [False, True, False, False]


def test_parse_rows__repeated_epochs_and_torn_lines() -> None:
    lines = [b'{"epoch": 1, "fid": 9}', b'{"epoch": 2, "fi', b'{"epoch": 3, "fid": 7}', b'{"epoch": 1, "fid": 8}']
    assert results.parse_rows(b"\n".join([*lines, b'{"epoch": 4, "fid"'])) == [
        {"epoch": 1, "fid": 8},
        {"epoch": 3, "fid": 7},
    ]
    assert results.parse_rows(b"") == []


def test_results__not_a_sweep(own: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a sweep: no sweep.json there$"):
        results.load(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"sweeps below it: own"):
        results.load(tmp_path)
    with pytest.raises(UserError, match="cannot open 'gopher://x/y'"):
        results.load("gopher://x/y")
    rewrite(own, format=2)
    with pytest.raises(UserError, match="format 1"):
        results.load(own)
    (own / "sweep.json").write_text('{"name": ')
    with pytest.raises(UserError, match=r"sweep.json is broken"):
        results.load(own)


def test_results__broken_optuna_study(own: Path) -> None:
    (own / "study.db").write_bytes(b"this is no database, and it is long enough to be looked at" * 20)
    with pytest.raises(UserError, match=r"cannot read the study of .*own'"):
        results.load(own)


def test_results__reading_leaves_no_trace(own: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in own.rglob("*")}
    ranking.format_table(results.load(own), 3)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in own.rglob("*")} == before


def test_results__read_beside_a_running_driver(own: Path) -> None:
    writer = sqlite3.connect(own / "study.db", isolation_level=None)
    try:
        writer.execute("pragma journal_mode=wal")
        writer.execute("update trial_intermediate_values set intermediate_value = 1.5 where step = 4")
        writer.execute("begin immediate")
        assert ranking.ranked_trials(results.load(own))["value"].iloc[0] == 1.5
    finally:
        writer.close()


def test_results__no_sqlite_files_left_behind(own: Path) -> None:
    connection = sqlite3.connect(own / "study.db")
    connection.execute("pragma journal_mode=wal")
    connection.close()
    before = sorted(path.name for path in own.iterdir())
    assert len(results.load(own).trials) == 4
    assert sorted(path.name for path in own.iterdir()) == before


def test_results__bucket_reads_like_a_folder(made: Path) -> None:
    bucket = Directory(fs.SubTreeFileSystem(str(made.parent), fs.LocalFileSystem()), "tiny", "s3://bucket/tiny")
    assert not bucket.local
    sweep = results.load(made)
    assert [trial.number for trial in optuna_study.read_trials(bucket, sweep.manifest)] == [0, 1, 2, 3]
    assert results.read_trial(sweep._replace(place=bucket), 1) == results.read_trial(sweep, 1)
    assert results.load(made.as_uri()).trials.equals(sweep.trials)


def test_results__conditional_key(tmp_path: Path) -> None:
    some: list[sweeps.Planned] = [
        (TrialState.COMPLETE, {"lr": 1e-3, "batch_size": 64}, [3.0]),
        (TrialState.COMPLETE, {"lr": 1e-3}, [2.0]),
    ]
    sweep = results.load(sweeps.make(tmp_path / "some", some))
    entries = ranking.top_entries(sweep, 2)
    assert entries[1]["config"]["batch_size"] == 64
    assert "batch_size" not in entries[0]["config"]
    assert ranking.format_table(sweep, 1).splitlines()[1].split()[-2:] == ["–", "–"]
