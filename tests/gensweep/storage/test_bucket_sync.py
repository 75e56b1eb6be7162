"""Sweeps in a bucket, on a real S3 server on loopback (moto): killed and resumed on another machine, with a server
that goes away for a while, with two drivers, and with options that are refused."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.command_line import SMALL, done, gensweep, rows
from helpers.s3 import KEYS
from pyarrow import fs

from analysis.read import optuna_study, results
from gensweep.cli.main import main
from gensweep.errors import UserError
from gensweep.storage import bucket_sync, workdir
from trainables.filestore import Directory, open_directory

TRIALS, EPOCHS = 3, 4
SWEEP = ["--trials", str(TRIALS), "--set", f"epochs={EPOCHS}", "--concurrent", "1", "--seed", "3", *SMALL]
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server that has the bucket `lab`, as what takes it away for three seconds."""
    moto = pytest.importorskip("moto.server")
    servers: list[Any] = []

    def serve(port: int = 0) -> Any:
        server = moto.ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
        server.start()
        servers.append(server)
        return server

    with pytest.MonkeyPatch.context() as patch:
        for key, value in KEYS.items():
            patch.setenv(key, value)
        _, port = serve().get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{HOST}:{port}")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("laptop")))
        files = fs.S3FileSystem(endpoint_override=f"{HOST}:{port}", scheme="http", allow_bucket_creation=True)
        files.create_dir("lab")

        def away() -> None:
            servers[-1].stop()
            time.sleep(3.0)
            serve(port)

        yield away
        servers[-1].stop()


def in_bucket(where: Directory) -> dict[str, list[dict[str, Any]]]:
    """The rows of every trial, as command_line.rows has them of a folder."""
    lines = {n: where.read(f"trials/{n}/rows.jsonl").decode().splitlines() for n in where.names("trials")}
    return {
        n: [{k: v for k, v in json.loads(line).items() if k != "wall_s"} for line in own] for n, own in lines.items()
    }


def wait_for_rows(where: Directory, n: int, driver: Any) -> None:
    end = time.monotonic() + 120
    while driver.poll() is None and time.monotonic() < end:
        begun = [name for name in where.names("trials") if where.has(f"trials/{name}/rows.jsonl")]
        if sum(len(where.read(f"trials/{name}/rows.jsonl").splitlines()) for name in begun) >= n:
            return
        time.sleep(0.2)
    raise AssertionError(driver.communicate())


@pytest.mark.slow
def test_bucket__resumed_elsewhere_equals_one_in_a_folder(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, where = "s3://lab/results/vae-digits", open_directory("s3://lab/results/vae-digits")
    code, _, err = done(gensweep("run", "vae", *SWEEP, cwd=tmp_path))
    assert (code, err) == (0, "")
    killed = gensweep("run", "vae", *SWEEP, "--results", "s3://lab/results", cwd=tmp_path)
    wait_for_rows(where, EPOCHS + 2, killed)  # in the second trial
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert results.load(url).trials["state"].tolist()[0] == "complete"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))  # another machine: nothing but the bucket
    going_on = gensweep("resume", url, cwd=tmp_path)
    wait_for_rows(where, EPOCHS + 3, going_on)
    s3()  # goes away, and comes back
    code, out, err = done(going_on)
    assert (code, err) == (0, "")
    assert "to see whether an earlier driver is still running (process" in out
    assert out.splitlines()[-1] == f"next: gensweep report {url}"
    assert in_bucket(where) == rows(tmp_path / "results" / "vae-digits")
    assert (where.has("study.journal"), where.names("journal"), where.has(".driver")) == (True, [], False)
    code, out, err = done(gensweep("report", url, "-o", str(tmp_path / "page"), cwd=tmp_path))
    assert (code, err) == (0, "")
    assert (tmp_path / "page" / "index.html").stat().st_size > 10_000


