"""The wheel in an environment that holds nothing else of ours, far from the checkout and beside strangers' modules.

The environment borrows the installed dependencies (after checking that they satisfy what the wheel asks for), so that
the test needs no network and no further 6 GB; gensweep itself comes from the wheel alone.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from helpers import ROOT
from packaging.requirements import Requirement

PACKAGES = ("gensweep", "search_spaces", "trainables", "analysis")
STRANGERS = ("analysis.py", "search_spaces.py", "trainables/__init__.py")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed; nothing of the checkout is on its path."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GENSWEEP", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=kept, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{command} in {cwd}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("gensweep-*.whl")
    return built


@pytest.fixture(scope="module")
def bin_(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    run(folder / "bin/python", "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    # A folder named in a .pth file is searched, but its own .pth files are not read: so the checkout stays out.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin"


@pytest.fixture
def among_strangers(tmp_path: Path) -> Path:
    for name in STRANGERS:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("raise RuntimeError('a stranger was imported')\n", encoding="utf-8")
    return tmp_path


def unmet(requirement: Requirement) -> list[str]:
    """What is not installed of a requirement and of the extras that it asks for."""
    if version(requirement.name) not in requirement.specifier:
        return [f"{requirement}: {version(requirement.name)} is installed"]
    wanted = [Requirement(text) for text in requires(requirement.name) or []] if requirement.extras else []
    return [
        line
        for extra in requirement.extras
        for inner in wanted
        if inner.marker and inner.marker.evaluate({"extra": extra}) and not inner.marker.evaluate({"extra": ""})
        for line in unmet(inner)
    ]


def test_wheel__four_packages_only(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)
    checkout = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == checkout  # code, weights, page, py.typed
    assert {f"{package}/py.typed" for package in PACKAGES} <= checkout


def test_wheel__dependencies_satisfied(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        asked = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist") or []
    needed = [Requirement(text) for text in asked if "extra ==" not in text]
    assert len(needed) > 10
    assert [line for requirement in needed for line in unmet(requirement)] == []


def test_wheel__help_from_anywhere(bin_: Path, among_strangers: Path) -> None:
    for command in ([bin_ / "gensweep"], [bin_ / "python", "-m", "gensweep"]):
        assert "usage: gensweep [-h]" in run(*command, "--help", cwd=among_strangers)


def test_wheel__beside_modules_of_the_same_name(bin_: Path, among_strangers: Path) -> None:
    where = run(bin_ / "python", "-c", "import gensweep, analysis; print(analysis.__file__)", cwd=among_strangers)
    assert Path(where.strip()).is_relative_to(bin_.parent)
    small = ("--dataset", "digits", "--trials", "2", "--epochs", "1", "--name", "tiny")
    run(bin_ / "python", "-m", "gensweep", "run", "vae", *small, cwd=among_strangers)
    best = run(bin_ / "gensweep", "best", "results/tiny", cwd=among_strangers)
    assert "batch_size" in best
    run(bin_ / "gensweep", "report", "results/tiny", cwd=among_strangers)
    page = among_strangers / "results/tiny/report/index.html"
    assert "<html" in page.read_text(encoding="utf-8")
