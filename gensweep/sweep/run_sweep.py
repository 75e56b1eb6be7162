"""A sweep from its resolved settings to its last trial: data, judge, Ray, study, Tune.

There is one way to go on after anything: a fresh Tuner over the same study and the same trial directories. So the
first launch and every later one run the same lines here.
"""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from gensweep.config import objectives
from gensweep.config.manifest import FORMAT, IDENTITY, Sheet, differences
from gensweep.config.options import Options
from gensweep.config.resolve import configured_space, make_manifest, with_dataset
from gensweep.errors import UserError, did_you_mean
from gensweep.storage import bucket_sync, checks, lock, workdir
from gensweep.storage.atomic import write_json
from gensweep.sweep import disk_estimate
from gensweep.tune import ray_session
from gensweep.tune.resources import emulates_bf16, share
from gensweep.units import seconds, size
from trainables.filestore import is_url

if TYPE_CHECKING:
    from gensweep.tune.run_tuner import LaunchResult
    from search_spaces import Space
    from trainables.data import Dataset
    from trainables.metrics import Evaluator

Say = Callable[[str], None]
KINDS = {"model": str, "dataset": str, "data": dict, "space": dict, "set": dict, "objective": dict, "defaults": dict}
KINDS |= {"objectives": list, "constraints": list}
Load = Callable[[str, Path | None], "Dataset"]


def prepare_sweep(options: Options, command: list[str], load: "Load | None" = None) -> tuple[Path, Sheet, "Dataset"]:
    """The directory, the resolved sweep and its data set; writes nothing.

    Raises:
        UserError: whatever the user has to change.
    """
    from trainables.data import known, limited
    from trainables.data import load as from_files

    known(options.dataset)
    if is_url(options.results):
        options = workdir.in_bucket(options)
    sheet = make_manifest(options, command)
    directory = sweep_directory(options.results, sheet["name"])
    data = (load or from_files)(sheet["dataset"], None if sheet["data_dir"] is None else Path(sheet["data_dir"]))
    limited(data, sheet["train_images"])  # refuses more images than there are
    sheet = with_dataset(sheet, data)
    if (directory / "sweep.json").exists():
        held = read_manifest(directory)
        differing = differences(held, sheet)
        if differing:
            raise UserError(
                f"{workdir.name(directory)} holds another sweep: {'; '.join(differing)}; give this one a --name, "
                "or the same settings"
            )
        checks.check_study_readable(directory, held)
    elif options.storage is None:
        checks.check_lockable(directory)
    if options.storage is not None:
        from gensweep.search.study_storage import check_storage

        check_storage(options.storage, sheet["name"], not (directory / "sweep.json").exists())
    return directory, sheet, data


def sweep_directory(results: str, name: str) -> Path:
    """The directory of a sweep, which may exist or not; it is not made here. Nobody drives it, and where it is in a
    bucket, the desk for it holds what the bucket does."""
    directory = workdir.desk(f"{results}/{name}") if is_url(results) else Path(results) / name
    checks.check_writable(directory)
    lock.alone(directory)
    bucket_sync.fetch(directory)
    begun = (directory / "sweep.json").exists() or is_url(results)
    if directory.exists() and any(directory.iterdir()) and not begun:
        raise UserError(f"{directory} is not empty and holds no sweep: choose another --name or --results")
    return directory


