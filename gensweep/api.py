"""The Python API: the same sweep as `gensweep run`, as an object."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from gensweep.config import user_models
from gensweep.config.options import Options, check_options
from gensweep.errors import UserError, unknown
from trainables.user_model.model_file import is_model_file

if TYPE_CHECKING:
    from analysis.read.results import Sweep as Frames


class SweepResult(NamedTuple):
    """What a sweep left. `best` has the keys number, value, best_epoch, config, metrics and more."""

    directory: Path
    cause: str  # done, budget or interrupted
    trials: int  # that have ended
    failed: int

    @property
    def best(self) -> dict[str, Any]:
        """The best trial; UserError where none has a score."""
        return self.top(1)[0]

    def top(self, k: int) -> list[dict[str, Any]]:
        """The best k trials, best first."""
        from analysis.sweep import ranking

        return ranking.top_entries(self.frames(), k)

    def frames(self) -> "Frames":
        """The sweep as tidy frames: `.trials`, `.rows`, `.history`."""
        from analysis.read import results

        return results.read_rows(results.load(self.directory))


class Sweep:
    """A search for the best configuration of `model` on `dataset`.

    `model` is the name of one of ours, the path of your model file, or the module that it is imported as; `code` is the
    folder of modules that the file imports. The keyword arguments are the options of `gensweep run`, with `_` for `-`;
    `set` is a mapping from keys to texts such as "1e-4:1e-2:log". `ray_init` goes to `ray.init`. The same sweep run
    again goes on where it stopped.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | ModuleType,
        *,
        code: str | None = None,
        ray_init: Mapping[str, Any] | None = None,
        quiet: bool = False,
        **options: Any,
    ) -> None:
        for option in options:
            if option not in Options._fields:
                raise unknown("option", option, Options._fields)
        name = user_models.file_of(model)
        if is_model_file(name):
            name = user_models.register_file(name, code)
        elif code is not None:
            raise UserError(f"code={code!r} goes with the file of your own model, as Sweep('my_model.py')")
        self.options = check_options(Options(name, **options))
        user_models.allow_data(self.options.dataset)
        self._ray_init, self._quiet = ray_init or {}, quiet

    def run(self) -> SweepResult:
        """Runs the sweep, or what is left of it.

        Raises:
            ValueError: an argument that cannot be used, in one line; nothing has been written then.
        """
        from rich.console import Console

        from gensweep.sweep.launch import launch_sweep
        from gensweep.sweep.run_sweep import prepare_sweep

        directory, manifest, data = prepare_sweep(self.options, [Path(sys.argv[0]).name, repr(self.options)])
        ended = launch_sweep(directory, manifest, data, self.options, Console(quiet=self._quiet), self._ray_init)
        return SweepResult(directory, ended.cause, ended.trials, ended.failed)
