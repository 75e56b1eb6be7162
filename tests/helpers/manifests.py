"""A manifest of a small sweep, for tests that need one without resolving options."""

from typing import Any

from analysis.read.manifest import DatasetInfo, SweepManifest
from trainables.objective import Goal, Objective

FID = Objective("fid", "min")
SMALL = SweepManifest(
    name="s",
    command=["gensweep", "run", "vae"],
    user_model=None,
    model="vae",
    dataset="digits",
    data_dir=None,
    data=DatasetInfo([str(digit) for digit in range(10)], (1, 8, 8), 1257, 180, 360, "none"),
    space={},
    set={},
    defaults={},
    goal=Goal(FID, (FID,)),
    trials=4,
    epochs=5,
    seed=0,
    sampler="tpe",
    scheduler="asha",
    grace=1,
    reduction_factor=3,
    concurrent=2,
    cpus_per_trial=1,
    gpus_per_trial=0,
    precision="fp32",
    alarm=True,
    also=[],
    every=None,
    train_images=None,
    extractor=None,
    max_failures=3,
    keep_checkpoints=None,
    trial_timeout_s=None,
    time_budget_s=None,
    storage=None,
    study="s",
    points=[],
    stamp={"extractor": "digits-abc", "n_samples": 5000, "n_reference": 1437, "reference": "train+val"},
    versions={"gensweep": "0.1.0", "python": "3.11", "torch": "2", "ray": "2", "optuna": "5"},
    commit=None,
    dirty=False,
    created="2026-01-02T03:04:05Z",
)


def small_manifest(**changes: Any) -> SweepManifest:
    return SMALL._replace(**changes)
