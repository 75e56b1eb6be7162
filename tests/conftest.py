"""Fixtures that several test modules share; a module may have an evaluator of its own."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from trainables.data import load
from trainables.metrics import Evaluator, Extractor, build_evaluator, load_extractor
from trainables.metrics.train_extractor import one_thread

pytest.register_assert_rewrite("helpers")
MAY_START_RAY = {"ray", "slow", "gpu", "cluster"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let no Ray start in a test without a marker that allows it: so what `make test-fast` runs is free of Ray."""
    with pytest.MonkeyPatch.context() as patch:
        if MAY_START_RAY.isdisjoint(marker.name for marker in item.iter_markers()):
            patch.setenv("RAY_TMPDIR", f"{os.devnull}/this test lacks the marker ray")
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files that start Ray first: they take longest, and short ones fill the cores at the end."""
    starts_ray = {item.path for item in items if item.get_closest_marker("ray")}
    items.sort(key=lambda item: item.path not in starts_ray)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests were skipped, and for which reasons."""
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        parts = [f"{reason.removeprefix('Skipped: ')} ({n})" for reason, n in reasons.most_common()]
        terminalreporter.write_line(f"{reasons.total()} skipped: {'; '.join(parts)}")


@pytest.fixture(scope="module")
def on_one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return build_evaluator(load("digits"), seed=0)._replace(n_samples=360)


@pytest.fixture(scope="module")
def extractor(evaluator: Evaluator) -> Extractor:
    return load_extractor(evaluator, "cpu")


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of 8 MB."""
    if shutil.which("mount") is None:
        pytest.skip("needs mount (Debian: apt-get install mount)")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished sweep (helpers/sweeps.py) that no test may change."""
    from helpers import sweeps  # not above: its asserts are to be rewritten first

    return sweeps.make(tmp_path_factory.mktemp("results") / "tiny")


@pytest.fixture
def own(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copytree(made, tmp_path / "own")
