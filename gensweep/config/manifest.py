"""What sweep.json holds, and in what two sweeps may not differ."""

from typing import Any

Sheet = dict[str, Any]  # sweep.json
FORMAT = 1
IDENTITY = (
    "model",
    "dataset",
    "data",
    "space",
    "defaults",
    "points",
    "objective",
    "objectives",
    "constraints",
    "trials",
    "epochs",
    "seed",
    "sampler",
    "scheduler",
    "grace",
    "reduction_factor",
    "precision",
    "alarm",
    "every",
    "train_images",
    "storage",
    "stamp",
)


def differences(old: Sheet, new: Sheet) -> list[str]:
    """The settings in which two sweeps differ, as `name: old, now new`."""
    found = []
    for key in IDENTITY:
        was, now = old[key], new[key]
        if was == now or (key == "stamp" and now is None):  # the judge is made later
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            parts = [part for part in {**was, **now} if was.get(part) != now.get(part)]
            found.append(f"{key} ({', '.join(parts)})")
        else:
            found.append(f"{key} was {was}, now {now}")
    return found
