"""On a GPU: each model trains, agrees with the CPU, and four trials share one device. `make test-gpu`."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers.trials import small

from trainables import MODELS, TRAINABLES, Data
from trainables.data import load
from trainables.metrics import build_evaluator, load_extractor

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def digits_on(device: str) -> Data:
    images = load("digits")
    evaluator = build_evaluator(images, seed=5, every=1, rungs=())._replace(n_samples=1000)
    return Data(images.to(device), evaluator, load_extractor(evaluator, device), device)


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("name", MODELS)
def test_gpu__one_epoch_agrees_with_cpu(name: str, net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    config = small(name, net=net, epochs=1)
    rows = {device: next(TRAINABLES[name](config, digits_on(device), 0)).row for device in ("cpu", "cuda")}
    for key, value in rows["cpu"].items():
        if key.startswith(("loss", "recon_mse", "nats", "d_")):
            assert rows["cuda"][key] == pytest.approx(value, rel=2e-3, abs=1e-4), key


@pytest.mark.parametrize("name", MODELS)
def test_gpu__bf16_trains(name: str) -> None:
    row = list(TRAINABLES[name](small(name, precision="bf16"), digits_on("cuda"), 0))[-1].row
    assert row["status"] == "ok"


@pytest.mark.parametrize("name", MODELS)
def test_gpu__samples_per_second(name: str, record_property: Callable[[str, object], None]) -> None:
    """Recorded, not bounded: a timed bound would fail on a busy machine."""
    data = digits_on("cuda")._replace(evaluator=None)
    began = time.perf_counter()
    row = list(TRAINABLES[name](small(name, width=64, batch_size=128, epochs=5), data, 0))[-1].row
    torch.cuda.synchronize()
    rate = row["n_images"] / (time.perf_counter() - began)
    print(f"{name}: {rate:,.0f} images/s on {torch.cuda.get_device_name()}")
    record_property("images_per_s", rate)


def test_gpu__four_trials_share_one(tmp_path: Path) -> None:
    from gensweep import Sweep

    found = Sweep(
        "gan", trials=4, epochs=2, concurrent=4, cpus_per_trial=0.5, gpus_per_trial=0.25, scheduler="none",
        results=str(tmp_path), quiet=True,
    ).run()  # fmt: skip
    assert found.failed == 0
    assert found.trials == 4
    rows = found.frames().rows
    assert rows["epoch"].max() == 2
