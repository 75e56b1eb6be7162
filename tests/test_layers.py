"""Check the layout of the repository: which package may import which, that no modules import each other in a circle,
and how long a file may be.

`make lint` also runs this file as a script, so it needs nothing but the standard library.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("search_spaces", "trainables", "analysis", "gensweep")
PRIVATE = re.compile(r"\b_private\b|\._(trial_id|study_id|storage|contains)\b")  # of Ray and Optuna
# A package or module -> what it may import besides itself. The longest matching name counts, on both sides.
BASE, CONFIG = {"trainables", "search_spaces.param"}, {"gensweep.config", "gensweep.errors", "gensweep.units"}
READ = BASE | {"analysis.base", "analysis.read"}
SWEEP = READ | {"analysis.sweep"}
FIGURES = SWEEP | {"analysis.nets", "analysis.figures"}
SEARCH = CONFIG | {
    "gensweep.storage",
    "gensweep.search",
    "analysis.read",
    "analysis.base",
    "trainables",
    "search_spaces",
}
TUNE = SEARCH | {"gensweep.tune", "gensweep.import_hook"}
MAY_IMPORT: dict[str, set[str]] = {
    # UserError, and which GAN losses have a target to smooth; these files load torch only when a loss is computed
    "search_spaces": {"trainables.errors", "trainables.schemes", "trainables.penalties"},
    "trainables": {"trainables"},  # its root is one package with the three below: circles are refused module by module
    "trainables.engine": {"trainables"},
    "trainables.metrics": {"trainables"},
    "trainables.data": {"trainables"},
    "analysis": set(),
    "analysis.base": BASE,
    "analysis.read": BASE | {"analysis.base"},
    "analysis.sweep": READ,
    "analysis.nets": SWEEP,
    "analysis.compare": SWEEP,
    "analysis.figures": SWEEP | {"analysis.nets"},
    "analysis.report": FIGURES | {"analysis.compare"},
    "analysis.export": FIGURES | {"analysis.compare"},
    "analysis.study": FIGURES | {"analysis.compare", "analysis.report", "analysis.export"},
    "gensweep": {"gensweep.api", "gensweep.import_hook", "trainables.user_model", "trainables.engine.schedules"},
    "gensweep.version": set(),  # everybody may import it
    "gensweep.__main__": {"gensweep.cli"},
    "gensweep.errors": {"trainables.errors"},
    "gensweep.units": {"gensweep.errors"},
    "gensweep.import_hook": set(),
    "gensweep.provenance": {"gensweep.import_hook", "gensweep"},
    "gensweep.config": CONFIG
    | {"gensweep.provenance", "search_spaces", "trainables", "analysis.read", "analysis.sweep", "analysis.base"},
    "gensweep.storage": CONFIG | {"trainables", "analysis.read"},
    "gensweep.search": SEARCH,
    "gensweep.tune": SEARCH | {"gensweep.import_hook"},
    "gensweep.sweep": TUNE | {"gensweep.provenance", "analysis"},
    "gensweep.new_file": CONFIG | {"search_spaces", "trainables"},
    "gensweep.check": CONFIG | {"gensweep.import_hook", "trainables", "search_spaces"},
    "gensweep.cluster": CONFIG | {"trainables.filestore", "trainables.errors"},
    "gensweep.dashboard": {"gensweep.search", "gensweep.errors", "analysis.read", "trainables"},
    "gensweep.cli": set(PRODUCT),  # imported by nothing but __main__, since no other row names it
    "gensweep.api": set(PRODUCT) - {"gensweep"} | {"gensweep.config", "gensweep.errors", "gensweep.sweep"},
}
OUTSIDE_BANNED = {"search_spaces": {"torch", "ray"}, "analysis": {"ray"}, "trainables": {"ray"}}
RAY_FILES = {"trainables/ray_trainable.py"}
MAX_LINES = 250


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Return every name that a file imports, in functions and under TYPE_CHECKING too: `a.b` for `from a import b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def arrows() -> Iterator[tuple[str, str]]:
    """Yield (importing module, imported module) for the product's own modules."""
    known = {module_name(path) for path in sources(*PRODUCT)}
    for path in sources(*PRODUCT):
        for name in sorted(imported(path)):
            target = name if name in known else name.rpartition(".")[0]
            if target in known and target != module_name(path):
                yield module_name(path), target


