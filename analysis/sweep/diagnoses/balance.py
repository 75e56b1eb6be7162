"""Faults of the game between generator and discriminator, and of its length.

The thresholds are calibrated in benchmarks/diagnoses.py; docs/diagnoses.md has the table.
"""

from __future__ import annotations

import math

from analysis.sweep.diagnoses.evidence import Change, Evidence, Row, Sign, is_number, pick, rate
from trainables.config_schema import KEYS
from trainables.engine.collapse import MATURE_PATH, is_warmed_up
from trainables.schemes import SCHEMES

WON_GAP = 0.95  # of the distance between the two targets of D: it hardly errs
WON_IN = 3  # evaluations in a row
STUCK = 0.9  # of the lowest FID before these evaluations: above it, the FID does not fall any more
FALLING = 0.98  # an FID below this share of the one before still falls
LATE_FID = 2.0  # times the lowest FID; between two evaluations of a sound training it changes by much less
LATE_IN = 2  # evaluations in a row
LATE_MODES = 0.95  # share of the modes at the best epoch: a worse FID alone may be noise or blur
CONSTANT_LOSS = 1e-4  # range of the generator's loss, mean of an epoch; a loss that is trained varies by more
CONSTANT_IN = 3  # epochs in a row
DEAD_GRADIENT = 0.02  # share of the gradient's norm in the first epoch
HIGHEST_RATE = 5e-3  # top of the search space of GANs
TARGETS = {"least_squares": 1.0, "hinge": 2.0}  # distance between D's targets on real and on generated images


def d_won(evidence: Evidence) -> Sign | None:
    """Return D's mean output on real less that on generated images, as a share of the distance of its targets."""
    scheme = SCHEMES.get(evidence.config.get("scheme", ""))
    distance = 1.0 if scheme is not None and scheme.probability else TARGETS.get(evidence.config.get("scheme", ""))
    rows = evidence.last(WON_IN, "d_real", "d_fake", "fid")
    before = _scores(evidence.evaluations[:-WON_IN])
    if distance is None or not rows or not before:
        return None
    distance -= evidence.config.get("label_smoothing", 0.0)
    gap = min((row["d_real"] - row["d_fake"]) / distance for row in rows)
    is_falling = min(row["fid"] for row in rows) < STUCK * min(before)
    text = f"D(x) - D(G(z)) is {gap:.2f} of the distance of D's targets, or more, in the last {WON_IN} evaluations"
    return Sign(gap, gap > WON_GAP and not is_falling, text)


def weaken_d(evidence: Evidence) -> list[Change]:
    config = evidence.config
    if "lr_d" not in config:
        return []
    return pick(evidence, {"lr_d": rate(config["lr_d"] / 4)}, {"d_norm": "spectral"}, {"label_smoothing": 0.1})


def late_collapse(evidence: Evidence) -> Sign | None:
    """Return the lower FID of the last evaluations over the lowest one before them."""
    rows = evidence.last(LATE_IN, "fid", "modes")
    before = [row for row in evidence.evaluations[:-LATE_IN] if is_number(row.get("fid"))]
    if evidence.path(evidence.rows[-1]) is None or not rows or not before:
        return None
    best = min(before, key=lambda row: row["fid"])
    worse = min(row["fid"] for row in rows) / max(best["fid"], 1e-9)
    narrower = max(row["modes"] for row in rows) < LATE_MODES * best["modes"]
    text = (
        f"FID {rows[-1]['fid']:.3g} at the end, {best['fid']:.3g} at epoch {best['epoch']}; "
        f"effective modes {rows[-1]['modes']:.2g} and {best['modes']:.2g}"
    )
    return Sign(worse, worse > LATE_FID and narrower, text)


def calm_down(evidence: Evidence) -> list[Change]:
    config = evidence.config
    slower = {key: rate(config[key] / 2) for key in ("lr_g", "lr_d") if key in config}
    average = [{"ema": 0.999}] if config.get("ema", 1.0) < 0.999 else []
    return pick(evidence, {"g_steps": 1}, *average, slower)


def saturated(evidence: Evidence) -> Sign | None:
    """Return the gradient of the generator over that of its first epoch, or 0 if its loss is constant."""
    rows = [row for row in evidence.rows if is_number(row.get("grad_norm_g")) and is_number(row.get("loss_g"))]
    if len(rows) < CONSTANT_IN + 1:
        return None
    losses = [row["loss_g"] for row in rows[-CONSTANT_IN:]]
    spread = max(losses) - min(losses)
    share = rows[-1]["grad_norm_g"] / max(rows[0]["grad_norm_g"], 1e-30)
    text = f"the generator's gradient is {share:.2g} of that of epoch {rows[0]['epoch']}"
    if spread < CONSTANT_LOSS:
        text += f"; its loss stays at {losses[-1]:.4g} for {CONSTANT_IN} epochs"
    return Sign(0.0 if spread < CONSTANT_LOSS else share, share < DEAD_GRADIENT or spread < CONSTANT_LOSS, text)


def restore_gradient(evidence: Evidence) -> list[Change]:
    saturates = evidence.config.get("scheme") == "minimax"
    changes = [{"scheme": "non_saturating"}] if saturates else []
    return changes + weaken_d(evidence)


def too_young(evidence: Evidence) -> Sign | None:
    """Return updates times rate of the generator at the end of a trial that was not stopped.

    A generator that has warmed up is too young only if its FID still falls; of a slower one the FID hardly moves.
    """
    last = evidence.rows[-1]
    path = evidence.path(last)
    if path is None or last["epoch"] != last["epochs"]:
        return None
    text = f"updates x lr_g = {path:.2g}, and a GAN is old enough to judge from {MATURE_PATH:g} on"
    is_cold = not is_warmed_up(last["updates_g"], path / last["updates_g"])
    return Sign(path, is_cold or (path < MATURE_PATH and _still_falls(evidence.evaluations)), text)


def _still_falls(evaluations: list[Row]) -> bool:
    """Return whether the FID falls by more than 2 % an evaluation at the end, or was measured less than twice."""
    scores = _scores(evaluations)[-3:]
    return len(scores) < 2 or scores[-1] < FALLING ** (len(scores) - 1) * scores[0]


def _scores(evaluations: list[Row]) -> list[float]:
    return [row["fid"] for row in evaluations if is_number(row.get("fid"))]


def train_longer(evidence: Evidence) -> list[Change]:
    config, path = evidence.config, evidence.path(evidence.rows[-1])
    if not path:
        return []
    factor = MATURE_PATH / path
    longer = {"epochs": math.ceil(config["epochs"] * factor)}
    faster = {key: rate(config[key] * factor * 1.01) for key in ("lr_g", "lr_d")}  # rounding must not fall short
    changes = [longer] if longer["epochs"] <= (KEYS["epochs"].high or 0) else []
    return pick(evidence, *changes, *([faster] if max(faster.values()) <= HIGHEST_RATE else []))
