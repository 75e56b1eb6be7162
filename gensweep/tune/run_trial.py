"""The function that Ray Tune ships to its workers: by name, so that a worker imports it from here.

Importing it installs the import hook before a worker unpickles anything of our packages. Whatever a trial raises is
classified in the worker and reported as a last row. A fault of the configuration would only happen again, so the trial
ends, and its worker takes the next one. After memory ran out, or after an error of the machine (its device, a library,
a file), the worker is replaced and the trial tried again. A full disk is not the fault of the trial: the driver stops,
and the trial stays open.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ray import tune

from gensweep.import_hook import install_import_hook
from gensweep.storage import workdir
from gensweep.storage.atomic import is_disk_full
from gensweep.storage.lock import worker_lock
from gensweep.tune.timeout import STACK_FILE, time_limit, timed_out
from trainables.filestore import is_url
from trainables.user_model.registry import USER_MODELS

install_import_hook()

if TYPE_CHECKING:
    from analysis.read.manifest import SweepManifest
    from trainables.objective import Goal
    from trainables.user_model.model import UserModel

OUT_OF_MEMORY = ("out of memory", "can't allocate memory")
TIMEOUT = f"it took longer than --trial-timeout; {STACK_FILE} in its folder shows where it was"
MAX_LINE = 300  # characters of an error that are kept


class Task(NamedTuple):
    """What all trials of a sweep have in common, besides the data and the evaluator."""

    model: str
    directory: str  # the sweep's, a path or a URL
    goal: "Goal"
    sweep_seed: int
    timeout_s: float | None = None  # of a trial
    user_model: "UserModel | None" = None  # None for a built-in model


def task_of(manifest: "SweepManifest", directory: Path) -> Task:
    """Return what the trials of a sweep in this directory have in common."""
    return Task(
        manifest.model,
        workdir.trials_uri(directory),
        manifest.goal,
        manifest.seed,
        manifest.trial_timeout_s,
        USER_MODELS.get(manifest.model),
    )


def classify(error: Exception) -> tuple[str, str]:
    """Return the class of a failure, `oom`, `disk` or `error`, and one line about it."""
    text = " ".join(str(error).split())
    if is_disk_full(error):
        return "disk", f"{type(error).__name__}: {text}"[:MAX_LINE]
    is_oom = isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(words in text for words in OUT_OF_MEMORY)
    )
    return ("oom" if is_oom else "error"), f"{type(error).__name__}: {text}"[:MAX_LINE]


def train(config: dict[str, Any], *, data: Any, evaluator: Any, task: Task) -> None:
    """Train one trial and classify its failures. `config` holds a configuration and its number."""
    directory = (
        None if is_url(task.directory) else Path(task.directory)
    )  # a bucket has neither locks nor a file for the stack of a timeout
    number = int(config["number"])
    nothing = {task.goal.primary.metric: float("nan")}  # Tune gives up on a row that lacks the metric
    last = {"epoch": 0, "epochs": config["epochs"], "eval_epoch": -1, **nothing}
    if directory is not None and timed_out(directory, number):
        tune.report({**last, "status": "timeout", "error": TIMEOUT, "done": True})
        return
    with nullcontext() if directory is None else worker_lock(directory):
        try:
            from trainables.data.mapped_files import with_pixels
            from trainables.ray_trainable import train as run

            if task.user_model is not None:
                from trainables.user_model.registry import register

                register(task.user_model)

            with nullcontext() if directory is None else time_limit(directory, number, task.timeout_s):
                run(
                    config,
                    model=task.model,
                    data=with_pixels(data),
                    evaluator=evaluator,
                    directory=f"{task.directory}/trials",
                    goal=task.goal,
                    sweep_seed=task.sweep_seed,
                )
        except Exception as error:
            reason, line = classify(error)
            machine = reason == "error" and ("CUDA" in line or isinstance(error, (ImportError, OSError)))
            again = machine or reason == "oom"
            last |= {"status": reason, "error": line}
            tune.report(last if again else {**last, "done": True})
            raise
