"""Refuse names and idioms that tell a reader nothing: `python scripts/lint_names.py`, part of `make lint`.

The names are those of variables, arguments and functions in the product; the idioms those of messages, comments and
docstrings. What a library calls so (an attribute, a keyword) is not counted. With `--count`, print how many of
each there are and pass.
"""

import ast
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("search_spaces", "trainables", "analysis", "gensweep")
NAMES = frozenset(
    [
        "found",
        "one",
        "told",
        "asked",
        "given",
        "own",
        "both",
        "at",
        "of",
        "more",
        "seen",
        "said",
        "kept",
        "drawn",
        "ink",
        "desk",
        "sheet",
        "meta",
    ]
)
FILES = frozenset(["utils", "helpers", "misc", "common", "aside", "desk", "guard", "house", "room", "door"])
IDIOMS = re.compile(
    r"\b(?:is|are) no (?!longer\b|more\b)[a-z]+|\bheld against\b|\bis had\b|\bnobody (?:runs|drives)\b"
    r"|\bis told\b|\bthe (?:house|door|desk|rooms?)\b|\bwhere (?:there is|it is|that is|they are|none is)\b",
    re.IGNORECASE,
)


def names(tree: ast.AST) -> list[tuple[int, str]]:
    """Return (line, name) of each banned name that a file gives to something of its own."""
    given: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.append((node.lineno, node.id))
        elif isinstance(node, ast.arg):
            given.append((node.lineno, node.arg))
        elif isinstance(node, ast.FunctionDef):
            given.append((node.lineno, node.name))
    return [(line, name) for line, name in given if name in NAMES]


def main() -> int:
    problems: list[str] = []
    counts: Counter[str] = Counter()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(ROOT)
        if path.stem in FILES:
            problems.append(f"{where}: a file named {path.stem!r} says nothing")
        for line, name in names(ast.parse(text)):
            problems.append(f"{where}:{line}: {name!r} says nothing: name it after what it is")
            counts[name] += 1
        for number, line_text in enumerate(text.splitlines(), 1):
            for match in IDIOMS.finditer(line_text):
                problems.append(f"{where}:{number}: {match[0]!r}: see CONTRIBUTING, Words")
                counts["idioms"] += 1
    if "--count" in sys.argv:
        print(", ".join(f"{name} {n}" for name, n in counts.most_common()), "; in all", sum(counts.values()))
        return 0
    print("\n".join(problems) or "No banned name or idiom.")
    return bool(problems)


if __name__ == "__main__":
    raise SystemExit(main())
