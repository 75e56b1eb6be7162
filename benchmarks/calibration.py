"""What every metric reads on real images and on known damage: `make calibrate` writes docs/calibration.md.

Held-out real images against the reference are the floor F. Damage is done to the 10,000 test images, so a set with
fewer classes has fewer images; since every metric depends on n, each is held against as many real ones ("floor at n").
Needs MNIST and Fashion-MNIST under GENSWEEP_DATA.
"""

import datetime
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lib.calibration_checks import check_requirements
from lib.calibration_page import HEAD, comparison
from lib.corruptions import DAMAGE, Pool
from lib.results_table import device

from trainables.data import Dataset, load
from trainables.metrics import EvalInputs, Evaluator, Extractor, build_evaluator, load_extractor, measure
from trainables.metrics.conditional import conditional
from trainables.metrics.extract import run_extractor, split_images

PAGE = Path(__file__).parent.parent / "docs" / "calibration.md"
COLUMNS = {
    "fid": ".3g", "kid": ".3g", "precision": ".3f", "recall": ".3f", "density": ".3f", "coverage": ".3f",
    "kl_prior": ".3f", "modes": ".2f", "modes_1pct": ".0f", "mean_prob": ".3f", "is": ".2f", "duplicates": ".3f",
    "support": ",.0f", "copies": ".2f", "sharpness": ".2f", "memorised": ".3f", "train_distance": ".2f",
}  # fmt: skip

Values = dict[str, Any]


class Calibrated(NamedTuple):
    """One data set's rows: of each damage its n, its values, and those of as many real images."""

    data: Dataset
    evaluator: Evaluator
    easy: list[str]
    rows: dict[str, tuple[int, Values, Values]]
    trained: Values  # of as many training images
    labels: Values  # the extractor's accuracy, as a conditional generator's ceiling


def look(evaluator: Evaluator, extractor: Extractor, x: torch.Tensor) -> Values:
    evaluator = evaluator._replace(n_samples=len(x))
    return measure(EvalInputs(evaluator, x, *run_extractor(extractor, iter(torch.split(x, 500)), len(x))))


def calibrate(name: str) -> Calibrated:
    data = load(name).to("cpu")
    evaluator = build_evaluator(data, seed=0)
    extractor = load_extractor(evaluator, "cpu")
    generator = torch.Generator().manual_seed(0)
    x, y = data.test.gather(torch.randperm(len(data.test), generator=generator), "cpu")
    found = EvalInputs(evaluator, x, *run_extractor(extractor, iter(torch.split(x, 500)), len(x)), y)
    labels: Values = dict(conditional(found))
    table = torch.tensor(labels["confusion"])
    mistaken = (1 - table.diagonal()) + (table.sum(0) - table.diagonal())  # missed, and wrongly named
    pool = Pool(x, y, mistaken.argsort().tolist(), generator)
    rows: dict[str, tuple[int, Values, Values]] = {}
    floors: dict[int, Values] = {}
    for title, damage in DAMAGE.items():
        images = damage(pool)
        n = len(images)
        if n not in floors:
            floors[n] = look(evaluator, extractor, x[:n])
        rows[title] = (n, floors[n] if title == "real" else look(evaluator, extractor, images), floors[n])
        print(f"{name}: {title}", flush=True)
    train, _ = data.train.gather(torch.randperm(len(data.train), generator=generator)[: len(x)], "cpu")
    easy = [data.classes[k] for k in pool.easy]
    return Calibrated(data, evaluator, easy, rows, look(evaluator, extractor, train), labels)


def lines(found: Calibrated) -> list[str]:
    """A data set's section."""
    heads = ["set", "n", *(f"`{key}`" for key in COLUMNS)]
    body = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for title, (n, values, floor) in found.rows.items():
        body.append(_row(f"**{title}**" if title == "real" else title, n, values))
        if n < len(found.data.test):
            body.append(_row("*floor at n*", n, floor))
    body.append(_row("training images", len(found.data.test), found.trained))
    stamp = ", ".join(f"{key} {value}" for key, value in found.evaluator.stamp.items() if key != "n_samples")
    one, five = found.easy[0], ", ".join(found.easy[:5])
    accuracy = f"{found.labels['accuracy']:.4f} ± {found.labels['accuracy_se']:.4f}"
    values_and_floors = {title: (values, floor) for title, (_, values, floor) in found.rows.items()}
    return [
        f"## {found.data.name}", "",
        f"Stamp: {stamp}. The class that is dropped, left alone and over-weighted is {one!r}; the five classes are "
        f"{five}: those that the extractor separates best (fewest missed and wrongly named). It names {accuracy} of "
        "the test images right, which is the ceiling of a conditional generator's `accuracy`.", "", *body, "",
        *check_requirements(values_and_floors, found.trained), "",
    ]  # fmt: skip


def _row(title: str, n: int, values: Values) -> str:
    cells = [format(values[key], shape) for key, shape in COLUMNS.items()]
    return f"| {title} | {n:,} | {' | '.join(cells)} |"


def stacked() -> list[str]:
    """The published protocol on as many real images of stacked MNIST."""
    data = load("stacked_mnist").to("cpu")
    evaluator = build_evaluator(data, seed=0)
    extractor = load_extractor(evaluator, "cpu")
    read = run_extractor(extractor, split_images(data.train), 26_000)
    images = torch.zeros(len(read.logits), 0)
    found = EvalInputs(evaluator, images, *read, draw=lambda n: iter(()))
    from trainables.metrics.stacked_mnist_modes import stacked as protocol

    values = protocol(found)
    return [
        "## stacked_mnist", "",
        f"26,000 real images: {values['stacked_modes']:.0f} modes of 1,000, KL {values['stacked_kl']:.4f} nats to even "
        f"shares (from the finite sample alone {999 / 52_000:.4f}); the digit classifier is right on "
        f"{evaluator.accuracy ** (1 / 3):.4f} of single digits.", "",
    ]  # fmt: skip


def main() -> None:
    torch.set_num_threads(2)
    began = time.perf_counter()
    found = [calibrate(name) for name in ("mnist", "fashion_mnist")]
    sections = [line for one in found for line in lines(one)] + stacked()
    sections += comparison({title: values for title, (_, values, _) in found[0].rows.items()})
    minutes = (time.perf_counter() - began) / 60
    made = (
        f"Made by `make calibrate` ({datetime.date.today().isoformat()}; {device()}; Python "
        f"{platform.python_version()}, torch {version('torch')}; {minutes:.1f} minutes)."
    )
    PAGE.write_text("\n".join([HEAD.rstrip(), "", made, "", *sections]).rstrip() + "\n", encoding="utf-8")
    print(f"{PAGE}: {minutes:.1f} minutes")


if __name__ == "__main__":
    main()
