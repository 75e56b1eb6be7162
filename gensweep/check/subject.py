"""What is checked: a model file, its space, and data; and how it is trained for a few batches."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from search_spaces.param import Param
from search_spaces.space import Space
from search_spaces.user_space import ENGINE_KEYS
from trainables.user_model.model_file import ModelFile, errors_located, execute
from trainables.user_model.probe import Probe, Start, probe, probe_start

if TYPE_CHECKING:
    from trainables.data import Dataset


class Subject(NamedTuple):
    """What is checked: the file, its space, and data to train on."""

    file: ModelFile
    space: Space
    params: Mapping[str, Param]
    objectives: tuple[tuple[str, str], ...]
    defaults: Mapping[str, Any]
    data: "Dataset"
    has_engine: bool = False  # whether the engine trains the model

    @property
    def loop_keys(self) -> tuple[str, ...]:
        """The keys with a default: if the user's space does not return them, nothing is wrong with not reading them."""
        return ("epochs", *(ENGINE_KEYS if self.has_engine else ()))

    @property
    def name(self) -> str:
        return self.file.file_name


def run_probe(subject: Subject, config: Mapping[str, Any], **options: Any) -> Probe:
    """Train for a few batches; raise UserError with the line of the file for whatever goes wrong."""
    with errors_located(subject.file):
        return probe(execute(subject.file), config, subject.data, **options)


def run_start(subject: Subject, seed: int) -> Start:
    """Call `train` up to its epochs loop; raise UserError as `run_probe` does."""
    with errors_located(subject.file):
        return probe_start(execute(subject.file), subject.defaults, subject.data, seed)
