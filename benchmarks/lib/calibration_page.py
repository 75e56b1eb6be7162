"""The words of docs/calibration.md, and its comparison with an earlier calibration on MNIST."""

from typing import Any

HEAD = """# What every metric reads on real images and on known damage

Read your numbers against this page: a perfect generator does not reach precision 1 or duplicates 0, it reaches the row
**real**. `x F` is how many times the FID of real images. [Metrics](metrics.md) explains the columns.

- **FID does not see copies.** 1,000 images, ten times each, look like new ones to it. `recall`, `coverage`,
  `duplicates` and `support` (which counts the distinct images nearly right) see them.
- **Class counts do not see collapse within a class, and precision and recall do not see a wrong mixture of classes.**
  A class at 3.2 times its share leaves both unchanged and raises `kl_prior`.
- **Mild noise is far from real here.** Noise of sd .1, which a person hardly notices, has a larger FID than a lost
  class. The backgrounds of the data are exactly black, so the extractor presumably takes noise there for strokes. At
  sd .3 it gives nearly all MNIST digits the same class. If the FID is much worse than the picture, look at `sharpness`.
- **Precision alone can be fooled.** Uniform noise falls into one small region of feature space. If that region is near
  a few odd real images, precision is high: .98 on Fashion-MNIST. Coverage and recall are not fooled.
- **`memorised` is about training images only.** Copies of other images do not raise it. Drawing one narrow class does
  (.067 for Fashion-MNIST's trousers, which are close together), so read it together with `recall`.
"""

EARLIER = {
    "noise .1": (15, 0.967, 0.864, 1.05, 0.893, 0.001, 9.99),
    "noise .3": (128, 0.955, 0.268, 0.835, 0.361, 0.002, 9.98),
    "3x3 blur": (80, 0.976, 0.426, 1.01, 0.548, 0.001, 9.99),
    "one class dropped": (18, 0.954, 0.874, 0.953, 0.852, 0.100, 9.05),
    "five classes": (136, 0.948, 0.611, 0.920, 0.538, 0.623, 5.36),
    "one class": (706, 0.941, 0.162, 0.936, 0.125, 2.108, 1.21),
    "one class x 3.2": (49, 0.957, 0.959, 0.963, 0.918, 0.244, 7.84),
    "100 images x 100": (23, 0.910, 0.000, 0.893, 0.081, 0.041, 9.60),
    "1,000 images x 10": (3.3, 0.953, 0.472, 0.956, 0.566, 0.003, 9.97),
    "uniform noise": (1022, 0.053, 0.000, 0.011, 0.001, 1.27, 2.82),
}
SHAPES = {"precision": ".3f", "recall": ".3f", "density": ".2f", "coverage": ".3f", "kl_prior": ".3f", "modes": ".2f"}

WHY = """The earlier one used a LeNet-5 (84 features, 98.2 % right, three epochs, no augmentation) and the 10,000 test
images as the reference. Why figures differ:

- FID is in units of F, since its own unit is that of the features. Noise hurts all scores more here and blur a little
  less in FID. Presumably the LeNet's pooling averages noise away and this extractor's strided convolutions do not; that
  was not tested by itself.
- KL and effective modes are closer to the truth (ln 2 = .693 and 5 for five of ten classes; 1 for one), because this
  extractor is right on 99.6 %: its errors leak less into classes that are not there. Recall of five classes and of one
  is lower for the same reason.
- The class at 3.2 times its share was '1' with .113 of the images, here it is '0' with .098: the KL of a smaller share
  is smaller.
- Uniform noise lands farther out, and all in one class.
"""


def comparison(rows: dict[str, dict[str, Any]]) -> list[str]:
    """A markdown section, from the values of each damage on MNIST."""
    heads = ["set", "x F", *(f"`{key}`" for key in SHAPES)]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for title, earlier in EARLIER.items():
        values = rows[title]
        ratio = values["fid"] / rows["real"]["fid"]
        pairs = [f"{ratio:,.{int(ratio < 10)}f} ({earlier[0]:,})"]
        pairs += [
            f"{values[k]:{shape}} ({then:{shape}})"
            for (k, shape), then in zip(SHAPES.items(), earlier[1:], strict=True)
        ]
        lines.append(f"| {title} | {' | '.join(pairs)} |")
    return ["## mnist, and in brackets an earlier calibration with another extractor", "", *lines, "", WHY.rstrip(), ""]
