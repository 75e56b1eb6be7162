"""folder:PATH: a user's images. One sub-folder for each class, in the order of their names; a folder without
sub-folders, or with one, holds images without labels. Sub-folders train, val and test are taken as the split; else
80 / 10 / 10 of each class. Images are cropped to the middle square and resized: to 28 x 28 if all are grey, to 32 x 32
in colour if one is not (by the pixels, not by the file type). Options change that, as in
`folder:PATH?size=64&color=grey&crop=none&scale=0,4095&labels=none&limit=500`."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import Dataset
from trainables.data.image_cache import Allocate, Packed, key_of, load_packed
from trainables.data.list_images import SUFFIXES, ImageFile, class_folders, list_images
from trainables.data.pack_images import decode_all
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
    files, others = _find(spec.path, spec.labelled)
    if spec.limit is not None:
        share = spec.limit / sum(map(len, files.values()))
        files = {label: members[: max(N_LEAST, round(share * len(members)))] for label, members in files.items()}
    _check_counts(spec.path, files)
    every = [file for members in files.values() for file in members]
    labels = np.repeat(np.arange(len(files)), [len(members) for members in files.values()])
    groups = None if spec.groups is None else [_group(spec.groups, Path(file.path)) for file in every]
    train, val, test = split_rows(spec.name, labels, list(files), groups)
    order = np.concatenate([train, val, test])
    data = _packed(spec, list(files), [every[i] for i in order], labels[order], (len(train), len(val)))
    notes = [*data.notes, *_others_note(others)]
    if groups is not None:
        notes.append(f"{len(set(groups))} groups of images, each in one of train, val and test ({spec.groups})")
    return data._replace(notes=tuple(notes))


def _group(pattern: str, path: Path) -> str:
    """Return what a pattern matches in a file's name, or its first bracket; raise UserError if it matches nothing."""
    match = re.search(pattern, path.name)
    if match is None:
        raise UserError(f"group={pattern} matches nothing in the name {path.name} ({path})")
    return match[1] if match.re.groups else match[0]


def _given_split(spec: Source, parts: Mapping[str, Path]) -> Dataset:
    """Return a data set whose three parts are three folders, with the same classes in each."""
    listed = {part: _find(path, spec.labelled) for part, path in parts.items()}
    files = {part: members for part, (members, _) in listed.items()}
    classes = list(files["train"])
    for part, members in files.items():
        if list(members) != classes:
            raise UserError(f"{parts[part]} has the classes {', '.join(members)}, and train {', '.join(classes)}")
        for label, images in members.items():
            if not images:
                raise UserError(f"image folder {parts[part] / label if label else parts[part]} is empty")
    every = [file for members in files.values() for images in members.values() for file in images]
    counts = [[len(images) for images in members.values()] for members in files.values()]
    labels = np.concatenate([np.repeat(np.arange(len(classes)), n) for n in counts])
    data = _packed(spec, classes, every, labels, (sum(counts[0]), sum(counts[1])))
    others = sum((others for _, others in listed.values()), Counter[str]())
    return data._replace(notes=(*data.notes, *_others_note(others)))


def _packed(
    spec: Source,
    folders: Sequence[str],
    files: Sequence[ImageFile],
    labels: NDArray[np.int64],
    counts: tuple[int, int],
) -> Dataset:
    """Return the data set of files in the order train, val, test, of which `counts` are in train and val.

    It comes from the cache; if it is not there, the files are decoded.
    """
    classes = tuple(folders) if len(folders) > 1 else ()
    sizes = (*counts, len(files) - sum(counts))
    key = key_of(spec.path, files, (spec._replace(name="", path=Path()), classes, sizes))

    def build(allocate: Allocate) -> Packed:
        paths = [file.path for file in files]
        pixels, notes = decode_all(paths, spec.size, spec.color, spec.crop, spec.scale, allocate)
        return Packed(pixels, labels, sizes, classes, notes)

    return load_packed(spec.name, key, build)


def _others_note(others: Counter[str]) -> tuple[str, ...]:
    """Return a note on images of kinds that cannot be read, if there are any."""
    kinds = ", ".join(sorted(others))
    return (f"{others.total()} files are passed over, since this kind cannot be read ({kinds})",) if others else ()


def _find(path: Path, labelled: bool) -> tuple[dict[str, list[ImageFile]], Counter[str]]:
    """Return the image files of each class, all under "" if they have no labels; and how many cannot be read."""
    entries = class_folders(path) if labelled else []
    if len(entries) < 2:
        images, others = list_images(path)
        return {"": images}, others
    listed = {entry.name: list_images(entry) for entry in entries}
    return {label: images for label, (images, _) in listed.items()}, sum((n for _, n in listed.values()), Counter())


def _check_counts(path: Path, files: Mapping[str, Sequence[ImageFile]]) -> None:
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
