"""Turn a trial's numbers into advice: named faults, the number that shows each, and the settings that help.

A diagnosis reads rows and the configuration, nothing else. A new one is a function and an entry of DIAGNOSES; `status`,
`best`, the failure map, the report and the table in the documentation follow. The faults are those that users of public
GAN repositories report most; docs/diagnoses.md names the sources and has the calibration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from analysis.read import results
from analysis.read.results import Sweep, Trial
from analysis.sweep.diagnoses import balance, samples
from analysis.sweep.diagnoses.evidence import Change, Diagnosis, Evidence

LATEST = 100  # trials that `status` reads: all rows of a thousand take a second

DIAGNOSES: dict[str, Diagnosis] = {
    "range": Diagnosis(
        "output range differs from the data's",
        samples.wrong_range,
        "The generator draws pixels that no image can have, so the discriminator can reject its samples by the range "
        "alone. The last function of the net and the range of the images must fit: sigmoid for [0, 1].",
        samples.same_range,
    ),
    "scale": Diagnosis(
        "scale differs before the extractor",
        samples.wrong_scale,
        "The samples are darker, brighter, flatter or harder than the images, so every score of features is void, even "
        "if they look right. If they look wrong too, they are just bad. No setting mends this: compare the images that "
        "the model's sampler returns with those of the data, both in [0, 1].",
        samples.same_range,
    ),
    "d_won": Diagnosis(
        "D has won",
        balance.d_won,
        "The discriminator tells real from generated images without errors, and the FID has stopped falling: the "
        "generator gets little to learn from. A slower or smoother discriminator helps.",
        balance.weaken_d,
    ),
    "saturated": Diagnosis(
        "saturated",
        balance.saturated,
        "The generator's loss is flat, so it gets no gradient and stays as it is.",
        balance.restore_gradient,
    ),
    "late_collapse": Diagnosis(
        "collapsed late",
        balance.late_collapse,
        "The training was sound and then lost classes. The weights of the best epoch are kept, and they are scored.",
        balance.calm_down,
    ),
    "one_image": Diagnosis(
        "one image a class",
        samples.one_image,
        "All samples of a class are nearly the same image: the generator uses the label and ignores the noise.",
        samples.vary_more,
    ),
    "label_ignored": Diagnosis(
        "label ignored",
        samples.label_ignored,
        "The class of a sample does not depend on the label. This is not low quality. First check that the labels of "
        "the training images are right; then let the label enter the discriminator in another way.",
        samples.use_labels,
    ),
    "class_missing": Diagnosis(
        "a class never asked for",
        samples.class_missing,
        "The generator draws the other classes by their label, and not this one. Check that the training images "
        "contain it; a rare class needs a longer training.",
        samples.learn_class,
    ),
    "stale_average": Diagnosis(
        "stale averages",
        samples.stale_average,
        "The averaged weights are worse than the ones they average: they lag behind, or their batch-norm statistics "
        "belong to other weights.",
        samples.fresher_average,
    ),
    "young": Diagnosis(
        "too young to judge",
        balance.too_young,
        "The trial ended while it was still learning. It is not worse than others, only younger.",
        balance.train_longer,
    ),
}


class Finding(NamedTuple):
    """A fault that a trial shows. `sets` are alternatives, each as the words of `--set` options."""

    key: str  # of DIAGNOSES
    title: str
    number: str  # the number that shows it, in words
    value: float
    meaning: str
    sets: list[list[str]]

    def __str__(self) -> str:
        helps = ", or ".join(" ".join(words) for words in self.sets)
        return f"{self.title}: {self.number}{f'; try {helps}' if helps else ''}"


def diagnose(evidence: Evidence) -> list[Finding]:
    """Return the faults that a trial shows, in the order of DIAGNOSES."""
    if not evidence.rows:
        return []
    signs = {key: diagnosis.look(evidence) for key, diagnosis in DIAGNOSES.items()}
    return [
        Finding(key, about.title, sign.text, sign.value, about.meaning, list(map(_words, about.changes(evidence))))
        for key, about in DIAGNOSES.items()
        if (sign := signs[key]) is not None and sign.is_fault
    ]


def diagnose_rows(sweep: Sweep, trial: Trial) -> list[Finding]:
    """Return the faults that a trial of a sweep shows."""
    manifest = sweep.manifest
    return diagnose(Evidence(manifest.model, trial.config, trial.rows, trial.best, manifest.data.classes))


def diagnose_trials(sweep: Sweep, numbers: Iterable[int] | None = None) -> dict[int, list[Finding]]:
    """Return the faults of these trials (None: of all), by number."""
    wanted = [int(number) for number in (sweep.trials["number"] if numbers is None else numbers)]
    with ThreadPoolExecutor(8) as pool:  # a bucket takes tens of milliseconds for each file
        return dict(
            zip(
                wanted,
                pool.map(lambda number: diagnose_rows(sweep, results.read_trial(sweep, number)), wanted),
                strict=True,
            )
        )


def count(diagnosed: Mapping[int, list[Finding]]) -> dict[str, int]:
    """Return by key how many trials show each fault, in the order of DIAGNOSES, without those that none shows."""
    return count_keys(finding.key for findings in diagnosed.values() for finding in findings)


def count_keys(keys: Iterable[str]) -> dict[str, int]:
    """Return how often each key of DIAGNOSES occurs, in their order, without those that do not."""
    counts = Counter(keys)
    return {key: counts[key] for key in DIAGNOSES if counts[key]}


def describe_counts(counts: Mapping[str, int]) -> str:
    """Return `3 D has won, 1 saturated`; "none" without findings."""
    return ", ".join(f"{n} {DIAGNOSES[key].title}" for key, n in counts.items()) or "none"


def latest_counts(sweep: Sweep) -> dict[str, Any]:
    """Return the counts over the newest LATEST trials, and over how many they are, as plain data for JSON."""
    begun = sweep.trials.loc[sweep.trials["state"] != "waiting", "number"].tolist()[-LATEST:]
    return {"trials": len(begun), "counts": count(diagnose_trials(sweep, begun))}


def describe_latest(latest: Mapping[str, Any]) -> str:
    """Return the counts of `latest_counts` as a line for a terminal."""
    n = latest["trials"]
    return f"findings in the newest {n} trial{'s' * (n != 1)}: {describe_counts(latest['counts'])}"


def format_findings(findings: Iterable[Mapping[str, Any]]) -> str:
    """Return the faults of a trial (see `to_json`) for a terminal, one line each."""
    lines = [f"  {Finding(**finding)}" for finding in findings]
    return "\n".join(["Findings:", *lines]) if lines else "Findings: none."


def to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain data for JSON."""
    return [finding._asdict() for finding in findings]


def _words(change: Change) -> list[str]:
    return [word for key, value in change.items() for word in ("--set", f"{key}={value}")]
