"""Write colour images as hard as this machine can make without a download: garments in front of photographs.

    python benchmarks/colour_garments.py FOLDER [N]

Each image is a garment of Fashion-MNIST, dyed in a random hue, plain, striped or printed with a piece of a photograph,
turned, zoomed and moved, before a random piece of one of the two photographs that come with scikit-learn. 32 x 32
pixels, a sub-folder for each of the ten classes, so that `--dataset folder:FOLDER` reads it with labels. It stands for
CIFAR-10 in the study of judges, and is easier: its objects are ten known shapes.
"""

import colorsys
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images

from trainables.data import load

SIZE = 32
Floats = NDArray[np.float64]


def piece(random: np.random.Generator, photographs: list[Image.Image]) -> Floats:
    """Return a random square of a photograph [SIZE, SIZE, 3] in 0..1, of another side and brightness each time."""
    photograph = photographs[random.integers(len(photographs))]
    side = int(random.integers(SIZE, 4 * SIZE))
    left, top = (int(random.integers(0, length - side)) for length in photograph.size)
    square = photograph.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    turned = np.rot90(np.asarray(square) / 255, int(random.integers(4)))
    return np.clip(turned * random.uniform(0.5, 1.2), 0, 1)


def cloth(random: np.random.Generator, photographs: list[Image.Image]) -> Floats:
    """Return the colours of a garment [SIZE, SIZE, 3] in 0..1: plain, striped or printed."""
    first, second = (
        np.array(colorsys.hsv_to_rgb(random.uniform(), random.uniform(0.2, 1), random.uniform(0.5, 1)))
        for _ in range(2)
    )
    kind = random.integers(3)
    if kind == 0:
        return np.broadcast_to(first, (SIZE, SIZE, 3))
    if kind == 1:
        rows, columns = np.mgrid[:SIZE, :SIZE]
        angle, width = random.uniform(0, np.pi), random.uniform(2, 6)
        waves = np.sin((rows * np.cos(angle) + columns * np.sin(angle)) * np.pi / width)[..., None]
        return np.where(waves > 0, first, second)
    return 0.5 * first + 0.5 * piece(random, photographs)


def garment(random: np.random.Generator, pixels: NDArray[np.uint8]) -> Floats:
    """Return a garment's brightness [SIZE, SIZE] in 0..1, turned, zoomed and moved."""
    picture = Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    angle, zoom = random.uniform(-0.25, 0.25), random.uniform(0.95, 1.4)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    middle = SIZE / 2
    right, down = random.uniform(-3, 3, 2)
    shift = (middle - cos * middle - sin * middle + right, middle + sin * middle - cos * middle + down)
    moved = picture.transform(
        (SIZE, SIZE), Image.Transform.AFFINE, (cos, sin, shift[0], -sin, cos, shift[1]), Image.Resampling.BILINEAR
    )
    return np.asarray(moved) / 255


def picture(random: np.random.Generator, pixels: NDArray[np.uint8], photographs: list[Image.Image]) -> Image.Image:
    """Return one image."""
    brightness = garment(random, pixels)[..., None]
    opaque = np.clip(brightness * 6, 0, 1)
    dyed = cloth(random, photographs) * (0.25 + 0.75 * brightness)
    image = opaque * dyed + (1 - opaque) * piece(random, photographs)
    return Image.fromarray((255 * image).round().astype(np.uint8))


def main() -> None:
    """Write the folder."""
    folder, n = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 12_000
    garments, random = load("fashion_mnist"), np.random.default_rng(0)
    photographs = [Image.fromarray(image) for image in load_sample_images().images]
    for k in range(n):
        label = garments.classes[int(garments.train.labels[k])].replace("/", "-")
        path = folder / label / f"{k:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(random, np.asarray(garments.train.pixels[k])[0], photographs).save(path)


if __name__ == "__main__":
    main()
