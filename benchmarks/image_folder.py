"""A folder of PNGs of 64 x 64 in colour: the first start, against decoding alone, the second start, and memory.

Decoding alone is Pillow on all cores, a thread each, with nothing kept. Starts are new processes that load the data
set; seconds are without the imports. A worker is a new process that gets the data set as trials of the driver's machine
do and reads every pixel. Must be: ratio <= 1.3, second start <= 3 s, driver < 1.5 x the packed set, worker: private
memory far below it. CPU times tell whether other work on the machine was in the way.
Options: --images N (default 5,000; the issue's figure is 100000), --folder PATH to keep the PNGs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from lib.results_table import keep
from PIL import Image

SIZE, CHUNK = 64, 500
FIXED_MIB = 64  # of a driver, whatever the set
MUST_RATIO, MUST_S, MUST_DRIVER = 1.3, 3.0, 1.5
TIMED = """
import json, os, resource, sys, time
from pathlib import Path
def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1])
def timed(do):
    began, own, base = time.perf_counter(), time.process_time(), status("VmRSS")
    made = do()
    print(json.dumps([time.perf_counter() - began, time.process_time() - own, (status("VmHWM") - base) / 1024,
                      status("RssAnon") / 1024]))
    return made
"""
ALONE = """
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
def decode(names):
    for name in names:
        with Image.open(name) as image:
            np.asarray(image)
def alone():
    names = sorted(entry.path for entry in os.scandir(sys.argv[1]))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode, [names[i : i + 64] for i in range(0, len(names), 64)]))
timed(alone)
"""
START = """
import trainables.data.folder
from trainables.data import load
data = timed(lambda: load(f"folder:{sys.argv[1]}?size=64"))
"""
WORKER = """
import pickle
import torch
from trainables.data.mapped_files import with_pixels
sent = Path(sys.argv[1]).read_bytes()
def read():
    data = with_pixels(pickle.loads(sent)).to("cpu")
    total = sum(int(split.pixels[i].sum()) for split in (data.train, data.val, data.test) for i in range(len(split)))
    return data, total
base = status("RssAnon")
data = timed(read)  # held, so that its pages are counted below
print(json.dumps([status("RssAnon") / 1024 - base / 1024, status("RssFile") / 1024]))
"""
SEND = """
import pickle
from trainables.data import load, mapped_files
mapped_files.LEAST_BYTES = 0
Path(sys.argv[2]).write_bytes(pickle.dumps(mapped_files.without_pixels(load(f"folder:{sys.argv[1]}?size=64"))))
"""


def paint(folder: Path, n: int, start: int) -> None:
    """Write some images of three soft blobs on a plain colour, with a little noise; the same ones each time."""
    random = np.random.default_rng(start)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    for i in range(start, min(start + CHUNK, n)):
        image = random.normal(0, 2, (SIZE, SIZE, 3)) + random.uniform(0, 120, 3)
        for _ in range(3):
            (left, top, width), colour = random.uniform(0, 1, 3), random.uniform(-150, 150, 3)
            image += np.exp(-((x - left) ** 2 + (y - top) ** 2) / (0.01 + 0.05 * width))[..., None] * colour
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{i:06d}.png")


def python(code: str, cache: str, *arguments: object) -> list[list[float]]:
    """Run code in a new process with a cache of its own; return the lists of numbers that it prints."""
    command = [sys.executable, "-c", TIMED + code, *map(str, arguments)]
    paths = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": paths}
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place) / "images"
        folder.mkdir(parents=True, exist_ok=True)
        if len(list(folder.iterdir())) != options.images:
            with ProcessPoolExecutor() as pool:
                list(pool.map(partial(paint, folder, options.images), range(0, options.images, CHUNK)))
        cache, sent = f"{place}/cache", Path(place) / "sent"
        (alone,) = python(ALONE, cache, folder)
        (first,) = python(START, cache, folder)
        (second,) = python(START, cache, folder)
        python(SEND, cache, folder, sent)
        _, (private, shared) = python(WORKER, cache, sent)
    packed = options.images * SIZE * SIZE * 3 / 2**20
    rows = [
        ["decoding alone", f"{alone[0]:.1f}", f"{alone[1]:.1f}", "", ""],
        ["first start", f"{first[0]:.1f}", f"{first[1]:.1f}", f"{first[2]:,.0f}", ""],
        ["second start", f"{second[0]:.2f}", f"{second[1]:.2f}", f"{second[2]:,.0f}", ""],
        ["worker that reads all", "", "", f"{private + shared:,.0f}", f"{private:,.0f}"],
        ["first / alone", f"**{first[0] / alone[0]:.2f}**", f"**{first[1] / alone[1]:.2f}**", "", ""],
        ["driver / packed set", "", "", f"**{first[2] / packed:.2f}**", ""],
    ]
    keep(
        "image_folder",
        f"{options.images:,} PNGs of {SIZE} x {SIZE}: {packed:,.0f} MiB when packed",
        ["", "s", "CPU s", "resident MiB more", "of which private"],
        rows,
        __doc__ or "",
    )
    late = first[0] / alone[0] > MUST_RATIO or second[0] > MUST_S
    return int(late or first[2] > MUST_DRIVER * packed + FIXED_MIB or private > packed / 2)


if __name__ == "__main__":
    raise SystemExit(main())
