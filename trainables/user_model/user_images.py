"""What a user's `data(root)` returns: `gs.images(images, labels)`, arrays that gensweep splits and shows."""

from __future__ import annotations

from typing import Any, NamedTuple


class UserImages(NamedTuple):
    """Arrays by part: the whole set under "", or train and perhaps val and test. A part is (images, labels, groups)."""

    parts: dict[str, tuple[Any, Any, Any]]


def images(images: Any, labels: Any = None, groups: Any = None, *, val: Any = None, test: Any = None) -> UserImages:
    """Return images for gensweep: arrays or tensors [N, H, W], [N, C, H, W] or [N, H, W, C], of any type of numbers.

    `labels` [N] are whole numbers or texts. Images with the same of `groups` [N] stay in one split. With `val` or
    `test` the first array is train; each may be a pair of images and labels.
    """
    if val is None and test is None:
        return UserImages({"": (images, labels, groups)})
    parts = {"train": images if isinstance(images, tuple) else (images, labels), "val": val, "test": test}
    pairs = {part: value if isinstance(value, tuple) else (value, None) for part, value in parts.items()}
    return UserImages(
        {part: (*pair[:2], groups if part == "train" else None) for part, pair in pairs.items() if pair[0] is not None}
    )
