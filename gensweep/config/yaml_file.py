"""Read a YAML file with the line of each key, so that a message can say where a fault is.

Faults are collected, and raised all at once. Also found here is what a YAML parser passes over or names in its own
words: a key that stands twice, a second document, a tab.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gensweep.errors import UserError

if TYPE_CHECKING:
    import yaml

Keys = tuple[str, ...]


class YamlFile(NamedTuple):
    """The content of a file, and in which line each key stands, by the keys that lead to it."""

    path: str
    content: Any
    lines: Mapping[Keys, int]

    def line(self, keys: Keys) -> int:
        """Return the line of a key, or of the nearest key that leads to it; 0 if none is known."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines[keys] if keys else 0

    def place(self, keys: Keys) -> str:
        """Return `FILE:LINE` of a key; `FILE` if no line is known."""
        line = self.line(keys)
        return f"{self.path}:{line}" if line else self.path


class FileFaultsError(UserError):
    """Several faults of a file, a line each."""

    @property
    def lines(self) -> list[str]:
        """The lines for a terminal."""
        return str(self).splitlines()


class Faults:
    """The faults of a file, each a line with its place, in the order of the file."""

    def __init__(self, file: YamlFile) -> None:
        self.file = file
        self.faults: list[tuple[int, str]] = []

    def add(self, keys: Keys, text: object) -> None:
        """Add a fault of the key that these keys lead to."""
        self.faults.append((self.file.line(keys), f"{self.file.place(keys)}: {text}"))

    @contextmanager
    def catch(self, *keys: str) -> Generator[None]:
        """Add a UserError that is raised inside as a fault, and go on."""
        try:
            yield
        except UserError as error:
            self.add(keys, error)

    def check(self, hint: str = "") -> None:
        """Raise UserError with all faults, if any, a line each; the hint stands in brackets, or in the last line."""
        lines = [text for _, text in sorted(self.faults, key=lambda fault: fault[0])]
        if len(lines) == 1:
            raise UserError(lines[0] + (f" ({hint})" if hint else ""))
        if lines:
            raise FileFaultsError("\n".join([*lines, *([hint] if hint else [])]))


def read_yaml(path: str) -> YamlFile:
    """Return the content of a YAML file.

    Raises:
        UserError: it cannot be read, is not YAML, holds two documents, or has a key twice in one mapping.
    """
    import yaml

    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UserError(f"cannot read {path!r}: {reason}") from error
    try:
        documents = list(yaml.compose_all(text, yaml.SafeLoader))
        if len(documents) > 1:
            line = documents[1].start_mark.line + 1
            raise UserError(f"{path}:{line}: a second document begins here: a file holds one sweep; delete the ---")
        content = yaml.safe_load(text) if documents else None
    except yaml.YAMLError as error:
        raise UserError(_syntax_error(path, text, error)) from error
    lines: dict[Keys, int] = {}
    twice: list[tuple[Keys, int]] = []
    if documents:
        _note_lines(documents[0], (), lines, twice)
    file = YamlFile(path, content, lines)
    if twice:
        first = [f"{path}:{line}: {': '.join(keys)} stands twice: also in line {lines[keys]}" for keys, line in twice]
        raise FileFaultsError("\n".join(first))
    return file


def _syntax_error(path: str, text: str, error: "yaml.YAMLError") -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark is None:
        return f"{path}: {problem}"
    line = mark.line + 1
    if "\t" in (text.splitlines() or [""])[min(mark.line, len(text.splitlines()) - 1)]:
        return f"{path}:{line}: a tab: YAML is indented by spaces"
    return f"{path}:{line}: this is not YAML: {problem}"


def _note_lines(node: "yaml.Node", keys: Keys, lines: dict[Keys, int], twice: list[tuple[Keys, int]]) -> None:
    """Note the line of each key below a node; the first one if it stands twice."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = (*keys, str(key.value))
            line = key.start_mark.line + 1
            if name in lines and key.tag != "tag:yaml.org,2002:merge":
                twice.append((name, line))
                continue
            lines[name] = line
            _note_lines(value, name, lines, twice)
