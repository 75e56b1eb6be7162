"""The closest pairs: the samples that the metric named are drawn again from the weights, and are the very ones."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import sweeps

from analysis.figures import nearest_pairs
from analysis.nets import rebuild
from analysis.read import results
from trainables import MODELS
from trainables.engine.evaluate import generate, prior_labels
from trainables.metrics import Evaluator

N = 5000


@pytest.mark.parametrize("model", ["vae", "cgan"])
def test_nearest_pairs__scored_samples_drawn_again(tmp_path: Path, evaluator: Evaluator, model: str) -> None:
    sweep = results.load(sweeps.make(tmp_path / "s", model=model))
    labels = prior_labels(evaluator.class_prior.tolist(), evaluator.seed, N, "cpu")
    config, nets = results.read_trial(sweep, 1).config, rebuild.load_nets(sweep, 1)
    with torch.no_grad():
        generated = generate(MODELS[model], config, nets, sweep.manifest.data.shape, labels, evaluator.seed)
        drawn = torch.cat([x for x, _ in generated])
    which = [4999, 3, 777, 3]
    expected = (drawn[which].clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    np.testing.assert_array_equal(rebuild.scored_samples(sweep, 1, which), expected)
    assert (expected[0] != expected[1]).any()


def test_nearest_pairs__winner(tmp_path: Path) -> None:
    made = sweeps.make(tmp_path / "s")
    sweep = results.load(made)
    assert nearest_pairs.data(sweep) == []  # its rows name none
    path = made / "trials" / "0001" / "rows.jsonl"
    more = {"closest": [[7, 4100, 0.1], [600, 2, 0.2]], "duplicates": 0.25}
    path.write_text("".join(json.dumps(json.loads(line) | more) + "\n" for line in path.read_text().splitlines()))
    (info,) = nearest_pairs.data(results.load(made))
    np.testing.assert_array_equal(info.images, rebuild.scored_samples(sweep, 1, [7, 600, 4100, 2]))
    assert (info.n_samples, info.duplicates) == (N, 0.25)
    assert "25.0% of all samples have a near-identical other" in nearest_pairs.caption([info])
    (made / "trials" / "0001" / "best.safetensors").unlink()
    assert nearest_pairs.data(results.load(made)) == []
