"""How many trials run at once, and what each gets: cores, and fractions of GPUs."""

from collections.abc import Mapping
from typing import NamedTuple

from gensweep.options import BadUsage, Options

TRIALS_PER_GPU = 4  # small nets leave most of a GPU idle; more than this gains little and needs a core each


class Share(NamedTuple):
    """What a trial gets, and how many run at once."""

    cpus_per_trial: float
    gpus_per_trial: float
    concurrent: int

    def line(self, cluster: Mapping[str, float]) -> str:
        """One line for the user about what is there and how it is used."""
        gpus = cluster.get("GPU", 0)
        given = f"{self.cpus_per_trial:g} core{'s' * (self.cpus_per_trial != 1)}"
        if self.gpus_per_trial:
            given += f" and {self.gpus_per_trial:g} of a GPU"
        there = f"{cluster.get('CPU', 0):g} cores, {gpus:g} GPU{'s' * (gpus != 1)}"
        return f"{there}: {self.concurrent} trial{'s' * (self.concurrent != 1)} at once, {given} each"


def share(options: Options, cluster: Mapping[str, float]) -> Share:
    """The share of each trial on a cluster with these resources (Ray's names: CPU, GPU).

    Raises:
        BadUsage: a single trial asks for more than there is.
    """
    cpus, gpus = cluster.get("CPU", 0.0), cluster.get("GPU", 0.0)
    cpus_per_trial = options.cpus_per_trial if options.cpus_per_trial is not None else 1.0
    if cpus_per_trial > cpus:
        raise BadUsage(f"cpus-per-trial {cpus_per_trial:g}: only {cpus:g} cores are there")
    at_once = int(cpus // cpus_per_trial)
    gpus_per_trial = options.gpus_per_trial
    if gpus_per_trial is None:
        gpus_per_trial = 1 / max(1, min(TRIALS_PER_GPU, int(at_once // gpus))) if gpus else 0.0
    if gpus_per_trial > gpus:
        raise BadUsage(f"gpus-per-trial {gpus_per_trial:g}: {f'only {gpus:g}' if gpus else 'no'} GPUs are there")
    if gpus_per_trial:
        at_once = min(at_once, _slots(gpus_per_trial, gpus))
    return Share(cpus_per_trial, gpus_per_trial, max(1, min(at_once, options.concurrent or at_once, options.trials)))


def emulates_bf16() -> bool:
    """Whether the CPU of this process has no bf16 arithmetic of its own; False where torch does not tell."""
    import torch

    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    able = torch.cpu.get_capabilities()
    return not any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _slots(gpus_per_trial: float, gpus: float) -> int:
    """How many such shares fit: Ray never splits one share over two GPUs."""
    if gpus_per_trial >= 1:
        return int(gpus // gpus_per_trial)
    return int(gpus) * int(1 / gpus_per_trial + 1e-9)
