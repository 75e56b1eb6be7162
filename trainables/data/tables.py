"""hf:PATH: images in tables, as Hugging Face's `datasets` writes them: a folder of `save_to_disk`, a parquet file, or a
folder of these. Nothing is downloaded, and `datasets` is not needed: the files are read by pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainables.data.arrays import PARTS, Part, make_dataset
from trainables.data.dataset import Dataset
from trainables.data.image_files import Encoded
from trainables.data.pack_images import decode_all
from trainables.data.source_name import Source
from trainables.errors import UserError, did_you_mean

IMAGES, LABELS = ("image", "img", "images", "pixel_values"), ("label", "labels", "fine_label")
WORDS = {word: part for part, words in PARTS.items() for word in words}


def load_images(source: Source) -> Dataset:
    """Return the data set of tables; raise UserError, which names the file or column, if it cannot be used."""
    if not source.path.exists():
        raise UserError(f"{source.path} does not exist")
    tables = {part: _read(files) for part, files in _files(source.path).items()}
    first = next(iter(tables.values()))
    image = _column(source, first, source.images, IMAGES)
    if image is None:
        raise UserError(f"{source.path}: say which column holds the images, ?image=COLUMN (known: {_listed(first)})")
    label = _column(source, first, source.labels, LABELS) if source.labelled else None
    groups = None if source.groups is None else _column(source, first, source.groups, ())
    also = f", labels from {label}" if label else ""
    notes = [] if source.images else [f"images from {image}{also}; image=COLUMN&label=COLUMN changes that"]
    images, decoding = _images(source, {part: table[image] for part, table in tables.items()})
    parts = {
        part: Part(
            f"{source.path}: {part + ' ' if part else ''}{image}",
            images[part],
            None if label is None else _values(source, table, label),
            None if groups is None else _values(source, table, groups),
        )
        for part, table in tables.items()
    }
    names = _class_names(first, label)
    plain = source._replace(size=None, color=None, axes="nchw") if decoding is not None else source
    return make_dataset(plain, parts, names, [*notes, *(decoding or ())])


def _files(path: Path) -> dict[str, list[Path]]:
    """Return the files of each part; under "" if the set has no parts."""
    if path.is_file():
        return {"": [path]}
    if (path / "state.json").is_file():
        return {"": sorted(path.glob("*.arrow"))}
    files = sorted([*path.rglob("*.parquet"), *path.rglob("*.arrow")])
    files = [file for file in files if not file.name.startswith(("cache-", "."))]
    if not files:
        raise UserError(f"{path} holds no table: *.parquet, or a folder that save_to_disk wrote")
    parts: dict[str, list[Path]] = {}
    for file in files:
        words = [*file.relative_to(path).parts[:-1], file.name.replace(".", "-").split("-")[0]]
        parts.setdefault(next((WORDS[word] for word in words if word in WORDS), ""), []).append(file)
    if "train" in parts and "" not in parts:
        return {part: parts[part] for part in PARTS if part in parts}
    return {"": files}


def _read(files: Sequence[Path]) -> Any:
    """Return the rows of some files as one table."""
    tables = []
    for file in files:
        try:
            if file.suffix == ".arrow":
                with pa.memory_map(str(file)) as mapped:
                    tables.append(pa.ipc.open_stream(mapped).read_all())
            else:
                tables.append(pq.ParquetFile(file).read())
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{file} is not readable as a table, parquet or of save_to_disk: {reason}") from error
    return pa.concat_tables(tables, promote_options="default") if len(tables) > 1 else tables[0]


def _listed(table: Any) -> str:
    return ", ".join(table.column_names)


def _column(source: Source, table: Any, typed: str | None, usual: Sequence[str]) -> str | None:
    """Return the column that the user named, else the only usual one; None if there is none."""
    if typed is None:
        usual = [name for name in usual if name in table.column_names]
        return usual[0] if usual else None
    if typed not in table.column_names:
        raise UserError(f"{source.path}: {did_you_mean('column', typed, table.column_names)}")
    return typed


def _values(source: Source, table: Any, column: str) -> np.ndarray[Any, Any]:
    """Return a column of numbers or texts as an array."""
    values = table[column].to_pylist()
    if any(value is None for value in values):
        raise UserError(f"{source.path}: {column} is empty in row {values.index(None)}")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise UserError(f"{source.path}: the rows of {column} have different shapes") from error
    if array.dtype.hasobject:
        raise UserError(f"{source.path}: {column} holds {table[column].type}, and not numbers or texts")
    return array


def _images(source: Source, columns: dict[str, Any]) -> tuple[dict[str, np.ndarray[Any, Any]], tuple[str, ...] | None]:
    """Return the images of each part, and notes on decoding; None instead of notes if they are arrays already."""
    kind = next(iter(columns.values())).type
    is_encoded = pa.types.is_struct(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    if not is_encoded:
        if not pa.types.is_list(kind) and not isinstance(kind, pa.BaseExtensionType):
            raise UserError(f"{source.path}: the column of images holds {kind}, and not images or arrays")
        return {part: _values(source, pa.table({"images": column}), "images") for part, column in columns.items()}, None
    encoded = {part: list(_encoded(source, column)) for part, column in columns.items()}
    every = [image for images in encoded.values() for image in images]
    if not every:
        raise UserError(f"{source.path} has no rows")
    pixels, notes = decode_all(
        every, source.size, source.color, source.crop, source.scale, lambda _, shape, kind: np.zeros(shape, kind)
    )
    parts, first = {}, 0
    for part, images in encoded.items():
        parts[part] = pixels[first : first + len(images)]
        first += len(images)
    return parts, notes


def _encoded(source: Source, column: Any) -> Iterator[Encoded]:
    for row, value in enumerate(column.to_pylist()):
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            path = value.get("path") if isinstance(value, dict) else None
            problem = f"is a path, {path}, without the file's bytes" if path else "is empty"
            raise UserError(f"{source.path}: image {row} {problem}")
        yield Encoded(str(source.path), row, content)


def _class_names(table: Any, label: str | None) -> Sequence[str]:
    """Return the names of the classes that `datasets` keeps in the schema; none if there are none."""
    try:
        about = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
        names = about["info"]["features"][label]["names"]
        return [str(name) for name in names]
    except (ValueError, KeyError, TypeError):
        return ()
