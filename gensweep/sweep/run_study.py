"""A study: a fixed question whose arms are trained at equal budget over the same seeds.

A study is a directory of sweeps plus study.json. An arm that is a configuration is a sweep of a space pinned to it, and
its trials are the seeds: a trial's seed follows from the sweep's seed and the trial's number, so trial k of every arm
has the same one, and differences are taken seed by seed. An arm that is a search is an ordinary sweep, whose pick
is then trained like any other arm; beside it there may be a random search as its control. All arms share one Ray, and
per data set one judge. Typed again, a study goes on.
"""

import datetime
import json
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
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

FORMAT = 1


def run(asked: StudyOptions, command: list[str], console: Console) -> str:
    """Trains what is left of a study; returns how it ended: done, interrupted, or open where Ray gave up.

    Raises:
        UserError: whatever the user has to change.
    """
    from gensweep.sweep.run_sweep import prepare_sweep

    for name in ("seeds", "epochs", "trials"):
        check_whole_number(name, getattr(asked, name), 1)
    if is_url(asked.results):
        raise UserError(f"results {asked.results!r}: the searches of a study share a folder, and this is a bucket")
    ray_session.check_reachable(asked.address)
    session = SweepSession(asked.directory, asked.address, command, console)
    owned = {arm: resolve_arm(asked, arm) for arm in asked.study.arms}
    once = list({own.directory: own for own in owned.values()}.values())
    searches = [own for own in once if own.spec.trials]
    sweeps = [search_options(own) for own in searches] + [control_options(own) for own in searches if own.spec.control]
    for options in [*sweeps, *(training_options(own) for own in once if own not in searches)]:
        prepare_sweep(options, command, session.load)  # refuses what cannot be before anything is written
    with _recorded(asked, session, owned), session.stack:
        cause = session.train(sweeps)
        if cause == "done":
            cause = session.train([training_options(own, _pick(own) if own in searches else None) for own in once])
    return cause


def _pick(own: ResolvedArm) -> dict[str, Any]:
    """The best configuration of an arm's search."""
    from analysis.read import results
    from analysis.sweep import ranking

    config: dict[str, Any] = ranking.top_entries(results.load(own.asked.directory / f"{own.arm}-search"), 1)[0][
        "config"
    ]
    return config


@contextmanager
def _recorded(asked: StudyOptions, session: SweepSession, owned: Mapping[str, ResolvedArm]) -> Generator[None]:
    """Writes study.json at the start, and at the end the seconds that this launch took; one that found nothing left to
    train is no launch, and leaves versions and commit those of the trainings."""
    path, began = asked.directory / "study.json", time.monotonic()
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"launches": []}
    launch = {
        "began": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),  # what else the machine was doing: minutes mean nothing without
    }

    def write(content: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, content)

    def now() -> dict[str, Any]:
        took = {**launch, "wall_s": round(time.monotonic() - began, 1)}
        return {**_sheet(asked, session.command, owned), "launches": [*before["launches"], took]}

    write(now())
    try:
        yield
    finally:
        kept = {key: before[key] for key in ("versions", "commit", "dirty", "launches") if key in before}
        write(now() if session.nodes is not None else {**now(), **kept})


def _trials(own: ResolvedArm) -> int:
    """How many trials an arm's search has; 0 where it has none."""
    return own.spec.trials and (own.asked.trials or own.spec.trials)


def _sheet(asked: StudyOptions, command: list[str], owned: Mapping[str, ResolvedArm]) -> dict[str, Any]:
    study = asked.study
    arms = [
        {
            "name": name,
            "note": arm.note,
            "directory": str(Path("..", owned[name].directory.relative_to(asked.results))),
            "at": owned[name].asked.scaled(arm.at) if arm.at else 0,
            "searched": _trials(owned[name]),
            "control": owned[name].spec.control,
        }
        for name, arm in study.arms.items()
    ]
    return {
        "format": FORMAT,
        "name": asked.name,
        "title": study.title,
        "question": study.question,
        "scope": study.scope,
        "command": command,
        "seeds": asked.seeds or study.seeds,
        "arms": arms,
        "claims": [claim._asdict() for claim in study.claims],
        "table": list(study.table),
        "pictures": {name: list(shown) for name, shown in study.pictures.items()},
        "versions": package_versions(),
        **git_commit(),
    }
