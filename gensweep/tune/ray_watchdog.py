"""What a driver does when its own Ray dies under it: it says so and ends, so that `resume` can go on.

Left alone, Ray ends such a driver without a word, when it next touches the dead raylet's object store (seen: 12 s
later), and waits a minute for a dead GCS. So a thread looks after both processes and interrupts the main thread; where
that does not get out of Ray's hands in time, the thread ends the process. Ray's processes end with their driver, the
trials' workers with their raylet, and the study and the trials' files are whole after any kill.
"""

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

POLL_S = 0.2
PATIENCE_S = 10.0  # for the main thread to leave Ray
REQUIRED_PROCESSES = ("raylet", "gcs_server")  # Ray's names for the processes that a driver cannot do without
NOTHING_LOST = "nothing is lost, and the same command again goes on"

_dead: str | None = None


class RayDied(RuntimeError):  # noqa: N818  Ray's own exceptions say Error; this one is a message
    """A process of our own Ray is gone; the message is one line."""


def death_notice() -> str | None:
    """Which process of our Ray is gone, as a person would say it; None where all is well."""
    return None if _dead is None else f"its {_dead} process died"


@contextmanager
def watch_ray() -> Generator[None]:
    """Looks after the Ray that this process has started, and shuts it down in the end.

    Raises:
        RayDied: one of its processes died, and nobody inside dealt with it.
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
    from ray._private import worker  # nothing public tells of these processes in less than ten seconds

    node: Any = worker._global_node  # None, or without such processes, on a cluster that is not ours
    while not well.wait(POLL_S):
        gone = [kind for kind, _ in node.dead_processes() if kind in REQUIRED_PROCESSES] if node is not None else []
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
