"""The options of a sweep: one tuple for the command line, for a YAML file and for Python.

A field's name is the option's name with `_` for `-`. Everything here is checked without importing torch or Ray.
What needs the models or the space is checked in `resolve`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gensweep.config.samplers import SAMPLERS
from gensweep.errors import UserError, unknown
from gensweep.units import parse_seconds, parse_size

if TYPE_CHECKING:
    from analysis.read.manifest import SweepManifest

SCHEDULERS = ("asha", "median", "none")
PRECISIONS = ("fp32", "bf16")


class Options(NamedTuple):
    """The options of a sweep. None means that gensweep chooses."""

    model: str
    dataset: str = "digits"
    data_dir: str | None = None
    trials: int = 20
    epochs: int | None = None
    seed: int = 0
    sampler: str = "tpe"
    scheduler: str = "asha"
    grace: int = 1  # epochs before the scheduler may stop a trial
    reduction_factor: int = 3
    concurrent: int | None = None
    cpus_per_trial: float | None = None
    gpus_per_trial: float | None = None
    precision: str | None = None
    name: str | None = None
    results: str = "results"
    storage: str | None = None
    address: str | None = None
    time_budget: str | float | None = None
    trial_timeout: str | float | None = None
    max_failures: int = 2
    keep_checkpoints: str | int | None = None  # bytes that all checkpoints together may take: 10GB
    alarm: bool = True  # stop a collapsed trial
    every: int | None = None  # epochs between evaluations, besides the first and the last
    train_images: int | None = None  # how many of the training images are used
    extractor: str | None = None  # whose features judge samples: a form of trainables/extractor_choice.py
    start: Mapping[str, Any] = {}  # trial 0, where it differs from the defaults
    objective: str | Mapping[str, str] | tuple[str, str] | None = None  # `fid:min,precision:max`, for the space's own
    primary: str | None = None  # the objective that early stopping and the choice of an epoch go by: the first
    constraints: Sequence[str] = ()  # limits that a winner keeps: `modes>=7`
    also: Sequence[str] = ()  # metrics that are measured on request only: `cas`
    set: Mapping[str, Any] = {}
    points: Sequence[Mapping[str, Any]] = ()  # configurations to try right after the defaults
    warm_from: str | None = None  # a sweep whose best configurations are tried right after the defaults


class LaunchOptions(NamedTuple):
    """The options that belong to one launch, whatever the manifest of the sweep says."""

    trials: int
    concurrent: int | None
    cpus_per_trial: float | None
    gpus_per_trial: float | None
    address: str | None
    time_budget_s: float | None
    trial_timeout_s: float | None
    keep_checkpoints: int | None  # bytes

    @classmethod
    def from_options(cls, options: Options) -> "LaunchOptions":
        return cls(
            options.trials,
            options.concurrent,
            options.cpus_per_trial,
            options.gpus_per_trial,
            options.address,
            None if options.time_budget is None else parse_seconds(options.time_budget),
            None if options.trial_timeout is None else parse_seconds(options.trial_timeout),
            None if options.keep_checkpoints is None else parse_size(options.keep_checkpoints),
        )

    def override(self, manifest: "SweepManifest") -> "SweepManifest":
        """Return the manifest with the limits that were given for this launch."""
        if self.trial_timeout_s is not None:
            manifest = manifest._replace(trial_timeout_s=self.trial_timeout_s)
        if self.keep_checkpoints is not None:
            manifest = manifest._replace(keep_checkpoints=self.keep_checkpoints)
        return manifest


TEXT_OPTIONS: tuple[str, ...] = ("model", "dataset", "data_dir", "sampler", "scheduler", "precision", "name", "results")
TEXT_OPTIONS += ("storage", "address", "warm_from", "primary", "extractor")
MINIMUM = {
    "trials": 1,
    "epochs": 1,
    "grace": 1,
    "reduction_factor": 2,
    "concurrent": 1,
    "max_failures": 0,
    "seed": 0,
    "every": 1,
    "train_images": 2,
}
MAXIMUM = 2**31 - 1
CHOICES = {"sampler": tuple(SAMPLERS), "scheduler": SCHEDULERS, "precision": PRECISIONS}


def check_options(options: Options) -> Options:
    """Return the options, each checked by itself.

    Raises:
        UserError: a wrong type, a value out of its range, an unknown word.
    """
    for name in TEXT_OPTIONS:
        _text(name, getattr(options, name))
    for name, low in MINIMUM.items():
        check_whole_number(name, getattr(options, name), low)
    for name, known in CHOICES.items():
        word = getattr(options, name)
        if word is not None and word not in known:
            raise unknown(name, str(word), known)
    if not isinstance(options.alarm, bool):
        raise UserError(f"alarm {options.alarm!r}: true or false is needed")
    _share("cpus-per-trial", options.cpus_per_trial, zero=False)
    _share("gpus-per-trial", options.gpus_per_trial, zero=True)
    for limit in (options.time_budget, options.trial_timeout):
        _ = limit is None or parse_seconds(limit)
    _ = options.keep_checkpoints is None or parse_size(options.keep_checkpoints)
    if options.name is not None and not re.fullmatch(r"[^\W_][\w.+=-]{0,99}", options.name):
        raise UserError(f"name {options.name!r} is not a folder name: use up to 100 letters, digits and . _ + = -")
    _mappings("points", options.points)
    _mappings("start", [options.start])
    return options._replace(set=setting_texts(options.set))


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str | None):
        raise UserError(f"{_option(name)} {value!r}: a text is needed")
    if value == "":
        raise UserError(f"{_option(name)} is empty: leave it out, or name one")


def check_whole_number(name: str, value: Any, low: int) -> None:
    """Raise UserError if the value is not None and not a whole number from `low` to MAXIMUM."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserError(f"{_option(name)} {value!r}: a whole number is needed")
    if value < low:
        raise UserError(f"{_option(name)} {value} is too small: at least {low}")
    if value > MAXIMUM:
        raise UserError(f"{_option(name)} {value} is too large: at most {MAXIMUM}")


def _share(name: str, value: Any, *, zero: bool) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(f"{name} {value!r}: a number is needed")
    if value < 0 or (value == 0 and not zero):
        raise UserError(f"{name} {value:g} is too small: {'0 or more' if zero else 'more than 0'}")
    if value > 1 and value != int(value):
        raise UserError(f"{name} {value:g}: above 1 it must be a whole number")


def _mappings(name: str, value: Any) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(entry, dict) for entry in value):
        raise UserError(f"{name} {value!r}: a list of mappings such as {{lr: 5e-4}} is needed")


def _option(name: str) -> str:
    return name.replace("_", "-")


def setting_texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return settings as texts of `--set`: numbers and lists become text."""
    return {
        str(key): ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for key, value in settings.items()
    }


def first_line(error: BaseException) -> str:
    """Return an error as one line, its kind first. If it holds a whole traceback, return the last line of that."""
    lines = str(error).strip().splitlines()
    if lines and lines[0].startswith("Traceback "):
        return lines[-1]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
