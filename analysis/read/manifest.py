"""Read the manifest of a sweep: the content of `sweep.json` as a typed and checked tuple. Nothing else reads it."""

import json
from collections.abc import Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

from search_spaces.param import Param
from trainables import MODELS, filestore
from trainables.errors import UserError, did_you_mean
from trainables.extractor_choice import ExtractorChoice, recorded_choice
from trainables.filestore import Directory
from trainables.objective import Constraint, Goal, Objective, constraint
from trainables.user_model.model import Facts, UserModel
from trainables.user_model.registry import USER_MODELS, find_model

if TYPE_CHECKING:
    from trainables import Model

FORMAT = 1


class DatasetInfo(NamedTuple):
    """What a sweep records of its data set."""

    classes: list[str]
    shape: tuple[int, int, int]  # channels, height, width
    n_train: int
    n_val: int
    n_test: int
    fingerprint: str


NOT_LOADED = DatasetInfo([], (0, 0, 0), 0, 0, 0, "")


class SweepManifest(NamedTuple):
    """A sweep with every option resolved.

    On the disk, `goal` is three keys: objective (the primary one), objectives and constraints.
    """

    name: str
    command: list[str]
    model: str
    user_model: dict[str, Any] | None  # of a model from a user's file: path, sha256 and facts (see user_model/model.py)
    dataset: str
    data_dir: str | None
    data: DatasetInfo  # NOT_LOADED until the data set is read
    space: dict[str, Param]
    set: dict[str, str]
    defaults: dict[str, Any]
    goal: Goal
    trials: int
    epochs: int  # of the longest trial
    seed: int
    sampler: str
    scheduler: str
    grace: int
    reduction_factor: int
    concurrent: int | None
    cpus_per_trial: float | None
    gpus_per_trial: float | None
    precision: str | None
    alarm: bool
    also: list[str]  # metrics that are measured on request
    every: int | None
    train_images: int | None
    extractor: dict[str, Any] | None  # a chosen one: net, path and sha256 of its weights (extractor_choice.py)
    max_failures: int
    keep_checkpoints: int | None  # bytes
    trial_timeout_s: float | None
    time_budget_s: float | None
    storage: str | None
    study: str  # the name of the Optuna study; it changes if the space is extended
    points: list[dict[str, Any]]
    stamp: dict[str, Any]  # of the evaluator; empty until it is built
    versions: dict[str, str]
    commit: str | None
    dirty: bool
    created: str

    def to_json(self) -> dict[str, Any]:
        """Return the content of `sweep.json`."""
        content: dict[str, Any] = {"format": FORMAT}
        for name, value in self._asdict().items():
            content |= _goal_to_json(self.goal) if name == "goal" else {name: value}
        content["data"] = self.data._asdict()
        content["space"] = {key: param.to_json() for key, param in self.space.items()}
        reread: dict[str, Any] = json.loads(json.dumps(content))  # lists for tuples
        return reread

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "SweepManifest":
        """Return the manifest with this content.

        Raises:
            UserError: a key is missing, or its value has another type.
        """
        content = {"user_model": None, "extractor": None, **content}  # sweeps of 0.2 have none
        types = {**cls.__annotations__, "data": dict, **GOAL_TYPES}
        del types["goal"]
        wrong = [key for key, kind in types.items() if key not in content or not _is_instance(content[key], kind)]
        if not wrong:
            wrong = [f"data.{key}" for key in DatasetInfo._fields if key not in content["data"]]
        if wrong:
            raise UserError(f"its sweep.json has no valid {', '.join(wrong)}")
        fields: dict[str, Any] = {key: content[key] for key in cls._fields if key not in ("goal", "data", "space")}
        about = {key: content["data"][key] for key in DatasetInfo._fields}
        data = DatasetInfo(**{**about, "shape": tuple(about["shape"])})
        return cls(**fields, data=data, space=_space_from_json(content["space"]), goal=_goal_from_json(content))

    def normalized(self) -> "SweepManifest":
        """Return the manifest as it will be read back from the disk."""
        return SweepManifest.from_json(self.to_json())

    @property
    def trainable(self) -> "Model | UserModel":
        """The model: a built-in one, the registered one of a user, or if its file was not named, only its facts."""
        if self.user_model is None:
            return MODELS[self.model]
        registered = USER_MODELS.get(self.model)
        code = (self.user_model.get("code") or {}).get("sha256")
        hashes = None if registered is None else (registered.code.sha256, registered.code.code_sha256)
        if hashes == (self.user_model["sha256"], code):
            return find_model(self.model)
        return UserModel(self.model, Facts.from_json(self.user_model["facts"]))

    @property
    def engine_model(self) -> "Model":
        """The model that the engine trains; UserError if it is a user's and its file was not named."""
        model = self.trainable
        if isinstance(model, UserModel):
            raise UserError(f"{model.code.file_name} trains by its own loop, so its nets cannot be built alone")
        return model

    @property
    def typed_model(self) -> str:
        """What the user typed for the model: its name, or the path of its file."""
        return self.model if self.user_model is None else str(self.user_model["path"])

    @property
    def file_words(self) -> list[str]:
        """The words by which a command names the file of a user's model; none for a built-in model."""
        return [] if self.user_model is None else ["--model", self.typed_model, *self.code_words]

    @property
    def code_words(self) -> list[str]:
        """The words by which a command names the folder of a user's modules; none if it has none."""
        code = None if self.user_model is None else self.user_model.get("code")
        return [] if code is None else ["--code", str(code["path"])]

    @property
    def chosen_extractor(self) -> ExtractorChoice | None:
        """The extractor that the user chose; None: the default one."""
        return recorded_choice(self.extractor)

    @property
    def n_initial(self) -> int:
        """Return how many trials come first without the sampler's choice: the defaults and the initial points."""
        return 1 + len(self.points)

    @property
    def searched(self) -> list[str]:
        """Return the keys of the space that are not fixed."""
        return [key for key, param in self.space.items() if param.searched]

    def describe_unequal_updates(self) -> str:
        """Return how the batch size changes the updates of a trial, and what prevents it; an empty text if it does not.

        A batch size that is searched while an epoch is one pass over the images is a search for the number of updates.
        """
        batch, steps = self.space.get("batch_size"), self.space.get("steps_per_epoch")
        if batch is None or not batch.searched or steps is None or steps.ends() != (0,):
            return ""
        n, (small, large) = self.data.n_train, (int(min(batch.ends())), batch.largest())
        return (
            f"batch_size is searched and an epoch is one pass over {n:,} images: {n // small:,} updates with "
            f"batch_size={small}, {n // large:,} with batch_size={large}. So the search also chooses how long a trial "
            f"trains. --set steps_per_epoch={n // self.defaults['batch_size']} gives all trials equal updates."
        )


