"""The arms of a study, from what its file states and the user asks for to the sweeps that train them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gensweep.config.options import Options, setting_texts
from gensweep.errors import unknown

if TYPE_CHECKING:
    from search_spaces.studies import Arm, Study


class StudyOptions(NamedTuple):
    """A study as the user asked for it; None means what its file says."""

    name: str
    seeds: int | None = None
    trials: int | None = None  # of every search
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

    def of(self, name: str) -> "StudyOptions":
        return self._replace(name=name)

    @property
    def study(self) -> "Study":
        """UserError where there is none of this name."""
        from search_spaces.studies import STUDIES

        if self.name not in STUDIES:
            raise unknown("study", self.name, STUDIES)
        return STUDIES[self.name]

    @property
    def directory(self) -> Path:
        return Path(self.results) / f"study-{self.name}"

    def scaled(self, epochs: int) -> int:
        """A number of epochs as the asked length of the longest arm makes it."""
        longest = max(resolve_arm(self, arm).spec.epochs for arm in self.study.arms)
        return epochs if self.epochs is None else max(1, round(epochs * self.epochs / longest))


class ResolvedArm(NamedTuple):
    """The trainings that an arm looks at: those of `arm` in the study asked for by `asked`."""

    asked: StudyOptions
    arm: str

    @property
    def spec(self) -> "Arm":
        return self.asked.study.arms[self.arm]

    @property
    def directory(self) -> Path:
        return self.asked.directory / self.arm


def resolve_arm(asked: StudyOptions, arm: str) -> ResolvedArm:
    """Whose trainings an arm looks at: its own, or those of the arm that it is `of`."""
    of = asked.study.arms[arm].of
    if not of:
        return ResolvedArm(asked, arm)
    study, _, other = of.rpartition("/")
    return resolve_arm(asked.of(study) if study else asked, other)


def training_options(own: ResolvedArm, config: Mapping[str, Any] | None = None) -> Options:
    """The sweep of an arm's seeds; `config` is what a search has picked."""
    from search_spaces import SPACES
    from search_spaces.override import apply, default

    asked, spec = own.asked, own.spec
    if config is None:
        pins = {**setting_texts(spec.set), "epochs": str(asked.scaled(spec.epochs)), **asked.set}
        config = default(apply(SPACES[spec.model], pins))[0]
    seeds = asked.seeds or asked.study.seeds
    return _sweep(own, own.arm, trials=seeds, sampler="random", scheduler="none", set=setting_texts(config))


def search_options(own: ResolvedArm) -> Options:
    """The search of an arm. Its trials have other seeds than the trainings of its pick: of the same seed, the very
    training that made it the pick would be one of those that judge it."""
    spec = own.spec
    about = {"start": spec.start, "seed": _seed(own, "search")}
    return _search(own, f"{own.arm}-search", **about)


def control_options(own: ResolvedArm) -> Options:
    """The random search beside the search of an arm."""
    return _search(own, f"{own.arm}-random", sampler="random", seed=_seed(own, "random"))


def _search(own: ResolvedArm, name: str, **more: Any) -> Options:
    asked, spec = own.asked, own.spec
    longest = asked.scaled(spec.epochs)
    length = {"epochs": str(longest)} if spec.control else {}  # of every trial; else of the longest
    about = {"trials": asked.trials or spec.trials, "objective": spec.objective, "scheduler": "none"}
    free = {**setting_texts(spec.set), **spec.search, **length, **asked.set}
    return _sweep(own, name, set=free, epochs=None if length else longest, **about, **more)


def _seed(own: ResolvedArm, what: str) -> int:
    from trainables.random_streams import derive_seed

    return derive_seed(own.asked.seed, own.arm, what) % 2**31


def _sweep(own: ResolvedArm, name: str, **more: Any) -> Options:
    asked = own.asked
    more = {"seed": asked.seed, **more}
    return Options(
        own.spec.model,
        dataset=asked.dataset or own.spec.dataset,
        data_dir=asked.data_dir,
        name=name,
        results=str(asked.directory),
        alarm=False,  # a collapse is a finding: every seed trains to its end
        every=asked.scaled(asked.study.every),
        train_images=asked.train_images or asked.study.train_images,
        concurrent=asked.concurrent,
        cpus_per_trial=asked.cpus_per_trial,
        gpus_per_trial=asked.gpus_per_trial,
        **more,
    )
