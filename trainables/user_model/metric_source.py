"""The code that a metric of a user's file consists of, as a hash: two versions of it are never compared."""

from __future__ import annotations

import ast
import hashlib


def metric_sources(text: str, names: list[str]) -> dict[str, str]:
    """Return for each name in METRICS 12 hex digits of a hash of its entry, and of all in the file that this refers to.

    If the file builds METRICS in another way than by writing a dict, the hash is that of the whole file.
    """
    tree = ast.parse(text)
    defined = _definitions(tree)
    entries = _entries(tree)
    return {name: _hash(_code(text, entries[name], defined) if name in entries else [text]) for name in names}


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _entries(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the values of METRICS by name, if it is written as a dict and not named again."""
    mentions = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "METRICS"]
    assigned = [node for node in tree.body if "METRICS" in _targets(node)]
    first = assigned[0] if len(assigned) == len(mentions) == 1 else None
    value = first.value if isinstance(first, ast.Assign | ast.AnnAssign) else None
    if not isinstance(value, ast.Dict):
        return {}
    pairs = zip(value.keys, value.values, strict=True)
    return {key.value: entry for key, entry in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _definitions(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """Return the statements of the module that set each name; imports among them."""
    defined: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _targets(node):
            defined.setdefault(name, []).append(node)
    return defined


def _targets(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]


def _code(text: str, entry: ast.expr, defined: dict[str, list[ast.stmt]]) -> list[str]:
    """Return the text of an entry and of every statement of the module that it refers to, directly or not."""
    waiting: list[ast.AST] = [entry]
    parts: dict[int, str] = {}
    while waiting:
        node = waiting.pop()
        line = getattr(node, "lineno", 0)
        if line in parts:
            continue
        decorators = [decorator.lineno for decorator in getattr(node, "decorator_list", [])]
        lines = text.splitlines()[min([line, *decorators]) - 1 : node.end_lineno]  # type: ignore[attr-defined]
        parts[line] = "\n".join(lines) if isinstance(node, ast.stmt) else ast.get_source_segment(text, node) or ""
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        waiting += [statement for name in sorted(names) for statement in defined.get(name, [])]
    return [parts[line] for line in sorted(parts)]
