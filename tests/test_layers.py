"""The shape of the house (docs/ARCHITECTURE.md): which room may import which, and how long a file may be.

Also run as a script by `make lint`, so that it needs nothing but the standard library.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {  # search_spaces and trainables are leaves; only the door knows all three rooms
    "search_spaces": {"search_spaces"},
    "trainables": {"trainables"},
    "analysis": {"analysis", "trainables"},
    "gensweep": {"gensweep", "search_spaces", "trainables", "analysis"},
}
OUTSIDE_BANNED = {"search_spaces": {"torch", "ray"}, "analysis": {"ray"}}
ONLY_RAY_FILE = "trainables/ray_trainable.py"
MAX_LINES = 250


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports, wherever in the file it does so."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


def wrong_arrows() -> list[str]:
    found = []
    for room, allowed in MAY_IMPORT.items():
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            banned = (MAY_IMPORT.keys() - allowed) | OUTSIDE_BANNED.get(room, set())
            if room == "trainables" and name != ONLY_RAY_FILE:
                banned = banned | {"ray"}
            found += [f"{name} imports {other}" for other in sorted(imported(path) & banned)]
    return found


def long_files() -> list[str]:
    folders = [*MAY_IMPORT, "tests", "benchmarks", "scripts"]
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    return [f"{path.relative_to(ROOT)}: {n} lines > {MAX_LINES}" for path, n in lengths.items() if n > MAX_LINES]


def test_imports_point_one_way() -> None:
    assert wrong_arrows() == []


def test_no_file_is_long() -> None:
    assert long_files() == []


if __name__ == "__main__":
    problems = wrong_arrows() + long_files()
    print("\n".join(problems) or "Imports point one way, and no file is longer than 250 lines.")
    raise SystemExit(bool(problems))
