"""Record which code produced a sweep: the versions of its packages and the commit of the checkout."""

import platform
import subprocess
from importlib import metadata
from typing import Any

from gensweep.import_hook import ROOT
from gensweep.version import __version__


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the results of a sweep depend on."""
    packages = {name: metadata.version(name) for name in ("torch", "ray", "optuna")}
    return {"gensweep": __version__, "python": platform.python_version(), **packages}


def git_commit() -> dict[str, Any]:
    """Return the commit of this checkout and whether files changed since; the commit is None outside a checkout."""
    if not (ROOT / ".git").exists():
        return {"commit": None, "dirty": False}
    try:
        head, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": False}
    return {"commit": head.strip(), "dirty": bool(changes.strip())}


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True, timeout=10
    ).stdout
