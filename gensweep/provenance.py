"""Which code made a sweep: versions of the packages, and the commit of the checkout."""

import platform
import subprocess
from importlib import metadata
from typing import Any

from gensweep.import_hook import ROOT
from gensweep.version import __version__


def package_versions() -> dict[str, str]:
    """What the numbers of a sweep depend on besides its settings."""
    packages = {name: metadata.version(name) for name in ("torch", "ray", "optuna")}
    return {"gensweep": __version__, "python": platform.python_version(), **packages}


def git_commit() -> dict[str, Any]:
    """The commit of the checkout that runs, and whether it was changed since; None where it is no checkout."""
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
