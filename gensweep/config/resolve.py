"""Resolve the options of a sweep into its manifest, which is what sweep.json holds.

Every mistake is reported here, before a directory is made or Ray is started. Two sweeps are the same if everything in
`manifest.IDENTITY` is equal; how many cores and GPUs they run on may differ from launch to launch.
"""

import datetime
import math
from typing import TYPE_CHECKING, Any

from analysis.read.manifest import NOT_LOADED, DatasetInfo, SweepManifest
from gensweep.config import objectives, space_check, user_models
from gensweep.config.options import Options, check_options
from gensweep.errors import UserError, did_you_mean
from gensweep.provenance import git_commit, package_versions
from gensweep.units import parse_seconds, parse_size
from trainables.extractor_choice import parse_choice

if TYPE_CHECKING:
    from search_spaces import Space
    from search_spaces.param import Param
    from search_spaces.space import Trial
    from trainables.data import Dataset
    from trainables.objective import Goal

AS_GIVEN = (  # options that the manifest holds as they are
    *("model", "dataset", "data_dir", "set", "seed", "sampler", "scheduler", "grace", "reduction_factor"),
    *("concurrent", "cpus_per_trial", "gpus_per_trial", "precision", "alarm", "every", "train_images"),
    *("max_failures", "storage"),
)


def make_manifest(options: Options, command: list[str]) -> SweepManifest:
    """Return the manifest without what depends on the data, the evaluator and the machine: `data` (see `with_dataset`),
    `stamp`, `concurrent`, `cpus_per_trial` and `gpus_per_trial`.

    Raises:
        UserError: an option that is not valid, or that contradicts another.
    """
    from search_spaces.override import default
    from search_spaces.user_space import find_space
    from search_spaces.walk import describe
    from trainables.data.source_name import title

    options = check_options(options)
    find_space(options.model)  # refuses a model that does not exist
    space = configured_space(options.model, dict(options.set), options.epochs, options.precision)
    space = space._replace(defaults={**space.defaults, **options.start})
    goal = objectives.parse_goal(options, space)
    params = describe(space)
    for key in options.start:
        if key not in params:
            raise UserError(f"start: {did_you_mean('key', key, params)}")
    check_keys(options.model, space, params)
    space_check.check_searchable(goal.keys, params, options)
    epochs = params["epochs"].largest()
    if options.scheduler != "none" and options.grace > epochs:
        raise UserError(
            f"grace {options.grace} (min_iter in a W&B file) is longer than the longest trial ({epochs} epochs): lower "
            f"it, or add --epochs {2 * options.grace}"
        )
    points = collect_points(options, space, goal)
    trials = options.trials if options.sampler != "grid" else min(options.trials, 1 + grid_size(params))
    name = options.name or f"{options.model}-{title(options.dataset)}"
    manifest = SweepManifest(
        name=name,
        user_model=user_models.recorded(options.model),
        command=command,
        data=NOT_LOADED,
        extractor=None if options.extractor is None else parse_choice(options.extractor)._asdict(),
        space=params,
        defaults=default(space)[0],
        goal=goal,
        trials=trials,
        epochs=epochs,
        keep_checkpoints=None if options.keep_checkpoints is None else parse_size(options.keep_checkpoints),
        trial_timeout_s=None if options.trial_timeout is None else parse_seconds(options.trial_timeout),
        time_budget_s=None if options.time_budget is None else parse_seconds(options.time_budget),
        study=name,
        points=points,
        stamp={},
        also=objectives.check_requested(options.also),
        versions=package_versions(),
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        **git_commit(),
        **{key: getattr(options, key) for key in AS_GIVEN},
    )
    return manifest.normalized()


