"""Train several sweeps in one session: they share one Ray, and per data set the images and the evaluator."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from analysis.read.manifest import SweepManifest
from gensweep.config.options import Options
from gensweep.tune import ray_session
from gensweep.tune.resources import Node, Share, share

if TYPE_CHECKING:
    from gensweep.sweep.parallel import SweepJob
    from trainables.data import Dataset
    from trainables.metrics import Evaluator


class SweepSession:
    """What the sweeps of a session share: one Ray, and per data set the images and the evaluator.

    Ray starts when a sweep first needs it.
    """

    def __init__(
        self,
        home: Path,
        address: str | None,
        command: list[str],
        console: Console,
        after_trial: Callable[[], None] = lambda: None,
    ) -> None:
        self.home, self.address, self.command, self.console = home, address, command, console
        self.after_trial = after_trial
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
        """Run what is left of these sweeps side by side. Return how it ended: done, interrupted or open."""
        from gensweep.sweep.run_sweep import prepare_sweep
        from gensweep.tune import run_tuner

        left = []
        for options in sweeps:
            directory, manifest, data = prepare_sweep(options, self.command, self.load)
            begun = (directory / "sweep.json").exists()
            if not begun or run_tuner.finished_result(directory, manifest) is None:
                left.append((directory, manifest, data, options))
        if not left:
            return "done"
        if self.nodes is None:
            self.stack.enter_context(ray_session.ray_environment())
            self.nodes = self.stack.enter_context(ray_session.connect(self.address, {}))
        from gensweep.sweep import parallel

        total = sum(manifest.trials for _, manifest, _, _ in left)
        resources = share(left[0][3]._replace(trials=total), self.nodes)
        jobs = [self._begin(directory, manifest, data, resources) for directory, manifest, data, _ in left]
        return parallel.run(self.home, jobs, resources, self.console, self.after_trial)

    def _begin(self, directory: Path, manifest: SweepManifest, data: "Dataset", resources: Share) -> "SweepJob":
        """Make the directory of a sweep, write its manifest and return what it takes to run it."""
        from gensweep.sweep.evaluation import evaluation_schedule, evaluator_of
        from gensweep.sweep.parallel import SweepJob
        from gensweep.sweep.run_sweep import make_directory, write_manifest
        from trainables.data import limited

        if data.fingerprint not in self.evaluators:
            say = partial(self.console.print, soft_wrap=True, highlight=False, markup=False)
            self.evaluators[data.fingerprint] = evaluator_of(manifest, data, say)
        evaluator = self.evaluators[data.fingerprint]._replace(**evaluation_schedule(manifest))
        manifest = manifest._replace(**resources._asdict(), stamp=evaluator.stamp)
        make_directory(directory, manifest)
        return SweepJob(directory, write_manifest(directory, manifest), limited(data, manifest.train_images), evaluator)
