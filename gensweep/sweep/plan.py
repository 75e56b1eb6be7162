"""Plan a sweep: predict its trials at each rung, hours, disk and price from a probe of about a minute.

The probe trains the defaults and some random configurations for a few real steps. As many run at once as in the sweep,
so that they share the machine in the same way. Then the sweep is simulated many times with the real scheduler, the
measured times, and trials of random quality whose order never changes. The simulations give the spread.
"""

import multiprocessing
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.read.manifest import SweepManifest
from gensweep.config import user_models
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest, with_dataset
from gensweep.errors import UserError
from gensweep.import_hook import install_import_hook
from gensweep.storage import checks
from gensweep.sweep import disk_estimate
from gensweep.sweep.simulate import ProbedConfig, SimulatedSweep, simulate_sweep
from gensweep.tune import ray_session
from gensweep.tune.resources import Node, Share, share
from gensweep.units import format_duration, format_size
from trainables.user_model.registry import USER_MODELS

if TYPE_CHECKING:
    from trainables.data import Dataset
    from trainables.engine.estimate import Seconds
    from trainables.metrics import Evaluator
    from trainables.user_model.model import UserModel

PROBE_S = 40.0  # of timed steps in each process, over all its configurations; imports and evaluations are extra
START_FACTOR = 2.0  # Ray and its first worker take about twice as long to start as a probing process
SIMULATIONS = 100


_parts: Any = None  # of a probing process: data, evaluator, device


def plan(options: Options, command: list[str], price: float | None) -> list[str]:
    """Return the lines of a plan.

    Raises:
        UserError: `run` would refuse these options.
    """
    from gensweep.sweep.evaluation import check_choice, evaluation_schedule, evaluator_of
    from gensweep.sweep.run_sweep import search_space
    from trainables.data import limited, load

    if price is not None and not price >= 0:
        raise UserError(f"price-per-hour {price:g}: 0 or more is needed")
    data = None
    if user_models.needs_probe(options.model):
        data = load(options.dataset, None if options.data_dir is None else Path(options.data_dir))
        user_models.probe_model(options.model, data)
    manifest = make_manifest(options, command)
    if data is None:
        data = load(manifest.dataset, None if manifest.data_dir is None else Path(manifest.data_dir))
    check_choice(manifest.chosen_extractor)
    manifest, nodes = with_dataset(manifest, data), available_nodes(options)
    resources, space = share(options, nodes), search_space(manifest)
    evaluator = evaluator_of(manifest, data, print)._replace(**evaluation_schedule(manifest))
    began = time.monotonic()
    configs = disk_estimate.random_configs(space, max(3, 2 * resources.concurrent - 1), manifest.seed)
    kinds, ready_s = probe(manifest.model, configs, (limited(data, manifest.train_images), evaluator), resources)
    took = time.monotonic() - began
    start_s = START_FACTOR * ready_s
    simulations = [
        simulate_sweep(manifest, evaluator, kinds, resources.concurrent, start_s, seed) for seed in range(SIMULATIONS)
    ]
    each = disk_estimate.estimate_trial_bytes(manifest, space, data)
    return [
        f"{manifest.model} on {manifest.dataset}: {manifest.trials} trials of at most {manifest.epochs} epochs; "
        f"{resources.line(nodes)}",
        *_rungs(manifest, evaluator, simulations),
        *(f"  updates  {text}" for text in [manifest.describe_unequal_updates()] if text),
        *_time(kinds, simulations, took),
        _disk(manifest, each, options.results),
        *(
            []
            if price is None
            else [
                _price(
                    simulations,
                    price,
                    int(sum(node.get("GPU", 0) for node in nodes)) if resources.gpus_per_trial else 0,
                )
            ]
        ),
    ]


def available_nodes(options: Options) -> list[Node]:
    """Return the nodes that the sweep would run on."""
    if options.address is not None:
        with ray_session.ray_environment(), ray_session.connect(options.address, {}) as nodes:
            return nodes
    import torch

    return [{"CPU": float(len(os.sched_getaffinity(0))), "GPU": float(torch.cuda.device_count())}]


