"""The view of a running sweep, as a Ray Tune callback: a live table on a terminal, plain lines elsewhere."""

import time
from typing import Any

from ray import tune
from rich.console import Console
from rich.live import Live

from gensweep.tune.not_pickled import NotPickled
from gensweep.tune.progress import SweepProgress, format_number
from gensweep.tune.searcher import Outcome
from trainables.objective import is_valid_evaluation

LIVE_EVERY_S = 0.25
LINE_EVERY_S = 10.0


class ProgressCallback(NotPickled, tune.Callback):
    """Show the progress while Tune runs. Enter it as a context, so that the terminal is left in order."""

    def __init__(self, progress: SweepProgress, console: Console) -> None:
        self.progress, self._console = progress, console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._last_shown = time.monotonic()

    def __enter__(self) -> "ProgressCallback":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def finished(self, outcome: Outcome) -> None:
        """Note that a trial has ended."""
        self.progress.finish(outcome)
        if self._live is None:
            self._say(self.progress.line(outcome))

    def _say(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.progress.start(trial.config["number"])

    def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any) -> None:
        number, goal = trial.config["number"], self.progress.goal
        if number not in self.progress.running or result["status"] != "ok":
            return
        self.progress.running[number] = (
            f"{format_number(result[goal.primary.metric])}|{result['epoch']}/{result['epochs']}"
        )
        if is_valid_evaluation(result, goal.primary.metric):
            params = {key: trial.config[key] for key in self.progress.swept if key in trial.config}
            self.progress.consider(number, params, {result["epoch"]: goal.values(result)})

    def on_trial_recover(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self._say(f"trial {trial.config['number']:4d}  again    its worker was lost; it continues from its checkpoint")

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        self.progress.leave(trial.config["number"])

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        now = time.monotonic()
        if now - self._last_shown < (LINE_EVERY_S if self._live is None else LIVE_EVERY_S):
            return
        self._last_shown = now
        if self._live is None:
            self._say(f"  {self.progress.summary()}")
        else:
            self._live.update(self.progress.table(), refresh=True)
