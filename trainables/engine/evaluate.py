"""What the metrics get to see at an evaluated epoch: samples, held-out images, codes; and the fixed sample grid.

All noise here comes from the sweep's seed, not from the trial's: every trial is judged on the same noise and the same
labels, so that scores and pictures differ only by what was learned.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables import random_streams
from trainables.config_schema import Config
from trainables.engine.interface import Batch, Model
from trainables.engine.state import Data, TrainingState, sampling_nets
from trainables.images import to_uint8
from trainables.metrics import EvalInputs, Evaluator, extract_features, measure
from trainables.random_streams import Draw

GRID, COLUMNS = 80, 10  # images in the fixed sample grid, and in one row of it
FITTED = 10_000  # training images that a model sees which fits its sampler after training
CHUNK = 500  # images at once where nothing is learned


def is_eval_epoch(evaluator: Evaluator, epoch: int, epochs: int) -> bool:
    """Whether ``epoch`` is evaluated: the first, the last, the scheduler's rungs, and every ``evaluator.every``."""
    return epoch in (1, epochs, *evaluator.rungs) or epoch % evaluator.every == 0


def prior_labels(shares: Sequence[float], seed: int, n: int, device: str) -> Tensor:
    """Labels [n] with these class shares [K], in an order that the sweep's seed fixes."""
    quantiles = (np.arange(n) + 0.5) / n
    labels = np.searchsorted(np.cumsum(shares), quantiles).clip(max=len(shares) - 1)
    order = random_streams.permutation(n, "cpu", seed, "labels")
    return torch.from_numpy(labels)[order].to(device)


def generate(
    model: Model, config: Config, nets: Mapping[str, nn.Module], labels: Tensor, seed: int, chunks: Sequence[int] = ()
) -> Iterator[tuple[Tensor, Tensor]]:
    """The images that are scored, float [CHUNK, C, H, W] in [0, 1] at a time, and their labels; of all chunks, or of
    those that are named. The noise is that of the sweep's seed."""
    assert model.sample is not None
    spec = Draw("normal", (model.latent(config),))
    for i in [CHUNK * k for k in chunks] or range(0, len(labels), CHUNK):
        y = labels[i : i + CHUNK]
        yield model.sample(nets, random_streams.draw(spec, len(y), str(labels.device), seed, "judged", i), y).float(), y


def grid_labels(n_classes: int) -> Tensor:
    """Labels of the sample grid, int64 [GRID]: with ten classes each column is a class."""
    return torch.arange(GRID) % n_classes


