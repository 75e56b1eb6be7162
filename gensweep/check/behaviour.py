"""What training a few batches shows: keys never read, an objective in no row, numbers that a resume changes."""

import math
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from gensweep.check.compare import is_equal
from gensweep.check.line import Line, fault, warning
from gensweep.check.seeds import check_seeds
from gensweep.check.subject import Subject, run_probe
from search_spaces.param import Param
from trainables.errors import UserError
from trainables.user_model.probe import Probe

SECONDS_FOR_SAMPLES = 120.0  # more than this at each evaluation is worth a warning
N_SAMPLES = 5_000
BATCHES_AT_MOST = 32  # some files sum the gradients of several


def check_behaviour(subject: Subject, say: Callable[[Line], None]) -> None:
    """Report a line about each fault, as soon as it is seen. What needs a training that fails is left out."""
    began = time.perf_counter()
    try:
        first = run_probe(subject, subject.defaults, epochs=2, times_samples=True)
    except UserError as error:
        say(fault(str(error)))
        return
    took = time.perf_counter() - began
    for look in (check_keys, check_objective, check_learning, check_files, check_samples_time):
        for line in look(subject, first):
            say(line)
    for look in (check_top, check_seeds, check_measure):
        try:
            for line in look(subject, first):
                say(line)
        except UserError as error:
            say(fault(str(error)))
    say(Line(" ", f"a training of {first.n_batches} batches took {took:.1f} s, samples and measures included"))


def check_keys(subject: Subject, first: Probe) -> list[Line]:
    """Find keys of the space that `train` never reads."""
    return unread_lines(subject, first.read)


def unread_lines(subject: Subject, read: Collection[str]) -> list[Line]:
    """Return a line for every key of the space that was never read."""
    unread = [key for key in subject.defaults if key not in {*read, "epochs"}]
    searched = [key for key in unread if subject.params[key].searched]
    fixed = [key for key in unread if not subject.params[key].searched and key not in subject.loop_keys]
    return [
        *(fault(f"space() offers {key}, which train() never reads: the sweep would tune nothing") for key in searched),
        *(warning(f"space() returns {key}, which train() never reads") for key in fixed),
    ]


def check_objective(subject: Subject, first: Probe) -> list[Line]:
    """Find objectives that no row has, that some rows lack, or that are measured on the training images."""
    from trainables.engine.evaluate import available_inputs
    from trainables.metrics import METRICS
    from trainables.user_model.model import UserModel

    inputs = available_inputs(UserModel(subject.file.name, first.facts), subject.defaults)
    ours = {key for metric in METRICS.values() if all(part in inputs for part in metric.needs) for key in metric.keys}
    own_keys = [*first.facts.logged, *first.facts.measured]
    lines = []
    for key, _ in subject.objectives:
        if key not in ours and key not in own_keys:
            because = (
                "" if first.facts.samples or key in own_keys else ", and without trial.sampler() no metric of samples"
            )
            lines.append(
                fault(f"OBJECTIVE {key} is in no row{because}; rows have {', '.join(own_keys) or 'nothing else'}")
            )
        elif key in first.facts.logged and subject.data.has_images:
            lines.append(
                warning(f"OBJECTIVE {key} is measured on the training images: trial.measure() takes held-out ones")
            )
    for key in first.facts.logged:
        if key not in first.first_row:
            lines.append(fault(f"{key} is logged in epoch 1 and not in epoch 0"))
    lines += [
        fault(f"{key} is logged in epoch 0 and not in epoch 1") for key in first.first_row if key not in first.row
    ]
    return lines


