"""Eight VAE trials on MNIST by gensweep, and the same eight written the ordinary way for Ray Tune, in one run.

The ordinary way: a Tune function with a DataLoader over torchvision's MNIST with ToTensor, Ray's defaults, one epoch
of a 784-400-20 VAE, batch 128, Adam at 1e-3, on the same 55,000 images. Three rounds, alternating, medians.
gensweep also evaluates each trial (FID of 5,000 samples, held-out nats), draws its samples and keeps checkpoints.
Needs MNIST under GENSWEEP_DATA.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune

from gensweep import Sweep

TRIALS, CPUS = 8, 2
PINNED = {"latent_dim": "20", "width": "400", "batch_size": "128", "lr": "1e-3", "beta": "1"}
PINNED |= {"likelihood": "bernoulli"}


def plain_trial(config: dict[str, Any]) -> None:
    """As a tutorial would write it."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.data import DataLoader, Subset
    from torchvision import datasets, transforms

    torch.manual_seed(config["seed"])
    images = datasets.MNIST(config["root"], train=True, download=False, transform=transforms.ToTensor())
    loader = DataLoader(Subset(images, config["indices"]), batch_size=128, shuffle=True, drop_last=True)
    encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    total = 0.0
    for image, _ in loader:
        x = image.view(-1, 784)
        mean, log_var = encoder(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        recon = functional.binary_cross_entropy(torch.sigmoid(decoder(z)), x, reduction="sum")
        loss = recon - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += loss.item()
    tune.report({"loss": total / (len(loader) * 128)})


def plain(root: str, indices: list[int], results: str) -> tuple[float, float]:
    """Seconds and mean loss."""
    began = time.perf_counter()
    ray.init(num_cpus=CPUS, include_dashboard=False, log_to_driver=False)
    space = {"seed": tune.grid_search(list(range(TRIALS))), "root": root, "indices": indices}
    run_config = tune.RunConfig(storage_path=results, verbose=0)
    grid = tune.Tuner(plain_trial, param_space=space, run_config=run_config).fit()
    losses = [float(loss) for loss in grid.get_dataframe()["loss"]]
    ray.shutdown()
    assert len(losses) == TRIALS
    return time.perf_counter() - began, statistics.mean(losses)


def ours(results: str, precision: str, tries: int) -> tuple[float, float]:
    """Seconds and mean loss."""
    began = time.perf_counter()
    sweep = Sweep(
        "vae", dataset="mnist", trials=TRIALS, epochs=1, sampler="random", scheduler="none", precision=precision,
        results=results, name=f"{precision}-{tries}", set=PINNED, quiet=True,
    )  # fmt: skip
    frames = sweep.run().frames()
    took = time.perf_counter() - began
    assert len(frames.rows) == TRIALS
    return took, float(frames.rows["loss"].mean())


def unpacked(folder: str) -> tuple[str, list[int]]:
    """MNIST as torchvision reads it, and the indices of gensweep's training split in it."""
    from torchvision import datasets

    from trainables.data import load

    root = Path(folder) / "data"
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in Path(os.environ["GENSWEEP_DATA"]).glob("MNIST/raw/*.gz"):
        (raw / file.name).symlink_to(file.resolve())
    whole = datasets.MNIST(str(root), train=True, download=True)  # unpacks what is there
    where = {image.tobytes(): i for i, image in enumerate(whole.data.numpy())}  # no two images are alike
    return str(root), [where[np.ascontiguousarray(image).tobytes()] for image in load("mnist").train.pixels]


def has_bf16() -> bool:
    """Whether this processor multiplies in bf16 at all; without, torch emulates it at a hundredth of the speed."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def main() -> None:
    from lib.results_table import keep

    precisions = ("fp32", "bf16") if has_bf16() else ("fp32",)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    found: dict[str, list[tuple[float, float]]] = {"plain": [], **{precision: [] for precision in precisions}}
    with tempfile.TemporaryDirectory() as folder:
        root, indices = unpacked(folder)
        for i in range(rounds):
            found["plain"].append(plain(root, indices, f"{folder}/plain-{i}"))
            for precision in precisions:
                found[precision].append(ours(f"{folder}/ours", precision, i))
    seconds = {name: statistics.median(took for took, _ in runs) for name, runs in found.items()}
    loss = {name: statistics.mean(value for _, value in runs) for name, runs in found.items()}
    rows = []
    for name, runs in found.items():
        each = " ".join(f"{took:.1f}" for took, _ in runs)
        ratio, off = seconds["plain"] / seconds[name], 100 * (loss[name] / loss["plain"] - 1)
        rows.append([name, each, f"{seconds[name]:.1f}", f"{ratio:.2f}", f"{loss[name]:.2f}", f"{off:+.2f} %"])
    notes = "" if has_bf16() else "\n\nNo bf16 row: this processor has neither AVX512-BF16 nor AMX."
    columns = ["how", "rounds, s", "median, s", "times as fast", "mean loss, nats", "against plain"]
    keep("versus_plain_tune", "Eight VAE trials against plain Ray Tune", columns, rows, (__doc__ or "") + notes)


if __name__ == "__main__":
    main()
