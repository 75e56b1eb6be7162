"""Compare the state_dict of a file with the one that a net needs."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def differences(needed: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> str:
    """Return in words how the keys and shapes of a state_dict differ from those that a net needs."""
    lacking = [key for key in needed if key not in present and not key.endswith("num_batches_tracked")]
    unknown_keys = [key for key in present if key not in needed]
    shapes = [key for key in needed if key in present and needed[key].shape != present[key].shape]
    for keys, text in ((lacking, "it lacks"), (unknown_keys, "the net has no"), (shapes, "another shape has")):
        if keys:
            others = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            return f"{text} {keys[0]}{others}"
    return ""
