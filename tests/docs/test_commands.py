"""Every command that the README and docs/ show: that it can be typed, and, for the first steps, that it works."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gensweep.cli.parser import parsed

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETUP = {  # what a person types that is not a gensweep command
    "make demo",
    "make wheel",
    "source .venv/bin/activate",
    "pip install .",
}
SECONDS = 400


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in one language."""
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> list[list[str]]:
    """Return the words of every command in the shell blocks of a page, without comments."""
    lines = [line for block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def smaller(words: list[str]) -> list[str]:
    """Return a command of the first steps with fewer trials, epochs and seeds."""
    if words[1] == "run":
        text = re.sub(r"--trials \d+", "--trials 2", shlex.join(words))
        text = re.sub(r"epochs=\d+", "epochs=2", text)
        return shlex.split(text if "epochs=" in text else f"{text} --epochs 2")
    if words[1] == "finalize":
        return ["gensweep", "finalize", words[2], "--top", "1", "--seeds", "5"]
    return words


def ran(command: list[str], folder: Path) -> str:
    """Run a command in a folder and return what it printed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def photos(folder: Path) -> None:
    """Make the folder of images that the README speaks of: two classes of small grey pictures."""
    draw = np.random.default_rng(0)
    for level, label in enumerate(("cats", "dogs")):
        (folder / "photos" / label).mkdir(parents=True)
        for i in range(180):  # more training images than the largest batch
            pixels = draw.integers(0, 100, (12, 12)) + 100 * level
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "photos" / label / f"{i:03d}.png")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_can_be_typed(page: Path) -> None:
    for words in commands(page):
        start = 1 if "=" in words[0] else 0  # VARIABLE=value before the command
        if words[start] == "gensweep":
            parsed(words[start + 1 :])


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "quickstart.md"], ids=lambda page: page.stem)
def test_first_steps_are_known(page: Path) -> None:
    found = commands(page)
    assert any(words[0] == "gensweep" for words in found)
    assert {shlex.join(words) for words in found if words[0] != "gensweep"} <= SETUP


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert {line.split()[1] for line in SETUP if line.startswith("make ")} <= targets


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "quickstart.md"], ids=lambda page: page.stem)
def test_first_steps_work(page: Path, tmp_path: Path) -> None:
    photos(tmp_path)
    for words in commands(page):
        if words[0] == "gensweep":
            said = ran([sys.executable, "-m", *smaller(words)], tmp_path)
            assert "next: gensweep" in said
    for source in blocks(page, "python"):
        small = (
            source.replace("trials=20", "trials=2, epochs=1").replace("trials=10", "trials=2").replace('"30"', '"2"')
        )
        ran([sys.executable, "-c", small], tmp_path)


@pytest.mark.slow
def test_python_of_the_api_page_works(tmp_path: Path) -> None:
    (source,) = blocks(ROOT / "docs" / "python-api.md", "python")
    assert len(ran([sys.executable, "-c", source], tmp_path).splitlines()) == 10
