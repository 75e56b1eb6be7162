"""Write requirements.txt, the versions that `make` installs, from pyproject.toml by uv; check it without a network.

    python scripts/requirements.py            # pins what pyproject.toml asks for; a pin that still fits stays as it is
    python scripts/requirements.py --upgrade  # pins the newest versions
    python scripts/requirements.py --check    # exit code 1 if pyproject.toml has changed since the file was written

The first line of the file holds a digest of the dependencies that it was compiled from.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
SOURCE, TARGET = ROOT / "pyproject.toml", ROOT / "requirements.txt"
# One file for every system, processor and Python: where they need different versions, the lines have markers.
COMPILE = "pip compile --quiet --universal --all-extras --no-annotate --no-header"
HEADER = "# Written by `make requirements` from the dependencies of pyproject.toml, sha256 "


def read_project() -> dict[str, Any]:
    """Return the `project` table of pyproject.toml."""
    project: dict[str, Any] = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["project"]
    return project


def digest(project: dict[str, Any]) -> str:
    """Return a digest of the dependencies in the `project` table; comments, order and layout do not change it."""
    extras = {name: sorted(lines) for name, lines in project["optional-dependencies"].items()}
    text = json.dumps([project["requires-python"], sorted(project["dependencies"]), extras], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_current(project: dict[str, Any], pinned: str) -> bool:
    return pinned.startswith(f"{HEADER}{digest(project)}\n")


def write(project: dict[str, Any], more: list[str]) -> None:
    """Let uv pin everything, for the oldest Python that pyproject.toml allows and all later ones."""
    oldest = project["requires-python"].removeprefix(">=")
    words = [*COMPILE.split(), "--python-version", oldest, *more, SOURCE.name, "--output-file", TARGET.name]
    subprocess.run([Path(sys.executable).with_name("uv"), *words], cwd=ROOT, check=True)
    TARGET.write_text(f"{HEADER}{digest(project)}\n{TARGET.read_text(encoding='utf-8')}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Write or check requirements.txt.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the file is out of date")
    parser.add_argument("--upgrade", action="store_true", help="pin the newest versions")
    typed = parser.parse_args()
    project = read_project()
    if not typed.check:
        write(project, ["--upgrade"] if typed.upgrade else [])
    elif not is_current(project, TARGET.read_text(encoding="utf-8")):
        print("requirements.txt is older than the dependencies in pyproject.toml: type `make requirements`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
