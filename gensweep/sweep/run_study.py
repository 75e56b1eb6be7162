"""Run a study: a fixed question whose arms are trained with equal budgets over the same seeds.

A study is a directory of sweeps plus study.json. An arm that is a configuration is a sweep of a space pinned to it, and
its trials are the seeds. A trial's seed follows from the sweep's seed and the trial's number. So trial k has the same
seed in every arm, and arms are compared seed by seed. An arm that is a search is an ordinary sweep; its pick is then
trained like any other arm. A random search may accompany it as its control. All arms share one Ray, and the arms of one
data set share one evaluator. The same command again continues a study.
"""

import datetime
import json
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from gensweep.config.options import check_whole_number
from gensweep.errors import UserError
from gensweep.provenance import git_commit, package_versions
from gensweep.storage.atomic import write_json
from gensweep.sweep.session import SweepSession
from gensweep.sweep.study_arms import (
    ResolvedArm,
    StudyOptions,
    control_options,
    resolve_arm,
    search_options,
    training_options,
)
from gensweep.tune import ray_session
from trainables.filestore import is_url

FORMAT = 2


def run(options: StudyOptions, command: list[str], console: Console) -> str:
    """Train what is left of a study. Return how it ended: done, interrupted, or open if Ray gave up.

    Raises:
        UserError: the user has to change something.
    """
    from gensweep.sweep.run_sweep import prepare_sweep

    for name in ("seeds", "epochs", "trials"):
        check_whole_number(name, getattr(options, name), 1)
    if is_url(options.results):
        raise UserError(f"results {options.results!r}: the searches of a study share a folder, and this is a bucket")
    ray_session.check_reachable(options.address)
    save = _rows_writer(options)
    session = SweepSession(options.directory, options.address, command, console, save)
    arms = {name: resolve_arm(options, name) for name in options.study.arms}
    distinct = list({arm.directory: arm for arm in arms.values()}.values())
    searches = [arm for arm in distinct if arm.spec.trials]
    sweeps = [search_options(arm) for arm in searches] + [control_options(arm) for arm in searches if arm.spec.control]
    for sweep in [*sweeps, *(training_options(arm) for arm in distinct if arm not in searches)]:
        prepare_sweep(sweep, command, session.load)  # refuse wrong options before anything is written
    _restore_rows(options, console)
    with _record_launch(options, session, arms), session.stack:
        cause = session.train(sweeps)
        if cause == "done":
            cause = session.train([training_options(arm, _pick(arm) if arm in searches else None) for arm in distinct])
    save()
    return cause


def _rows_writer(options: StudyOptions) -> Callable[[], None]:
    """Return what writes the study's file of rows, if it has one."""
    if options.rows is None:
        return lambda: None
    from gensweep.sweep import study_rows

    return partial(study_rows.save, options.study, options.directory, Path(options.rows))


def _restore_rows(options: StudyOptions, console: Console) -> None:
    """Begin the study from its file of rows, if there is one; training refuses sweeps that have other settings."""
    if options.rows is None or not Path(options.rows).exists():
        return
    from gensweep.sweep import study_rows

    n = study_rows.restore(options.directory, Path(options.rows))
    console.print(f"{n} trainings are taken from {options.rows}", soft_wrap=True, highlight=False, markup=False)


def _pick(arm: ResolvedArm) -> dict[str, Any]:
    """Return the best configuration of an arm's search."""
    from analysis.read import results
    from analysis.sweep import ranking

    config: dict[str, Any] = ranking.top_entries(results.load(arm.options.directory / f"{arm.arm}-search"), 1)[0][
        "config"
    ]
    return config


@contextmanager
def _record_launch(options: StudyOptions, session: SweepSession, arms: Mapping[str, ResolvedArm]) -> Generator[None]:
    """Write study.json at the start, and again at the end with the seconds that this launch took.

    A run that has nothing left to train does not count as a launch. It keeps the recorded versions and commit, which
    are those of the trainings.
    """
    path, began = options.directory / "study.json", time.monotonic()
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"launches": []}
    launch = {
        "began": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),  # durations are comparable only on equally busy machines
    }

    def write(content: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, content)

    def now() -> dict[str, Any]:
        took = {**launch, "wall_s": round(time.monotonic() - began, 1)}
        return {**_study_json(options, session.command, arms), "launches": [*before["launches"], took]}

    write(now())
    try:
        yield
    finally:
        recorded = {key: before[key] for key in ("versions", "commit", "dirty", "launches") if key in before}
        write(now() if session.nodes is not None else {**now(), **recorded})


def _trials(arm: ResolvedArm) -> int:
    """Return how many trials an arm's search has; 0 if the arm has no search."""
    return arm.spec.trials and (arm.options.trials or arm.spec.trials)


def _study_json(options: StudyOptions, command: list[str], arms: Mapping[str, ResolvedArm]) -> dict[str, Any]:
    """Return the content of study.json without its launches."""
    study = options.study
    described = [
        {
            "name": name,
            "note": arm.note,
            "directory": str(Path("..", arms[name].directory.relative_to(options.results))),
            "at": arms[name].options.scaled(arm.at_epoch) if arm.at_epoch else 0,
            "searched": _trials(arms[name]),
            "control": arms[name].spec.control,
        }
        for name, arm in study.arms.items()
    ]
    return {
        "format": FORMAT,
        "name": options.name,
        "title": study.title,
        "question": study.question,
        "scope": study.scope,
        "command": command,
        "seeds": options.seeds or study.seeds,
        "arms": described,
        "claims": [claim._asdict() for claim in study.claims],
        "table": list(study.table),
        "pictures": {name: list(shown) for name, shown in study.pictures.items()},
        "versions": package_versions(),
        **git_commit(),
    }
