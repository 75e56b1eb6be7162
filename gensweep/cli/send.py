"""Send the model file and the modules that a command names from this machine to the head of a cluster."""

import hashlib
import subprocess
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

from gensweep.cluster.remote import RAY, ray_environment
from gensweep.cluster.validate_access import Config
from gensweep.errors import UserError
from trainables.data.source_name import function_of
from trainables.filestore import is_url
from trainables.user_model.code_folder import read_code_folder
from trainables.user_model.model_file import is_model_file

FOLDER = ".gensweep-sent"  # in the results folder, or in the home folder of the head


class Sent(NamedTuple):
    """A file, or the text files of a folder, by name; where it lies here, and on the head."""

    here: str
    there: str
    files: dict[str, bytes]


def local_files(inner: Namespace) -> list[Sent]:
    """Return what a command names that lies on this machine; what does not is taken to be on the head.

    The path on the head holds a hash of the content, so a changed file has another path,
    and the same command is recognised while it runs.

    Raises:
        UserError: a file cannot be read, or its modules cannot travel.
    """
    names = vars(inner)
    function = function_of(names.get("dataset") or "")
    files = [name for name in (names.get("model"), function and function[0]) if name and is_model_file(name)]
    sent = []
    for name in dict.fromkeys(files):
        path = Path(name).expanduser()
        if path.is_file():
            content = path.read_bytes()
            folder = f"{FOLDER}/{hashlib.sha256(content).hexdigest()[:12]}"
            sent.append(Sent(name, f"{folder}/{path.name}", {path.name: content}))
    code = names.get("code")
    if code is not None and files and Path(code).expanduser().is_dir():
        modules = read_code_folder(code, files[0])
        texts = {f"code/{name}": text.encode() for name, text in modules.files.items()}
        sent.append(Sent(code, f"{FOLDER}/{modules.sha256[:12]}/code", texts))
    return sent


def send(cluster_file: str, config: Config, results: str, files: list[Sent]) -> None:
    """Copy files to the head by Ray's rsync: to the results folder, or if that is a bucket, to the home folder.

    Raises:
        UserError: they could not be copied.
    """
    root = "" if is_url(results) else f"{results}/"
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            digest = Path(file.there).parent.name
            for name, content in file.files.items():
                copy = Path(folder, digest, name)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(content)
        words = [*RAY, "rsync-up", cluster_file, f"{folder}/", f"{root}{FOLDER}/"]
        done = subprocess.run(
            words, env=ray_environment(config), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    if done.returncode:
        names = ", ".join(file.here for file in files)
        raise UserError(f"{names} could not be sent to the head: {(done.stderr or done.stdout).strip()[-300:]}")


def named_there(words: list[str], files: list[Sent]) -> list[str]:
    """Return a command with the paths of the head in place of those of this machine."""
    for file in files:
        words = [_replaced(word, file) for word in words]
    return words


def _replaced(word: str, file: Sent) -> str:
    option, equals, value = word.partition("=")
    if option.startswith("--") and equals:
        return f"{option}={_replaced(value, file)}"
    if word == file.here or word.startswith(f"{file.here}:"):
        return file.there + word[len(file.here) :]
    return word


def named_here(line: str, files: list[Sent]) -> str:
    """Return a line of the head with the paths of this machine in place of those that were sent."""
    for file in files:
        line = line.replace(file.there, file.here)
    return line
