"""Faults that the samples show: of their labels, their range and scale, and of averaged weights.

The thresholds are calibrated in benchmarks/diagnoses.py; docs/diagnoses.md has the table.
"""

from __future__ import annotations

import math

from analysis.sweep.diagnoses.evidence import Change, Evidence, Row, Sign, is_number, pick, rate
from trainables.engine.collapse import is_warmed_up
from trainables.penalties import PENALTIES

CLASS_SPREAD = 0.4  # sd of a pixel within a class, over that of real images
FLAT = 0.1  # samples with less than this share of the images' sd are as good as blank
ABOVE_CHANCE = 0.05  # label accuracy less 1/K
LABEL_SHARE = 0.1  # information of the label on the class of its sample, over the entropy of the labels
MISSING, LEARNT = 0.2, 0.5  # label accuracy of a missing class, and of every other one: none is half learnt
RARELY = 0.25  # share of the classes that may be missing: if more are, the generator has not learnt to use labels yet
OUTSIDE = 0.01  # share of generated pixels outside the range of the data
SCALE = 0.35  # pixel_scale less 1: a VAE blurs, which alone takes .15 of it on digits
SHIFT = 0.25  # sd of the data
STALE = 1.12  # FID of the averaged weights over that of the others; sound ones reach 1.08
STALE_IN = 2  # evaluations in a row


def one_image(evidence: Evidence) -> Sign | None:
    """Return the spread of the samples of a class over that of real images, if both had the same overall spread."""
    row = evidence.scored
    if not is_number(row.get("class_spread")) or not _warmed_up(evidence, evidence.rows[-1]):
        return None
    spread = row["class_spread"] / max(row.get("pixel_scale", 1.0), FLAT)  # a wrong scale is a fault of its own
    text = f"within a class the samples vary {spread:.2f} times as much as real images"
    if is_number(row.get("duplicates")):
        text += f"; duplicates {row['duplicates']:.2f}"  # not a criterion: a CVAE of digits has .89, and is sound
    return Sign(spread, spread < CLASS_SPREAD, text)


def vary_more(evidence: Evidence) -> list[Change]:
    config = evidence.config
    if "beta" in config:  # a VAE whose decoder ignores the code
        return pick(evidence, {"beta": rate(config["beta"] / 4)}, {"free_bits": 0.1})
    batch = {"label_dim": 10} if config.get("label_dim", 0) > 10 else {}
    gradient = "penalty" in config and PENALTIES[config["penalty"]].term is not None
    loud = {**batch, "d_norm": "spectral" if gradient else "batch"}
    packs = [{"pack": 2}] if config.get("pack") == 1 and config.get("batch_size", 0) % 2 == 0 else []
    return pick(evidence, loud, {**batch, "d_norm": "spectral"}, *packs)


def label_ignored(evidence: Evidence) -> Sign | None:
    """Return the label accuracy of a generator that has warmed up."""
    row, n = evidence.scored, len(evidence.classes)
    if not is_number(row.get("accuracy")) or n < 2 or not _warmed_up(evidence, evidence.rows[-1]):
        return None
    share = label_information(row["confusion"]) if "confusion" in row else 0.0
    text = f"label accuracy {row['accuracy']:.2f}, by chance {1 / n:.2f}"
    return Sign(row["accuracy"], row["accuracy"] < 1 / n + ABOVE_CHANCE and share < LABEL_SHARE, text)


def label_information(confusion: list[list[float]]) -> float:
    """Return the mutual information of label and class of a sample over the entropy of the labels, 0..1.

    `confusion` [K,K] holds a distribution of classes for each label, or 0 if it has no samples; labels weigh the same.
    """
    table = [line for line in confusion if sum(line) > 0]
    if len(table) < 2:
        return 0.0
    shares = [sum(column) / len(table) for column in zip(*table, strict=True)]
    nats = sum(p * math.log(p / share) for line in table for p, share in zip(line, shares, strict=True) if p > 0)
    return nats / len(table) / math.log(len(table))


def use_labels(evidence: Evidence) -> list[Change]:
    config = evidence.config
    if "d_cond" not in config:
        return pick(evidence, {"beta": rate(config["beta"] / 4)}) if "beta" in config else []
    joined = "channels" if config["net"] == "conv" else "concat"
    return pick(evidence, {"d_cond": joined if config["d_cond"] == "projection" else "projection"}, {"label_dim": 10})


def class_missing(evidence: Evidence) -> Sign | None:
    """Return the label accuracy of the worst class."""
    accuracy = evidence.scored.get("class_accuracy")
    if not accuracy or not all(map(is_number, accuracy)):
        return None
    missing = [i for i, value in enumerate(accuracy) if value < MISSING]
    others = min((value for value in accuracy if value >= MISSING), default=0.0)
    few = 0 < len(missing) <= max(1, RARELY * len(accuracy))
    names = [evidence.classes[i] if i < len(evidence.classes) else str(i) for i in missing]
    subject = ", ".join(names) or "the worst class"
    text = f"label accuracy of {subject}: {min(accuracy):.2f}; of the others {others:.2f} or more"
    return Sign(min(accuracy), few and others >= LEARNT, text)


def learn_class(evidence: Evidence) -> list[Change]:
    return pick(evidence, {"epochs": 2 * evidence.config.get("epochs", 0)}, {"d_cond": "projection"})


def wrong_range(evidence: Evidence) -> Sign | None:
    """Return the share of generated pixels outside the range of the data, before or after the model's clamping."""
    row = evidence.scored
    shares = [row[key] for key in ("outside", "out_of_range") if is_number(row.get(key))]
    if not shares:
        return None
    return Sign(max(shares), max(shares) > OUTSIDE, f"{max(shares):.1%} of the generated pixels are outside [0, 1]")


def same_range(evidence: Evidence) -> list[Change]:
    return pick(evidence, {"out": "sigmoid"})


def wrong_scale(evidence: Evidence) -> Sign | None:
    """Return the larger of the two differences between pixels of samples and of real images."""
    row = evidence.scored
    if not is_number(row.get("pixel_scale")) or not _warmed_up(evidence, row):
        return None
    scale, shift = row["pixel_scale"], row["pixel_shift"]
    text = f"sd of the samples' pixels {scale:.2f} times that of real images, mean {shift:+.2f} sd"
    is_fault = abs(scale - 1) > SCALE or abs(shift) > SHIFT
    return Sign(max(abs(scale - 1), abs(shift)), is_fault, text)


def stale_average(evidence: Evidence) -> Sign | None:
    """Return the FID of the averaged weights over that of the trained ones, the lowest of the last evaluations."""
    rows = evidence.last(STALE_IN, "fid", "fid_raw")
    if not rows:
        return None
    worse = min(row["fid"] / max(row["fid_raw"], 1e-9) for row in rows)
    text = f"FID {rows[-1]['fid']:.3g} with averaged weights, {rows[-1]['fid_raw']:.3g} without"
    return Sign(worse, worse > STALE, text)


def fresher_average(evidence: Evidence) -> list[Change]:
    shorter = [{"ema": 0.99}] if evidence.config.get("ema", 0.0) > 0.99 else []
    return pick(evidence, *shorter, {"ema": 0.0})


def _warmed_up(evidence: Evidence, row: Row) -> bool:
    """Return whether a GAN's generator has warmed up; the samples of other models are judged from the start."""
    path = evidence.path(row)
    return path is None or is_warmed_up(row["updates_g"], evidence.config["lr_g"])
