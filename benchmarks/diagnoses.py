"""The findings on trainings with a fault made on purpose, and their false alarms on sound trainings.

The trainings are small ones of the embedded digits, each with one thread; three are of MNIST, which must lie under
GENSWEEP_DATA. A sound training counts for a finding if the finding can be judged on it: those of labels need a
conditional model. Rows are kept in the file that is named as an argument, and read from it if it exists.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from lib.diagnosis_cases import FAULTS, HEALTHY
from lib.diagnosis_trainings import Training, trainings
from lib.results_table import keep

from analysis.sweep.diagnoses import DIAGNOSES, diagnose
from analysis.sweep.diagnoses.evidence import Evidence, Sign
from trainables.data import load

CLASSES = load("digits").classes  # MNIST has the same
LIMIT = 1 / 20  # false alarms
LARGE = {"d_won", "late_collapse", "range", "scale", "stale_average"}  # findings whose number is high in a fault

NOTES = """{faults} trainings with a fault, {healthy} sound ones ({gans} of gan and cgan). "Nearest": the number of the
sound training that comes nearest to the threshold; some findings need a second condition as well.

The thresholds were set by looking at these trainings, and are not a fit. New after that: seed 3 of a fault, and sound
seeds from 101 on. One fault of those was missed: a class without images, seed 3, by a rule that asked for a median
accuracy of .88. The rule was changed, so for this finding only seeds 4, 5, 108 and 109 are new. The sound GANs are
nearly all old enough by updates x rate (1.6), so they say little about false alarms of "too young to judge".

Not every attempt made its fault, and these are left out. Rates x 20 from half on with batch norm: 1 of 4 trainings
collapsed, and was found; the others recovered. Minimax with lr_d 1e-2 saturates if lr_g is 1e-4, and trains if it is
1e-3 or more (4 of 4). A conv D with lr_d 5e-3 and no norm against lr_g 1e-4 has a gap of .996, but the FID still fell
from 101 to 67 and from 98 to 58, so it has not won by our rule. Rates of 5e-3 on a small MLP train well, and
of 1e-2 with beta1 .9 collapse from the start. ema of .9999 in a short training does no harm, since the average starts
with a ramp: here the ramp is taken out of the loop.

Samples halved or not clamped, statistics not measured, no ramp, and rates raised halfway are real trainings of changed
code, since no configuration has these faults. What a user's model may do beyond them is tested on rows made by hand
alone."""


def evidence(training: Training) -> Evidence:
    """Return the training as a sweep would see it, scored at its lowest FID."""
    evaluated = [row for row in training.rows if row["eval_epoch"] == row["epoch"] and row["fid"] == row["fid"]]
    best = min(evaluated, key=lambda row: row["fid"], default=None)
    case = training.case
    return Evidence(case.model, training.config, training.rows, best, CLASSES)


def describe(training: Training) -> str:
    case = training.case
    return "; ".join(filter(None, [case.model, " ".join(f"{k}={v}" for k, v in case.sets.items()), case.change]))


def fault_rows(faults: list[Training]) -> Iterable[list[str]]:
    for key, about in DIAGNOSES.items():
        for training in (training for training in faults if training.case.finding == key):
            sign = about.look(evidence(training))
            others = [finding.title for finding in diagnose(evidence(training)) if finding.key != key]
            number = "–" if sign is None else f"{sign.value:.3g}"
            yes = "yes" if sign is not None and sign.is_fault else "**no**"
            yield [about.title, describe(training), str(training.seed), number, yes, ", ".join(others)]


def healthy_rows(healthy: list[Training]) -> Iterable[list[str]]:
    for key, about in DIAGNOSES.items():
        pairs = [(training, about.look(evidence(training))) for training in healthy]
        signs: list[Sign] = [sign for _, sign in pairs if sign is not None]
        alarms = [describe(training) for training, sign in pairs if sign is not None and sign.is_fault]
        values = [sign.value for sign in signs]
        nearest = max(values, default=0.0) if key in LARGE else min(values, default=0.0)
        ok = "yes" if len(alarms) <= LIMIT * len(signs) else "**no**"
        number = f"sound, nearest {nearest:.3g}"
        yield [
            about.title,
            f"{len(signs)} sound trainings",
            "",
            number,
            f"{len(alarms)} false; at most 1 in 20: {ok}",
            "; ".join(alarms),
        ]


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("diagnoses.jsonl")
    faults, healthy = list(trainings(FAULTS, file)), list(trainings(HEALTHY, file))
    gans = sum(training.case.model in ("gan", "cgan") for training in healthy)
    keep(
        "diagnoses",
        "Findings: trainings with the fault, and false alarms",
        ["finding", "training", "seed", "its number", "found", "also found, or false alarms on"],
        [*fault_rows(faults), *healthy_rows(healthy)],
        NOTES.format(faults=len(faults), healthy=len(healthy), gans=gans),
    )


if __name__ == "__main__":
    main()