def read_manifest(directory: Path) -> Sheet:
    """The resolved sweep of a directory.

    Raises:
        UserError: it is no sweep, or one that another gensweep wrote.
    """
    try:
        sheet = json.loads((directory / "sweep.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{workdir.name(directory)!r} is no sweep: no sweep.json can be read there") from error
    except ValueError as error:
        raise UserError(f"{str(directory)!r} is no readable sweep: its sweep.json is broken") from error
    if not isinstance(sheet, dict) or sheet.get("format") != FORMAT:
        raise UserError(f"{str(directory)!r} is no sweep of format {FORMAT}, which is what this gensweep reads")
    sheet = {"objectives": [sheet.get("objective")], "constraints": [], **sheet}  # earlier versions had neither
    wrong = [key for key in (*IDENTITY, "set", "study") if key not in sheet]
    wrong += [key for key, kind in KINDS.items() if key not in wrong and not isinstance(sheet[key], kind)]
    if wrong:
        raise UserError(
            f"{str(directory)!r} cannot go on: its sweep.json lacks {', '.join(wrong)}, or has it otherwise"
        )
    return sheet


def reopen_sweep(directory: Path) -> tuple[Sheet, "Dataset"]:
    """An existing sweep and its data set, which must still be what they were.

    Raises:
        UserError: no sweep, or its space or data have changed.
    """
    from search_spaces import SPACES
    from search_spaces.param import space_to_json
    from search_spaces.walk import describe
    from trainables.data import load

    lock.alone(directory)
    bucket_sync.fetch(directory)
    sheet = read_manifest(directory)
    if sheet["model"] not in SPACES:
        raise UserError(f"{workdir.name(directory)}: {did_you_mean('model', sheet['model'], SPACES)}")
    checks.check_study_readable(directory, sheet)
    checks.check_writable(directory)
    data = load(sheet["dataset"], None if sheet["data_dir"] is None else Path(sheet["data_dir"]))
    now = with_dataset({**sheet, "space": space_to_json(describe(search_space(sheet)))}, data)
    differing = differences(sheet, json.loads(json.dumps(now)))
    if differing:
        raise UserError(f"{workdir.name(directory)} cannot go on: since it began, {'; '.join(differing)}")
    return sheet, data


def search_space(sheet: Sheet) -> "Space":
    """The space that a resolved sweep searches."""
    texts = dict(sheet["set"])
    space = configured_space(sheet["model"], texts, None if "epochs" in texts else sheet["epochs"], sheet["precision"])
    goal = sheet["objective"]
    return space._replace(defaults=sheet["defaults"], objective=(goal["metric"], goal["mode"]))


def launch_sweep(
    directory: Path, sheet: Sheet, data: "Dataset", options: Options, console: Console, ray_init: Mapping[str, Any]
) -> "LaunchResult":
    """Runs the sweep until its trials have ended, its time budget is spent, or Ctrl-C. `options` says what belongs to
    this launch alone: cores, GPUs, concurrency, time budget, address."""
    from gensweep.tune import run_tuner  # before the judge's thread, which would import half of it at the same time

    began = time.monotonic()
    say = partial(console.print, soft_wrap=True, highlight=False, markup=False)
    with ray_session.ray_environment(), ThreadPoolExecutor(1) as pool:
        if (directory / "sweep.json").exists():
            ended = run_tuner.finished_result(directory, sheet)
            if ended is not None:
                return ended
        judging = pool.submit(evaluator_of, sheet, data, say)  # while Ray starts
        with ray_session.connect(options.address, ray_init) as nodes:
            from trainables.data import limited
            from trainables.objective import goal_of

            given = share(options, nodes)
            own: Sheet = {}  # what was typed for this launch, whatever sweep.json says
            if options.trial_timeout is not None:
                own["trial_timeout_s"] = seconds(options.trial_timeout)
            if options.keep_checkpoints is not None:
                own["keep_checkpoints"] = size(options.keep_checkpoints)
            sheet = {**sheet, **own, **given._asdict()}
            disk_estimate.check_disk_space(directory, sheet, search_space(sheet), data, given.concurrent)
            say(given.line(nodes))
            if not given.gpus_per_trial and "bf16" in sheet["space"]["precision"].values() and emulates_bf16():
                say("bf16 is emulated on this CPU: expect it to be slower than --precision fp32")
            for line in objectives.describe_goal(goal_of(sheet)):
                say(line)
            evaluator = judging.result()
            sheet["stamp"] = evaluator.stamp
            make_directory(directory, sheet)
            with lock.driving(directory, say):
                sheet = {**write_manifest(directory, sheet), **own}
                parts = (limited(data, sheet["train_images"]), evaluator)
                end = None if options.time_budget is None else began + seconds(options.time_budget)
                return run_tuner.run(directory, sheet, search_space(sheet), parts, given, end, console)


def add_trials(directory: Path, sheet: Sheet, more: int, settings: dict[str, str], data: "Dataset") -> Sheet:
    """The sweep with more trials, in a space that the settings may widen; writes sweep.json.

    Raises:
        UserError: settings that cannot be, or a driver that runs it now.
    """
    from gensweep.search.extend import delete_old_study, extend_manifest, rewrite_study

    longer, space = extend_manifest(sheet, more, settings)
    disk_estimate.check_disk_space(directory, longer, space, data, longer["concurrent"] or 1)
    with lock.driving(directory, print):
        longer = rewrite_study(directory, sheet, longer)
        write_json(directory / "sweep.json", longer)
        bucket_sync.keep(directory, "sweep.json")
        delete_old_study(directory, longer, sheet["study"])
    return longer


def evaluator_of(sheet: Sheet, data: "Dataset", say: Say) -> "Evaluator":
    """The judge of a sweep, which may have to train an extractor first."""
    from trainables.metrics import build_evaluator

    def training(done: int, epochs: int, accuracy: float) -> None:
        say(f"training the extractor of {sheet['dataset']}: epoch {done}/{epochs}, accuracy {accuracy:.3f}")

    return build_evaluator(data, seed=sheet["seed"], progress=training, **evaluation_schedule(sheet))


def evaluation_schedule(sheet: Sheet) -> dict[str, Any]:
    """When trials are evaluated besides the first and the last epoch (at the rungs of halving, and each `every` epochs,
    by default about ten times in the longest trial), and whether a collapsed one is stopped."""
    from gensweep.tune.schedulers import rung_epochs

    halving = sheet["scheduler"] == "asha"
    decisions = rung_epochs(sheet["grace"], sheet["reduction_factor"], sheet["epochs"]) if halving else ()
    return {"rungs": decisions, "every": disk_estimate.eval_every(sheet), "alarm": sheet["alarm"]}


def make_directory(directory: Path, sheet: Sheet) -> None:
    """Makes the directory, now that nothing is left to refuse but the judge of a sweep that began under another."""
    if (directory / "sweep.json").exists():
        differing = differences(read_manifest(directory), sheet)
        if differing:
            raise UserError(f"{directory} was judged otherwise: {'; '.join(differing)}; start a new sweep with --name")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{directory} cannot be written: {error.strerror}") from error


def write_manifest(directory: Path, sheet: Sheet) -> Sheet:
    """Writes sweep.json unless it is there; returns what is there."""
    if not (directory / "sweep.json").exists():
        write_json(directory / "sweep.json", sheet)
        bucket_sync.keep(directory, "sweep.json")
    return read_manifest(directory)
