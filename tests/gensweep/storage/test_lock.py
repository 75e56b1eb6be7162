"""A sweep has one driver at a time, and a new driver waits for the workers of a dead one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gensweep.cli.main import main
from gensweep.config.options import Options
from gensweep.errors import UserError
from gensweep.storage.lock import driver_lock, is_driven
from gensweep.sweep.run_sweep import prepare_sweep


@pytest.mark.parametrize("command", [["run", "vae"], ["resume"], ["extend"]])
def test_lock__second_driver_refused(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory, manifest, _ = prepare_sweep(Options("vae", results=str(tmp_path)), ["gensweep"])
    directory.mkdir()
    (directory / "sweep.json").write_text(json.dumps(manifest.to_json()))
    words = {
        "run": ["--results", str(tmp_path)],
        "resume": [str(directory)],
        "extend": [str(directory), "--trials", "2"],
    }
    with driver_lock(directory, print):
        written = {path: path.read_bytes() for path in directory.iterdir()}
        assert main([*command, *words[command[0]]]) == 2
        assert {path: path.read_bytes() for path in directory.iterdir()} == written
    err = capsys.readouterr().err
    assert err.startswith(f"gensweep: another gensweep is running {directory} (process ")
    assert err.count("\n") == 1


def test_lock__one_driver_a_sweep(at_home: Path) -> None:
    assert not is_driven(at_home)
    with driver_lock(at_home, print):
        assert is_driven(at_home)
        with pytest.raises(UserError, match=f"another gensweep is running .*process {os.getpid()} on"):
            driver_lock(at_home, print).__enter__()
    with driver_lock(at_home, print):
        pass


@pytest.mark.long
def test_lock__waits_for_workers_of_a_dead_driver(at_home: Path) -> None:
    said: list[str] = []
    works = "with lock.worker_lock(pathlib.Path()): print('in', flush=True); time.sleep(4)"
    code = f"import pathlib, time\nfrom gensweep.storage import lock\n{works}"
    with subprocess.Popen([sys.executable, "-c", code], cwd=at_home, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with driver_lock(at_home, said.append):
            process.wait(3)  # of the four seconds, if the lock had not waited
    assert said == ["waiting for the workers of a driver that died ..."]
