"""How well the classes are separated in the codes: the silhouette (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7).

For each code it is (b - a) / max(a, b): a is its mean distance to its own class, b to the nearest other one. It goes
from -1 to 1, and is above 0 if the code lies nearer to its own class. It does not depend on scale, so that codes of
different nets are comparable.
"""

from __future__ import annotations

from trainables.lazy_import import Tensor, torch
from trainables.metrics.inputs import EvalInputs
from trainables.metrics.types import MetricKey

N_CODES = 1_000  # the cost is quadratic in these


def coefficient(z: Tensor, y: Tensor) -> float:
    """Return the mean silhouette of codes z [N,Z] in classes y [N], at least two."""
    distance = torch.cdist(z.double(), z.double())  # [N,N]
    one_hot = torch.nn.functional.one_hot(y).double()  # [N,K]
    counts = one_hot.sum(0)
    sums = distance @ one_hot  # [N,K]
    in_class = one_hot.bool()
    a = sums[in_class] / (counts[y] - 1).clamp_min(1)
    b = (sums / counts).masked_fill(in_class | (counts == 0), torch.inf).amin(1)
    values = torch.where(counts[y] > 1, (b - a) / torch.maximum(a, b), 0.0)
    return float(values.nan_to_num(0.0).mean())


def silhouette(inputs: EvalInputs) -> dict[str, float]:
    """Return `silhouette` of the first codes of val."""
    assert inputs.data is not None
    assert inputs.encode is not None
    val = inputs.data.val
    x, y = val.gather(torch.arange(min(len(val), N_CODES), device=inputs.device), inputs.device)
    return {"silhouette": coefficient(inputs.encode(x).float(), y)}


KEYS = {"silhouette": MetricKey("silhouette", "max", f"of the classes among the codes of {N_CODES:,} images", "-1..1")}