def check_learning(subject: Subject, first: Probe) -> list[Line]:
    """Find losses that are not finite, and nets that training does not change."""
    if broken := [key for key in first.facts.logged if not math.isfinite(first.row[key])]:
        return [fault(f"{broken[0]} is {first.row[broken[0]]} with the defaults")]
    if not first.states:
        return [
            warning("nothing is given to trial.keep(): a killed trial begins anew, and no winner can be drawn from")
        ]
    if is_unchanged(first) and is_unchanged(run_probe(subject, subject.defaults, batches=BATCHES_AT_MOST, draws=False)):
        return [warning("no kept net or optimiser has changed in two epochs")]
    return []


def is_unchanged(probed: Probe) -> bool:
    """Return whether everything that was kept is as it was before the training."""
    before = probed.before
    return bool(before) and all(
        is_equal(before[name], state) for name, state in probed.states.items() if name in before
    )


def check_files(subject: Subject, first: Probe | None = None) -> list[Line]:
    """Find files that the code has written to the current folder, and delete them; `first` None: by its import."""
    written = sorted(str(path) for path in Path().rglob("*") if path.is_file())
    for path in written:
        Path(path).unlink()
    if not written:
        return []
    others = f" and {len(written) - 1} more" if len(written) > 1 else ""
    if first is None:
        return [fault(f"importing the file writes {written[0]}{others}: move that into train()")]
    return [warning(f"writes {written[0]}{others}: kept in the trial's own folder, and copied nowhere")]


def check_samples_time(subject: Subject, first: Probe) -> list[Line]:
    """Find samplers and checkpoints that cost too much."""
    lines = []
    seconds = first.seconds_per_sample * N_SAMPLES
    if seconds > SECONDS_FOR_SAMPLES:
        lines.append(
            warning(f"{N_SAMPLES:,} samples would take {seconds / 60:.0f} min of each evaluation on this machine")
        )
    free = shutil.disk_usage(".").free
    if 40 * 2 * first.checkpoint_bytes > free:
        lines.append(
            warning(f"{first.checkpoint_bytes / 1e9:.1f} GB a checkpoint: 40 trials need more than the disk has")
        )
    return lines


def check_top(subject: Subject, first: Probe) -> list[Line]:
    """Train with every range at its upper end."""
    top = {key: _top(param, subject.defaults.get(key)) for key, param in subject.params.items() if param.searched}
    config = {key: top.get(key, value) for key, value in subject.defaults.items()}
    if config == dict(subject.defaults):
        return []
    probed = run_probe(subject, config)
    shown = ", ".join(f"{key}={value}" for key, value in top.items() if key in config)
    return [
        fault(
            f"{key} is {probed.row[key]} at {shown} (the top of each range); at the defaults it is {first.row[key]:.4g}"
        )
        for key in probed.facts.logged
        if not math.isfinite(probed.row[key]) and math.isfinite(first.row.get(key, math.nan))
    ]


def _top(param: Param, default: Any) -> Any:
    if param.is_range:
        return int(param.high) if param.kind == "int" else param.high
    return default


def check_measure(subject: Subject, first: Probe) -> list[Line]:
    """Find measures that change from call to call, or with a searched key instead of with the weights."""
    lines = []
    for key, (value, repeated) in first.measured_twice.items():
        if value != repeated:
            lines.append(warning(f"{key} differs by {abs(value - repeated):.3g} between two calls on the same images"))
    named = [key for key, _ in subject.objectives if key in first.facts.measured]
    for key, param in subject.params.items():
        if not (named and param.searched and param.is_range and key in subject.defaults):
            continue
        value = subject.defaults[key]
        changed = {**subject.defaults, key: param.low if value != param.low else param.high}
        if param.kind == "int":
            changed[key] = int(changed[key])
        measured = first.measure_with(changed)
        for objective in named:
            if objective in measured and measured[objective] != first.row[objective]:
                lines.append(
                    fault(
                        f"{objective} reads {key}, which is searched: with the same weights it is "
                        f"{first.row[objective]:.4g} at {key}={value:.4g} and {measured[objective]:.4g} at "
                        f"{changed[key]:.4g}; measure without it"
                    )
                )
    return lines
