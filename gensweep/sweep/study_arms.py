"""Turn the arms of a study into the options of the sweeps that train them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gensweep.config.options import Options, setting_texts
from gensweep.errors import unknown

if TYPE_CHECKING:
    from search_spaces.studies import Arm, Study


class StudyOptions(NamedTuple):
    """The options of a study that the user can set. None means the value in the study's file."""

    name: str
    seeds: int | None = None
    trials: int | None = None  # of each search
    seed: int = 0
    dataset: str | None = None
    data_dir: str | None = None
    epochs: int | None = None  # of the longest arm; the others in proportion
    train_images: int | None = None
    results: str = "results"
    set: Mapping[str, str] = {}  # pinned in every arm
    concurrent: int | None = None
    cpus_per_trial: float | None = None
    gpus_per_trial: float | None = None
    address: str | None = None
    rows: str | None = None  # file from which the study begins, and which is kept up to date

    def for_study(self, name: str) -> "StudyOptions":
        return self._replace(name=name)

    @property
    def study(self) -> "Study":
        """Return the study with this name; raise UserError if there is none."""
        from search_spaces.studies import STUDIES

        if self.name not in STUDIES:
            raise unknown("study", self.name, STUDIES)
        return STUDIES[self.name]

    @property
    def directory(self) -> Path:
        return Path(self.results) / f"study-{self.name}"

    def scaled(self, epochs: int) -> int:
        """Return a number of epochs in proportion to the length that the user chose for the longest arm."""
        longest = max(resolve_arm(self, arm).spec.epochs for arm in self.study.arms)
        return epochs if self.epochs is None else max(1, round(epochs * self.epochs / longest))


class ResolvedArm(NamedTuple):
    """An arm with its own trainings, and the options of the study to which it belongs."""

    options: StudyOptions
    arm: str

    @property
    def spec(self) -> "Arm":
        return self.options.study.arms[self.arm]

    @property
    def directory(self) -> Path:
        return self.options.directory / self.arm


def resolve_arm(options: StudyOptions, arm: str) -> ResolvedArm:
    """Return the arm whose trainings an arm looks at: the arm itself, or the arm that it is `same_as`."""
    source = options.study.arms[arm].same_as
    if not source:
        return ResolvedArm(options, arm)
    study, _, other = source.rpartition("/")
    return resolve_arm(options.for_study(study) if study else options, other)


def training_options(resolved: ResolvedArm, config: Mapping[str, Any] | None = None) -> Options:
    """Return the options of the sweep that trains an arm's seeds; `config` is the pick of a search."""
    from search_spaces import SPACES
    from search_spaces.override import apply, default

    options, spec = resolved.options, resolved.spec
    if config is None:
        pins = {**setting_texts(spec.set), "epochs": str(options.scaled(spec.epochs)), **options.set}
        config = default(apply(SPACES[spec.model], pins))[0]
    seeds = options.seeds or options.study.seeds
    return _sweep(resolved, resolved.arm, trials=seeds, sampler="random", scheduler="none", set=setting_texts(config))


def search_options(resolved: ResolvedArm) -> Options:
    """Return the options of an arm's search.

    Its trials have other seeds than the trainings of its pick. With the same seed, the training for which it was picked
    would count again in its evaluation.
    """
    spec = resolved.spec
    about = {"start": spec.start, "seed": _seed(resolved, "search")}
    return _search(resolved, f"{resolved.arm}-search", **about)


def control_options(resolved: ResolvedArm) -> Options:
    """Return the options of the random search that is the control of an arm's search."""
    return _search(resolved, f"{resolved.arm}-random", sampler="random", seed=_seed(resolved, "random"))


def _search(resolved: ResolvedArm, name: str, **overrides: Any) -> Options:
    options, spec = resolved.options, resolved.spec
    longest = options.scaled(spec.epochs)
    length = {"epochs": str(longest)} if spec.control else {}  # the length of every trial; otherwise of the longest
    about = {"trials": options.trials or spec.trials, "objective": spec.objective, "scheduler": "none"}
    free = {**setting_texts(spec.set), **spec.search, **length, **options.set}
    return _sweep(resolved, name, set=free, epochs=None if length else longest, **about, **overrides)


def _seed(resolved: ResolvedArm, what: str) -> int:
    from trainables.random_streams import derive_seed

    return derive_seed(resolved.options.seed, resolved.arm, what) % 2**31


def _sweep(resolved: ResolvedArm, name: str, **overrides: Any) -> Options:
    options = resolved.options
    overrides = {"seed": options.seed, **overrides}
    return Options(
        resolved.spec.model,
        dataset=options.dataset or resolved.spec.dataset,
        data_dir=options.data_dir,
        name=name,
        results=str(options.directory),
        alarm=False,  # a collapse is a result: every seed trains to its end
        every=options.scaled(options.study.every),
        train_images=options.train_images or options.study.train_images,
        concurrent=options.concurrent,
        cpus_per_trial=options.cpus_per_trial,
        gpus_per_trial=options.gpus_per_trial,
        **overrides,
    )
