"""A sweep whose driver is killed: the same command again gives the numbers of an undisturbed one."""

import signal
from pathlib import Path

import pytest
from helpers.command_line import EPOCHS, LENGTH, SMALL, TRIALS, done, gensweep, rows, trials, wait_for_rows

pytestmark = pytest.mark.ray
ONE_AT_A_TIME = ["--concurrent", "1", "--scheduler", "none", *LENGTH, *SMALL]


def test_killed_sweep__equals_undisturbed(tmp_path: Path) -> None:
    code, _, err = done(gensweep("run", "vae", *ONE_AT_A_TIME, "--name", "whole", cwd=tmp_path))
    assert (code, err) == (0, "")
    parts = tmp_path / "results" / "parts"
    killed = gensweep("run", "vae", *ONE_AT_A_TIME, "--name", "parts", cwd=tmp_path)
    wait_for_rows(parts, EPOCHS + 3, killed)  # in the second trial
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    _, newest = sorted(parts.glob("trials/0001/checkpoint_*.pt"))
    newest.write_bytes(newest.read_bytes()[:-100])  # torn: the one before is taken
    code, _, err = done(gensweep("run", "vae", *ONE_AT_A_TIME, "--name", "parts", cwd=tmp_path))  # the same command
    assert (code, err) == (0, "")
    assert [len(lines) for lines in rows(parts).values()] == [EPOCHS] * TRIALS
    assert rows(parts) == rows(tmp_path / "results" / "whole")
    assert trials(parts) == trials(tmp_path / "results" / "whole")


@pytest.mark.slow
def test_killed_sweep__interrupted_equals_undisturbed(tmp_path: Path) -> None:
    code, _, err = done(gensweep("run", "vae", *ONE_AT_A_TIME, "--name", "whole", cwd=tmp_path))
    assert (code, err) == (0, "")
    parts = tmp_path / "results" / "parts"
    interrupted = gensweep("run", "vae", *ONE_AT_A_TIME, "--name", "parts", cwd=tmp_path)
    wait_for_rows(parts, EPOCHS + 3, interrupted)  # in the second trial
    interrupted.send_signal(signal.SIGINT)
    code, out, err = done(interrupted)
    assert (code, err) == (130, "")
    assert out.splitlines()[-1] == "next: gensweep resume results/parts"
    code, _, err = done(gensweep("resume", "results/parts", cwd=tmp_path))
    assert (code, err) == (0, "")
    assert rows(parts) == rows(tmp_path / "results" / "whole")
    assert trials(parts) == trials(tmp_path / "results" / "whole")
