"""`make chaos`: sweeps whose worker, raylet or driver is killed at a random moment, resumed, held against the truth.

Each run is a sweep of 12 trials, two at a time. At the end every trial has ended, once, in the study, on the disk and
by Tune's word. Under random search without a scheduler its rows are those of an undisturbed run, by number; under TPE
with ASHA, whose proposals depend on which trials are open, they are those of a solo replay of its params.json.
Only processes that descend from the run are killed: they carry its mark in their environment.
"""

import argparse
import datetime
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from check_sweep import differing, unsound

TRIALS = 12
SMALL = "--dataset digits --set net=mlp --set width=16 --set likelihood=bernoulli --concurrent 2"
MODES = {
    "random": "--sampler random --scheduler none --set epochs=5",
    "tpe + asha": "--sampler tpe --scheduler asha --set epochs=6",
}
VICTIMS = {"worker": r"ray::ImplicitFunc", "raylet": r"\S*/raylet/raylet ", "driver": r"\S+ -m gensweep "}
MARK = "GENSWEEP_CHAOS"
LATEST = 0.8  # of a calm run's rows: a kill comes before
ENDS_S = 60.0  # a driver that lost its raylet has ended by then, and so have the processes of a dead driver
LASTS_S = 600.0  # no launch takes longer
COLUMNS = "run|search|killed|at row|driver after it|launches|trials|left over|seconds|verdict"


class Plan(NamedTuple):
    """What is done to one run."""

    run: int
    mode: str
    victim: str | None
    share: float = 0.0  # of a calm run's rows on the disk when the kill comes
    delay_s: float = 0.0  # after that row

    @property
    def mark(self) -> str:
        return f"{os.getpid()}-{self.run}"


class Launch(NamedTuple):
    code: int
    out: str
    err: str


def plans(runs: int, seed: int) -> list[Plan]:
    """The modes in turn; the victims in shuffled threes, so that each has its share."""
    draw = random.Random(seed)
    victims: list[str] = []
    while len(victims) < runs:
        victims += draw.sample(list(VICTIMS), len(VICTIMS))
    modes = list(MODES)
    return [
        Plan(run, modes[run % 2], victims[run - 1], draw.uniform(0, LATEST), draw.uniform(0, 0.5))
        for run in range(1, runs + 1)
    ]


def start(plan: Plan, home: Path, words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "gensweep", *shlex.split(words)],
        cwd=home,
        env={**os.environ, MARK: plan.mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]", limit_s: float) -> Launch:
    """Waits for a launch; one that hangs is killed, and has the code -9 and a line about it."""
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += f"chaos: still there after {limit_s:g} s\n"
    return Launch(process.returncode, out, err)


def descendants(mark: str) -> dict[int, str]:
    """Process id -> command line of every process that carries the mark."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.update({int(folder.name): command} if command else {})  # a zombie has no command line
        except OSError:  # no process, not ours, or gone since
            continue
    return found


def written(sweep: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in sweep.glob("trials/*/rows.jsonl"))


def strike(plan: Plan, sweep: Path, process: "subprocess.Popen[str]", at: int) -> bool:
    """Kills the victim once `at` rows are written; False where the run was over first."""
    while written(sweep) < at:
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    time.sleep(plan.delay_s)
    pattern = re.compile(VICTIMS[plan.victim or ""])
    hit = sorted(pid for pid, command in descendants(plan.mark).items() if pattern.match(command))
    if not hit or process.poll() is not None:
        return False
    os.kill(random.Random(plan.share).choice(hit), signal.SIGKILL)
    return True


def end_all(mark: str) -> int:
    """Waits for the run's processes to end; kills by their ids those that do not, and says how many."""
    end = time.monotonic() + ENDS_S
    while descendants(mark) and time.monotonic() < end:
        time.sleep(0.2)
    stubborn = descendants(mark)
    for pid in stubborn:
        os.kill(pid, signal.SIGKILL)
    return len(stubborn)


