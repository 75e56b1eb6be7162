"""What gensweep knows of a user's model, besides its code: the counterpart of `trainables.engine.interface.Model`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from trainables.errors import UserError
from trainables.user_model.model_file import ModelFile


class Facts(NamedTuple):
    """What a probe has found out about a model (probe.py); `sweep.json` holds it, so that a report needs no code."""

    samples: bool = True  # whether `train` names a sampler
    conditional: bool = False  # whether the sampler takes labels
    logged: tuple[str, ...] = ()  # names given to trial.log()
    measured: tuple[str, ...] = ()  # keys of rows that trial.measure() gives: val_NAME
    doc: str = ""  # the docstring of the file
    interface: str = "train"  # or "model"
    shows_pairs: bool = False  # whether saved grids alternate input and output
    metrics: Mapping[str, MetricFacts] = {}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Facts:
        """Return the facts that `_asdict` wrote to JSON."""
        lists = {name: tuple(content[name]) for name in ("logged", "measured")}
        metrics = {key: MetricFacts(**about) for key, about in content.get("metrics", {}).items()}
        return cls(**{**content, **lists, "metrics": metrics})

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {**self._asdict(), "metrics": {key: about._asdict() for key, about in self.metrics.items()}}

    @property
    def late(self) -> frozenset[str]:
        """The keys of METRICS that only a trial's last evaluation measures."""
        return frozenset(key for key, about in self.metrics.items() if about.when == "last")


class MetricFacts(NamedTuple):
    """What `sweep.json` holds of a key of METRICS."""

    metric: str  # its name in METRICS
    when: str
    better: Literal["min", "max"] | None
    source: str = ""  # the hash of the code that it consists of


@dataclass(frozen=True)
class UserModel:
    """A model of a user's own. `file` is None if only its facts are known: it can then be reported on, and not run."""

    name: str
    facts: Facts
    file: ModelFile | None = None
    objectives: tuple[tuple[str, str], ...] = ()  # OBJECTIVE of the file: metric and direction
    bytes_of_trial: tuple[int, int] = (0, 0)  # of a checkpoint and of the best weights, as the probe has measured

    normal_codes: ClassVar = False
    averaged: ClassVar = None
    measure: ClassVar = None
    encode: ClassVar = None
    log_weight: ClassVar = None
    reconstruct: ClassVar = None

    @property
    def conditional(self) -> bool:
        """Whether samples are drawn by label."""
        return self.facts.conditional

    @property
    def shows_pairs(self) -> bool:
        """Whether saved sample grids alternate input and output."""
        return self.facts.shows_pairs

    @property
    def doc(self) -> str:
        return self.facts.doc

    def samples(self, config: Mapping[str, Any]) -> bool:
        """Return whether a trial can sample; it is the same for every configuration."""
        return self.facts.samples

    @property
    def code(self) -> ModelFile:
        """The file; raise UserError if the user has not named it."""
        if self.file is None:
            raise UserError(f"{self.name} is a model of your own: name its file, as in --model {self.name}.py")
        return self.file
