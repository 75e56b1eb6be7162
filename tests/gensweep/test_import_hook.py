"""gensweep in a new process: help is fast, and our packages win over a user's modules of the same names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gensweep.import_hook import ROOT, SIBLING_PACKAGES

pytestmark = pytest.mark.long

STRANGER = "raise SystemExit('a stranger was imported')\n"


def python(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, timeout=120)


def test_help__imports_nothing_heavy(at_home: Path) -> None:
    heavy = "{'torch', 'ray', 'optuna', 'numpy', 'pandas', 'rich', 'sqlalchemy'}"
    helped = "import gensweep.cli.main, gensweep.cli.parser, sys; gensweep.cli.parser.parser()"
    done = python("-c", f"{helped}; print({heavy} & {{*sys.modules}})", cwd=at_home)
    assert done.stdout.strip() == "set()"


def test_command_line__broken_pipe(at_home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as `| head` does when it has seen enough
    command = [sys.executable, "-m", "gensweep", "run", "vae", "--dry-run"]
    done = subprocess.run(command, cwd=at_home, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_import_hook__beside_modules_of_the_same_name(at_home: Path) -> None:
    for name in SIBLING_PACKAGES:
        (at_home / name).mkdir()
        (at_home / name / "__init__.py").write_text(STRANGER)
    (at_home / "analysis" / "__init__.py").unlink()
    (at_home / "analysis").rmdir()
    (at_home / "analysis.py").write_text(STRANGER)
    done = python("-m", "gensweep", "run", "vae", "--dry-run", cwd=at_home)
    assert (done.returncode, done.stderr) == (0, "")
    code = "import gensweep, analysis, trainables, search_spaces; print(analysis.__file__)"
    assert python("-c", code, cwd=at_home).stdout.strip() == str(ROOT / "analysis" / "__init__.py")
    (at_home / "analysis.py").write_text("")
    done = python("-c", "import analysis, gensweep", cwd=at_home)
    assert "hides gensweep's own" in done.stderr
