"""Prepare, reopen and extend sweeps: their directory, manifest, data, space and evaluator."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.read.manifest import SweepManifest
from analysis.read.manifest import read_manifest as read_manifest_in
from gensweep.config import user_models
from gensweep.config.manifest import differences
from gensweep.config.options import Options, check_options
from gensweep.config.resolve import configured_space, make_manifest, with_dataset
from gensweep.errors import UserError
from gensweep.storage import bucket_sync, checks, lock, workdir
from gensweep.storage.atomic import write_json
from gensweep.sweep import disk_estimate, evaluation
from trainables.filestore import is_url, open_directory

if TYPE_CHECKING:
    from search_spaces import Space
    from trainables.data import Dataset

Say = Callable[[str], None]
Load = Callable[[str, Path | None], "Dataset"]


def prepare_sweep(
    options: Options, command: list[str], load: "Load | None" = None
) -> tuple[Path, SweepManifest, "Dataset"]:
    """Return the directory of a sweep, its manifest and its data set; write nothing.

    Raises:
        UserError: the user has to change something.
    """
    from trainables.data import known, limited
    from trainables.data import load as from_files

    known(options.dataset)
    if is_url(options.results):
        options = workdir.options_for_bucket(options)

    def images() -> "Dataset":
        return (load or from_files)(options.dataset, None if options.data_dir is None else Path(options.data_dir))

    data = None
    if user_models.needs_probe(options.model):  # what its rows hold shows only when it trains
        check_options(options)
        data = images()
        user_models.probe_model(options.model, data)
    manifest = make_manifest(options, command)
    directory = sweep_directory(options.results, manifest.name)
    data = images() if data is None else data
    limited(data, manifest.train_images)  # refuse more images than the data set has
    evaluation.check_choice(manifest.chosen_extractor)
    manifest = with_dataset(manifest, data)
    if (directory / "sweep.json").exists():
        existing = read_manifest(directory)
        user_models.check_same_file(directory, existing)
        differing = differences(existing, manifest)
        if differing:
            raise UserError(
                f"{workdir.display_name(directory)} holds another sweep: {'; '.join(differing)}; "
                "give this one a --name, or the same settings"
            )
        checks.check_study_readable(directory, existing)
    elif options.storage is None:
        checks.check_lockable(directory)
    if options.storage is not None:
        from gensweep.search.study_storage import check_storage

        check_storage(options.storage, manifest.name, not (directory / "sweep.json").exists())
    return directory, manifest, data


def sweep_directory(results: str, name: str) -> Path:
    """Return the directory of a sweep, which may not exist yet; it is not made here.

    If the sweep is in a bucket, its working directory is brought up to date with the bucket.

    Raises:
        UserError: the directory cannot be written, a driver runs the sweep, or the directory holds other files.
    """
    directory = workdir.local_workdir(f"{results}/{name}") if is_url(results) else Path(results) / name
    checks.check_writable(directory)
    lock.refuse_if_running(directory)
    bucket_sync.download_state(directory)
    begun = (directory / "sweep.json").exists() or is_url(results)
    if directory.exists() and any(directory.iterdir()) and not begun:
        raise UserError(f"{directory} is not empty and holds no sweep: choose another --name or --results")
    return directory


def read_manifest(directory: Path) -> SweepManifest:
    """Return the manifest in a local directory, which may be the working directory of a sweep in a bucket.

    Raises:
        UserError: the directory does not hold a sweep, or its sweep.json cannot be read.
    """
    return read_manifest_in(open_directory(directory)._replace(name=workdir.display_name(directory)))


def reopen_sweep(directory: Path) -> tuple[SweepManifest, "Dataset"]:
    """Return the manifest of an existing sweep and its data set.

    Raises:
        UserError: the sweep does not exist, a driver runs it, or its space or data have changed.
    """
    from search_spaces.walk import describe
    from trainables.data import load

    lock.refuse_if_running(directory)
    bucket_sync.download_state(directory)
    manifest = read_manifest(directory)
    user_models.check_same_file(directory, manifest)
    user_models.allow_data(manifest.dataset, manifest.model)
    evaluation.check_same_weights(workdir.display_name(directory), manifest)
    checks.check_study_readable(directory, manifest)
    checks.check_writable(directory)
    data = load(manifest.dataset, None if manifest.data_dir is None else Path(manifest.data_dir))
    now = with_dataset(manifest._replace(space=describe(search_space(manifest))), data)
    differing = differences(manifest, now)
    if differing:
        raise UserError(f"{workdir.display_name(directory)} cannot go on: since it began, {'; '.join(differing)}")
    return manifest, data


def search_space(manifest: SweepManifest) -> "Space":
    """Return the space that a sweep searches."""
    texts = dict(manifest.set)
    space = configured_space(manifest.model, texts, None if "epochs" in texts else manifest.epochs, manifest.precision)
    objective: Any = manifest.goal.primary
    return space._replace(defaults=manifest.defaults, objective=tuple(objective))


def add_trials(
    directory: Path, manifest: SweepManifest, n_trials: int, settings: dict[str, str], data: "Dataset"
) -> SweepManifest:
    """Add n_trials trials to a sweep, in a space that the settings may widen. Write and return its new manifest.

    Raises:
        UserError: the settings are not possible, or a driver runs the sweep.
    """
    from gensweep.search.extend import delete_old_study, extend_manifest, rewrite_study

    longer, space = extend_manifest(manifest, n_trials, settings)
    disk_estimate.check_disk_space(directory, longer, space, data, longer.concurrent or 1)
    with lock.driver_lock(directory, print):
        longer = rewrite_study(directory, manifest, longer)
        write_json(directory / "sweep.json", longer.to_json())
        bucket_sync.upload_file(directory, "sweep.json")
        delete_old_study(directory, longer, manifest.study)
    return longer


def make_directory(directory: Path, manifest: SweepManifest) -> None:
    """Make the directory. Raise UserError if it cannot be written, or if its sweep began with another evaluator."""
    if (directory / "sweep.json").exists():
        differing = differences(read_manifest(directory), manifest)
        if differing:
            raise UserError(
                f"{directory} was evaluated differently: {'; '.join(differing)}; start a new sweep with --name"
            )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{directory} cannot be written: {error.strerror}") from error


def write_manifest(directory: Path, manifest: SweepManifest) -> SweepManifest:
    """Write sweep.json unless it exists; return the manifest in the directory."""
    if not (directory / "sweep.json").exists():
        user_models.save_copy(directory, manifest)
        write_json(directory / "sweep.json", manifest.to_json())
        bucket_sync.upload_file(directory, "sweep.json")
    return read_manifest(directory)
