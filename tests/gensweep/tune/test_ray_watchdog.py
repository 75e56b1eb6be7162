"""What a sweep survives: its Ray dying under it, and `make chaos` in short."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.ray

DRIVER = """
import os, signal, time
import psutil
from gensweep.tune import ray_session
from gensweep.tune.ray_watchdog import RayDied
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with Ctrl-C ignored
try:
    with ray_session.ray_environment(), ray_session.connect(None, {"num_cpus": 1}):
        (raylet,) = [child for child in psutil.Process().children(recursive=True) if child.name() == "raylet"]
        raylet.kill()
        time.sleep(60)
except RayDied as error:
    print(error)
"""


def test_a_driver_whose_raylet_died_says_so_and_ends() -> None:
    done = subprocess.run([sys.executable, "-c", DRIVER], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]  # Ray may say more before
    assert last == "Ray gave up, its raylet process died: nothing is lost, and the same command again goes on"
