"""Whether a sweep has lost nothing: for scripts/chaos.py and the tests of clusters."""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from analysis.read import optuna_study
from gensweep.sweep.run_sweep import read_manifest
from trainables import filestore

OUTSIDE = ("wall_s", "host")  # of a row: what the clock says, and which machine it was


def rows(sweep: Path) -> dict[int, list[dict[str, Any]]]:
    """The rows of every trial, without what is not the trial's."""
    found = {}
    for path in sorted(sweep.glob("trials/*/rows.jsonl")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found[int(path.parent.name)] = [{k: v for k, v in line.items() if k not in OUTSIDE} for line in lines]
    return found


def unsound(sweep: Path, n_trials: int, said: list[str], unheard: int) -> tuple["Counter[str]", list[str]]:
    """How the trials ended, and what is lost, twice or open: in the study, on the disk, and in what the launches have
    `said`, where at most `unheard` trials may be missing."""
    faults = []
    trials, lines = optuna_study.read_trials(filestore.open_directory(sweep), read_manifest(sweep)), rows(sweep)
    ended = Counter(trial.state.name.lower() for trial in trials)
    if [trial.number for trial in trials] != list(range(n_trials)) or not all(t.state.is_finished() for t in trials):
        faults.append(f"the study holds {dict(ended)}")
    if sorted(lines) != list(range(n_trials)):
        faults.append(f"there are rows of the trials {sorted(lines)}")
    for trial in trials:
        own = lines.get(trial.number, [])
        last = own[-1]["epochs"] if own and trial.state.name == "COMPLETE" else len(own)
        if not own or [row["epoch"] for row in own] != list(range(1, last + 1)):
            faults.append(f"trial {trial.number}, {trial.state.name}, has the epochs {[row['epoch'] for row in own]}")
        if trial.intermediate_values != {row["epoch"]: row["fid"] for row in own}:
            faults.append(f"trial {trial.number}: the study's values are not those of its rows")
    heard = Counter(re.findall(r"^trial +(\d+)  (?:done|stopped|failed)", "\n".join(said), re.MULTILINE))
    if any(n > 1 for n in heard.values()):
        faults.append(f"Tune ended trials twice: {[number for number, n in heard.items() if n > 1]}")
    if n_trials - len(heard) > unheard:
        faults.append(f"Tune ended {len(heard)} trials of {n_trials}")
    return ended, faults


def differing(sweep: Path, undisturbed: Path | None) -> list[str]:
    """Which trials' rows or pictures are not those of an undisturbed sweep, or, without one, of a solo replay."""
    wanted = undisturbed or replayed(sweep)
    faults = [f"trial {n}: rows differ" for n, lines in rows(wanted).items() if lines != rows(sweep)[n]]
    for path in sorted(sweep.glob("trials/*/samples/*.png")):
        if path.read_bytes() != (wanted / path.relative_to(sweep)).read_bytes():
            faults.append(f"{path.relative_to(sweep)} differs")
    return faults


def replayed(sweep: Path) -> Path:
    """Every trial of a sweep trained again, alone and in this process, as far as it came: what it writes."""
    import torch

    from gensweep.sweep.evaluation import evaluator_of
    from gensweep.sweep.run_sweep import reopen_sweep
    from trainables import TRAINABLES, Data
    from trainables.metrics import load_extractor
    from trainables.ray_trainable import TrialWriter
    from trainables.trial_files import TrialFiles

    torch.set_num_threads(1)
    manifest, data = reopen_sweep(sweep)
    evaluator = evaluator_of(manifest, data, print)
    given = Data(data.to("cpu"), evaluator, load_extractor(evaluator, "cpu"), "cpu")
    to = sweep.with_name(f"{sweep.name}-replayed")
    for number, lines in rows(sweep).items():
        about = json.loads((sweep / "trials" / f"{number:04d}" / "params.json").read_text())
        writer = TrialWriter(TrialFiles(f"{to}/trials", number), about, manifest.goal, {})
        epochs = TRAINABLES[manifest.model](about["config"], given, about["seed"])
        for _, epoch in zip(lines, epochs, strict=False):
            writer.write(epoch)
    return to


if __name__ == "__main__":  # python scripts/check_sweep.py SWEEP TRIALS
    where, n = Path(sys.argv[1]), int(sys.argv[2])
    wrong = unsound(where, n, [], unheard=n)[1] or differing(where, None)
    print("\n".join(wrong) or "sound")
    sys.exit(bool(wrong))
