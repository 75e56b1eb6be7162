"""`gensweep check` of model files: seconds of the whole command, its start-up included. Must be < 30 on two cores.

Arguments: model files (default: three that `gensweep new` writes), and perhaps --dataset NAME.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib.results_table import keep

KINDS = ("vae", "gan", "diffusion")
MUST_S = 30.0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--dataset", default="digits")
    options = parser.parse_args()
    gensweep = [sys.executable, "-m", "gensweep"]
    rows, late = [], False
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(file).resolve()) for file in options.files]
        for kind in () if files else KINDS:
            files.append(f"{folder}/my_{kind}.py")
            subprocess.run([*gensweep, "new", files[-1], "--kind", kind], check=True, stdout=subprocess.DEVNULL)
        for file in files:
            began = time.perf_counter()
            command = [*gensweep, "check", file, "--dataset", options.dataset]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            took = time.perf_counter() - began
            faults = [line for line in ended.stdout.splitlines() if line.startswith(("x ", "! "))]
            late |= took > MUST_S
            rows.append([Path(file).name, f"**{took:.1f}**", str(len(faults)), str(ended.returncode)])
    keep(
        "check_seconds",
        f"gensweep check on {options.dataset}",
        ["file", "s", "lines with x or !", "exit code"],
        rows,
        __doc__ or "",
    )
    return int(late)


if __name__ == "__main__":
    raise SystemExit(main())