def _space_from_json(entries: Mapping[str, Any]) -> dict[str, Param]:
    """Return the Params of a space; raise UserError for an entry that is none."""
    params = {}
    for key, entry in entries.items():
        try:
            params[key] = Param.from_json(entry)
        except TypeError as error:
            raise UserError(f"its sweep.json has no valid space.{key}") from error
    return params


GOAL_TYPES: dict[str, Any] = {"objective": dict, "objectives": list, "constraints": list}


def _goal_to_json(goal: Goal) -> dict[str, Any]:
    return {
        "objective": goal.primary._asdict(),
        "objectives": [objective._asdict() for objective in goal.objectives],
        "constraints": [str(limit) for limit in goal.constraints],
    }


def _goal_from_json(content: Mapping[str, Any]) -> Goal:
    """Return the goal; raise UserError if an objective lacks its metric or its mode."""
    try:
        primary, *several = [
            Objective(pair["metric"], pair["mode"]) for pair in (content["objective"], *content["objectives"])
        ]
    except (KeyError, TypeError) as error:
        raise UserError("an objective in its sweep.json needs a metric and a mode") from error
    if primary not in several:
        raise UserError("the objective in its sweep.json is not among its objectives")
    limits: list[Constraint] = [constraint(text) for text in content["constraints"]]
    return Goal(primary, tuple(several), tuple(limits))


def _is_instance(value: Any, kind: Any) -> bool:
    """Return whether a value read from JSON has the annotated type; the items of lists and mappings are not checked."""
    if isinstance(kind, UnionType):
        return any(_is_instance(value, option) for option in get_args(kind))
    plain = get_origin(kind) or kind
    if plain in (int, float):
        return isinstance(value, (int, float) if plain is float else int) and not isinstance(value, bool)
    return isinstance(value, plain)


def read_manifest(directory: Directory) -> SweepManifest:
    """Return the manifest of the sweep in a directory.

    Raises:
        UserError: the directory does not hold a sweep, the sweep cannot be read, or its model is unknown.
    """
    hint = "" if directory.has("sweep.json") else _sweeps_below(directory)
    content = filestore.read_description(directory, "sweep", FORMAT, hint)
    try:
        manifest = SweepManifest.from_json(content)
    except UserError as error:
        raise UserError(f"{directory.name!r} is not a readable sweep: {error}") from error
    if manifest.user_model is None and manifest.model not in MODELS:
        raise UserError(f"{directory.name!r}: {did_you_mean('model', manifest.model, MODELS)}")
    return manifest


def _sweeps_below(directory: Directory) -> str:
    """Return a hint for a user who named the results folder: the sweeps one level down."""
    inside = [name for name in directory.names("") if directory.has(f"{name}/sweep.json")]
    return f" (sweeps below it: {', '.join(inside[:5])})" if inside else ""
