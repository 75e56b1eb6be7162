"""Find the best configuration of a small generative image model, prove it on fresh seeds, and show it.

The command line, the wiring of Ray Tune and Optuna, and the Python API:

    from gensweep import Sweep
    result = Sweep("vae", dataset="fashion_mnist", trials=20, epochs=5).run()
    print(result.best)

Importing this package is cheap: torch, Ray and Optuna are imported when a sweep runs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gensweep.import_hook import install_import_hook

install_import_hook()

from gensweep.api import Sweep, SweepResult  # noqa: E402  the import hook comes first
from gensweep.version import __version__  # noqa: E402

if TYPE_CHECKING:
    from trainables.engine.schedules import cosine, warmup
    from trainables.user_model.engine_model import Batch, Draw
    from trainables.user_model.engine_model import make_model as Model
    from trainables.user_model.engine_model import make_turn as Turn
    from trainables.user_model.exported import load_export
    from trainables.user_model.metrics import UserMetric as Metric
    from trainables.user_model.user_images import images

__all__ = [
    "Batch",
    "Draw",
    "Metric",
    "Model",
    "Sweep",
    "SweepResult",
    "Turn",
    "__version__",
    "cosine",
    "images",
    "load_export",
    "warmup",
]

_OF_MODEL_FILES = {
    **dict.fromkeys(("Batch", "Draw", "Model", "Turn"), "user_model.engine_model"),
    **dict.fromkeys(("cosine", "warmup"), "engine.schedules"),
    "Metric": "user_model.metrics",
    "images": "user_model.user_images",
    "load_export": "user_model.exported",
}
_NAMES = {"Model": "make_model", "Turn": "make_turn", "Metric": "UserMetric"}  # of what model files use; it needs torch


def __getattr__(name: str) -> Any:
    if name not in _OF_MODEL_FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"trainables.{_OF_MODEL_FILES[name]}"), _NAMES.get(name, name))
