"""`gensweep ui`: optuna-dashboard over the study of a sweep, on this machine alone, each trial with its sample grid.

The dashboard is given a look at the study and not the study: a copy in memory that follows the sweep while it runs. So
what it would write (a note, a rename, a deletion) never reaches the sweep, a driver may be at work meanwhile, and every
storage is shown alike.
"""

import io
import sys
import threading
import warnings
from collections.abc import Container
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import BinaryIO
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from analysis.read import optuna_study, results
from analysis.read.manifest import SweepManifest, read_manifest
from gensweep.errors import UserError
from gensweep.search.optuna_internals import artifact_attribute
from gensweep.search.study_storage import study_directions
from trainables import filestore, objective
from trainables.filestore import Directory

HOST = "127.0.0.1"


class SampleGrids:
    """The sample grids as an artifact store; an artifact is called by the numbers of trial and epoch, `0007-0010`."""

    def __init__(self, where: Directory) -> None:
        self.where = where

    def find(self, number: int, best: int | None) -> str | None:
        """The name of a trial's grid, at its best epoch or else the last one drawn; None where nothing was."""
        drawn = [
            Path(name).stem.removeprefix("epoch_")
            for name in self.where.names(f"{results.trial_folder(number)}/samples")
        ]
        wanted = f"{best or 0:04d}"
        return f"{number:04d}-{wanted if wanted in drawn else drawn[-1]}" if drawn else None

    def open_reader(self, artifact_id: str) -> BinaryIO:
        number, _, epoch = artifact_id.partition("-")
        try:
            return io.BytesIO(self.where.read(f"{results.trial_folder(int(number))}/samples/epoch_{epoch}.png"))
        except (FileNotFoundError, ValueError) as error:
            raise ArtifactNotFound(artifact_id) from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        raise ArtifactNotFound("the sweep is only looked at")

    def remove(self, artifact_id: str) -> None:
        raise ArtifactNotFound("the sweep is only looked at")


class StudyView(InMemoryStorage):
    """The study of a sweep as it is whenever its trials are asked for."""

    def __init__(self, where: Directory, manifest: SweepManifest, pictures: SampleGrids) -> None:
        super().__init__()
        self._where, self._manifest, self._pictures, self._goal = where, manifest, pictures, manifest.goal
        self._one_at_a_time, self._ids = threading.Lock(), list[int]()
        study = optuna.create_study(study_name=manifest.name, storage=self, directions=study_directions(manifest))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([one.metric for one in self._goal.objectives])
        for key in ("model", "dataset", "sampler", "scheduler", "seed"):
            study.set_user_attr(key, getattr(manifest, key))
        self._study = self.get_study_id_from_name(manifest.name)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        with self._one_at_a_time:
            self._follow()
        return super().get_all_trials(study_id, deepcopy, states)

    def _follow(self) -> None:
        for told in optuna_study.read_trials(self._where, self._manifest):
            if told.number == len(self._ids):
                self._ids.append(self.create_new_trial(self._study, self._shown(told)))
            elif not self.get_trial(self._ids[told.number]).state.is_finished():
                self._update(self._ids[told.number], self._shown(told))

    def _shown(self, told: FrozenTrial) -> FrozenTrial:
        """The trial, with its grid once it has ended."""
        best = self._goal.best(objective.values_by_epoch(told, self._goal.primary.metric))
        name = self._pictures.find(told.number, best) if told.state.is_finished() else None
        if name is not None:
            picture = artifact_attribute(name, f"epoch_{name[-4:]}.png", "image/png")
            told.system_attrs = {**told.system_attrs, **picture}
        return told

    def _update(self, trial_id: int, told: FrozenTrial) -> None:
        held = self.get_trial(trial_id)
        for key in told.params.keys() - held.params.keys():
            kind = told.distributions[key]
            self.set_trial_param(trial_id, key, kind.to_internal_repr(told.params[key]), kind)
        for step, value in told.intermediate_values.items():
            self.set_trial_intermediate_value(trial_id, step, value)
        for key, value in told.user_attrs.items():
            self.set_trial_user_attr(trial_id, key, value)
        for key, value in told.system_attrs.items():
            self.set_trial_system_attr(trial_id, key, value)
        if told.state != held.state:
            self.set_trial_state_values(trial_id, told.state, told.values)


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing: a page asks every few seconds."""


def make_dashboard_server(directory: str, port: int) -> tuple[WSGIServer, str]:
    """A server that does not serve yet, and the address of the sweep's page.

    Raises:
        UserError: no sweep, no optuna-dashboard, a port that is taken.
    """
    where = filestore.open_directory(directory)
    manifest = read_manifest(where)
    optuna_study.read_trials(where, manifest)  # refuses a study that cannot be read
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise UserError("ui needs optuna-dashboard: pip install 'gensweep[ui]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pictures = SampleGrids(where)
    app = wsgi(StudyView(where, manifest, pictures), artifact_store=pictures)
    try:
        made = make_server(HOST, port, app, server_class=_ThreadingServer, handler_class=_QuietHandler)
    except (OSError, OverflowError) as error:
        raise UserError(f"port {port} cannot be had: --port 0 takes one that is free") from error
    return made, f"http://{HOST}:{made.server_port}/dashboard/studies/0"


def serve(directory: str, port: int) -> None:
    """Serves until Ctrl-C."""
    made, address = make_dashboard_server(directory, port)
    with made:
        try:
            print(f"optuna-dashboard on {address}, until Ctrl-C; what is changed there does not reach the sweep")
            sys.stdout.flush()
            made.serve_forever()
        except KeyboardInterrupt:
            print()
