"""npz:, npy:, pt: and h5: images as arrays in a file, and `make_dataset`, which turns arrays with labels and groups
into a data set, whatever they were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.data.array_files import ArrayFile, label, open_file
from trainables.data.array_pixels import (
    as_planes,
    check_finite,
    choose_range,
    choose_store,
    to_pixels,
    why_nothing_varies,
)
from trainables.data.dataset import Dataset, Split, make, take
from trainables.data.labels import label_numbers
from trainables.data.source_name import N_LEAST, Source
from trainables.data.split_rows import Rows, first_of_each, split_rows
from trainables.errors import UserError

Values = NDArray[Any]
PARTS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}


class Part(NamedTuple):
    """Images with labels and groups, if there are any, and how messages name the images."""

    what: str
    images: Values
    labels: Values | None = None
    groups: Values | None = None


def load_images(source: Source) -> Dataset:
    """Return the data set in a file of arrays; raise UserError, which names the file and the key, if it has none."""
    file = open_file(source)
    images, labels = _images_key(file, source), _labels_key(file, source)
    notes = []
    if images and source.images is None:
        also = f", labels from {labels}" if labels else ""
        notes.append(f"images from {images} {list(file.shapes[images])}{also}; images=KEY&labels=KEY changes that")
    return make_dataset(source, _parts(file, images, labels, source.groups), (), notes)


def _images_key(file: ArrayFile, source: Source) -> str:
    if source.images is not None:
        return source.images
    like_images = [key for key, shape in file.shapes.items() if len(shape) >= 3]
    likely = _named(file, ("images",)) or like_images or list(file.shapes)
    if len(likely) == 1:
        return likely[0]
    known = ", ".join(f"{key} {list(shape)}" for key, shape in file.shapes.items())
    raise UserError(f"{file.path}: say which key holds the images, ?images=KEY (known: {known})")


def _labels_key(file: ArrayFile, source: Source) -> str | None:
    if source.labels is not None:
        return source.labels if source.labelled else None
    likely = _named(file, ("labels", "label"))
    return likely[0] if len(likely) == 1 and source.images is None else None


def _named(file: ArrayFile, names: Sequence[str]) -> list[str]:
    """Return the keys with one of some names, whatever group of an HDF5 file they are in."""
    return [key for key in file.shapes if key.rpartition("/")[2] in names]


def _parts(file: ArrayFile, images: str, labels: str | None, groups: str | None) -> dict[str, Part]:
    """Return the whole set under "", or its parts if a star in the key stands for train, val and test."""
    if "*" not in images:
        return {"": _part(file, images, labels, groups)}
    parts = {}
    for part, words in PARTS.items():
        for word in words:
            if images.replace("*", word) in file.shapes:
                keys = [None if key is None else key.replace("*", word) for key in (labels, groups)]
                parts[part] = _part(file, images.replace("*", word), *keys)
    if "train" not in parts:
        file.array(images.replace("*", "train"))  # raises
    return parts


def _part(file: ArrayFile, images: str, labels: str | None, groups: str | None) -> Part:
    side = [None if key is None else file.array(key) for key in (labels, groups)]
    part = Part(label(file, images), file.array(images), *side)
    for what, key, array in (("labels", labels, part.labels), ("groups", groups, part.groups)):
        if array is not None and len(np.atleast_1d(array)) != len(part.images):
            raise UserError(
                f"{label(file, key or '')} has {len(np.atleast_1d(array))} {what}, and {images or 'the array'} "
                f"{len(part.images)} images"
            )
    return part


def make_dataset(source: Source, parts: Mapping[str, Part], names: Sequence[str], notes: Sequence[str]) -> Dataset:
    """Return the data set of arrays: one part under "" that is divided 80 / 10 / 10, or train and perhaps val and test.

    A missing val or test is a tenth of train. `names` are the names of the classes, if labels are indices into them.
    Raise UserError if the images cannot be used, or are too few.
    """
    planes = {part: as_planes(images.what, images.images, source.axes) for part, images in parts.items()}
    for part, images in parts.items():
        check_finite(images.what, planes[part])
        if planes[part].shape[1:] != next(iter(planes.values())).shape[1:]:
            raise UserError(f"{images.what} has images of another shape than {next(iter(parts.values())).what}")
    first = next(iter(parts))
    classes, numbers = label_numbers(parts, names)
    rows = first_of_each(numbers[first], source.limit)
    planes[first], numbers[first] = planes[first][rows], numbers[first][rows]
    _check_counts(parts[first].what, numbers[first], classes)
    values = choose_range(list(planes.values()), source.scale)
    store = choose_store(list(planes.values()), values, source)
    pixels = {part: to_pixels(images, values, store, source) for part, images in planes.items()}
    if why := why_nothing_varies(pixels[first]):
        raise UserError(f"{parts[first].what}: the {len(pixels[first])} images hold nothing to learn: {why}")
    groups = parts[first].groups
    splits = _splits(source.name, pixels, numbers, classes, None if groups is None else groups[rows])
    for name, split in zip(PARTS, splits, strict=True):
        missing = sorted(set(range(len(classes))) - set(np.asarray(split.labels).tolist()))
        if classes and missing:
            raise UserError(f"{source.name}: {name} has no image of class {classes[missing[0]]}; labels=none")
    every = [*notes, *([values.note] if values.note else [])]
    if groups is not None:
        n = len(np.unique(groups[rows]))
        every.append(f"{n} groups of images, each in one of train, val and test")
    return make(source.name, classes, *splits)._replace(notes=tuple(every))


def _splits(
    name: str,
    pixels: Mapping[str, Values],
    labels: Mapping[str, Rows],
    classes: Sequence[str],
    groups: Values | None,
) -> tuple[Split, Split, Split]:
    first = next(iter(pixels))
    whole = {part: Split(pixels[part], labels[part]) for part in pixels}
    if len(whole) == 3:
        return whole["train"], whole["val"], whole["test"]
    names = None if groups is None else [str(group) for group in groups.reshape(len(groups), -1)[:, 0]]
    train, val, test = (
        take(pixels[first], labels[first], rows) for rows in split_rows(name, labels[first], classes, names)
    )
    if len(whole) == 1:
        return train, val, test
    # the tenth for the part that the user has is given back to train
    spare, wanted = (val, "val") if "val" in whole else (test, "test")
    back = Split(
        np.concatenate([np.asarray(train.pixels), np.asarray(spare.pixels)]),
        np.concatenate([np.asarray(train.labels), np.asarray(spare.labels)]),
    )
    return (back, whole[wanted], test) if wanted == "val" else (back, val, whole[wanted])


def _check_counts(what: str, labels: Rows, classes: Sequence[str]) -> None:
    if len(labels) < N_LEAST:
        raise UserError(f"{what} has {len(labels)} images: at least {N_LEAST} are needed")
    if classes:
        counts = np.bincount(labels, minlength=len(classes))
        k = int(counts.argmin())
        if counts[k] < N_LEAST:
            raise UserError(
                f"{what}: class {classes[k]} has too few images ({counts[k]}): a class needs at least {N_LEAST}; "
                "labels=none takes all images without labels"
            )
