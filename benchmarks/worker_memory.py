"""Resident memory of the trial workers in the default GAN search on MNIST: four trials of two epochs, two at once.

A thread reads /proc beside the sweep; the figure is the high-water mark of the largest worker, with torch's CUDA build
loaded. Needs Linux, and MNIST under GENSWEEP_DATA.
"""

import os
import tempfile
import threading
from pathlib import Path

from lib.results_table import keep

from gensweep import Sweep


def high_water() -> dict[int, int]:
    """kB by process id, of the Ray workers of this process that hold a trial."""
    parents, found = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:  # it ended while we looked
            continue
        own = int(status.parent.name)
        parents[own] = int(lines["PPid"])
        if lines["Name"].strip().startswith("ray::Implicit") and "VmHWM" in lines:
            found[own] = int(lines["VmHWM"].split()[0])
    return {own: kb for own, kb in found.items() if os.getpid() in ancestors(own, parents)}


def ancestors(process: int, parents: dict[int, int]) -> list[int]:
    line = [process]
    while line[-1] in parents:
        line.append(parents[line[-1]])
    return line


def main() -> None:
    seen: dict[int, int] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            seen.update(high_water())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            Sweep("gan", dataset="mnist", trials=4, epochs=2, scheduler="none", results=folder, quiet=True).run()
    finally:  # else an error would wait for this thread for ever
        over.set()
        watcher.join()
    rows = [[str(i), f"{kb / 1024:,.0f}"] for i, kb in enumerate(sorted(seen.values(), reverse=True))]
    keep("worker_memory", "Resident memory of a trial worker on MNIST", ["worker", "high-water mark, MiB"], rows)


if __name__ == "__main__":
    main()
