"""Plays a small sweep against a scheduler, without Ray's loop."""

import random
from typing import Any

from ray.tune.schedulers import TrialScheduler

from gensweep.tune.schedulers import History, build_scheduler
from helpers.manifests import small_manifest

STOP, GO_ON = TrialScheduler.STOP, TrialScheduler.CONTINUE
EPOCHS, TRIALS = 9, 18


class Running:
    """A trial as a scheduler sees it."""

    def __init__(self, number: int, launch: int = 0) -> None:
        self.trial_id, self.config = f"{launch}-{number}", {"number": number}


def row(epoch: int, value: float, epochs: int = EPOCHS, **more: Any) -> dict[str, Any]:
    return {"epoch": epoch, "epochs": epochs, "status": "ok", "eval_epoch": epoch, "fid": value, **more}


def make(kind: str, past: History, open_numbers: set[int]) -> Any:
    return build_scheduler(small_manifest(scheduler=kind, epochs=EPOCHS), past, open_numbers)


def plays(kind: str, kill_at: int | None) -> list[tuple[int, int, str]]:
    """Two trials at a time, random values; every decision. At `kill_at` decisions the scheduler is made anew."""
    draw = random.Random(5)
    values = [[draw.random() / epoch for epoch in range(1, EPOCHS + 1)] for _ in range(TRIALS)]
    past: History = {}
    decided: list[tuple[int, int, str]] = []
    waiting = list(range(TRIALS))
    at: dict[int, int] = {}
    rule, launch, running = make(kind, {}, set()), 0, {}
    while waiting or at:
        while waiting and len(at) < 2:
            number = waiting.pop(0)
            at[number], running[number], past[number] = 1, Running(number, launch), {}
            rule.on_trial_add(None, running[number])
        for number, epoch in list(at.items()):
            if len(decided) == kill_at:
                launch, rule = 1, make(kind, past, set(at))
                running = {number: Running(number, launch) for number in at}
                for trial in running.values():
                    rule.on_trial_add(None, trial)
                    done = at[trial.config["number"]] - 1
                    if done:  # a resumed trial tells its last row once more
                        again = row(done, values[trial.config["number"]][done - 1])
                        assert rule.on_trial_result(None, trial, again) == GO_ON
            found = rule.on_trial_result(None, running[number], row(epoch, values[number][epoch - 1]))
            past[number][epoch] = values[number][epoch - 1]
            decided.append((number, epoch, found))
            if found == STOP or epoch == EPOCHS:
                rule.on_trial_complete(None, running[number], row(epoch, values[number][epoch - 1]))
                del at[number]
            else:
                at[number] = epoch + 1
    return decided