def play(plan: Plan, home: Path, seed: int, calm: dict[str, Path]) -> tuple[dict[str, str], list[str]]:
    """One run, as a line of the table, and what is wrong with it."""
    began, name = time.monotonic(), f"run-{plan.run}"
    words = f"run vae {SMALL} {MODES[plan.mode]} --trials {TRIALS} --seed {seed} --name {name}"
    sweep = home / "results" / name
    process = start(plan, home, words)
    launches, faults, at = [], [], 0
    after = ""
    if plan.victim is not None:
        at = int(plan.share * written(calm[plan.mode]))
        if not strike(plan, sweep, process, at):
            faults.append("it was over before the kill")
        struck = time.monotonic()
        launches.append(finish(process, LASTS_S if plan.victim == "worker" else ENDS_S))
        faults += told(plan, launches[0])
        after = f"exit {launches[0].code}" + (f", {time.monotonic() - struck:.1f} s" if plan.victim == "raylet" else "")
    else:
        launches.append(finish(process, LASTS_S))
    while launches[-1].code != 0 and len(launches) < 3:
        again = f"resume results/{name}" if (sweep / "sweep.json").exists() else words
        launches.append(finish(start(plan, home, again), LASTS_S))
    if launches[-1].code != 0:
        faults.append(f"the last launch said: {' '.join((launches[-1].out + launches[-1].err).split())[-300:]}")
    left = end_all(plan.mark)
    faults += [f"{left} processes did not end"] if left else []
    unheard = 2 if plan.victim == "driver" else 0  # two may end between the study's word and the printed one
    ended, lost = unsound(sweep, TRIALS, [launch.out for launch in launches], unheard)
    faults += lost
    if not faults:
        faults += differing(sweep, calm["random"] if plan.mode == "random" and plan.victim else None)
    line = [
        str(plan.run), plan.mode, plan.victim or "-", str(at), after, str(len(launches)),
        ", ".join(f"{n} {word}" for word, n in ended.items()), str(left), f"{time.monotonic() - began:.0f}",
        "sound" if not faults else "WRONG",
    ]  # fmt: skip
    return dict(zip(COLUMNS.split("|"), line, strict=True)), faults


def told(plan: Plan, launch: Launch) -> list[str]:
    """What is wrong with how the driver ended after the kill."""
    if plan.victim == "driver":
        return [] if launch.code == -signal.SIGKILL else [f"the killed driver has exit code {launch.code}"]
    if launch.err:
        return [f"it wrote to stderr: {' '.join(launch.err.split())[:300]}"]
    if plan.victim == "worker":
        return [] if launch.code == 0 else [f"the driver did not go on: {launch.out.splitlines()[-3:]}"]
    lines = [line for line in launch.out.splitlines() if line.startswith("Ray gave up: ")]
    if launch.code != 1 or len(lines) != 1 or "gensweep resume" not in launch.out.splitlines()[-1]:
        return [f"no clear end after the raylet's: exit {launch.code}, {launch.out.splitlines()[-3:]}"]
    return []


def chaos(home: Path, runs: int, seed: int) -> tuple[list[str], bool]:
    """All runs: the lines of the table, and whether all are sound."""
    table = ["| " + COLUMNS.replace("|", " | ") + " |", "|---" * len(COLUMNS.split("|")) + "|"]
    print("\n".join(table), flush=True)
    calm = {mode: home / "results" / f"run-{-k}" for k, mode in enumerate(MODES)}
    quiet = [Plan(-k, mode, None) for k, mode in enumerate(MODES)]
    sound = True
    for plan in [*quiet, *plans(runs, seed)]:
        line, faults = play(plan, home, seed, calm)
        table.append("| " + " | ".join(line.values()) + " |")
        print("\n".join([table[-1], *(f"    {fault}" for fault in faults)]), flush=True)
        sound = sound and not faults
    return table, sound


def page(table: list[str], runs: int, seed: int, sound: bool) -> str:
    paragraphs = [
        "# Chaos: sweeps whose processes are killed",
        " ".join((__doc__ or "").split("\n\n", 1)[1].split()),
        f"`python scripts/chaos.py --runs {runs} --seed {seed}` on {datetime.date.today()}, {os.cpu_count()} cores"
        f" (other work beside it): {'all are sound' if sound else 'NOT all are sound'}. Runs 0 and -1 are undisturbed.",
        "\n".join(table),
    ]
    return "\n\n".join(paragraphs) + "\n"


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--runs", type=int, default=20)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--out", type=Path, help="where to write the table as a page")
    asked.add_argument("--keep", type=Path, help="where the sweeps are kept (default: nowhere)")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        kept = given.keep or Path(scratch)
        kept.mkdir(parents=True, exist_ok=True)
        lines, fine = chaos(kept.resolve(), given.runs, given.seed)
    if given.out is not None:
        given.out.write_text(page(lines, given.runs, given.seed, fine))
    sys.exit(not fine)
