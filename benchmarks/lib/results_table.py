"""A benchmark's table: printed, and kept under benchmarks/results/ with the command, the device and the versions."""

import datetime
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent.parent / "results"


def device() -> str:
    """The processor's name and how many cores this process may use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        name = names[0] if names else name
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def keep(name: str, title: str, columns: list[str], rows: list[list[str]], notes: str = "") -> None:
    """Print the table and write it to ``results/<name>_<date>.md``."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *(f"| {' | '.join(row)} |" for row in rows)]
    versions = ", ".join(f"{package} {version(package)}" for package in ("torch", "ray", "optuna"))
    today = datetime.date.today().isoformat()
    command = f"python benchmarks/{Path(sys.argv[0]).name} {' '.join(sys.argv[1:])}".strip()
    head = [f"# {title}", "", f"`{command}`, {today}, {device()}; Python {platform.python_version()}, {versions}.", ""]
    text = "\n".join([*head, *lines, "", notes, ""]).rstrip() + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}_{today}.md").write_text(text)
