"""Makes the shipped weights: `python scripts/train_extractor.py mnist --data-dir DIR -o mnist.safetensors`."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from trainables.data import load
from trainables.metrics.extractor_file import write
from trainables.metrics.train_extractor import fit, make_recipe


def main(args: list[str]) -> None:
    """The command line; see `python scripts/train_extractor.py --help`."""
    parser = argparse.ArgumentParser(prog="python scripts/train_extractor.py", description="Train an extractor.")
    parser.add_argument("dataset")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--epochs", type=int, help="default: about 600,000 images seen")
    parser.add_argument("-o", "--output", type=Path, required=True)
    known = parser.parse_args(args)
    data = load(known.dataset, known.data_dir)
    recipe = make_recipe(len(data.train), data.shape[1])
    if known.epochs is not None:
        recipe = recipe._replace(epochs=known.epochs)

    def tell(epoch: int, epochs: int, share: float) -> None:
        print(f"epoch {epoch}/{epochs}: val accuracy {share:.4f}", flush=True)

    trained = fit(data, recipe, command=_command(known), progress=tell)
    write(trained, known.output)
    print(f"{known.output}: id {trained.id}, test accuracy {trained.accuracy:.4f}")


def _command(known: argparse.Namespace) -> str:
    # Folder names are the trainer's own affair and stay out of the file.
    epochs = "" if known.epochs is None else f" --epochs {known.epochs}"
    source = "" if known.data_dir is None else " --data-dir DIR"
    output = shlex.quote(known.output.name)
    return f"python scripts/train_extractor.py {known.dataset}{source}{epochs} -o {output}"


if __name__ == "__main__":
    main(sys.argv[1:])