def configured_space(model: str, texts: dict[str, str], epochs: int | None, precision: str | None) -> "Space":
    """Return the space of a model with the user's settings.

    Raises:
        UserError: a setting given twice, or one that is not valid.
    """
    from search_spaces.override import apply
    from search_spaces.user_space import find_space

    if precision is not None and user_models.is_user_model(model):
        raise UserError(f"--precision {precision}: {model} is a model of your own, which chooses its precision itself")
    if precision is not None and texts.setdefault("precision", precision) != precision:
        raise UserError(f"precision is given twice: --precision {precision} and --set precision={texts['precision']}")
    if epochs is not None and "epochs" in texts:
        raise UserError(f"epochs is given twice: --epochs {epochs} and --set epochs={texts['epochs']}")
    return apply(find_space(model), texts, epochs)


def check_keys(model: str, space: "Space", params: dict[str, "Param"]) -> None:
    """Check in every branch of the space that the model reads just the keys which the space gives.

    Raises:
        UserError: a key too many or too few, a value that the key does not take, or that does not go with another.
    """
    from search_spaces.walk import walk
    from trainables import MODELS
    from trainables.config_schema import check

    if user_models.is_user_model(model):
        return  # its keys are its own; its space and its probe have been checked
    for key, param in params.items():
        for value in param.ends():
            check(key, value)

    def run(trial: "Trial") -> None:
        config = space.space(trial)
        reads = MODELS[model].reads(config)
        for key in sorted(reads ^ set(config)):
            fault = "does not define" if key in reads else "defines"
            use = "which the model reads" if key in reads else "but the model does not use it"
            raise UserError(f"search space {model!r} {fault} {key!r}, {use} in this configuration")
        MODELS[model].check(config)

    for _ in walk(run):
        pass


def collect_points(options: Options, space: "Space", goal: "Goal") -> list[dict[str, Any]]:
    """Return the configurations that are tried right after the defaults.

    Raises:
        UserError: one that is not in the space, or more than there are trials.
    """
    from gensweep.config import initial_points

    points = [initial_points.check_point(space, point) for point in options.points]
    if options.warm_from is not None:
        points += [
            point for point in initial_points.points_from_sweep(space, options.warm_from, goal) if point not in points
        ]
    if len(points) >= options.trials:
        raise UserError(f"{len(points)} points and the defaults need at least {len(points) + 1} trials")
    return points


def grid_size(params: dict[str, "Param"]) -> int:
    """Return how many points the grid of a space has.

    Raises:
        UserError: a searched number has a range and no list of values.
    """
    searched = {key: param for key, param in params.items() if param.searched}
    ranges = [key for key, param in searched.items() if param.is_range]
    if ranges:
        raise UserError(f"a grid needs values for {', '.join(ranges)}: --set {ranges[0]}=a,b,c, or pin them with =v")
    return math.prod(len(param.choices) for param in searched.values())


def with_dataset(manifest: SweepManifest, data: "Dataset") -> SweepManifest:
    """Return the manifest with the facts of its data set, of whose training images it may use only some.

    Raises:
        UserError: a batch would be larger than the number of training images.
    """
    n_train = manifest.train_images or len(data.train)
    from trainables.user_model.model import UserModel
    from trainables.user_model.registry import find_model

    model = find_model(manifest.model)
    if not data.has_images and not (isinstance(model, UserModel) and model.facts.interface == "train"):
        raise UserError(
            f"{manifest.model} trains on images: --dataset none is for a model file with a train() of its own"
        )
    if model.conditional and not data.classes:
        raise UserError(
            f"{manifest.model} draws by label, and the images of {data.name} have no labels: use gan or vae"
        )
    about = DatasetInfo(list(data.classes), data.shape, n_train, len(data.val), len(data.test), data.fingerprint)
    batch_size = manifest.space.get("batch_size")
    batch = 0 if batch_size is None else batch_size.largest()
    if batch > n_train and data.has_images:
        sizes = [str(size) for size in (4, 8, 16, 32, 64) if size <= n_train][-2:]
        raise UserError(
            f"batch_size may be {batch}, and there are {n_train} images to train on: "
            f"add --set batch_size={','.join(sizes)}"
        )
    return manifest._replace(data=about)
