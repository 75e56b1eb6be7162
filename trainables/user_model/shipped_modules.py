"""Import a user's own modules from the texts that came with the task, and leave none behind.

They are in `sys.modules` only while code of their model file runs: another trial, or a sweep whose modules have the
same names, never sees them. A name that Python or gensweep itself uses is not taken from the folder.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import linecache
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType

from trainables.user_model.code_folder import CodeFolder

LIGHTNING = {"lightning": "lightning.pytorch", "pytorch_lightning": "pytorch_lightning"}  # package -> its module
OURS = ("gensweep", "trainables", "analysis", "search_spaces")


def roots_of(files: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the modules and packages at the top of a folder."""
    names = {name.partition("/")[0].removesuffix(".py") for name in files if name.endswith(".py")}
    return frozenset(name for name in names if name.isidentifier()) - {*OURS, *sys.stdlib_module_names}


class Shipped(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find and load modules of a code folder; `modules` are those that have been loaded."""

    def __init__(self, code: CodeFolder) -> None:
        self.files = code.files
        self.roots = roots_of(self.files)
        self.modules: dict[str, ModuleType] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in self.roots:
            return None
        base = fullname.replace(".", "/")
        for name in (f"{base}/__init__.py", f"{base}.py"):
            if name in self.files:
                is_package = name.endswith("/__init__.py")
                spec = importlib.machinery.ModuleSpec(fullname, self, origin=name, is_package=is_package)
                spec.has_location = True  # so that the module has a __file__
                return spec
        if any(name.startswith(f"{base}/") and name.endswith(".py") for name in self.files):
            return importlib.machinery.ModuleSpec(fullname, None, is_package=True)  # a folder without __init__.py
        return None

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        assert module.__spec__.origin is not None
        name = module.__spec__.origin
        text = self.files[name]
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), module.__dict__)

    def get_data(self, path: str) -> bytes:
        """Return a text file of the folder, for pkgutil.get_data()."""
        return self.files[path].encode()


@contextmanager
def importable(shipped: Shipped | None) -> Generator[None]:
    """Let the modules be imported under their own names, and take them out of `sys.modules` at the end."""
    if shipped is None:
        yield
        return
    hidden = _taken_out(shipped.roots)
    sys.modules.update(shipped.modules)
    sys.meta_path.insert(0, shipped)
    try:
        yield
    finally:
        sys.meta_path.remove(shipped)
        shipped.modules |= _taken_out(shipped.roots)
        sys.modules.update(hidden)


def _taken_out(roots: frozenset[str]) -> dict[str, ModuleType]:
    """Remove the modules of these packages from `sys.modules`, and return them by name."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in roots}
