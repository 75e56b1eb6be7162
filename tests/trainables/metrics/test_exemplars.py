"""Images without labels: the extractor that tells images apart, what is measured with it, and what it cannot see."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.scoring import score

from trainables.data import Dataset, load
from trainables.metrics import Evaluator, build_evaluator, calibration, exemplars, load_extractor
from trainables.metrics.calibration import DAMAGES, weak_spots
from trainables.metrics.extract import split_images


@pytest.fixture(scope="module")
def unlabelled() -> Dataset:
    digits = load("digits")
    zeros = {
        name: getattr(digits, name).__class__(
            getattr(digits, name).pixels, np.zeros(len(getattr(digits, name)), np.int64)
        )
        for name in ("train", "val", "test")
    }
    return digits._replace(name="unlabelled", classes=(), fingerprint="0" * 64, **zeros)


@pytest.fixture(scope="module")
def evaluator(unlabelled: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exemplars, "N_TRAINED", 30_000)
        cache = tmp_path_factory.mktemp("cache")
        made = build_evaluator(unlabelled, seed=0, n_samples=400, cache_dir=cache)
        assert build_evaluator(unlabelled, seed=0, n_samples=400, cache_dir=cache).extractor_id == made.extractor_id
    return made


def test_exemplar_set__each_image_is_a_class(unlabelled: Dataset) -> None:
    made = exemplars.exemplar_set(unlabelled)
    assert (len(made.train), len(made.classes)) == (512, 512)
    few = exemplars.exemplar_set(
        unlabelled._replace(train=unlabelled.train.__class__(np.asarray(unlabelled.train.pixels)[:20], np.zeros(20)))
    )
    assert (len(few.train), len(few.classes), len(few.test)) == (520, 20, 20)
    first, last = np.asarray(few.train.pixels)[0], np.asarray(few.train.pixels)[500]
    assert np.array_equal(first, last)
    assert few.train.labels[0] == few.train.labels[500]


@pytest.mark.long
def test_unlabelled__no_metrics_of_classes(unlabelled: Dataset, evaluator: Evaluator) -> None:
    extractor = load_extractor(evaluator, "cpu")
    real = torch.cat(list(split_images(unlabelled.train.to("cpu"))))[:400]
    scores = score(evaluator, extractor, iter([real]))
    noise = score(evaluator, extractor, iter([torch.rand(400, 1, 8, 8)]))
    assert not {"modes", "class_shares", "is", "mean_prob"} & scores.keys()
    assert {"fid", "kid", "precision", "recall", "duplicates"} <= scores.keys()
    assert float(scores["fid"]) < 0.2 * float(noise["fid"])  # type: ignore[arg-type]


@pytest.mark.long
def test_calibration__sees_damage(unlabelled: Dataset, evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weak_spots(evaluator, unlabelled) == []
    monkeypatch.setitem(DAMAGES, "nothing from nothing", lambda x: x)
    (spot,) = weak_spots(evaluator, unlabelled)
    assert spot.startswith("nothing from nothing (")


def test_damages__keep_the_shape() -> None:
    x = torch.rand(20, 3, 9, 9)
    for name, damage in DAMAGES.items():
        assert damage(x).shape == x.shape, name
        assert not torch.equal(damage(x), x)


@pytest.mark.long
def test_calibrated__measured_once(
    unlabelled: Dataset, evaluator: Evaluator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(measured: Evaluator, _: Dataset) -> list[str]:
        calls.append(measured.extractor_id)
        return ["blurred images from sharp ones (1 against 2)"]

    monkeypatch.setattr(calibration, "weak_spots", counted)
    spots = [calibration.calibrated(evaluator, unlabelled, tmp_path) for _ in range(2)]
    assert spots == [["blurred images from sharp ones (1 against 2)"]] * 2
    assert len(calls) == 1
    (file,) = tmp_path.iterdir()
    file.write_text("{")
    calibration.calibrated(evaluator, unlabelled, tmp_path)
    calibration.calibrated(evaluator._replace(extractor_id="other"), unlabelled, tmp_path)
    assert len(calls) == 3


@pytest.mark.long
def test_weak_spots__too_few_images(unlabelled: Dataset, evaluator: Evaluator) -> None:
    few = unlabelled.val.__class__(np.asarray(unlabelled.val.pixels)[:9], np.zeros(9, np.int64))
    assert weak_spots(evaluator, unlabelled._replace(val=few)) == []
