"""A user's model file as text: its name, its hash, and the module that comes of executing it.

The text travels to every worker inside the task, so no worker needs the file, its folder or a pickled function. Nothing
executes the copy that lies in a results directory: only a file that the user names is executed.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from trainables.errors import UserError

MAX_BYTES = 1_000_000


class ModelFile(NamedTuple):
    """The text of a user's file; `path` is what the user typed."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """The name of the model: the file's, without `.py`."""
        return Path(self.path).stem

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        return Path(self.path).name


def is_model_file(model: str) -> bool:
    """Return whether a model's name on the command line is the path of a file."""
    return model.endswith(".py")


def read_model_file(path: str) -> ModelFile:
    """Return the file at a path; raise UserError if it cannot be read, or is too long."""
    try:
        content = Path(path).expanduser().read_bytes()
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a text file in UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise UserError(f"{path} has {len(content):,} bytes, and a model file may have {MAX_BYTES:,}")
    return ModelFile(path, text)


def execute(file: ModelFile) -> ModuleType:
    """Return a new module made by executing the file's text; its globals are those of no earlier call.

    Raises:
        UserError: the text does not compile or does not run, with the line.
    """
    name = f"gensweep_user_{file.sha256[:8]}"
    shown = file.file_name  # in tracebacks, on every machine
    lines = file.text.splitlines(keepends=True)
    linecache.cache[shown] = (len(file.text), None, lines, shown)  # so that a traceback shows the lines
    module = ModuleType(name, None)
    module.__file__ = shown
    sys.modules[name] = module  # dataclasses and pickles of the user's own look it up
    try:
        exec(compile(file.text, shown, "exec"), module.__dict__)
    except SyntaxError as error:
        raise UserError(f"{shown}:{error.lineno}: {error.msg}") from error
    except UserError as error:
        raise UserError(f"{where(error, shown)}: {error}") from error
    except Exception as error:
        raise UserError(f"{where(error, shown)}: {type(error).__name__}: {error}") from error
    return module


@contextmanager
def errors_located(file: ModelFile) -> Generator[None]:
    """Turn any error of a user's code into a UserError of one line, with the line of the file that it went through."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where(error, file.file_name)}: {error}") from error
    except Exception as error:
        raise UserError(f"{where(error, file.file_name)}: {type(error).__name__}: {error}") from error


def where(error: BaseException, shown: str) -> str:
    """Return `my_model.py:12`, the last line of a user's file that an error went through; the file if there is none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == shown]
    return f"{shown}:{frames[-1].lineno}" if frames else shown
