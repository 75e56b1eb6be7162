"""Writes docs/cluster_log.md: what a person types and sees, from `cluster check` to `cluster down`, on three hosts that
are made on this machine (tests/helpers/hosts.py). It is run as root, with nothing beside it:

    PYTHONPATH=tests python scripts/cluster_log.py [PATH]
"""

import datetime
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from helpers import hosts

from analysis.read import results

HEAD = """# A cluster of three hosts, from `check` to `down`

What a person types and sees: three hosts in namespaces of one machine of {cores} cores (tests/helpers/hosts.py), each
with an sshd, a home, a session folder and a /dev/shm of its own, one slot each, and one folder that all of them mount.
`rack.yaml` is deploy/onprem.yaml with these addresses. Lines are cut at {width} characters; the lines of most trials
(`...`) and what `ray down` says are left out. Written by `PYTHONPATH=tests python scripts/cluster_log.py` on
{day}, load {load} as it began.

From `submit` to the first trial running: **{first:.0f} s**. A trial took {shortest:.0f} to {longest:.0f} s.

```
"""
WIDTH, TRIALS = 150, 24
SWEEP = f"run gan --dataset digits --trials {TRIALS} --scheduler none --set epochs=20 --set width=32"
RUNNING = re.compile(r"\b[1-9]\d* running")


class Log:
    """Types commands on the laptop and keeps what they say."""

    def __init__(self, rack: hosts.Rack) -> None:
        self.rack, self.lines = rack, list[str]()

    def type(self, words: str, keep: int = 0) -> list[tuple[float, str]]:
        """Runs a command; each of its lines with the seconds since it began. With `keep`, that many lines of each end
        are kept, and the others are `...`."""
        began, said = time.monotonic(), list[tuple[float, str]]()
        command = [sys.executable, "-u", "-m", "gensweep", *words.replace("rack.yaml", str(self.rack.file())).split()]
        process = subprocess.Popen(
            command,
            env=self.rack.environment(),
            cwd=self.rack.laptop,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            said.append((time.monotonic() - began, line.rstrip()))
        code = process.wait()
        shown = [self.clean(line) for _, line in said if "ray down" not in words]
        if keep and len(shown) > 2 * keep:
            shown = [*shown[:keep], "...", *shown[-keep:]]
        self.lines += [f"$ gensweep {words}", *shown, f"[exit code {code}, {time.monotonic() - began:.0f} s]", ""]
        return said

    def clean(self, line: str) -> str:
        return line.replace(str(self.rack.file()), "rack.yaml").replace(str(self.rack.laptop), "~")[:WIDTH]


def session(log: Log) -> float:
    """Everything from check to down; the seconds from `submit` to the first trial."""
    log.type("cluster check rack.yaml")
    log.type("cluster up rack.yaml --wait 3")
    log.type(f"cluster check rack.yaml -- {SWEEP}")
    beside = Log(log.rack)
    status = threading.Timer(90, beside.type, ["submit rack.yaml -- status gan-digits"])
    status.start()
    said = log.type(f"submit rack.yaml -- {SWEEP}", keep=9)
    status.join()
    log.lines += ["while it ran, from another terminal:", *beside.lines]
    log.type("submit rack.yaml -- best gan-digits --top 3")
    log.type("submit rack.yaml -- report gan-digits")
    log.type("fetch rack.yaml gan-digits")
    rows = (log.rack.laptop / "results/gan-digits").glob("trials/*/rows.jsonl")
    found = Counter(re.findall(r'"host": "(h\d)"', "".join(path.read_text() for path in rows)))
    log.lines += ["rows by host: " + ", ".join(f"{host} {n}" for host, n in sorted(found.items())), ""]
    log.type("cluster down rack.yaml", keep=1)
    log.lines += [f"Ray's processes on {host.name}: {len(host.processes())}" for host in log.rack.hosts]
    return next(at for at, line in said if RUNNING.search(line))


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/cluster_log.md")
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder, hosts.rack(Path(folder), 3, Path(sys.executable)) as rack:
        log = Log(rack)
        first = session(log)
        took = results.load(rack.laptop / "results/gan-digits").trials["wall_s"]
    head = HEAD.format(
        cores=os.cpu_count(),
        width=WIDTH,
        day=datetime.date.today(),
        load=load,
        first=first,
        shortest=took.min(),
        longest=took.max(),
    )
    out.write_text(head + "\n".join(log.lines) + "\n```\n", encoding="utf-8")


if __name__ == "__main__":
    main()
