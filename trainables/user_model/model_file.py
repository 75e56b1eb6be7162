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
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from trainables.errors import UserError
from trainables.user_model.code_folder import CodeFolder, read_code_folder
from trainables.user_model.shipped_modules import Shipped, importable

MAX_BYTES = 1_000_000
SHIPPED = "__shipped__"  # the attribute of a user's module that holds the modules which travel with it


class ModelFile(NamedTuple):
    """The text of a user's file, and the modules that travel with it; `path` is what the user typed."""

    path: str
    text: str
    code: CodeFolder | None = None

    @property
    def name(self) -> str:
        """The name of the model: the file's, without `.py`."""
        return Path(self.path).stem

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def code_sha256(self) -> str | None:
        """The hash of the modules that travel with it; None if there are none."""
        return None if self.code is None else self.code.sha256

    @property
    def folder(self) -> Path:
        """The folder in which the file lies."""
        return Path(self.path).expanduser().resolve().parent

    @property
    def file_name(self) -> str:
        return Path(self.path).name


def is_model_file(model: str) -> bool:
    """Return whether a model's name on the command line is the path of a file."""
    return model.endswith(".py")


def read_model_file(path: str, code: str | None = None) -> ModelFile:
    """Return the file at a path, with the folder of its modules; raise UserError if they cannot be read or travel."""
    try:
        content = Path(path).expanduser().read_bytes()
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a text file in UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise UserError(f"{path} has {len(content):,} bytes, and a model file may have {MAX_BYTES:,}")
    return ModelFile(path, text, None if code is None else read_code_folder(code, path))


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
    module.__dict__[SHIPPED] = None if file.code is None else Shipped(file.code)
    sys.modules[name] = module  # dataclasses and pickles of the user's own look it up
    try:
        with modules_importable(module):
            exec(compile(file.text, shown, "exec"), module.__dict__)
    except SyntaxError as error:
        raise UserError(f"{error.filename}:{error.lineno}: {error.msg}") from error
    except UserError as error:
        raise UserError(f"{where(error, file)}: {error}") from error
    except Exception as error:
        is_missing = isinstance(error, ModuleNotFoundError) and file.code is None
        hint = "; if it is one of yours, name its folder: --code DIR" if is_missing else ""
        raise UserError(f"{where(error, file)}: {type(error).__name__}: {error}{hint}") from error
    return module


def modules_importable(module: ModuleType) -> AbstractContextManager[None]:
    """Return a context in which code of a user's module can import the modules that travel with it."""
    return importable(module.__dict__.get(SHIPPED))


@contextmanager
def errors_located(file: ModelFile) -> Generator[None]:
    """Turn any error of a user's code into a UserError of one line, with the line of the file that it went through."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{where(error, file)}: {error}") from error
    except Exception as error:
        raise UserError(f"{where(error, file)}: {type(error).__name__}: {error}") from error


def where(error: BaseException, file: ModelFile) -> str:
    """Return `my_model.py:12`, the last line of a user's files that an error went through; the file if there is none.

    The user's files are the model file and the modules that travel with it.
    """
    names = {file.file_name, *(() if file.code is None else file.code.files)}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in names]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else file.file_name
