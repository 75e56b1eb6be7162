"""The three rooms under their short names, whatever else is called so.

`analysis`, `trainables` and `search_spaces` are ordinary words: a user's folder may hold an `analysis.py`, and Python
puts that folder first on the path of `python -m gensweep`, as Ray does on the path of its workers. So the finder
below answers for these three names alone, and looks nowhere but beside this package. Nothing is imported by it.
"""

import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
SIBLING_PACKAGES = ("search_spaces", "trainables", "analysis")


class SiblingFinder(MetaPathFinder):
    """Finds the three rooms beside `gensweep/`, before any folder of `sys.path` is asked."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in SIBLING_PACKAGES:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [str(ROOT)])


def install_import_hook() -> None:
    """Makes the three names ours from here on.

    Raises:
        ImportError: a stranger's module of such a name was imported first.
    """
    for name in SIBLING_PACKAGES:
        module = sys.modules.get(name)
        where = getattr(module, "__file__", None)
        if module is not None and (where is None or Path(where).resolve().parent != ROOT / name):
            raise ImportError(f"the module {name!r} of {where} hides gensweep's own: import gensweep before it")
    if not any(isinstance(finder, SiblingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, SiblingFinder())