def probe(
    model: str, configs: list[dict[str, Any]], parts: tuple["Dataset", "Evaluator"], resources: Share
) -> tuple[list[ProbedConfig], float]:
    """Measure the costs of the configurations, with as many at once as in the sweep.

    Return the configurations with their costs, and the seconds until a process was ready to train.
    """
    began = time.time()
    device, threads = ("cuda" if resources.gpus_per_trial else "cpu"), max(1, int(resources.cpus_per_trial))
    limit_s = PROBE_S * resources.concurrent / len(configs)
    spawned = multiprocessing.get_context("spawn")
    user_model = USER_MODELS.get(model)
    with ProcessPoolExecutor(resources.concurrent, spawned, _prepare, (*parts, device, threads, user_model)) as pool:
        measured = list(pool.map(_probe, [model] * len(configs), configs, [limit_s] * len(configs)))
    kinds = [ProbedConfig(config["epochs"], cost) for config, (_, cost) in zip(configs, measured, strict=True)]
    return kinds, min(ready for ready, _ in measured) - began


def _prepare(
    data: "Dataset", evaluator: "Evaluator", device: str, threads: int, user_model: "UserModel | None"
) -> None:
    global _parts
    install_import_hook()
    import torch

    if user_model is not None:
        from trainables.user_model.registry import register

        register(user_model)
    torch.set_num_threads(threads)
    _parts = (data.to(device), evaluator, device)


def _probe(model: str, config: dict[str, Any], limit_s: float) -> "tuple[float, Seconds]":
    from trainables import Data
    from trainables.engine import estimate
    from trainables.metrics import load_extractor
    from trainables.user_model import estimate as user_estimate
    from trainables.user_model.model import UserModel
    from trainables.user_model.registry import find_model

    data, evaluator, device = _parts
    trainable = find_model(model)
    extractor = load_extractor(evaluator, device) if trainable.samples(config) else None
    inputs, ready = Data(data, evaluator, extractor, device), time.time()
    if isinstance(trainable, UserModel):
        return ready, user_estimate.measure_seconds(trainable, config, inputs, 0, limit_s)
    return ready, estimate.measure_seconds(trainable, config, inputs, 0, limit_s)


def _rungs(manifest: SweepManifest, evaluator: "Evaluator", simulations: list[SimulatedSweep]) -> list[str]:
    if manifest.scheduler == "none":
        return [f"  trials   all {manifest.trials} run to their end"]
    shown = evaluator.rungs or (manifest.grace,)
    means = [(str(epoch), statistics.mean(simulation.reached[epoch] for simulation in simulations)) for epoch in shown]
    ends = statistics.mean(simulation.reached[-1] for simulation in simulations)
    reach = ", ".join(f"epoch {epoch}: {mean:.0f}" for epoch, mean in means)
    return [f"  trials   {reach}, their end: {ends:.0f} (expected under {manifest.scheduler})"]


def _time(kinds: Sequence[ProbedConfig], simulations: list[SimulatedSweep], took: float) -> list[str]:
    low, middle, high = _spread([simulation.wall_s for simulation in simulations])
    epoch, evaluation = ([getattr(kind.cost, name) for kind in kinds] for name in ("epoch_s", "evaluation_s"))
    return [
        f"  time     about {format_duration(middle)}, {format_duration(low)} to {format_duration(high)} "
        "in four of five simulations",
        f"           (an epoch {_range(epoch)}, an evaluation {_range(evaluation)}: "
        f"{len(kinds)} configurations, probed in {format_duration(took)})",
    ]


def _spread(values: list[float]) -> tuple[float, float, float]:
    tenths = statistics.quantiles(values, n=10)
    return tenths[0], tenths[4], tenths[8]


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.2g}", f"{max(values):.2g}"
    return f"{low} s" if low == high else f"{low} to {high} s"


def _disk(manifest: SweepManifest, each: disk_estimate.TrialBytes, results: str) -> str:
    checkpoints = manifest.trials * each.checkpoints
    if manifest.keep_checkpoints is not None:
        checkpoints = min(checkpoints, manifest.keep_checkpoints)
    rest = manifest.trials * each.rest
    return (
        f"  disk     {format_size(checkpoints + rest)}: {format_size(checkpoints)} for checkpoints, "
        f"{format_size(rest)} for weights, samples and rows; {format_size(checks.free_bytes(Path(results)))} are free"
    )


def _price(simulations: list[SimulatedSweep], price: float, gpus: int) -> str:
    hours = [simulation.wall_s / 3600 * max(1, gpus) for simulation in simulations]
    low, middle, high = _spread(hours)
    what = "GPU-hours" if gpus else "machine-hours"
    return f"  price    about {middle * price:.2f}, {low * price:.2f} to {high * price:.2f} ({middle:.2g} {what})"
