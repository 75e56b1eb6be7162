"""What training a few batches of a `gs.Model` shows: keys never read, losses that are not finite or not pure."""

import math
from collections.abc import Callable

from gensweep.check.behaviour import check_files, unread_lines
from gensweep.check.line import Line, fault, warning
from gensweep.check.subject import Subject
from trainables.engine.evaluate import available_inputs
from trainables.engine.interface import Model
from trainables.metrics import METRICS
from trainables.user_model.engine_probe import EngineProbe, probe_engine_model
from trainables.user_model.model_file import errors_located


def check_engine_model(subject: Subject, model: Model, say: Callable[[Line], None]) -> None:
    """Report a line about each fault.

    Raises:
        UserError: the model does not train; the message names the line of the file.
    """
    with errors_located(subject.file):
        probed = probe_engine_model(model, subject.defaults, subject.data)
    for line in [*unread_lines(subject, probed.read), *_objective_lines(subject, model, probed), *check_files(subject)]:
        say(line)
    for key, value in probed.row.items():
        if not math.isfinite(value):
            say(fault(f"{key} is {value} with the defaults"))
    for turn in model.turns(subject.defaults, subject.data.shape):
        if turn.optimiser == "adamw" and not subject.defaults["weight_decay"]:
            say(
                warning(
                    f"turn {turn.name!r} has optimiser='adamw' and weight_decay is 0, which makes it adam: return "
                    "weight_decay from space()"
                )
            )
    if not probed.is_pure:
        say(fault("a loss draws its own random numbers: take them from `noise`, as gs.Draw describes"))


def _objective_lines(subject: Subject, model: Model, probed: EngineProbe) -> list[Line]:
    inputs = available_inputs(model, subject.defaults)
    ours = {key for metric in METRICS.values() if all(part in inputs for part in metric.needs) for key in metric.keys}
    rows = [*probed.facts.logged, *probed.facts.measured]
    return [
        fault(f"OBJECTIVE {key} is in no row; rows have {', '.join(rows)}")
        for key, _ in subject.objectives
        if key not in ours and key not in rows
    ]
