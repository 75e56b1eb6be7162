"""Simulate a sweep with the real early stopping and measured times, to predict how long it takes.

Each simulated trial has a random quality that never changes, so the scheduler stops trials as it would stop real ones.
"""

import heapq
import random
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.read.manifest import SweepManifest

if TYPE_CHECKING:
    from trainables.engine.estimate import Seconds
    from trainables.metrics import Evaluator

BETWEEN_TRIALS_S = 0.5  # to write the files of a trial and start the next one


class ProbedConfig(NamedTuple):
    """The length of a configuration that was probed, and its measured cost."""

    epochs: int
    cost: "Seconds"


class SimulatedSweep(NamedTuple):
    """The duration of one simulated sweep, and how many trials reached each evaluated epoch.

    The key -1 counts the trials that ran to their end.
    """

    wall_s: float
    reached: Counter[int]


class SimulatedTrial:
    """A running trial: what it costs, how good it is, and when its next evaluation ends."""

    def __init__(self, number: int, config: ProbedConfig, quality: float, evaluated: list[int], start_s: float) -> None:
        self.number, self.config, self.quality = number, config, quality
        self._ahead = evaluated  # the epochs still to be evaluated
        self._epoch, self.event_s = 0, start_s
        self.advance()

    @property
    def is_done(self) -> bool:
        return not self._ahead

    @property
    def epoch(self) -> int:
        """The epoch that is evaluated at `event_s`."""
        return self._epoch

    def advance(self) -> None:
        """Train up to the next evaluation."""
        epoch, cost = self._ahead.pop(0), self.config.cost
        evaluation_s = cost.last_s if epoch == self.config.epochs else cost.evaluation_s
        self.event_s += (epoch - self._epoch) * cost.epoch_s + evaluation_s
        self._epoch = epoch

    def row(self, metric: str) -> dict[str, Any]:
        """Return the row by which a trial is stopped early."""
        about = {"epoch": self.epoch, "epochs": self.config.epochs, "status": "ok", "eval_epoch": self.epoch}
        return {**about, metric: self.quality}

    def __lt__(self, other: "SimulatedTrial") -> bool:
        return (self.event_s, self.number) < (other.event_s, other.number)


def simulate_sweep(
    manifest: SweepManifest,
    evaluator: "Evaluator",
    configs: Sequence[ProbedConfig],
    slots: int,
    start_s: float,
    seed: int,
) -> SimulatedSweep:
    """Simulate one sweep.

    Trial 0 is the first of the probed configurations. Every other trial is drawn from a resample of the rest, because
    another probe would have measured other configurations.
    """
    from gensweep.tune.schedulers import early_stopping
    from trainables.engine.evaluate import is_eval_epoch

    draw, stopping, metric = random.Random(seed), early_stopping(manifest, {}), manifest.goal.primary.metric
    resampled = draw.choices(configs[1:], k=len(configs) - 1)
    waiting, running = list(range(manifest.trials)), list[SimulatedTrial]()
    reached, now_s = Counter[int](), start_s

    def begin(at_s: float) -> None:
        number = waiting.pop(0)
        config = configs[0] if number == 0 else draw.choice(resampled)
        evaluated = [epoch for epoch in range(1, config.epochs + 1) if is_eval_epoch(evaluator, epoch, config.epochs)]
        trial = SimulatedTrial(number, config, draw.random(), evaluated, at_s)
        heapq.heappush(running, trial)

    for _ in range(min(slots, manifest.trials)):
        begin(start_s)
    while running:
        trial = heapq.heappop(running)
        now_s, row = trial.event_s, trial.row(metric)
        reached[trial.epoch] += 1
        if not trial.is_done and not (stopping is not None and stopping.stops(trial.number, row)):
            trial.advance()
            heapq.heappush(running, trial)
            continue
        reached[-1] += trial.is_done
        if waiting:
            begin(now_s + BETWEEN_TRIALS_S)
    return SimulatedSweep(now_s, reached)
