"""requirements.txt: what it may hold, and when it counts as out of date."""

import importlib.util
import re
from typing import Any

import pytest
from helpers import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

SPEC = importlib.util.spec_from_file_location("requirements_script", ROOT / "scripts/requirements.py")
assert SPEC is not None
assert SPEC.loader is not None
script: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(script)
PROJECT = {
    "requires-python": ">=3.10",
    "dependencies": ["numpy>=1.26,<3", "torch>=2.7,<3"],
    "optional-dependencies": {"ui": ["optuna-dashboard>=0.20"], "dev": ["pytest>=9", "ruff>=0.17"]},
}


@pytest.fixture(scope="module")
def pins() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()[1:]
    return [Requirement(line) for line in lines]


def test_requirements__names_and_versions(pins: list[Requirement]) -> None:
    assert [pin for pin in pins if pin.url is not None or not re.fullmatch(r"==[\w.]+", str(pin.specifier))] == []


def test_requirements__pinned_within_range(pins: list[Requirement]) -> None:
    project = script.read_project()
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    wanted = {need.name: need.specifier for need in map(Requirement, lines) if need.name != project["name"]}
    outside = [
        f"{pin}: {wanted[pin.name]}"
        for pin in pins
        if not wanted.get(pin.name, SpecifierSet()).contains(str(pin.specifier).removeprefix("=="))
    ]
    assert outside == []
    names = {pin.name for pin in pins}
    assert {name for name in wanted if name.lower() not in names} == set()


@pytest.mark.parametrize(
    ("change", "current"),
    [
        ({}, True),
        ({"version": "9.9", "description": "another"}, True),
        ({"dependencies": ["torch>=2.7,<3", "numpy>=1.26,<3"]}, True),
        ({"dependencies": ["numpy>=1.26,<3", "torch>=2.8,<3"]}, False),
        ({"optional-dependencies": {"ui": [], "dev": ["pytest>=9", "ruff>=0.17"]}}, False),
        ({"requires-python": ">=3.11"}, False),
    ],
)
def test_requirements__out_of_date(change: dict[str, Any], current: bool) -> None:
    pinned = f"{script.HEADER}{script.digest(PROJECT)}\nnumpy==2.4.6\n"
    assert script.is_current({**PROJECT, **change}, pinned) is current
