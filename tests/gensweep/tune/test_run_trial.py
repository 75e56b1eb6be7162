"""Failures in flight on one real Ray: an error, memory that runs out, a worker that dies over a torn checkpoint."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import rows
from helpers.launching import launched, told

from gensweep.tune import ray_session
from gensweep.tune.run_trial import train
from trainables.data import limited

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module", autouse=True)
def on_ray() -> Generator[None]:
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    with ray_session.ray_environment(), ray_session.connect(None, {"num_cpus": 1}):
        yield


def starved(config: dict[str, Any], *, data: Any, **parts: Any) -> None:
    """A trial 0 whose batches are larger than its data."""
    train(config, data=limited(data, 20) if config["number"] == 0 else data, **parts)


@pytest.mark.parametrize("scheduler", ["asha", "none"])
def test_what_a_trial_raises_ends_that_trial_alone(tmp_path: Path, scheduler: str) -> None:
    sweep, ended = launched(tmp_path, starved, scheduler=scheduler)
    assert (ended.cause, ended.failed) == ("done", 1)
    (first, reason, line), (second, *_) = told(sweep)
    assert (first, reason, second) == ("failed", "error", "complete")
    assert line is not None
    assert line.startswith("UserError: batch_size=128 is more than the 20 training images")


def swallowing(config: dict[str, Any], **parts: Any) -> None:
    """A trial 0 that does not fit into the address space that is left to its worker."""
    import trainables.ray_trainable  # noqa: F401  (its own imports need room as well)

    if config["number"] == 0:
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + 2**29, resource.RLIM_INFINITY))
        config = {**config, "width": 8192, "latent_dim": 4096}
    train(config, **parts)


@pytest.mark.slow
def test_memory_that_runs_out_is_a_class_of_its_own(tmp_path: Path) -> None:
    sweep, ended = launched(tmp_path, swallowing, max_failures=1)
    assert (ended.cause, ended.failed) == ("done", 1)
    assert told(sweep)[0][:2] == ("failed", "oom")
    assert told(sweep)[1][0] == "complete"  # on another worker


def dying(config: dict[str, Any], *, task: Any, **parts: Any) -> None:
    """A trial 0 whose worker is killed once, while its newest checkpoint is damaged."""
    folder = Path(task.directory) / "trials" / f"{config['number']:04d}"
    mark = folder / "died"

    def watch() -> None:
        while len(found := sorted(folder.glob("checkpoint_*.pt"))) < 2:
            time.sleep(0.002)
        found[-1].write_bytes(found[-1].read_bytes()[:-100])
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)

    if config["number"] == 0 and not mark.exists():
        threading.Thread(target=watch, daemon=True).start()
    train(config, task=task, **parts)


@pytest.mark.slow
def test_a_retry_passes_over_a_torn_checkpoint(tmp_path: Path) -> None:
    whole, _ = launched(tmp_path / "whole")
    parts, ended = launched(tmp_path / "parts", dying)
    assert (parts / "trials" / "0000" / "died").exists()
    assert (ended.cause, ended.failed) == ("done", 0)
    assert rows(parts) == rows(whole)


@pytest.mark.slow
def test_run_trial__killed_by_rays_memory_monitor(tmp_path: Path) -> None:
    say = "from gensweep import Sweep; Sweep('vae', trials=1, epochs=2, max_failures=0, quiet=True, results='.').run()"
    low = {"RAY_memory_monitor_refresh_ms": "100", "RAY_memory_usage_threshold": "0.01"}
    subprocess.run([sys.executable, "-c", say], cwd=tmp_path, env={**os.environ, **low}, check=True)
    assert told(tmp_path / "vae-digits")[0][:2] == ("failed", "oom")
