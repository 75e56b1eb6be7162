"""The parts of a study: a question, its arms at equal budget over the same seeds, and the claims that it tests.

An arm is a configuration; or a search with a budget, represented by its pick; or another arm (`same_as`, also one of
another study, as "STUDY/ARM"), perhaps measured at an earlier epoch. A claim compares one arm with another, or with a
constant, in one statistic of the rows. A study says in `scope` what it tests and what it does not. "The report" is the
student report that this project began with (docs/founding-question.md).
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple


class Arm(NamedTuple):
    """One arm. `set` pins keys over the model's defaults. If there is a search, `search` reshapes keys as `--set`
    would, `set` holds as well, and its `trials` trials begin at `start`. With a `control`, a random search of the same
    space with as many trials, every trial of both trains for `epochs` epochs, so that trials and images are one budget;
    the bands of expected best come from it."""

    note: str  # what it is, for a person
    model: str = ""
    dataset: str = ""
    set: Mapping[str, Any] = {}
    epochs: int = 0
    search: Mapping[str, str] = {}
    trials: int = 0
    control: bool = False
    start: Mapping[str, Any] = {}
    objective: tuple[str, Literal["min", "max"]] | None = None  # of the search, in place of the model's
    same_as: str = ""
    at_epoch: int = 0  # the epoch at which an arm `same_as` another is measured; 0 is the last


class Claim(NamedTuple):
    """`arm` has a `way` value of `statistic` than `against`: an arm, each of several arms, or a constant.

    A `margin` weakens the claim: lower than `against` + margin, higher than `against` - margin. Of "equal" it is the
    ratio: the two differ by less than this share of each other.
    """

    says: str
    arm: str
    way: Literal["lower", "higher", "equal"]
    statistic: str  # a key of the rows, or one of analysis/study/trial_statistics.py
    against: str | float | tuple[str, ...]
    reported: str = ""  # the sentence of the report, if it says so of this very arm and quantity
    margin: float = 0.0
    against_statistic: str = ""  # of `against`, if it is another one


class Study(NamedTuple):
    """A study. `pictures` are names of analysis.study.figures.registry.ARM_FIGURES, each with the arms that it
    shows, in order (none: all)."""

    title: str
    question: str
    arms: Mapping[str, Arm]
    claims: tuple[Claim, ...]  # none: a table to choose from
    table: tuple[str, ...]  # statistics that the table of arms shows
    pictures: Mapping[str, tuple[str, ...]]
    every: int  # epochs between evaluations
    train_images: int | None = None
    seeds: int = 8
    scope: str = ""  # what the study tests and what it does not, for its page
