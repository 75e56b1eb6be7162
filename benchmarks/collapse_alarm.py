"""The collapse alarm on MNIST: when it would have stopped a trial, beside the effective modes the trial ended with.

An MLP-GAN at a rate of 1e-2, which collapses, and eight seeds of the default GAN, which must never set it off. Trained
without the alarm, so that the end is seen. On all training images, since in as many epochs of fewer even the default
GAN stays young (some 25 minutes on two cores); needs MNIST under GENSWEEP_DATA.
"""

import tempfile
from typing import Any

import numpy as np
from lib.results_table import keep

from gensweep import Sweep
from gensweep.tune import ray_session
from search_spaces import SPACES
from search_spaces.override import default
from trainables.engine.collapse import is_hopeless

ARMS: dict[str, tuple[int, dict[str, str]]] = {  # seeds, and what differs from the defaults
    "MLP, rates 1e-2": (3, {"net": "mlp", "lr_g": "1e-2", "lr_d": "1e-2"}),
    "default": (8, {}),
}
DEFAULT = {key: str(value) for key, value in default(SPACES["gan"])[0].items() if key != "epochs"}
EPOCHS = 6
EVEN = np.full(10, 0.1)


def main() -> None:
    with ray_session.ray_environment(), ray_session.connect(None, {}):
        rows = measured()
    keep(
        "collapse_alarm",
        "The collapse alarm against what became of the trial",
        ["GAN", "seed", "alarm", "modes at the end", "modes at each epoch", "duplicates at the end"],
        rows,
        f"`gan` on MNIST, {EPOCHS} epochs, an evaluation each epoch.",
    )


def measured() -> list[list[str]]:
    rows = []
    for name, (seeds, change) in ARMS.items():
        with tempfile.TemporaryDirectory() as folder:
            pins = {**DEFAULT, **change}
            options: dict[str, Any] = {"dataset": "mnist", "epochs": EPOCHS, "every": 1}
            found = Sweep(
                "gan",
                trials=seeds,
                set=pins,
                sampler="random",
                scheduler="none",
                alarm=False,
                results=folder,
                quiet=True,
                **options,
            ).run()
            table = found.frames().rows
        for seed, run in table.groupby("number"):
            told: list[dict[str, Any]] = run.sort_values("epoch").to_dict("records")  # type: ignore[assignment]
            first = next((row for row in told if is_hopeless(row, EVEN)), None)
            said = "no" if first is None else f"epoch {first['epoch']}, narrow for {first['narrow']} evaluations"
            modes = [f"{row['modes']:.1f}" for row in told]
            rows.append([name, str(seed), said, f"**{modes[-1]}**", " ".join(modes), f"{told[-1]['duplicates']:.2f}"])
            print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main()
