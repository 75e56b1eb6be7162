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
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from gensweep.config.manifest import Sheet
from gensweep.config.options import Options, whole
from gensweep.errors import UserError
from gensweep.provenance import commit, versions
from gensweep.storage.atomic import write_json
from gensweep.sweep.study_arms import Asked, Owned, control, owner, searched, trained
from gensweep.tune import ray_session
from gensweep.tune.resources import Node, Share, share
from trainables.filestore import is_url

if TYPE_CHECKING:
    from gensweep.sweep.parallel import Job
    from trainables.data import Dataset
    from trainables.metrics import Evaluator

FORMAT = 1


class Engine:
    """What all arms share: one Ray, started when an arm first needs it, and per data set the images and the judge."""

    def __init__(self, home: Path, address: str | None, command: list[str], console: Console) -> None:
        self.home, self.address, self.command, self.console = home, address, command, console
        self.stack = ExitStack()
        self.nodes: list[Node] | None = None
        self.loaded: dict[tuple[str, Path | None], Dataset] = {}
        self.evaluators: dict[str, Evaluator] = {}

    def load(self, name: str, root: Path | None) -> "Dataset":
        from trainables.data import load

        if (name, root) not in self.loaded:
            self.loaded[name, root] = load(name, root)
        return self.loaded[name, root]

    def train(self, sweeps: list[Options]) -> str:
        """Runs what is left of these sweeps side by side; returns how that ended: done, interrupted or open."""
        from gensweep.sweep.run_sweep import prepare
        from gensweep.tune import run_tuner

        left = []
        for options in sweeps:
            directory, sheet, data = prepare(options, self.command, self.load)
            begun = (directory / "sweep.json").exists()
            if not begun or run_tuner.finished_result(directory, sheet) is None:
                left.append((directory, sheet, data, options))
        if not left:
            return "done"
        if self.nodes is None:
            self.stack.enter_context(ray_session.ray_environment())
            self.nodes = self.stack.enter_context(ray_session.connect(self.address, {}))
        from gensweep.sweep import parallel

        total = sum(sheet["trials"] for _, sheet, _, _ in left)
        given = share(left[0][3]._replace(trials=total), self.nodes)
        jobs = [self._begin(directory, sheet, data, given) for directory, sheet, data, _ in left]
        return parallel.run(self.home, jobs, given, self.console)

    def _begin(self, directory: Path, sheet: Sheet, data: "Dataset", given: Share) -> "Job":
        """Makes the directory of a sweep."""
        from gensweep.sweep.parallel import Job
        from gensweep.sweep.run_sweep import claim, evaluations, evaluator_of, write_once
        from trainables.data import limited

        if data.fingerprint not in self.evaluators:
            say = partial(self.console.print, soft_wrap=True, highlight=False, markup=False)
            self.evaluators[data.fingerprint] = evaluator_of(sheet, data, say)
        evaluator = self.evaluators[data.fingerprint]._replace(**evaluations(sheet))
        own = {**sheet, **given._asdict(), "stamp": evaluator.stamp}
        claim(directory, own)
        return Job(directory, write_once(directory, own), limited(data, sheet["train_images"]), evaluator)


def run(asked: Asked, command: list[str], console: Console) -> str:
    """Trains what is left of a study; returns how it ended: done, interrupted, or open where Ray gave up.

    Raises:
        UserError: whatever the user has to change.
    """
    from gensweep.sweep.run_sweep import prepare

    for name in ("seeds", "epochs", "trials"):
        whole(name, getattr(asked, name), 1)
    if is_url(asked.results):
        raise UserError(f"results {asked.results!r}: the searches of a study share a folder, and this is a bucket")
    ray_session.check_reachable(asked.address)
    engine = Engine(asked.directory, asked.address, command, console)
    owned = {arm: owner(asked, arm) for arm in asked.study.arms}
    once = list({own.directory: own for own in owned.values()}.values())
    searches = [own for own in once if own.spec.trials]
    sweeps = [searched(own) for own in searches] + [control(own) for own in searches if own.spec.control]
    for options in [*sweeps, *(trained(own) for own in once if own not in searches)]:
        prepare(options, command, engine.load)  # refuses what cannot be before anything is written
    with _recorded(asked, engine, owned), engine.stack:
        cause = engine.train(sweeps)
        if cause == "done":
            cause = engine.train([trained(own, _pick(own) if own in searches else None) for own in once])
    return cause


def _pick(own: Owned) -> dict[str, Any]:
    """The best configuration of an arm's search."""
    from analysis.read import results
    from analysis.sweep import ranking

    config: dict[str, Any] = ranking.top_entries(results.load(own.asked.directory / f"{own.arm}-search"), 1)[0][
        "config"
    ]
    return config


@contextmanager
def _recorded(asked: Asked, engine: "Engine", owned: Mapping[str, Owned]) -> Generator[None]:
    """Writes study.json at the start, and at the end the seconds that this launch took; one that found nothing left to
    train is no launch, and leaves versions and commit those of the trainings."""
    path, began = asked.directory / "study.json", time.monotonic()
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"launches": []}
    launch = {
        "began": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),  # what else the machine was doing: minutes mean nothing without
    }

    def write(sheet: Sheet) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, sheet)

    def now() -> Sheet:
        took = {**launch, "wall_s": round(time.monotonic() - began, 1)}
        return {**_sheet(asked, engine.command, owned), "launches": [*before["launches"], took]}

    write(now())
    try:
        yield
    finally:
        kept = {key: before[key] for key in ("versions", "commit", "dirty", "launches") if key in before}
        write(now() if engine.nodes is not None else {**now(), **kept})


def _trials(own: Owned) -> int:
    """How many trials an arm's search has; 0 where it has none."""
    return own.spec.trials and (own.asked.trials or own.spec.trials)


def _sheet(asked: Asked, command: list[str], owned: Mapping[str, Owned]) -> dict[str, Any]:
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
        "versions": versions(),
        **commit(),
    }
