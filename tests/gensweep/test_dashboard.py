"""optuna-dashboard over a sweep: every trial's grid is there, the sweep is not touched, a running one is followed."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from helpers import sweeps
from helpers.browser import CHROMIUM, browse
from helpers.command_line import refused, tree
from optuna.trial import TrialState

from analysis.read.manifest import read_manifest
from gensweep import dashboard
from trainables import filestore

pytestmark = pytest.mark.usefixtures("at_home")


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """The address of a dashboard on a free port."""
    made, address = dashboard.make_dashboard_server(str(directory), 0)
    with made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield address
        finally:
            made.shutdown()
            thread.join()


def get(address: str) -> bytes:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever the machine's proxy is
    with direct.open(address, timeout=20) as answer:
        content: bytes = answer.read()
    return content


def study(address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(address.replace("/dashboard/", "/api/")))
    return found


@pytest.mark.long
def test_dashboard__every_trial_with_its_grid(tmp_path: Path) -> None:
    directory = sweeps.make(tmp_path / "s")
    before = tree(directory)
    with served(directory) as address:
        assert address.startswith("http://127.0.0.1:")
        found = study(address)
        assert found["name"] == "s"
        assert found["objective_names"] == ["fid"]
        assert [trial["state"] for trial in found["trials"]] == ["Complete", "Complete", "Pruned", "Fail"]
        assert [trial["number"] for trial in found["best_trials"]] == [1]
        for trial, epoch in zip(found["trials"], (5, 4, 2, 2), strict=True):
            (picture,) = trial["artifacts"]
            name = f"{trial['number']:04d}-{epoch:04d}"
            assert (picture["artifact_id"], picture["filename"]) == (name, f"epoch_{epoch:04d}.png")
            there = directory / "trials" / f"{trial['number']:04d}" / "samples" / f"epoch_{epoch:04d}.png"
            root = address.partition("/dashboard")[0]
            assert get(f"{root}/artifacts/0/{trial['trial_id']}/{name}") == there.read_bytes()
        page = get(address).decode()
        assert "http://" not in page.replace("http://www.w3.org", "")
    assert tree(directory) == before


@pytest.mark.long
def test_dashboard__follows_a_running_sweep(tmp_path: Path) -> None:
    directory = sweeps.make(tmp_path / "s")
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory}/study.db")
    live = optuna.load_study(study_name="s", storage=storage)
    where = filestore.open_directory(directory)
    manifest = read_manifest(where)
    look = dashboard.StudyView(where, manifest, dashboard.SampleGrids(where))
    trial = live.ask()
    assert look.get_all_trials(0)[4].state == TrialState.RUNNING
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    trial.report(11.0, 1)
    assert look.get_all_trials(0)[4].intermediate_values == {1: 11.0}
    trial.report(9.0, 2)
    trial.set_user_attr("note", "x")
    live.tell(trial, 9.0)
    live.ask()
    *_, ended, begun = look.get_all_trials(0)
    assert (ended.number, ended.state, ended.value, ended.params) == (4, TrialState.COMPLETE, 9.0, trial.params)
    assert ended.user_attrs == {"note": "x"}
    assert begun.state == TrialState.RUNNING
    assert look.get_best_trial(0).number == 4
    assert manifest.goal.primary.metric == "fid"
    storage.remove_session()
    storage.engine.dispose()


@pytest.mark.parametrize(("words", "says"), [("ui nowhere", "nowhere"), ("ui s --port 99999", "--port 0")])
def test_dashboard__bad_input(words: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweeps.make(tmp_path / "s")
    assert says in refused(capsys, *words.split())


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_dashboard__in_a_browser(tmp_path: Path) -> None:
    with served(sweeps.make(tmp_path / "s")) as address:
        for page in ("", "/trialTable", "/trials?numbers=1"):
            seen = browse(address + page, tmp_path / "page.png")
            assert seen.console == []
            assert seen.strangers == []
    assert "/artifacts/0/1/0001-0004" in seen.text
