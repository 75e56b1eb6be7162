"""folder:PATH: a user's images. One sub-folder for each class, in the order of their names; a folder without
sub-folders, or with one, holds images without labels. Sub-folders train, val and test are taken as the split; else
80 / 10 / 10 of each class. Images are cropped to the middle square and resized: to 28 x 28 if all are grey, to 32 x 32
in colour if one is not (by the pixels, not by the file type). Options change that, as in
`folder:PATH?size=64&color=grey&crop=none&scale=0,4095&labels=none&limit=500`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

import numpy as np

from trainables.data.dataset import Dataset, Split, make, stratified, take
from trainables.data.image_files import SUFFIXES, Scale, count_others, decode_all, find_images, is_hidden
from trainables.errors import UserError, unknown

N_CLASS_LEAST = 10  # so that val and test hold an image of each class
N_LEAST = 10  # images without labels
SIZE_LEAST, SIZE_MOST = 4, 512
SPLITS = ("train", "val", "test")
KNOWN = {
    "size": f"a whole number from {SIZE_LEAST} to {SIZE_MOST}",
    "color": "grey or rgb",
    "crop": "centre or none",
    "scale": "minmax, percentile:0.1,99.9 or two values such as 0,4095",
    "labels": "none",
    "limit": "a whole number of at least 10",
}


class Spec(NamedTuple):
    """The parts of a name like `folder:PATH?size=32&color=grey`; None: the images decide."""

    path: Path
    size: int | None
    color: str | None
    crop: str = "centre"
    scale: Scale = Scale()
    labelled: bool = True
    limit: int | None = None


def folder(name: str) -> Dataset:
    """Return the data set `name`, [1 or 3, size, size]; without labels its `classes` are empty.

    Raise UserError, which names the file or folder, if one cannot be used.
    """
    spec = parse(name)
    if not spec.path.is_dir():
        problem = "is not a directory" if spec.path.exists() else "does not exist"
        raise UserError(f"image folder {spec.path} {problem}")
    parts = {part: spec.path / part for part in SPLITS}
    if all(path.is_dir() for path in parts.values()):
        return _given_split(name, spec, parts)
    files = _find(spec.path, spec.labelled)
    if spec.limit is not None:
        share = spec.limit / sum(map(len, files.values()))
        files = {label: members[: max(N_CLASS_LEAST, round(share * len(members)))] for label, members in files.items()}
    _check_counts(spec.path, files)
    paths = [path for members in files.values() for path in members]
    labels = np.repeat(np.arange(len(files)), [len(members) for members in files.values()])
    pixels, notes = decode_all(paths, spec.size, spec.color, spec.crop, spec.scale)
    tenth = -(-len(labels) // 10)  # rounded up, so that a class of ten has one in each
    test, val, train = (take(pixels, labels, rows) for rows in stratified(labels, tenth, tenth))
    return _made(name, spec, files, (train, val, test), notes)


def _given_split(name: str, spec: Spec, parts: Mapping[str, Path]) -> Dataset:
    """Return a data set whose three parts are three folders, with the same classes in each."""
    files = {part: _find(path, spec.labelled) for part, path in parts.items()}
    classes = list(files["train"])
    for part, members in files.items():
        if list(members) != classes:
            raise UserError(f"{parts[part]} has the classes {', '.join(members)}, and train {', '.join(classes)}")
        for label, images in members.items():
            if not images:
                raise UserError(f"image folder {parts[part] / label if label else parts[part]} is empty")
    every = [path for members in files.values() for images in members.values() for path in images]
    pixels, notes = decode_all(every, spec.size, spec.color, spec.crop, spec.scale)
    splits: list[Split] = []
    for members in files.values():
        labels = np.repeat(np.arange(len(classes)), [len(images) for images in members.values()])
        first = sum(len(split) for split in splits)
        splits.append(Split(pixels[first : first + len(labels)], labels))
    return _made(name, spec, files["train"], (splits[0], splits[1], splits[2]), notes)


def _made(
    name: str, spec: Spec, files: Mapping[str, Sequence[Path]], splits: tuple[Split, Split, Split], notes: list[str]
) -> Dataset:
    others = count_others(spec.path)
    if others:
        kinds = ", ".join(sorted(others))
        notes.append(f"{others.total()} files are passed over, since this kind cannot be read ({kinds})")
    classes = tuple(files) if len(files) > 1 else ()
    return make(name, classes, *splits)._replace(notes=tuple(notes))


def parse(name: str) -> Spec:
    """Parse `folder:PATH[?key=value[&key=value]]`; raise UserError if it is malformed."""
    text, _, query = name.removeprefix("folder:").partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    for key in options:
        if key not in KNOWN:
            raise unknown("folder option", key, KNOWN)
    if not text:
        raise UserError(f"{name}: no path given: write folder:PATH, the folder that holds one folder a class")
    size, limit = options.get("size"), options.get("limit")
    checks = {
        "size": size is None or (size.isdecimal() and SIZE_LEAST <= int(size) <= SIZE_MOST),
        "color": options.get("color") in (None, "grey", "rgb"),
        "crop": options.get("crop") in (None, "centre", "none"),
        "scale": "scale" not in options or _scale(options["scale"]) is not None,
        "labels": options.get("labels") in (None, "none"),
        "limit": limit is None or (limit.isdecimal() and int(limit) >= N_LEAST),
    }
    for key, is_valid in checks.items():
        if not is_valid:
            raise UserError(f"{name}: {key}={options[key]} should be {KNOWN[key]}")
    return Spec(
        Path(text).expanduser(),
        None if size is None else int(size),
        options.get("color"),
        options.get("crop", "centre"),
        _scale(options.get("scale", "auto")) or Scale(),
        "labels" not in options,
        None if limit is None else int(limit),
    )


def _scale(text: str) -> Scale | None:
    """Return `minmax`, `percentile:0.1,99.9` or `0,4095` as a Scale; None if it is none of these."""
    if text in ("auto", "minmax"):
        return Scale(text)
    kind, colon, ends = text.rpartition(":")
    try:
        low, high = map(float, ends.split(","))
    except ValueError:
        return None
    if not low < high or (colon and (kind != "percentile" or low < 0 or high > 100)):
        return None
    return Scale("percentile" if colon else "values", low, high)


def _find(path: Path, labelled: bool) -> dict[str, list[Path]]:
    """Return the image files of each class; all of them under "" if they have no labels."""
    entries = sorted(entry for entry in path.iterdir() if entry.is_dir() and not is_hidden(entry.name))
    if not labelled or len(entries) < 2:
        return {"": list(find_images(path))}
    return {entry.name: list(find_images(entry)) for entry in entries}


def _check_counts(path: Path, files: Mapping[str, Sequence[Path]]) -> None:
    kinds = " ".join(sorted(SUFFIXES))
    if "" in files and len(files[""]) < N_LEAST:
        raise UserError(f"image folder {path} has {len(files[''])} images: at least {N_LEAST} are needed ({kinds})")
    for label, members in files.items():
        if len(members) < N_CLASS_LEAST:
            problem = "is empty" if not members else f"has too few images ({len(members)})"
            raise UserError(
                f"class folder {path / label} {problem}: a class needs at least {N_CLASS_LEAST} ({kinds}); "
                "?labels=none takes all images without labels"
            )
