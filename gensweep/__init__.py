"""Find the best configuration of a small generative image model, prove it on fresh seeds, and show it.

The command line, the wiring of Ray Tune and Optuna, and the Python API:

    from gensweep import Sweep
    result = Sweep("vae", dataset="fashion_mnist", trials=20, epochs=5).run()
    print(result.best)

Importing this package is cheap: torch, Ray and Optuna are imported when a sweep runs.
"""

from gensweep.import_hook import install_import_hook

install_import_hook()

from gensweep.api import Sweep, SweepResult  # noqa: E402  the import hook comes first
from gensweep.version import __version__  # noqa: E402

__all__ = ["Sweep", "SweepResult", "__version__"]
