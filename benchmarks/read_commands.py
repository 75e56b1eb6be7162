"""`status`, `best` and `report` of a sweep of 1,000 trials: whole commands, their start-up and imports included.

Medians of RUNS. The sweep is made without training, as the tests make theirs. Must be <= 2, 2 and 20 s.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib.results_table import keep

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

TRIALS, RUNS = 1000, 3
MUST_S = {"status": 2.0, "best": 2.0, "report": 20.0}


def took(command: str, sweep: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gensweep", command, sweep], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    from helpers import sweeps

    rows, late = [], False
    with tempfile.TemporaryDirectory() as folder:
        big = str(sweeps.make(Path(folder) / "big", sweeps.TRIALS * (TRIALS // len(sweeps.TRIALS))))
        for command, must in MUST_S.items():
            each = [took(command, big) for _ in range(RUNS)]
            middle = statistics.median(each)
            late |= middle > must
            rows.append([f"`{command}`", f"**{middle:.2f}**", ", ".join(f"{one:.2f}" for one in each), f"{must:g}"])
    keep(
        "read_commands",
        f"A sweep of {TRIALS:,} trials: the commands that read it",
        ["command", "s", "each", "limit, s"],
        rows,
        __doc__ or "",
    )
    return int(late)


if __name__ == "__main__":
    raise SystemExit(main())
