"""The same search on SQLite, on Optuna's journal and on a real PostgreSQL server, which is restarted in the middle."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from helpers.command_line import LENGTH, SMALL, done, gensweep, rows, trials, wait_for_rows
from helpers.manifests import small_manifest
from helpers.searching import FIRST, PARAMS, run_one, space
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import create_engine, text

from analysis.read import optuna_study
from analysis.read.manifest import SweepManifest
from analysis.read.optuna_study import with_driver
from gensweep.errors import UserError
from gensweep.search.study_storage import check_storage, closing_storage, hide_password, open_study
from gensweep.tune.searcher import StudySearcher
from trainables import filestore

pytestmark = pytest.mark.long

TOTAL = 8
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class Server(NamedTuple):
    url: str
    start: Callable[[], None]
    stop: Callable[[], None]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Generator[Server]:
    programs = shutil.which("pg_ctl") or (str(DEBIAN[-1] / "pg_ctl") if DEBIAN else None)
    if programs is None:
        pytest.skip("needs a PostgreSQL server (Debian: apt-get install postgresql)")
    root, port = Path(tempfile.mkdtemp(prefix="postgres")), _free_port()  # pytest closes its own folders to other users
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if shutil.which("runuser") is None:
            pytest.skip("needs runuser, to start PostgreSQL as root (Debian: apt-get install util-linux)")
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(root, "postgres")

    def control(*words: str) -> None:
        command = [*as_user, programs, "-D", str(root / "data"), "-w", "-t", "180", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=root)

    control("initdb", "-o", "-U sweeper -A trust")

    def start() -> None:
        for left in (4, 3, 2, 1, 0):  # after an immediate stop its children may live on for a moment
            try:
                control("start", "-l", str(root / "log"), "-o", f"-p {port} -h 127.0.0.1 -k {root}")
                return
            except subprocess.CalledProcessError:
                if not left:
                    raise
                time.sleep(1.0)

    stop = partial(control, "stop", "-m", "immediate")
    start()
    yield Server(f"postgresql://sweeper:word@127.0.0.1:{port}/postgres", start, stop)
    stop()
    shutil.rmtree(root, ignore_errors=True)


def manifest(storage: str | None, name: str = "s", seed: int = 0) -> SweepManifest:
    return small_manifest(name=name, study=name, storage=storage, seed=seed, space=PARAMS)


def search(folder: Path, about: SweepManifest, between: Callable[[int], None] = lambda i: None) -> list[Any]:
    folder.mkdir(exist_ok=True)
    with open_study(folder, about, FIRST) as study:
        searcher = StudySearcher(study, space, about.goal, TOTAL)
        found = []
        for i in range(TOTAL):
            between(i)
            found.append(run_one(searcher, str(i)))
        assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * TOTAL
    return found


def test_every_storage_gives_the_same_search(tmp_path: Path, server: Server) -> None:
    def restart(i: int) -> None:
        if i == TOTAL // 2:  # down for a moment, while the search wants to go on
            server.stop()
            threading.Timer(2.0, server.start).start()

    whole = search(tmp_path / "sqlite", manifest(None))
    assert search(tmp_path / "journal", manifest("journal")) == whole
    assert search(tmp_path / "postgres", manifest(server.url), restart) == whole
    for name, storage in (("sqlite", None), ("journal", "journal"), ("postgres", server.url)):
        read = optuna_study.read_trials(filestore.open_directory(tmp_path / name), manifest(storage))
        assert [trial.number for trial in read] == list(range(TOTAL))
        assert read[0].params == FIRST


def test_two_sweeps_begin_in_an_empty_database(server: Server) -> None:
    """Both find no tables and make them."""
    url = with_driver(server.url)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("create database empty"))
    engine.dispose()
    empty = server.url.replace("/postgres", "/empty")
    together, found = threading.Barrier(4), list[str]()

    def begin(i: int) -> None:
        together.wait()
        with closing_storage(Path(), empty) as kept:
            kept.create_new_study([StudyDirection.MINIMIZE], f"study {i}")
        found.append(f"study {i}")

    threads = [threading.Thread(target=begin, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"study {i}" for i in range(4)]


def test_two_sweeps_in_one_database(tmp_path: Path, server: Server) -> None:
    one, two = (manifest(server.url, name, seed) for name, seed in (("one", 1), ("two", 2)))
    alone = search(tmp_path / "alone", manifest(None, "one", 1))
    found: dict[str, list[Any]] = {}
    threads = [
        threading.Thread(target=lambda about=about: found.update({about.name: search(tmp_path / about.name, about)}))
        for about in (one, two)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found["one"] == alone
    assert found["two"] != alone
    with pytest.raises(UserError, match=r"sweeper:\*\*\*@127.*holds a study named 'one' already"):
        check_storage(server.url, "one", True)


@pytest.mark.slow
def test_whole_sweeps_side_by_side_while_the_database_restarts(tmp_path: Path, server: Server) -> None:
    """Two drivers, each on a Ray of its own, in one database, which goes away for a moment: as alone on SQLite."""
    words = ["run", "vae", "--concurrent", "1", "--scheduler", "none", *LENGTH, *SMALL]
    for name, storage in (("whole", ()), ("journal", ("--storage", "journal"))):
        code, _, err = done(gensweep(*words, "--name", name, *storage, cwd=tmp_path))
        assert (code, err) == (0, "")
    home = tmp_path / "results"
    drivers = {
        name: gensweep(*words, "--name", name, "--storage", server.url, "--seed", seed, cwd=tmp_path)
        for name, seed in (("served", "0"), ("other", "1"))
    }
    try:
        _while_the_server_restarts(home, drivers, server, tmp_path)
    finally:
        for driver in drivers.values():
            driver.kill()  # where a test fails they would wait for the server for ten minutes
    for name in ("journal", "served"):
        assert rows(home / name) == rows(home / "whole")
        assert trials(home / name) == trials(home / "whole")
    assert rows(home / "other") != rows(home / "whole")
    assert [state for _, state, *_ in trials(home / "other")] == [TrialState.COMPLETE] * 3


def _while_the_server_restarts(
    home: Path, drivers: dict[str, "subprocess.Popen[str]"], server: Server, tmp_path: Path
) -> None:
    for name, driver in drivers.items():
        wait_for_rows(home / name, 2, driver)
    code, _, err = done(gensweep("resume", "results/served", cwd=tmp_path))
    assert (code, err.count("\n")) == (2, 1)
    assert f"another gensweep is running {home / 'served'}" in err or "another gensweep is running results" in err
    server.stop()
    time.sleep(3.0)
    server.start()
    ended = {name: done(driver) for name, driver in drivers.items()}
    assert {name: code for name, (code, _, _) in ended.items()} == {"served": 0, "other": 0}, ended


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(UserError, match=r"cannot open the storage postgresql://me:\*\*\*@127"):
        check_storage(f"postgresql://me:secret@127.0.0.1:{_free_port()}/x", "s", True)


def test_no_password_is_shown() -> None:
    assert hide_password("postgresql://me:secret@host/x") == "postgresql://me:***@host/x"
    assert (hide_password(None), hide_password("journal")) == (None, "journal")
