"""`make demo`: three searches on real digits and one page, as the commands that it prints. Typed again, it goes on.

The ranges are moved to where this small set needs them: 1,257 training images make 40 steps an epoch at most, so
batches are small, rates are high, and an MLP does on 8 x 8 pixels what takes a convolution on 28 x 28.
"""

import shlex
import sys
import time
from pathlib import Path

from gensweep.cli.main import main
from gensweep.tune import ray_session

ADVERSARIAL = """--dataset digits --trials 8 --epochs 30 --grace 10 --reduction-factor 3 --set net=mlp --set width=128
--set latent_dim=16,32,64 --set batch_size=32 --set ema=0.99 --set beta1=0.5 --set d_norm=none --set d_steps=1
--set lr_g=1e-3:4e-3:log --set lr_d=5e-4:2e-3:log"""
COMMANDS = (
    """run vae --dataset digits --trials 10 --epochs 30 --grace 10 --set batch_size=32
    --set lr=1e-3:1e-2:log --name demo-vae""",
    f"run gan {ADVERSARIAL} --name demo-gan",
    f"run cgan {ADVERSARIAL} --name demo-cgan",
    "report results/demo-vae results/demo-gan results/demo-cgan --out results/demo",
)


def demo() -> int:
    """Runs the commands on one Ray; returns the first exit code that is not 0."""
    began = time.monotonic()
    with ray_session.ray_environment(), ray_session.connect(None, {}):
        for command in COMMANDS:
            words = shlex.split(command)
            print(f"$ gensweep {shlex.join(words)}")
            code = main(words)
            if code:
                return code
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    print(f"make demo: {minutes} min {seconds} s; open {Path('results/demo/index.html').resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(demo())
