"""`gensweep check FILE`: check a user's model file in a child process, in an empty folder, within a time limit.

The child finds no module that lies beside the file, and none of the files there: so does every worker.
"""

import contextlib
import io
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from pathlib import Path

from gensweep.check.line import Line, fault
from gensweep.check.source import check_source
from gensweep.config import user_models
from gensweep.errors import UserError
from gensweep.import_hook import install_import_hook
from trainables.user_model.model_file import ModelFile, execute, read_model_file

LIMIT_S = 120.0
IMPORT_S = 5.0
NOT_CHECKED = "not checked: a GPU's memory, epochs beyond 2, other data sets"


def check(path: str, code: str | None, dataset: str, data_dir: str | None, say: Callable[[str], None]) -> bool:
    """Report each line as soon as it is known; return whether no fault was seen.

    Raises:
        UserError: the file or the data set cannot be read.
    """
    from trainables.data import known
    from trainables.data.source_name import absolute, function_of

    file, began, ok = read_model_file(path, code), time.monotonic(), True
    known(dataset)
    root = None if data_dir is None else str(Path(data_dir).resolve())
    if function_of(dataset) is not None:
        root = root or str(Path(os.environ.get("GENSWEEP_DATA", ".")).resolve())
    for line in check_source(file):
        say(str(line))
        ok = ok and line.mark != "x"
    if ok:
        for line in _lines_of_child(file, absolute(dataset), root):
            say(str(line))
            ok = ok and line.mark != "x"
    say(f"  {NOT_CHECKED}")
    say(f"  {'no fault' if ok else 'faults'} seen in {time.monotonic() - began:.0f} s")
    return ok


def _lines_of_child(file: ModelFile, dataset: str, data_dir: str | None) -> Generator[Line]:
    """Yield each line as the child process says it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="gensweep-check-") as folder:
        child = context.Process(target=_check_in_child, args=(file, dataset, data_dir, folder, theirs), daemon=True)
        child.start()
        theirs.close()
        end = time.monotonic() + LIMIT_S
        try:
            while ours.poll(max(0.0, end - time.monotonic())):
                yield ours.recv()
            child.terminate()
            yield fault(f"it did not end within {LIMIT_S:.0f} s of a few batches")
        except EOFError:
            child.join()
            if child.exitcode:
                yield fault(f"its process ended with code {child.exitcode}")


def _check_in_child(file: ModelFile, dataset: str, data_dir: str | None, folder: str, pipe: Connection) -> None:
    install_import_hook()
    os.chdir(folder)
    sys.argv[1:] = []
    with contextlib.redirect_stdout(io.StringIO()):  # what the user's code prints is not a line of the check
        try:
            check_running(file, dataset, data_dir, lambda line: pipe.send(placed(line, file)))
        except UserError as error:
            pipe.send(fault(str(error)))


def placed(line: Line, file: ModelFile) -> Line:
    """Return a line with its file, unless it has a place, or is a fact."""
    is_placed = line.place or line.mark == " " or line.text.startswith(file.file_name)
    return line if is_placed else line._replace(place=file.file_name)


def _slow_import(file: ModelFile, took: float) -> Line:
    """Return a line about a file that takes long to execute: each time, or only until its imports are done."""
    began = time.perf_counter()
    execute(file)
    again = time.perf_counter() - began
    if again > IMPORT_S:
        return Line("!", f"executing the file takes {again:.0f} s, which every trial pays", file.file_name)
    return Line(" ", f"the imports of the file take {took:.0f} s, once in each worker process")


def check_running(file: ModelFile, dataset: str, data_dir: str | None, say: Callable[[Line], None]) -> None:
    """Report what executing a file shows, in the current folder, which is empty.

    Raises:
        UserError: the file does not run, or lacks what a model file needs.
    """
    from gensweep.check.behaviour import check_behaviour, check_files
    from gensweep.check.engine import check_engine_model
    from gensweep.check.extractor import check_extractor
    from gensweep.check.space import check_space
    from gensweep.check.subject import Subject
    from search_spaces.override import default
    from search_spaces.user_space import objectives, user_space
    from search_spaces.walk import describe
    from trainables.data import load
    from trainables.user_model.engine_model import engine_model_of
    from trainables.user_model.train import train_function

    user_models.allow_data(dataset)
    data = load(dataset, None if data_dir is None else Path(data_dir))
    began = time.perf_counter()
    module = execute(file)
    took = time.perf_counter() - began
    if took > IMPORT_S:
        say(_slow_import(file, took))
    model = engine_model_of(module)
    if model is None:
        train_function(module)
    space = user_space(module)
    params = describe(space)
    subject = Subject(file, space, params, objectives(module), default(space)[0], data, model is not None)
    for line in [*check_files(subject), *check_space(space, file.file_name)]:
        say(line)
    if model is None:
        check_behaviour(subject, say)
    else:
        check_engine_model(subject, model, say)
    for line in check_extractor(subject.objectives, data):
        say(line)
