"""hf:: folders of save_to_disk and parquet files, as Hugging Face's `datasets` lays them out."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from trainables.data import load
from trainables.errors import UserError

N = 60


def png(k: int, mode: str = "L") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (40, 30), 4 * k if mode == "L" else (4 * k, 0, 0)).save(stream, "png")
    return stream.getvalue()


def table(n: int = N, mode: str = "L", **columns: Any) -> pa.Table:
    """Return a table of images as `datasets` encodes them, with labels whose names are in the schema."""
    features = {"label": {"names": ["cat", "dog", "eel"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    images = [{"bytes": png(k, mode), "path": None} for k in range(n)]
    rows = pa.table({"image": images, "label": np.arange(n) % 3, **columns})
    return rows.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def save_to_disk(folder: Path, rows: pa.Table) -> Path:
    """Write a table as `Dataset.save_to_disk` does: files of Arrow's stream format, and state.json."""
    folder.mkdir(parents=True)
    for i, part in enumerate((rows[: len(rows) // 2], rows[len(rows) // 2 :])):
        with pa.ipc.new_stream(str(folder / f"data-{i:05}-of-00002.arrow"), rows.schema) as stream:
            stream.write_table(part)
    (folder / "state.json").write_text("{}")
    return folder


def test_hf_tables__parquet(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "set.parquet")
    data = load(f"hf:{tmp_path / 'set.parquet'}")
    assert (data.shape, data.classes) == ((1, 28, 28), ("cat", "dog", "eel"))
    assert [len(split) for split in (data.train, data.val, data.test)] == [48, 6, 6]
    assert data.notes == ("images from image, labels from label; image=COLUMN&label=COLUMN changes that",)
    pairs = zip(np.asarray(data.train.pixels)[:, 0, 14, 14], np.asarray(data.train.labels), strict=True)
    assert all(value // 4 % 3 == label for value, label in pairs)


def test_hf_tables__save_to_disk(tmp_path: Path) -> None:
    name = f"hf:{save_to_disk(tmp_path / 'set', table(mode='RGB'))}"
    assert load(name).shape == (3, 32, 32)
    data = load(f"{name}?size=16&color=grey&labels=none&limit=30&image=image")
    assert (data.shape, data.classes, len(data.train)) == ((1, 16, 16), (), 24)


def test_hf_tables__parts(tmp_path: Path) -> None:
    for part, n in {"train": 60, "test": 30}.items():
        save_to_disk(tmp_path / "disk" / part, table(n))
        (tmp_path / "data").mkdir(exist_ok=True)
        pq.write_table(table(n), tmp_path / "data" / f"{part}-00000-of-00001.parquet")
    (tmp_path / "disk" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    for folder in ("disk", "data"):
        data = load(f"hf:{tmp_path / folder}")
        assert [len(split) for split in (data.train, data.val, data.test)] == [54, 6, 30]


def test_hf_tables__arrays_bytes_and_groups(tmp_path: Path) -> None:
    arrays = (np.arange(N * 64).reshape(N, 8, 8) % 251).tolist()
    patients = [f"p{k // 3}" for k in range(N)]
    pq.write_table(table(x=arrays, raw=[png(k) for k in range(N)], patient=patients), tmp_path / "set.parquet")
    name = f"hf:{tmp_path / 'set.parquet'}"
    assert load(f"{name}?image=x").shape == (1, 8, 8)
    assert load(f"{name}?image=raw&label=patient&labels=none").classes == ()
    grouped = load(f"{name}?groups=patient")
    values = [set(np.asarray(split.pixels)[:, 0, 0, 0] // 12) for split in (grouped.train, grouped.val, grouped.test)]
    assert not values[0] & values[1] | values[0] & values[2] | values[1] & values[2]


def test_hf_tables__bad_tables(tmp_path: Path) -> None:
    path, damaged = tmp_path / "set.parquet", [{"bytes": b"no image", "path": None}] * N
    rows = table(text=["a"] * N, bad=damaged, paths=[{"bytes": None, "path": "a.png"}] * N, gaps=[None, *range(1, N)])
    pq.write_table(rows, path)
    pq.write_table(table(5), tmp_path / "few.parquet")
    pq.write_table(rows.select(["text"]), tmp_path / "bare.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and nothing")
    (tmp_path / "folder").mkdir()
    cases = {
        "nowhere": "nowhere does not exist",
        "folder": "holds no table: ",
        "torn.parquet": r"torn\.parquet is not readable as a table",
        "few.parquet": "has 5 images: at least 10 are needed",
        "bare.parquet": r"say which column holds the images, \?image=COLUMN \(known: text\)",
        "set.parquet?image=imag": "unknown column 'imag': did you mean 'image'",
        "set.parquet?label=labl": "unknown column 'labl': did you mean 'label'",
        "set.parquet?image=text": "the column of images holds string, and not images or arrays",
        "set.parquet?image=bad": r"set\.parquet: image 0 is not a readable image",
        "set.parquet?image=paths": r"image 0 is a path, a\.png, without the file's bytes",
        "set.parquet?label=gaps": "gaps is empty in row 0",
        "set.parquet?images=image": "unknown hf option 'images': did you mean 'image'",
    }
    for name, says in cases.items():
        with pytest.raises(UserError, match=says) as error:
            load(f"hf:{tmp_path}/{name}")
        assert "\n" not in str(error.value)