def package(module: str) -> str:
    """Return the row of MAY_IMPORT that a module belongs to: the longest name that it starts with."""
    rows = [row for row in MAY_IMPORT if module == row or module.startswith(f"{row}.")]
    return max(rows, key=len)


def allowed(source: str, target: str) -> bool:
    """Return whether the table has the arrow. A name in the table stands for all modules below it."""
    if target == "gensweep.version" or package(source) == package(target):
        return True
    return any(target == name or target.startswith(f"{name}.") for name in MAY_IMPORT[package(source)])


def wrong_arrows() -> list[str]:
    faults = [f"{source} imports {target}" for source, target in arrows() if not allowed(source, target)]
    for folder, banned in OUTSIDE_BANNED.items():
        for path in sources(folder):
            if path.relative_to(ROOT).as_posix() not in RAY_FILES:
                outside = {name.split(".")[0] for name in imported(path)} & banned
                faults += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(outside)]
    return faults


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in sorted(graph.get(module, ())):
            if target not in index:
                visit(target)
            if target in stack:
                low[module] = min(low[module], low[target])
        if low[module] == index[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return groups


def import_circles() -> list[str]:
    graph: dict[str, set[str]] = {}
    for source, target in arrows():
        graph.setdefault(source, set()).add(target)
    return [f"these import each other in a circle: {', '.join(group)}" for group in circles(graph)]


def levels(folder: str) -> int:
    """Return on how many levels the packages of a folder lie: the longest chain of imports between them."""
    graph: dict[str, set[str]] = {}
    for source, target in arrows():
        row, to = package(source), package(target)
        if row != to and row.startswith(f"{folder}.") and to.startswith(f"{folder}."):
            graph.setdefault(row, set()).add(to)

    def depth(row: str) -> int:
        return 1 + max((depth(to) for to in graph.get(row, ())), default=0)

    return max(depth(row) for row in graph)


def long_files() -> list[str]:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(*PRODUCT, "tests", "benchmarks", "scripts")
    }
    return [f"{path.relative_to(ROOT)}: {n} lines > {MAX_LINES}" for path, n in lengths.items() if n > MAX_LINES]


def imports_of_test_modules() -> list[str]:
    """Return the imports of one test module by another: what they share belongs in tests/helpers."""
    modules = {path.stem for path in sources("tests") if path.stem.startswith("test_")} | {"conftest"}
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("tests")
        for name in sorted(imported(path))
        if name.split(".")[0] in modules
    ]


def private_uses() -> list[str]:
    """Return the lines that use private parts of Ray or Optuna outside a file named *_internals.py."""
    return [
        f"{path.relative_to(ROOT)}:{n}: private use outside *_internals.py: {line.strip()}"
        for path in sources(*PRODUCT, "tests", "benchmarks", "scripts")
        if not path.name.endswith("_internals.py") and path != Path(__file__).resolve()
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PRIVATE.search(line)
    ]


def test_layers__imports_follow_the_table() -> None:
    assert wrong_arrows() == []


def test_layers__a_wrong_arrow_is_named() -> None:
    assert not allowed("gensweep.cluster.remote", "gensweep.tune.run_tuner")
    assert not allowed("analysis.sweep.ranking", "analysis.figures.style")
    assert not allowed("gensweep.sweep.plan", "gensweep.cli.main")
    assert not allowed("trainables.filestore", "analysis.read.results")
    assert allowed("gensweep.sweep.plan", "gensweep.tune.run_tuner")


def test_layers__no_circles() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert import_circles() == []


def test_layers__no_test_module_imports_another() -> None:
    assert imports_of_test_modules() == []


def test_layers__private_parts_in_internals_only() -> None:
    assert PRIVATE.search("from ray._private import worker")
    assert PRIVATE.search("trial._trial_id")
    assert private_uses() == []


def test_layers__no_long_files() -> None:
    assert long_files() == []


if __name__ == "__main__":
    problems = wrong_arrows() + import_circles() + imports_of_test_modules() + long_files() + private_uses()
    print("\n".join(problems) or "Imports follow the table, none form a circle, and no file is longer than 250 lines.")
    print(f"Levels of packages: gensweep {levels('gensweep')}, analysis {levels('analysis')}.")
    raise SystemExit(bool(problems))