def _picture(run: TrainingState, nets: dict[str, nn.Module], evaluator: Evaluator) -> Tensor:
    model, device, images = run.model, run.data.device, run.data.images
    if model.show is None:
        assert model.sample is not None
        z = random_streams.draw(Draw("normal", (model.latent(run.config),)), GRID, device, evaluator.seed, "grid")
        drawn = model.sample(nets, z, grid_labels(len(images.classes)).to(device))
    else:
        show, specs = model.show(run.config, images.shape)
        n = min(GRID // 2, len(images.val))
        batch = Batch(*images.val.gather(torch.arange(n, device=device), device))
        noise = {k: random_streams.draw(spec, n, device, evaluator.seed, "shown", k) for k, spec in specs.items()}
        drawn = show(nets, batch, noise)
    return to_uint8(drawn).cpu()


def measure_held_out(
    model: Model, config: Config, data: Data, nets: dict[str, nn.Module], hp: dict[str, Tensor], split: str, seed: int
) -> dict[str, Tensor]:
    """The model's own measures (recon_mse, nats) of each image of a split, ``val`` or ``test``: [V] each."""
    if model.measure is None:
        return {}
    images = getattr(data.images, split)
    measure, specs = model.measure(config, data.images.shape)
    found: dict[str, list[Tensor]] = {}
    for i in range(0, len(images), CHUNK):
        idx = torch.arange(i, min(i + CHUNK, len(images)), device=data.device)
        noise = {k: random_streams.draw(spec, len(idx), data.device, seed, split, k, i) for k, spec in specs.items()}
        for key, values in measure(nets, Batch(*images.gather(idx, data.device)), noise, hp).items():
            found.setdefault(key, []).append(values)
    return {key: torch.cat(parts) for key, parts in found.items()}


def _codes(run: TrainingState, nets: dict[str, nn.Module]) -> Callable[[Tensor], Tensor] | None:
    encode = run.model.encode
    return None if encode is None else lambda x: encode(nets, x)


def _log_weight(
    run: TrainingState, nets: dict[str, nn.Module], seed: int
) -> Callable[[Tensor, Tensor], Callable[[int], Tensor]] | None:
    weigh = None if run.model.log_weight is None else run.model.log_weight(run.config)
    if weigh is None:
        return None
    spec = Draw("normal", (run.model.latent(run.config),))

    def weight(x: Tensor, y: Tensor) -> Callable[[int], Tensor]:
        of = weigh(nets, Batch(x, y))
        return lambda i: of(random_streams.draw(spec, len(y), run.data.device, seed, "importance", i))

    return weight


def available_inputs(model: Model, config: Config) -> frozenset[str]:
    """Return the names of the parts of EvalInputs that trials of this configuration have (see `collect_inputs`)."""
    samples = model.samples(config)
    has = {
        "data": True,
        "features": samples,
        "draw": samples,
        "labels": samples and model.conditional,
        "measured": model.measure is not None,
        "encode": model.encode is not None,
        "log_weight": model.log_weight is not None and model.log_weight(config) is not None,
    }
    return frozenset(part for part, there in has.items() if there)


def collect_inputs(run: TrainingState, nets: dict[str, nn.Module], evaluator: Evaluator) -> EvalInputs:
    """Everything that the metrics may ask about a trial as it stands."""
    model, extractor = run.model, run.data.extractor
    inputs = EvalInputs(
        evaluator,
        data=run.data.images,
        measured=measure_held_out(model, run.config, run.data, nets, run.hp, "val", evaluator.seed),
        encode=_codes(run, nets),
        log_weight=_log_weight(run, nets, evaluator.seed),
    )
    if not model.samples(run.config) or extractor is None:
        return inputs

    def asked(n: int) -> Tensor:
        return prior_labels(evaluator.class_prior.tolist(), evaluator.seed, n, run.data.device)

    def draw(n: int) -> Iterator[tuple[Tensor, Tensor]]:
        return generate(model, run.config, nets, asked(n), evaluator.seed)

    images, features, logits = extract_features(evaluator, extractor, (x for x, _ in draw(evaluator.n_samples)))
    labels = asked(evaluator.n_samples) if model.conditional else None
    return replace(
        inputs, images=images, features=features, logits=logits, labels=labels, extractor=extractor, draw=draw
    )


def _training_images(run: TrainingState, evaluator: Evaluator) -> Iterator[Tensor]:
    """The same ``FITTED`` training images for every trial, float [CHUNK, C, H, W] at a time."""
    train, device = run.data.images.train, run.data.device
    order = random_streams.permutation(len(train), device, evaluator.seed, "fitted")[:FITTED]
    return (train.gather(part, device)[0] for part in torch.split(order, CHUNK))


@torch.no_grad()
def evaluate(run: TrainingState) -> tuple[dict[str, Any], Tensor]:
    """Quality values of the trial as it stands, and its sample grid, uint8 [GRID, C, H, W]."""
    evaluator = run.data.evaluator
    assert evaluator is not None
    nets = sampling_nets(run)
    modes = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
    if run.model.fit is not None:
        run.model.fit(
            nets, _training_images(run, evaluator), random_streams.derive_seed(evaluator.seed, "fitted") % 2**32
        )
    last = run.epoch == run.config["epochs"]
    quality = measure(collect_inputs(run, nets, evaluator), last=last, also=evaluator.also if last else ())
    picture = _picture(run, nets, evaluator)
    for name, net in nets.items():
        net.train(modes[name])
    return dict(quality), picture
