"""Scoring 10,000 samples of 28x28: every metric but the two that train or draw (cas, nll), and FID alone.

Generation and the extractor's features are left aside. The samples are the MNIST test images with a little noise; the
"model" reconstructs by a blur and encodes by 32 random projections. Wall and CPU seconds, the best of some rounds, and
the resident memory that scoring adds. Needs MNIST under GENSWEEP_DATA.
"""

import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from lib.results_table import keep
from torch import Tensor
from torch.nn.functional import avg_pool2d

from trainables.data import load
from trainables.metrics import METRICS, EvalInputs, build_evaluator, load_extractor, measure
from trainables.metrics.extract import run_extractor
from trainables.metrics.fid import fid
from trainables.metrics.reconstruction import reconstruction

N, THREADS = 10_000, 2
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
MIB = 2**20


def resident() -> float:
    """MiB of this process now."""
    with open("/proc/self/statm") as file:  # noqa: PTH123  (no path of ours)
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB


def peak() -> float:
    """MiB at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def best(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, each the least of the rounds."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def _fresh(
    fn: Callable[[EvalInputs], object], inputs: Callable[..., EvalInputs], rebuilt: Mapping[str, Tensor]
) -> None:
    fn(inputs(measured=rebuilt))


def main() -> None:
    torch.set_num_threads(THREADS)
    data = load("mnist").to("cpu")
    evaluator = build_evaluator(data, seed=0)._replace(n_samples=N)
    x, y = data.test.gather(torch.arange(N), "cpu")
    x = (x + 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    features, logits = run_extractor(load_extractor(evaluator, "cpu"), iter(torch.split(x, 500)), N)
    real = data.val.gather(torch.arange(len(data.val)), "cpu")[0]
    project = torch.randn(784, 32, generator=torch.Generator().manual_seed(0))

    def measured() -> Mapping[str, Tensor]:
        parts = [reconstruction(avg_pool2d(batch, 3, 1, 1), batch) for batch in torch.split(real, 500)]
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    def inputs(**more: Any) -> EvalInputs:
        return EvalInputs(evaluator, x, features, logits, y, data=data, encode=lambda x: x.flatten(1) @ project, **more)

    before = resident()
    whole = best(lambda: measure(inputs(measured=measured())))
    added = peak() - before
    rows = [["**all but cas and nll**", f"**{whole[0]:.2f}**", f"{whole[1]:.2f}"]]
    with torch.no_grad():
        rows.append(["fid alone", *(f"{s:.3f}" for s in best(lambda: fid(inputs())))])
        rows.append(["reconstruction of 5,000 images", *(f"{s:.2f}" for s in best(measured))])
        rebuilt = measured()
        for name, metric in METRICS.items():
            if metric.when != "on_request" and all(inputs(measured=rebuilt).has(part) for part in metric.needs):
                took = best(partial(_fresh, metric.fn, inputs, rebuilt))
                rows.append([name, *(f"{s:.3f}" for s in took)])
    notes = (
        f"{THREADS} threads; load average while it ran {os.getloadavg()[0]:.1f}. Scoring added {added:,.0f} MiB to the "
        f"{before:,.0f} MiB resident before (torch, the data, the evaluator), {peak():,.0f} MiB at most. Budget: 6 s "
        "and 1 GB for all, 0.3 s for FID. A metric by itself pays for its neighbour pass, which all of them share."
    )
    keep("scoring", f"Scoring {N:,} samples of 28x28", ["what", "wall, s", "CPU, s"], rows, notes)


if __name__ == "__main__":
    main()
