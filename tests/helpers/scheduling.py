"""Plays a small sweep against the rules of early stopping, without Ray."""

import random
from typing import Any

from gensweep.tune.schedulers import EarlyStopping, History, early_stopping
from helpers.manifests import small_manifest
from trainables.objective import Goal, Objective

EPOCHS, TRIALS = 9, 18


def row(epoch: int, value: float, epochs: int = EPOCHS, **more: Any) -> dict[str, Any]:
    return {"epoch": epoch, "epochs": epochs, "status": "ok", "eval_epoch": epoch, "fid": value, **more}


def make(kind: str, past: History, mode: str = "min", grace: int = 1, factor: int = 3, **changes: Any) -> EarlyStopping:
    primary = Objective("fid", mode)
    manifest = small_manifest(scheduler=kind, goal=Goal(primary, (primary,)), epochs=EPOCHS, **changes)
    rule = early_stopping(manifest._replace(grace=grace, reduction_factor=factor), past)
    assert rule is not None
    return rule


def plays(kind: str, kill_at: int | None) -> list[tuple[int, int, bool]]:
    """Two trials at a time, random values; every decision. At `kill_at` decisions the rule is made anew."""
    draw = random.Random(5)
    values = [[draw.random() / epoch for epoch in range(1, EPOCHS + 1)] for _ in range(TRIALS)]
    past: History = {}
    decided: list[tuple[int, int, bool]] = []
    waiting = list(range(TRIALS))
    at: dict[int, int] = {}
    rule = make(kind, {})
    while waiting or at:
        while waiting and len(at) < 2:
            number = waiting.pop(0)
            at[number], past[number] = 1, {}
        for number, epoch in list(at.items()):
            if len(decided) == kill_at:
                rule = make(kind, past)
                for open_number, next_epoch in at.items():
                    done = next_epoch - 1
                    if done:  # a resumed trial reports its last row once more
                        assert not rule.stops(open_number, row(done, values[open_number][done - 1]))
            stopped = rule.stops(number, row(epoch, values[number][epoch - 1]))
            past[number][epoch] = values[number][epoch - 1]
            decided.append((number, epoch, stopped))
            if stopped or epoch == EPOCHS:
                del at[number]
            else:
                at[number] = epoch + 1
    return decided
