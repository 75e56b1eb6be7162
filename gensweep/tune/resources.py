"""Decide how many trials run at once, and what each gets: cores, and fractions of GPUs."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gensweep.config.options import LaunchOptions, Options
from gensweep.errors import UserError

Node = Mapping[str, float]  # what a node has, by Ray's names: CPU, GPU
TRIALS_PER_GPU = 4  # small nets leave most of a GPU idle; more than this gains little and needs a core each


class Share(NamedTuple):
    """What a trial gets, and how many run at once."""

    cpus_per_trial: float
    gpus_per_trial: float
    concurrent: int

    def line(self, nodes: Sequence[Node]) -> str:
        """Return one line for the user: the resources, and how they are used."""
        cpus, gpus = _sum(nodes, "CPU"), _sum(nodes, "GPU")
        each = f"{self.cpus_per_trial:g} core{'s' * (self.cpus_per_trial != 1)}"
        if self.gpus_per_trial:
            each += f" and {self.gpus_per_trial:g} of a GPU"
        total = f"{len(nodes)} nodes with " if len(nodes) > 1 else ""
        total += f"{cpus:g} cores, {gpus:g} GPU{'s' * (gpus != 1)}"
        return f"{total}: {self.concurrent} trial{'s' * (self.concurrent != 1)} at once, {each} each"


def share(options: Options | LaunchOptions, nodes: Sequence[Node]) -> Share:
    """Return the share of each trial on these nodes. A trial runs on one of them.

    Raises:
        UserError: a single trial asks for more than a node has.
    """
    cpus, gpus = (max((node.get(kind, 0.0) for node in nodes), default=0.0) for kind in ("CPU", "GPU"))
    on_one = " on one node" * (len(nodes) > 1)
    cpus_per_trial = options.cpus_per_trial if options.cpus_per_trial is not None else 1.0
    if cpus_per_trial > cpus:
        raise UserError(f"cpus-per-trial {cpus_per_trial:g}: only {cpus:g} cores are available{on_one}")
    gpus_per_trial = options.gpus_per_trial
    if gpus_per_trial is None:
        gpu_nodes = [node for node in nodes if node.get("GPU", 0)]
        at_once = sum(int(node.get("CPU", 0) // cpus_per_trial) for node in gpu_nodes)
        gpus_per_trial = 1 / max(1, min(TRIALS_PER_GPU, int(at_once // _sum(gpu_nodes, "GPU")))) if gpu_nodes else 0.0
    if gpus_per_trial > gpus:
        only = f"only {gpus:g}" if gpus else "no"
        raise UserError(f"gpus-per-trial {gpus_per_trial:g}: {only} GPUs are available{on_one}")
    at_once = sum(_fits(node, cpus_per_trial, gpus_per_trial) for node in nodes)
    return Share(cpus_per_trial, gpus_per_trial, max(1, min(at_once, options.concurrent or at_once, options.trials)))


def _sum(nodes: Sequence[Node], kind: str) -> float:
    return sum(node.get(kind, 0.0) for node in nodes)


def _fits(node: Node, cpus_per_trial: float, gpus_per_trial: float) -> int:
    """Return how many trials a node holds: Ray never splits one over two GPUs."""
    cpus, gpus = int(node.get("CPU", 0) // cpus_per_trial), node.get("GPU", 0.0)
    if not gpus_per_trial:
        return cpus
    per_gpu = 1 / gpus_per_trial if gpus_per_trial >= 1 else int(1 / gpus_per_trial + 1e-9)
    return min(cpus, int((gpus if gpus_per_trial >= 1 else int(gpus)) * per_gpu))


def emulates_bf16() -> bool:
    """Return whether the CPU of this process lacks bf16 arithmetic; False if torch cannot say."""
    import torch

    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    able = torch.cpu.get_capabilities()
    return not any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
