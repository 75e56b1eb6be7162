"""What the text of a user's file shows before it runs: work at import, names that workers never set, fixed devices."""

import ast
import importlib.util
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from gensweep.check.line import Line, fault, warning
from trainables.errors import UserError
from trainables.user_model.code_folder import read_code_folder
from trainables.user_model.model_file import ModelFile
from trainables.user_model.shipped_modules import LIGHTNING, roots_of

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def check_source(file: ModelFile) -> list[Line]:
    """Return the lines about the text of a file, in the order of its lines; one line if it does not parse."""
    name = file.file_name
    try:
        tree = ast.parse(file.text)
    except SyntaxError as error:
        return [fault(error.msg, f"{name}:{error.lineno}")]
    checks = (partial(_imports, file), _main_names, _work_at_import, _devices, _swallowed, _trackers, _loaders)
    lines = [(node.lineno, line) for check in checks for node, line in check(tree)]
    return [line._replace(place=f"{name}:{number}") for number, line in sorted(lines, key=lambda pair: pair[0])]


def seed_calls(file: ModelFile) -> list[int]:
    """Return the numbers of the lines that seed a random generator."""
    calls = (node for node in ast.walk(ast.parse(file.text)) if isinstance(node, ast.Call))
    return [
        call.lineno for call in calls if _dotted(call.func).rpartition(".")[2] in ("manual_seed", "seed_everything")
    ]


Found = Iterator[tuple[ast.stmt | ast.expr, Line]]


def _imports(file: ModelFile, tree: ast.Module) -> Found:
    shipped = frozenset() if file.code is None else roots_of(file.code.files)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            if node.level:
                yield (
                    node,
                    fault("a relative import, and a model file is in no package: import by the full name"),
                )
                continue
        else:
            continue
        for name in names:
            root = name.partition(".")[0]
            if root not in shipped and not _is_installed(root, file.folder):
                yield node, fault(f"import {name}: not installed{_how_to_have(root, file)}")


def _how_to_have(root: str, file: ModelFile) -> str:
    """Return what to do about a module that workers would lack."""
    if root in LIGHTNING:
        return "; pip install 'gensweep[lightning]', also on the workers"
    if (file.folder / f"{root}.py").exists() or (file.folder / root).is_dir():
        typed = file.path.rpartition("/")[0]
        folder = f"{typed}/" if typed else "./"
        try:
            return f" and not shipped; add --code {folder} ({read_code_folder(folder, file.path)})"
        except UserError as error:
            return f" and not shipped: {error}"
    return "; a model file travels alone, so put that code into it"


def _is_installed(name: str, folder: Path) -> bool:
    """Return whether a worker has a module: it can be imported, and not only because it lies in the file's folder."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    if spec is None:
        return False
    places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ())
    beside = {folder / f"{name}.py", folder / name / "__init__.py", folder / name}
    return not any(Path(place).resolve() in beside for place in places if place)


def _main_names(tree: ast.Module) -> Found:
    """Find names that functions use and that only `if __name__ == "__main__":` sets."""
    blocks = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    set_there = {name for block in blocks for statement in block.body for name in _set_names(statement)}
    elsewhere = {name for node in tree.body if node not in blocks for name in _set_names(node)}
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)):
        own_names = {name for node in ast.walk(function) for name in _set_names(node)}
        own_names |= {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in set_there - elsewhere - own_names:
                yield (
                    node,
                    fault(
                        f'{function.name}() uses {node.id}, which is only set under if __name__ == "__main__": workers '
                        "never run that"
                    ),
                )


def _set_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement sets, outside of functions and classes."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield node.name
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    for child in ast.iter_child_nodes(node):
        yield from _set_names(child)


def _work_at_import(tree: ast.Module) -> Found:
    for node in _at_import(tree.body):
        call = _dotted(node.func)
        if call.endswith("parse_args"):
            yield node, fault("importing the file parses the command line: move it under if __name__ == '__main__':")
        elif call == "wandb.init":
            yield node, fault("importing the file starts wandb: move it under if __name__ == '__main__':")
        elif call == "train" or call.rpartition(".")[2] in ("backward", "fit"):
            yield node, fault("importing the file trains: move it under if __name__ == '__main__':")


def _at_import(body: list[ast.stmt]) -> Iterator[ast.Call]:
    """Yield the calls that importing the file makes."""
    for node in body:
        is_main = isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
        if is_main or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        waiting: list[ast.AST] = [node]
        while waiting:
            each = waiting.pop()
            if isinstance(each, Function):
                continue
            if isinstance(each, ast.Call):
                yield each
            waiting += ast.iter_child_nodes(each)


def _devices(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "cuda":
            yield node, fault("puts a tensor on the GPU by name: use .to(trial.device)")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_cuda(node.value):
            yield node, fault(f"names the device {node.value!r}: use trial.device")


def _is_cuda(text: str) -> bool:
    kind, colon, number = text.partition(":")
    return kind == "cuda" and (not colon or number.isdecimal())


def _swallowed(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        wide = node.type is None or _dotted(node.type) in ("Exception", "BaseException")
        if wide and all(isinstance(each, ast.Pass | ast.Continue) for each in node.body):
            yield node.body[0], warning("this except hides every error, and a failed trial would look sound")


def _trackers(tree: ast.Module) -> Found:
    at_import = {id(call) for call in _at_import(tree.body)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func) == "wandb.init" and id(node) not in at_import:
            yield node, warning("starts wandb itself: a resumed trial starts a second run")


def _loaders(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "persistent_workers" and ast.unparse(node.value) == "True":
            yield (
                node.value,
                warning("persistent_workers keeps its generators over epochs: a resumed trial sees other images"),
            )


def _dotted(node: ast.expr) -> str:
    """Return `torch.manual_seed` for such an expression; only its attributes if it begins with a call."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""
