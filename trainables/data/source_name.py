"""Names of data sets that are files of the user's: `KIND:PATH[?option=value[&option=value]]`, as in
`folder:photos?size=64&color=grey` or `npz:cells.npz?images=x&labels=y`. This file parses them; it reads no file and
loads no library, so that a typing error is reported at once."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from trainables.errors import UserError, unknown

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset

SIZE_LEAST, SIZE_MOST = 4, 512
N_LEAST = 10  # images of a set without labels, and of a class: so that val and test hold one of each


class Scale(NamedTuple):
    """Which values of images with more than 8 bits become black and white."""

    kind: str = "auto"  # auto, minmax, percentile or values
    low: float = 0.0
    high: float = 0.0


class Source(NamedTuple):
    """The parts of a name like `folder:PATH?size=32&color=grey`; None or "": the images decide."""

    name: str
    kind: str
    path: Path
    size: int | None = None
    color: str | None = None
    crop: str = "centre"
    scale: Scale = Scale()
    labels: str | None = None  # a key or column of the file, or none
    limit: int | None = None
    images: str | None = None  # a key or column of the file
    groups: str | None = None  # a key or column of the file; of a folder, a regular expression for file names
    axes: str | None = None
    store: str | None = None

    @property
    def labelled(self) -> bool:
        """Whether labels are used if there are any."""
        return self.labels != "none"


class Kind(NamedTuple):
    """A kind of source: the file of this package that loads it, what PATH is, and its options besides `COMMON`."""

    file: str
    path: str
    options: dict[str, str]  # option -> what it should be


COMMON = {
    "size": f"a whole number from {SIZE_LEAST} to {SIZE_MOST}",
    "color": "grey or rgb",
    "crop": "centre or none",
    "scale": "minmax, percentile:0.1,99.9 or two values such as 0,4095",
    "labels": "none",
    "limit": f"a whole number of at least {N_LEAST}",
}
FOLDER = {"group": "a regular expression, which finds in a file's name what belongs together"}
KEYS = {"images": "a key of the file", "labels": "a key of the file, or none", "groups": "a key of the file"}
AXES = {"axes": "nchw or nhwc", "store": "uint8 or uint16 or float32"}
COLUMNS = {"image": "a column", "label": "a column", "labels": "none", "groups": "a column"}
KINDS = {
    "folder": Kind("folder", "the folder that holds one folder a class", FOLDER),
    "npz": Kind("arrays", "a file of np.savez", {**KEYS, **AXES}),
    "npy": Kind("arrays", "a file of np.save", AXES),
    "pt": Kind("arrays", "a file of torch.save", {**KEYS, **AXES}),
    "hf": Kind("tables", "a folder of save_to_disk, or parquet files", COLUMNS),
    "h5": Kind("arrays", "an HDF5 file", {**KEYS, **AXES}),
}
ALIASES = {"image": "images", "label": "labels", "group": "groups"}  # option -> field of Source


def kind_of(name: str) -> str | None:
    """Return the kind of a data set that is a file of the user's; None for the names of other data sets."""
    kind, colon, _ = name.partition(":")
    return kind if colon and kind in KINDS else None


def function_of(name: str) -> tuple[str, str] | None:
    """Return the file and the function of a name such as `my_model.py:data`; None for other names."""
    match = re.fullmatch(r"(.+\.py):([A-Za-z_]\w*)", name)
    return (match[1], match[2]) if match else None


def forms() -> list[str]:
    """Return how names of each kind are written: `folder:PATH`, ..."""
    return [*(f"{kind}:PATH" for kind in KINDS), "FILE.py:data"]


def parse(name: str) -> Source:
    """Parse `KIND:PATH[?option=value[&option=value]]`; raise UserError if it is malformed."""
    kind, _, rest = name.partition(":")
    text, _, query = rest.partition("?")
    known = {**COMMON, **KINDS[kind].options}
    options = dict(_options(query))
    for key in options:
        if key not in known:
            raise unknown(f"{kind} option", key, known)
    if not text:
        raise UserError(f"{name}: no path given: write {kind}:PATH, {KINDS[kind].path}")
    for key, value in options.items():
        if not _is_valid(key, value, known[key]):
            raise UserError(f"{name}: {key}={value} should be {known[key]}")
    size, limit = options.get("size"), options.get("limit")
    named: dict[str, Any] = {
        ALIASES.get(key, key): options[key] for key in options if key not in ("size", "limit", "scale")
    }
    return Source(name, kind, Path(text).expanduser())._replace(
        size=None if size is None else int(size),
        limit=None if limit is None else int(limit),
        scale=_scale(options.get("scale", "auto")) or Scale(),
        **named,
    )


def absolute(name: str) -> str:
    """Return the name with its path made absolute; names without a path stay as they are."""
    kind, function = kind_of(name), function_of(name)
    if function is not None:
        return f"{Path(function[0]).expanduser().resolve()}:{function[1]}"
    if kind is None:
        return name
    text, mark, query = name.removeprefix(f"{kind}:").partition("?")
    return f"{kind}:{Path(text).expanduser().resolve()}{mark}{query}"


def title(name: str) -> str:
    """Return a short name for folders and tables: `folder:/home/me/cats?size=64` is `cats`."""
    kind, function = kind_of(name), function_of(name)
    if function is not None:
        return Path(function[0]).stem
    path = Path(name.partition("?")[0].removeprefix(f"{kind}:"))
    return (path.name if kind in (None, "folder", "hf") else path.stem) or kind or name


def load_source(name: str) -> "Dataset":
    """Return the data set of a name, read by the file of its kind.

    Raises:
        UserError: the name is malformed, or a file, which the message names, cannot be used.
    """
    source = parse(name)
    loader: Callable[[Source], Dataset] = import_module(f"trainables.data.{KINDS[source.kind].file}").load_images
    return loader(source)


def _options(query: str) -> list[tuple[str, str]]:
    """Return the options of a query. A plus sign is one, as regular expressions have it, and not a space."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    return [(unquote(key), unquote(value)) for key, _, value in pairs]


def _is_valid(key: str, value: str, meaning: str) -> bool:
    if key == "size":
        return value.isdecimal() and SIZE_LEAST <= int(value) <= SIZE_MOST
    if key == "limit":
        return value.isdecimal() and int(value) >= N_LEAST
    if key == "scale":
        return _scale(value) is not None
    if key == "group":
        return _is_pattern(value)
    if meaning.startswith("a "):
        return bool(value)
    return value in meaning.split(" or ")


def _is_pattern(text: str) -> bool:
    try:
        return bool(re.compile(text).pattern)
    except re.error:
        return False


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
