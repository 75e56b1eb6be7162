"""End the driver with a message when its own Ray dies, so that `resume` can go on.

When the raylet dies, Ray ends the driver silently, the next time it touches the object store (12 s later when
measured). When the GCS dies, Ray waits a minute. So a thread polls both processes and interrupts the main thread. If
that does not return from Ray in time, the thread ends the process. Ray's processes end with their driver, the trials'
workers with their raylet, and the study and the trials' files are intact after any kill.
"""

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

from gensweep.tune import ray_internals

POLL_S = 0.2
PATIENCE_S = 10.0  # for the main thread to leave Ray
REQUIRED_PROCESSES = ("raylet", "gcs_server")  # Ray's names for the processes that a driver cannot do without
NOTHING_LOST = "nothing is lost, and the same command again goes on"

_dead: str | None = None


class RayDied(RuntimeError):  # noqa: N818  Ray's own exceptions say Error; this one is a message
    """A process of our own Ray is gone; the message is one line."""


def death_notice() -> str | None:
    """Return which process of our Ray has died, in words; None if none has."""
    return None if _dead is None else f"its {_dead} process died"


@contextmanager
def watch_ray() -> Generator[None]:
    """Watch the Ray that this process has started, and shut it down at the end.

    Raises:
        RayDied: one of its processes died, and the body did not handle it.
    """
    global _dead
    import ray

    _dead = None
    well, left = threading.Event(), threading.Event()
    if threading.current_thread() is threading.main_thread():
        threading.Thread(target=_watch, args=(well, left), daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        if death_notice() is None:
            raise
        raise RayDied(f"Ray gave up, {death_notice()}: {NOTHING_LOST}") from None
    finally:
        well.set()
        ray.shutdown()
        left.set()


def _watch(well: threading.Event, left: threading.Event) -> None:
    global _dead
    while not well.wait(POLL_S):
        gone = [kind for kind in ray_internals.dead_processes() if kind in REQUIRED_PROCESSES]
        if gone:
            _dead = gone[0]
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            if not left.wait(PATIENCE_S):
                print(
                    f"gensweep: Ray does not end by itself, {death_notice()}: {NOTHING_LOST}",
                    file=sys.stderr,
                    flush=True,
                )
                os._exit(1)
            return
