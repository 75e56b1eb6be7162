"""`gensweep ui`: serve optuna-dashboard on this machine only, with the sample grid of each trial.

The dashboard shows a copy of the Optuna study in memory, which follows the sweep while it runs. Whatever the dashboard
writes (a note, a rename, a deletion) never reaches the sweep, a driver may run at the same time, and all kinds of
storage are shown in the same way.
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
    """Artifact store of the sample grids; an artifact is named by its trial and epoch: `0007-0010`."""

    def __init__(self, where: Directory) -> None:
        self.where = where

    def find(self, number: int, best: int | None) -> str | None:
        """Return the name of a trial's grid at its best epoch, else of its last grid; None if it has no grid."""
        epochs = [
            Path(name).stem.removeprefix("epoch_")
            for name in self.where.names(f"{results.trial_folder(number)}/samples")
        ]
        best_epoch = f"{best or 0:04d}"
        return f"{number:04d}-{best_epoch if best_epoch in epochs else epochs[-1]}" if epochs else None

    def open_reader(self, artifact_id: str) -> BinaryIO:
        number, _, epoch = artifact_id.partition("-")
        try:
            return io.BytesIO(self.where.read(f"{results.trial_folder(int(number))}/samples/epoch_{epoch}.png"))
        except (FileNotFoundError, ValueError) as error:
            raise ArtifactNotFound(artifact_id) from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        raise ArtifactNotFound("the sweep is shown read-only")

    def remove(self, artifact_id: str) -> None:
        raise ArtifactNotFound("the sweep is shown read-only")


class StudyView(InMemoryStorage):
    """Optuna storage in memory that copies the study of a sweep anew each time its trials are read."""

    def __init__(self, where: Directory, manifest: SweepManifest, pictures: SampleGrids) -> None:
        super().__init__()
        self._where, self._manifest, self._pictures, self._goal = where, manifest, pictures, manifest.goal
        self._update_lock, self._ids = threading.Lock(), list[int]()
        study = optuna.create_study(study_name=manifest.name, storage=self, directions=study_directions(manifest))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([target.metric for target in self._goal.objectives])
        for key in ("model", "dataset", "sampler", "scheduler", "seed"):
            study.set_user_attr(key, getattr(manifest, key))
        self._study = self.get_study_id_from_name(manifest.name)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        with self._update_lock:
            self._copy_trials()
        return super().get_all_trials(study_id, deepcopy, states)

    def _copy_trials(self) -> None:
        for trial in optuna_study.read_trials(self._where, self._manifest):
            if trial.number == len(self._ids):
                self._ids.append(self.create_new_trial(self._study, self._with_grid(trial)))
            elif not self.get_trial(self._ids[trial.number]).state.is_finished():
                self._update(self._ids[trial.number], self._with_grid(trial))

    def _with_grid(self, trial: FrozenTrial) -> FrozenTrial:
        """Attach the sample grid to a trial if it has ended."""
        best = self._goal.best(objective.values_by_epoch(trial, self._goal.primary.metric))
        name = self._pictures.find(trial.number, best) if trial.state.is_finished() else None
        if name is not None:
            picture = artifact_attribute(name, f"epoch_{name[-4:]}.png", "image/png")
            trial.system_attrs = {**trial.system_attrs, **picture}
        return trial

    def _update(self, trial_id: int, trial: FrozenTrial) -> None:
        """Bring the copy of a trial up to date."""
        copied = self.get_trial(trial_id)
        for key in trial.params.keys() - copied.params.keys():
            distribution = trial.distributions[key]
            self.set_trial_param(trial_id, key, distribution.to_internal_repr(trial.params[key]), distribution)
        for step, value in trial.intermediate_values.items():
            self.set_trial_intermediate_value(trial_id, step, value)
        for key, value in trial.user_attrs.items():
            self.set_trial_user_attr(trial_id, key, value)
        for key, value in trial.system_attrs.items():
            self.set_trial_system_attr(trial_id, key, value)
        if trial.state != copied.state:
            self.set_trial_state_values(trial_id, trial.state, trial.values)


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: an open page sends a request every few seconds."""


def make_dashboard_server(directory: str, port: int) -> tuple[WSGIServer, str]:
    """Return a server that is not running yet, and the address of the sweep's page.

    Raises:
        UserError: the directory is not a sweep, optuna-dashboard is not installed, or the port is in use.
    """
    where = filestore.open_directory(directory)
    manifest = read_manifest(where)
    optuna_study.read_trials(where, manifest)  # raises UserError if the study cannot be read
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise UserError("ui needs optuna-dashboard: pip install 'gensweep[ui]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pictures = SampleGrids(where)
    app = wsgi(StudyView(where, manifest, pictures), artifact_store=pictures)
    try:
        server = make_server(HOST, port, app, server_class=_ThreadingServer, handler_class=_QuietHandler)
    except (OSError, OverflowError) as error:
        raise UserError(f"port {port} is not available: --port 0 picks a free one") from error
    return server, f"http://{HOST}:{server.server_port}/dashboard/studies/0"


def serve(directory: str, port: int) -> None:
    """Serve the dashboard until Ctrl-C."""
    server, address = make_dashboard_server(directory, port)
    with server:
        try:
            print(f"optuna-dashboard on {address}, until Ctrl-C; changes made there do not reach the sweep")
            sys.stdout.flush()
            server.serve_forever()
        except KeyboardInterrupt:
            print()
