"""An import hook that finds `analysis`, `trainables` and `search_spaces` beside this package, and nowhere else.

The three names are ordinary words. A user's folder may hold an `analysis.py`, and `python -m gensweep` puts that folder
first on the path, as Ray does on the path of its workers. The hook imports nothing by itself.
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
    """Finds the three packages beside `gensweep/` before Python searches `sys.path`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in SIBLING_PACKAGES:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [str(ROOT)])


def install_import_hook() -> None:
    """Make every later import of the three names find our packages.

    Raises:
        ImportError: another module of such a name was imported before.
    """
    for name in SIBLING_PACKAGES:
        module = sys.modules.get(name)
        where = getattr(module, "__file__", None)
        if module is not None and (where is None or Path(where).resolve().parent != ROOT / name):
            raise ImportError(f"the module {name!r} of {where} hides gensweep's own: import gensweep before it")
    if not any(isinstance(finder, SiblingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, SiblingFinder())
