"""Compare two manifests: in what two sweeps of one name may not differ."""

from analysis.read.manifest import SweepManifest

IDENTITY = (
    "model",
    "user_model",
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
    "also",
    "every",
    "train_images",
    "extractor",
    "storage",
    "stamp",
)


def differences(old: SweepManifest, new: SweepManifest) -> list[str]:
    """Return the settings in which two sweeps differ, each as `name was ..., now ...`."""
    old_json, new_json = old.to_json(), new.to_json()
    lines = []
    for key in IDENTITY:
        was, now = old_json[key], new_json[key]
        if was == now or (key == "stamp" and not now):  # the evaluator is made later
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            parts = [part for part in {**was, **now} if was.get(part) != now.get(part)]
            lines.append(f"{key} ({', '.join(parts)})")
        else:
            lines.append(f"{key} was {was}, now {now}")
    return lines
