"""The plan of a sweep: real times of real steps, and the sweep played through with the real scheduler."""

import statistics
from pathlib import Path
from typing import Any

import pytest
from helpers.trials import digits, small

from gensweep.cli.main import main
from gensweep.config.options import Options
from gensweep.config.resolve import make_manifest
from gensweep.sweep.evaluation import evaluation_schedule
from gensweep.sweep.simulate import BETWEEN_TRIALS_S, ProbedConfig, simulate_sweep
from trainables import MODELS
from trainables.engine.estimate import Seconds, measure_seconds

START_S = 8.0


def played(kinds: list[ProbedConfig], slots: int, seed: int = 0, **options: Any) -> Any:
    manifest = make_manifest(Options("vae", **options), ["gensweep"])
    evaluator = digits().evaluator
    assert evaluator is not None
    return simulate_sweep(manifest, evaluator._replace(**evaluation_schedule(manifest)), kinds, slots, START_S, seed)


def test_plan__without_scheduler_time_is_a_sum() -> None:
    kinds = [ProbedConfig(10, Seconds(2.0, 1.0, 3.0))] * 2
    each = 10 * 2.0 + 9 * 1.0 + 3.0  # every epoch of ten is evaluated
    one = played(kinds, 1, trials=4, scheduler="none")
    assert one.wall_s == pytest.approx(START_S + 4 * each + 3 * BETWEEN_TRIALS_S)
    assert (one.reached[1], one.reached[-1]) == (4, 4)
    assert played(kinds, 2, trials=4, scheduler="none").wall_s == pytest.approx(START_S + 2 * each + BETWEEN_TRIALS_S)
    assert played(kinds, 8, trials=4, scheduler="none").wall_s == pytest.approx(START_S + each)


@pytest.mark.long
def test_plan__asha_passes_one_of_three() -> None:
    kinds = [ProbedConfig(9, Seconds(1.0, 0.0, 0.0))] * 2
    plays = [played(kinds, 1, seed, trials=200, epochs=9) for seed in range(20)]
    assert {one.reached[1] for one in plays} == {200}
    assert 0.95 * 200 / 3 < statistics.mean(one.reached[3] for one in plays) < 1.2 * 200 / 3  # the first meet a low bar
    assert 0.95 * 200 / 9 < statistics.mean(one.reached[-1] for one in plays) < 1.5 * 200 / 9
    assert all(START_S + 200 < one.wall_s < START_S + 200 * 9 for one in plays)


def test_plan__costs_are_measured() -> None:
    found = measure_seconds(MODELS["vae"], small("vae"), digits(), 0, 0.1)
    assert 0 < found.epoch_s < 60
    assert 0 < found.evaluation_s < 120
    assert 0 < found.last_s < 120


@pytest.mark.slow
def test_plan__short_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "vae", "--trials", "9", "--price-per-hour", "3", "--set", "width=16", "--epochs", "9"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["vae", "trials", "updates", "time", "(an", "disk", "price", "next:"]
    assert lines[1].startswith("  trials   epoch 1: 9, epoch 3: ")
    assert lines[-1] == "next: gensweep run vae --trials 9 --set width=16 --epochs 9"
    assert list(tmp_path.iterdir()) == []


def test_plan__bad_price(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "vae", "--price-per-hour", "-1"]) == 2
    assert capsys.readouterr().err == "gensweep: price-per-hour -1: 0 or more is needed\n"