@pytest.mark.slow
def test_bucket__extended_and_finalized(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, where = "s3://lab/more/vae-digits", open_directory("s3://lab/more/vae-digits")
    short = ["--trials", "2", "--set", "epochs=1", "--seed", "3", *SMALL]
    code, _, err = done(gensweep("run", "vae", *short, "--results", "s3://lab/more", cwd=tmp_path))
    assert (code, err) == (0, "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    code, _, err = done(gensweep("extend", url, "--trials", "1", "--set", "lr=1e-5:1e-1:log", cwd=tmp_path))
    assert (code, err) == (0, "")
    assert results.load(url).trials["state"].tolist() == ["complete"] * 3
    prove = ["finalize", url, "--top", "1", "--concurrent", "2"]
    code, _, err = done(gensweep(*prove, "--seeds", "5", cwd=tmp_path))
    assert (code, err) == (0, "")
    before = json.loads(where.read("final.json"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "third"))
    code, _, err = done(gensweep(*prove, "--add-seeds", "1", cwd=tmp_path))
    assert (code, err) == (0, "")
    after = json.loads(where.read("final.json"))
    assert (before["seeds"], after["seeds"]) == (5, 6)
    for old, new in zip(before["finalists"], after["finalists"], strict=True):
        assert new["seeds"][:5] == old["seeds"]
        assert len({one["seed"] for one in new["seeds"]}) == 6
    code, out, err = done(gensweep("best", url, cwd=tmp_path))
    assert (code, err) == (0, "")
    assert "Retrained on fresh seeds:" in out


def workdirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> list[Path]:
    """Return the working directories of two machines for one sweep."""
    found = []
    for machine in ("a", "b"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))
        found.append(workdir.local_workdir(url))
        (found[-1] / bucket_sync.LEASE).write_text(f"process 1 on {machine}")
    return found


@pytest.mark.long
def test_bucket__second_driver_refused(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_sync, "RENEW_S", 0.3)
    monkeypatch.setattr(bucket_sync, "EXPIRY_S", 6.0)
    here, there = workdirs(tmp_path, monkeypatch, "s3://lab/two")
    said: list[str] = []
    taken = threading.Event()
    with bucket_sync.hold_lease(here, said.append, taken.set):
        assert bucket_sync.is_leased(there)
        with (
            pytest.raises(UserError, match="another gensweep is running s3://lab/two \\(process 1 on a, beat"),
            bucket_sync.hold_lease(there, said.append, lambda: None),
        ):
            pass
        for _ in range(20):  # a beat may come in between
            open_directory("s3://lab/two").write(
                bucket_sync.LEASE, b"process 1 on b, beat 0"
            )  # which held the first one for dead
            if taken.wait(0.5):
                break
        assert taken.is_set()
        with bucket_sync.hold_lease(there, said.append, lambda: None):  # nothing beats there: so it is dead
            assert said[-1].endswith("whether an earlier driver is still running (process 1 on b)")
    assert not open_directory("s3://lab/two").has(bucket_sync.LEASE)


@pytest.mark.long
def test_bucket__journal_in_pieces(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_sync, "COMPACT_EVERY", 3)
    here, there = workdirs(tmp_path, monkeypatch, "s3://lab/pieces")
    where, push, lines = (
        open_directory("s3://lab/pieces"),
        bucket_sync.journal_uploader(here),
        [f"line {k}\n".encode() for k in range(7)],
    )
    where.write("sweep.json", b"{}")
    for k, line in enumerate(lines):
        with (here / "study.journal").open("ab") as file:
            file.write(line)
        push()
        push()  # nothing is new
        assert optuna_study.read_journal(where) == b"".join(lines[: k + 1])
        assert len(where.names(optuna_study.JOURNAL_FOLDER)) == (k + 1) % 3
    bucket_sync.download_state(there)
    assert (there / "study.journal").read_bytes() == b"".join(lines)
    where.write(f"{optuna_study.JOURNAL_FOLDER}/{0:012d}", lines[0])  # a kill came between compaction and deletion
    assert optuna_study.read_journal(where) == b"".join(lines)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "run vae --results s3://lab/x --storage sqlite:///a.db",
            "sqlite:///a.db would be lost with this machine, unlike s3",
        ),
        ("run vae --results s3://lab/x --trial-timeout 60s", "trial-timeout 60s needs results in a folder"),
        ("run vae --results s3://lab/x --keep-checkpoints 1GB", "keep-checkpoints 1GB needs results in a folder"),
        ("run vae --results s3://nowhere/x --trials 2", "bucket 'nowhere' does not exist, or you may not read it"),
        ("run vae --results s3://lab/odd --name held", "s3://lab/odd/held is not empty and holds no sweep"),
        ("resume s3://lab/none", "'s3://lab/none' is not a sweep"),
        ("stop s3://lab/none", "'s3://lab/none' is not a sweep"),
        ("best s3://lab/none", "s3://lab/none"),
        ("study gan-report --results s3://lab/x", "the searches of a study share a folder"),
    ],
)
def test_bucket__refused(s3: Any, capsys: pytest.CaptureFixture[str], words: str, line: str) -> None:
    open_directory("s3://lab/odd/held").write("note.txt", b"mine")
    assert main(words.split()) == 2
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1
    assert open_directory("s3://lab/odd").names("") == ["held"]
    assert open_directory("s3://lab").names("x") == []
