"""folder:PATH: a user's images. One sub-folder for each class, in the order of their names; a folder without
sub-folders, or with one, holds images without labels. Sub-folders train, val and test are taken as the split; else
80 / 10 / 10 of each class. Images are cropped to the middle square and resized: to 28 x 28 if all are grey, to 32 x 32
in colour if one is not (by the pixels, not by the file type). Options change that, as in
`folder:PATH?size=64&color=grey&crop=none&scale=0,4095&labels=none&limit=500`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trainables.data.dataset import Dataset, Split, make, take
from trainables.data.image_files import SUFFIXES, count_others, decode_all, find_images, is_hidden
from trainables.data.source_name import N_LEAST, Source
from trainables.data.split_rows import split_rows
from trainables.errors import UserError

SPLITS = ("train", "val", "test")


def load_images(spec: Source) -> Dataset:
    """Return the data set of a folder, [1 or 3, size, size]; without labels its `classes` are empty.

    Raise UserError, which names the file or folder, if one cannot be used.
    """
    if not spec.path.is_dir():
        problem = "is not a directory" if spec.path.exists() else "does not exist"
        raise UserError(f"image folder {spec.path} {problem}")
    parts = {part: spec.path / part for part in SPLITS}
    if all(path.is_dir() for path in parts.values()):
        return _given_split(spec, parts)
    files = _find(spec.path, spec.labelled)
    if spec.limit is not None:
        share = spec.limit / sum(map(len, files.values()))
        files = {label: members[: max(N_LEAST, round(share * len(members)))] for label, members in files.items()}
    _check_counts(spec.path, files)
    paths = [path for members in files.values() for path in members]
    labels = np.repeat(np.arange(len(files)), [len(members) for members in files.values()])
    pixels, notes = decode_all(paths, spec.size, spec.color, spec.crop, spec.scale)
    groups = None if spec.groups is None else [_group(spec.groups, path) for path in paths]
    parts_rows = split_rows(spec.name, labels, list(files), groups)
    train, val, test = (take(pixels, labels, rows) for rows in parts_rows)
    if groups is not None:
        notes.append(f"{len(set(groups))} groups of images, each in one of train, val and test ({spec.groups})")
    return _made(spec, files, (train, val, test), notes)


def _group(pattern: str, path: Path) -> str:
    """Return what a pattern matches in a file's name, or its first bracket; raise UserError if it matches nothing."""
    match = re.search(pattern, path.name)
    if match is None:
        raise UserError(f"group={pattern} matches nothing in the name {path.name} ({path})")
    return match[1] if match.re.groups else match[0]


def _given_split(spec: Source, parts: Mapping[str, Path]) -> Dataset:
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
    return _made(spec, files["train"], (splits[0], splits[1], splits[2]), notes)


def _made(
    spec: Source, files: Mapping[str, Sequence[Path]], splits: tuple[Split, Split, Split], notes: list[str]
) -> Dataset:
    others = count_others(spec.path)
    if others:
        kinds = ", ".join(sorted(others))
        notes.append(f"{others.total()} files are passed over, since this kind cannot be read ({kinds})")
    classes = tuple(files) if len(files) > 1 else ()
    return make(spec.name, classes, *splits)._replace(notes=tuple(notes))


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
        if len(members) < N_LEAST:
            problem = "is empty" if not members else f"has too few images ({len(members)})"
            raise UserError(
                f"class folder {path / label} {problem}: a class needs at least {N_LEAST} ({kinds}); "
                "?labels=none takes all images without labels"
            )
