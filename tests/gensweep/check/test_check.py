"""Every line of `gensweep check`, each with a file that has this one fault; and no line on a sound file."""

from pathlib import Path

import pytest
from helpers import engine_files
from helpers.check_faults import FAULTS
from helpers.command_line import refused
from helpers.user_files import small_file, write_code, write_file

from gensweep.check import seeds
from gensweep.check.extractor import check_extractor
from gensweep.check.line import Line
from gensweep.check.run_check import check_running, placed
from gensweep.check.source import check_source
from gensweep.cli.main import main
from gensweep.errors import UserError
from trainables.data import load
from trainables.metrics import calibration
from trainables.user_model.model_file import ModelFile

pytestmark = pytest.mark.long


def lines_of(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "my_model.py") -> list[str]:
    """Return the lines of a check, without its facts, as the child process says them."""
    monkeypatch.chdir(folder)
    file, lines = ModelFile(name, text), list[Line]()
    lines += check_source(file)
    if not any(line.mark == "x" for line in lines):
        try:
            check_running(file, "digits", None, lines.append)
        except UserError as error:
            lines.append(Line("x", str(error)))
    return [str(placed(line, file)) for line in lines if line.mark != " "]


def test_check__sound_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of(tmp_path, monkeypatch, small_file()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_check__each_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    changes, says = FAULTS[fault]
    lines = lines_of(tmp_path, monkeypatch, small_file(*changes))
    assert any(says in line for line in lines), lines
    assert all("\n" not in line for line in lines)


def test_check__slow_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "REBUILD_S", 0.4)
    first = "time.sleep(0 if hasattr(time, 'slept') else 0.5)\n    time.slept = True"  # as an import does
    once = small_file(("    n = torch", f"    import time\n    {first}\n    n = torch"))
    always = small_file(("    n = torch", "    import time\n    time.sleep(0.5)\n    n = torch"))
    assert any("pass before trial.epochs()" in line for line in lines_of(tmp_path, monkeypatch, always))
    assert not any("pass before trial.epochs()" in line for line in lines_of(tmp_path, monkeypatch, once))


def test_check__sound_engine_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of(tmp_path, monkeypatch, engine_files.SMALL, "my_gan.py") == []


@pytest.mark.parametrize("fault", engine_files.FAULTS)
def test_check__each_fault_of_an_engine_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    changes, says = engine_files.FAULTS[fault]
    lines = lines_of(tmp_path, monkeypatch, small_file(*changes, text=engine_files.SMALL), "my_gan.py")
    assert any(says in line for line in lines), lines


def test_check__command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_file(tmp_path)
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == f"next: gensweep run {path} --dataset digits"
    assert not any(line.startswith(("x", "!")) for line in out)
    broken = write_file(tmp_path, ('lr=config["lr"]', "lr=1e-3"), name="broken.py")
    assert main(["check", str(broken)]) == 1
    assert "x broken.py: space() offers lr, which train() never reads" in capsys.readouterr().out


def test_check__a_process_that_dies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_file(tmp_path, ("    n = torch", "    import os\n    os._exit(3)\n    n = torch"))
    assert main(["check", str(path)]) == 1
    assert "x its process ended with code 3" in capsys.readouterr().out


def test_check__modules_beside_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_code(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # as `python -m gensweep` has it, and no worker
    assert main(["check", "my_model.py"]) == 1
    out = capsys.readouterr().out
    assert "x my_model.py:4: import my_layers: not installed and not shipped; add --code ./ (3 files, 1 kB)\n" in out
    assert "x my_model.py:5: import blocks.last: not installed and not shipped; add --code ./ (3 files, 1 kB)\n" in out
    assert main(["check", "my_model.py", "--code", "."]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "next: gensweep run my_model.py --code . --dataset digits"
    assert not any(line.startswith("x") for line in lines)


@pytest.mark.usefixtures("at_home")
def test_check__no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere.py cannot be read: No such file or directory" in refused(capsys, "check", "nowhere.py")


def test_check__extractor_that_is_blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    digits = load("digits")
    assert check_extractor([("fid", "min"), ("loss", "min")], digits) == []
    monkeypatch.setitem(calibration.DAMAGES, "one thing from another", lambda x: x)  # which asks for a new calibration
    (line,) = check_extractor([("fid", "min"), ("kid", "min")], digits)
    assert (line.mark, line.text[-39:]) == ("!", "against 0.683): do not select by fid or kid here"[-39:])
    assert line.text.startswith("the extractor cannot tell one thing from another (")
    assert check_extractor([("loss", "min")], digits) == []


def test_check__extractor_to_be_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (line,) = check_extractor([("fid", "min")], load("digits")._replace(classes=(), fingerprint="2" * 64))
    assert line.mark == " "
    assert line.text.startswith("the first run on digits trains an extractor for its metrics, about ")
