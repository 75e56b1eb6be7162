"""Keep the trained arms of a study in one small file, and begin a study from such a file.

The file is a CSV table, compressed by gzip, with the columns sweep, number, epoch and content (JSON): study.json; the
manifest of each sweep; each ended trial as the Optuna study holds it, with its configuration and the statistics that
need its nets; and each row. It holds no weights and no pictures. A study that begins from it trains only what is left.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from analysis.read import optuna_study, results
from analysis.read.manifest import read_manifest
from analysis.study import trial_statistics
from gensweep.errors import UserError
from gensweep.search.study_storage import closing_storage, study_directions
from gensweep.storage.atomic import write_json
from search_spaces.studies import Study
from trainables.filestore import open_directory, replace_local_file

Record = tuple[str, str, str, str]  # sweep, number, epoch, content
HEAD: Record = ("sweep", "number", "epoch", "content")
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


def save(study: Study, directory: Path, file: Path) -> None:
    """Write the file of the study in a directory.

    Trials count up to the first one that has not ended, because the Optuna study numbers them in order.
    """
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *_records(study, directory)])
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_local_file(file, gzip.compress(text.getvalue().encode(), mtime=0))


def _records(study: Study, directory: Path) -> Iterator[Record]:
    yield "", "", "", (directory / "study.json").read_text(encoding="utf-8")
    names = {claim.statistic for claim in study.claims} | set(study.table)
    for path in sorted(directory.glob("*/sweep.json")):
        home = open_directory(path.parent)
        manifest = json.loads(path.read_text(encoding="utf-8"))
        yield path.parent.name, "", "", _compact({**manifest, "data_dir": None})
        sweep = results.load(path.parent)
        for number, trial in enumerate(optuna_study.read_trials(home, sweep.manifest)):
            if trial.state not in ENDED:
                break
            folder = path.parent / results.trial_folder(number)
            trial_statistics.save_statistics(sweep, number, names)
            content = {"trial": _trial_to_json(trial)} | {
                name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
                for name in ("params", "statistics")
                if (folder / f"{name}.json").exists()
            }
            yield path.parent.name, str(number), "", _compact(content)
            for row in results.read_trial(sweep, number).rows:
                yield path.parent.name, str(number), str(row["epoch"]), _compact(row)


def restore(directory: Path, file: Path) -> int:
    """Make the sweeps of a file that a directory does not have yet, and return the number of their ended trials.

    Raises:
        UserError: the file is not one that `save` wrote.
    """
    try:
        head, *records = csv.reader(io.StringIO(gzip.decompress(file.read_bytes()).decode()))
        if tuple(head) != HEAD:
            raise UserError(f"{file} does not hold the rows of a study: its columns are {', '.join(head)}")
    except (OSError, EOFError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{file} does not hold the rows of a study: {error}") from error
    by_sweep: dict[str, list[list[str]]] = {}
    for record in records:
        by_sweep.setdefault(record[0], []).append(record)
    (study,) = by_sweep.pop("")
    directory.mkdir(parents=True, exist_ok=True)
    if not (directory / "study.json").exists():
        write_json(directory / "study.json", json.loads(study[3]))
    missing = {name: parts for name, parts in by_sweep.items() if not (directory / name / "sweep.json").exists()}
    return sum(_restore_sweep(directory / name, parts) for name, parts in missing.items())


def _restore_sweep(directory: Path, records: list[list[str]]) -> int:
    manifest_text, *rest = records
    directory.mkdir(parents=True, exist_ok=True)
    rows: dict[int, list[str]] = {}
    trials = []
    for _, number, epoch, content in rest:
        if epoch:
            rows.setdefault(int(number), []).append(content)
            continue
        folder, parts = directory / results.trial_folder(int(number)), json.loads(content)
        folder.mkdir(parents=True, exist_ok=True)
        trials.append(_trial_from_json(parts.pop("trial")))
        for name, value in parts.items():
            write_json(folder / f"{name}.json", value)
    for number_of_rows, lines in rows.items():
        path = directory / results.trial_folder(number_of_rows) / "rows.jsonl"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    write_json(directory / "sweep.json", json.loads(manifest_text[3]))
    manifest = read_manifest(open_directory(directory))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with closing_storage(directory, None) as storage:
        made = optuna.create_study(study_name=manifest.study, storage=storage, directions=study_directions(manifest))
        made.add_trials(trials)
    return len(trials)


def _compact(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"))


def _trial_to_json(trial: FrozenTrial) -> dict[str, Any]:
    times = {"began": trial.datetime_start, "ended": trial.datetime_complete}
    return {
        "state": trial.state.name,
        "values": trial.values,
        "params": trial.params,
        "distributions": {key: distribution_to_json(value) for key, value in trial.distributions.items()},
        "user_attrs": trial.user_attrs,
        "system_attrs": trial.system_attrs,
        "intermediate_values": {str(epoch): value for epoch, value in trial.intermediate_values.items()},
        **{key: None if time is None else time.isoformat() for key, time in times.items()},
    }


def _trial_from_json(content: dict[str, Any]) -> FrozenTrial:
    trial = create_trial(
        state=TrialState[content["state"]],
        values=content["values"],
        params=content["params"],
        distributions={key: json_to_distribution(text) for key, text in content["distributions"].items()},
        user_attrs=content["user_attrs"],
        system_attrs=content["system_attrs"],
        intermediate_values={int(epoch): value for epoch, value in content["intermediate_values"].items()},
    )
    trial.datetime_start, trial.datetime_complete = (
        None if content[key] is None else datetime.fromisoformat(content[key]) for key in ("began", "ended")
    )
    return trial
