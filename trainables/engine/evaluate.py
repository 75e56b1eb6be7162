"""Evaluate a trial: collect what the metrics need (samples, held-out images, codes), and draw the fixed sample grid.

All noise here comes from the sweep's seed, not from the trial's. So every trial is measured with the same noise and the
same labels, and scores and pictures differ only by what was learned.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainables import random_streams
from trainables.config_schema import Config
from trainables.engine.interface import Batch, Model, Shape
from trainables.engine.own_metrics import own_metrics
from trainables.engine.state import Data, TrainingState, sampling_nets
from trainables.images import to_uint8
from trainables.metrics import EvalInputs, Evaluator, extract_features, measure
from trainables.metrics.extract import run_extractor
from trainables.metrics.extractor import Extractor
from trainables.random_streams import Draw
from trainables.user_model.model import UserModel

DrawByLabels = Callable[[Tensor], Iterator[tuple[Tensor, Tensor]]]  # labels [n] -> images and labels, in chunks
GRID, COLUMNS = 80, 10  # images in the fixed sample grid, and in one row of it
N_FITTED = 10_000  # training images for a model that fits its sampler after training
CHUNK = 500  # images at once in evaluations
N_STATISTICS = 4_000  # samples on which the batch-norm statistics of averaged weights are measured


def is_eval_epoch(evaluator: Evaluator, epoch: int, epochs: int) -> bool:
    """Return whether ``epoch`` is evaluated: the first, last, each rung and each multiple of ``evaluator.every`` is."""
    return epoch in (1, epochs, *evaluator.rungs) or epoch % evaluator.every == 0


def prior_labels(shares: Sequence[float], seed: int, n: int, device: str) -> Tensor:
    """Return labels [n] with these class shares [K], in a random order that the sweep's seed fixes."""
    quantiles = (np.arange(n) + 0.5) / n
    labels = np.searchsorted(np.cumsum(shares), quantiles).clip(max=len(shares) - 1)
    order = random_streams.permutation(n, "cpu", seed, "labels")
    return torch.from_numpy(labels)[order].to(device)


def generate(
    model: Model,
    config: Config,
    nets: Mapping[str, nn.Module],
    shape: Shape,
    labels: Tensor,
    seed: int,
    chunks: Sequence[int] = (),
    stream: str = "judged",
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the samples that are scored, float [CHUNK, C, H, W] in [0, 1] at a time, each chunk with its labels.

    ``chunks`` holds the numbers of the chunks; if it is empty, all are drawn. The noise comes from the sweep's seed.
    """
    assert model.sample is not None
    spec = Draw("normal", model.z_shape(config, shape))
    for i in [CHUNK * k for k in chunks] or range(0, len(labels), CHUNK):
        y = labels[i : i + CHUNK]
        yield model.sample(nets, random_streams.draw(spec, len(y), str(labels.device), seed, stream, i), y).float(), y


def grid_labels(n_classes: int) -> Tensor:
    """Return the labels of the sample grid, int64 [GRID]: with ten classes each column is one, without all are 0."""
    return torch.arange(GRID) % max(1, n_classes)


def _picture(training: TrainingState, nets: dict[str, nn.Module], evaluator: Evaluator) -> Tensor | None:
    model, device, images = training.model, training.data.device, training.data.images
    if model.show is None:
        if model.sample is None:
            return None
        spec = Draw("normal", model.z_shape(training.config, images.shape))
        z = random_streams.draw(spec, GRID, device, evaluator.seed, "grid")
        shown = model.sample(nets, z, grid_labels(len(images.classes)).to(device))
    else:
        show, specs = model.show(training.config, images.shape)
        n = min(GRID // 2, len(images.val))
        batch = Batch(*images.val.gather(torch.arange(n, device=device), device))
        noise = {k: random_streams.draw(spec, n, device, evaluator.seed, "shown", k) for k, spec in specs.items()}
        shown = show(nets, batch, noise)
    return to_uint8(shown).cpu()


def measure_held_out(
    model: Model, config: Config, data: Data, nets: dict[str, nn.Module], hp: dict[str, Tensor], split: str, seed: int
) -> dict[str, Tensor]:
    """Return the model's own measures (recon_mse, nats) of each image of a split, ``val`` or ``test``: [V] each."""
    if model.measure is None:
        return {}
    images = getattr(data.images, split)
    measure, specs = model.measure(config, data.images.shape)
    chunks: dict[str, list[Tensor]] = {}
    for i in range(0, len(images), CHUNK):
        idx = torch.arange(i, min(i + CHUNK, len(images)), device=data.device)
        noise = {k: random_streams.draw(spec, len(idx), data.device, seed, split, k, i) for k, spec in specs.items()}
        for key, values in measure(nets, Batch(*images.gather(idx, data.device)), noise, hp).items():
            chunks.setdefault(key, []).append(values)
    return {key: torch.cat(parts) for key, parts in chunks.items()}


def _codes(training: TrainingState, nets: dict[str, nn.Module]) -> Callable[[Tensor], Tensor] | None:
    encode = training.model.encode
    return None if encode is None else lambda x: encode(nets, x)


def _log_weight(
    training: TrainingState, nets: dict[str, nn.Module], seed: int
) -> Callable[[Tensor, Tensor], Callable[[int], Tensor]] | None:
    weigh = None if training.model.log_weight is None else training.model.log_weight(training.config)
    if weigh is None:
        return None
    spec = Draw("normal", training.model.z_shape(training.config, training.data.images.shape))

    def weight(x: Tensor, y: Tensor) -> Callable[[int], Tensor]:
        log_weight_of = weigh(nets, Batch(x, y))
        return lambda i: log_weight_of(random_streams.draw(spec, len(y), training.data.device, seed, "importance", i))

    return weight


def available_inputs(model: Model | UserModel, config: Config) -> frozenset[str]:
    """Return the names of the parts of EvalInputs that trials of this configuration have (see `collect_inputs`)."""
    samples = model.samples(config)
    has = {
        "data": True,
        "classes": True,  # if the images have labels
        "features": samples,
        "draw": samples,
        "raw": samples and model.averaged is not None and config["ema"] > 0,
        "labels": samples and model.conditional,
        "measured": model.measure is not None,
        "encode": model.encode is not None,
        "log_weight": model.log_weight is not None and model.log_weight(config) is not None,
    }
    return frozenset(part for part, exists in has.items() if exists)


def collect_inputs(training: TrainingState, nets: dict[str, nn.Module], evaluator: Evaluator) -> EvalInputs:
    """Return everything that the metrics may need of a trial with its present weights."""
    model, extractor = training.model, training.data.extractor
    inputs = EvalInputs(
        evaluator,
        data=training.data.images,
        measured=measure_held_out(model, training.config, training.data, nets, training.hp, "val", evaluator.seed),
        encode=_codes(training, nets),
        log_weight=_log_weight(training, nets, evaluator.seed),
    )
    if not model.samples(training.config) or extractor is None:
        return inputs

    def by(drawn_nets: Mapping[str, nn.Module]) -> DrawByLabels:
        shape = training.data.images.shape
        return lambda labels: generate(model, training.config, drawn_nets, shape, labels, evaluator.seed)

    def raw() -> Tensor:
        labels = _labels_of(evaluator, evaluator.n_samples, training.data.device)
        samples = (x for x, _ in by(training.nets)(labels))
        return run_extractor(extractor, samples, evaluator.n_samples).features

    sampled = with_samples(inputs, extractor, by(nets), training.data.device, model.conditional)
    return sampled if training.average is None else replace(sampled, raw=raw)


def with_samples(
    inputs: EvalInputs, extractor: Extractor, draw: DrawByLabels, device: str, conditional: bool
) -> EvalInputs:
    """Return the inputs with the samples that are scored, their features and logits.

    ``draw(labels)`` yields images with their labels; ``conditional`` says whether it uses the labels.
    """
    evaluator, n = inputs.evaluator, inputs.evaluator.n_samples
    labels = _labels_of(evaluator, n, device)
    images, features, logits = extract_features(evaluator, extractor, (x for x, _ in draw(labels)))
    return replace(
        inputs,
        images=images,
        features=features,
        logits=logits,
        labels=labels if conditional else None,
        extractor=extractor,
        draw=lambda count: draw(_labels_of(evaluator, count, device)),
    )


def _labels_of(evaluator: Evaluator, n: int, device: str) -> Tensor:
    return prior_labels(evaluator.class_prior.tolist(), evaluator.seed, n, device)


def _training_images(training: TrainingState, evaluator: Evaluator) -> Iterator[Tensor]:
    """Yield the same ``N_FITTED`` training images for every trial, float [CHUNK, C, H, W] at a time."""
    train, device = training.data.images.train, training.data.device
    order = random_streams.permutation(len(train), device, evaluator.seed, "fitted")[:N_FITTED]
    return (train.gather(part, device)[0] for part in torch.split(order, CHUNK))


def _measure_statistics(training: TrainingState, nets: dict[str, nn.Module], evaluator: Evaluator) -> None:
    """Measure the batch-norm statistics of the averaged net on samples, since those of the trained net are not its own.

    Brock et al. 2019, arXiv:1809.11096, appendix G, call them standing statistics.
    """
    assert training.average is not None
    norms = [module for module in training.average.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    training.average.train()
    labels = prior_labels(evaluator.class_prior.tolist(), evaluator.seed, N_STATISTICS, training.data.device)
    shape = training.data.images.shape
    for _ in generate(training.model, training.config, nets, shape, labels, evaluator.seed, stream="statistics"):
        pass  # batch norm in training mode measures them


@torch.no_grad()
def evaluate(training: TrainingState) -> tuple[dict[str, Any], Tensor | None]:
    """Return the metrics of a trial with its present weights, and its sample grid, uint8 [GRID, C, H, W], if any."""
    evaluator = training.data.evaluator
    assert evaluator is not None
    nets = sampling_nets(training)
    every = {*nets.values(), *training.nets.values()}
    modes = {net: net.training for net in every}
    if training.average is not None:
        _measure_statistics(training, nets, evaluator)
    for net in every:
        net.eval()
    if training.model.fit is not None:
        training.model.fit(
            nets, _training_images(training, evaluator), random_streams.derive_seed(evaluator.seed, "fitted") % 2**32
        )
    last = training.epoch == training.config["epochs"]
    inputs = collect_inputs(training, nets, evaluator)
    quality: dict[str, Any] = dict(measure(inputs, last=last, also=evaluator.also if last else ()))
    quality |= own_metrics(training, nets, inputs.images, last)
    picture = _picture(training, nets, evaluator)
    for net, mode in modes.items():
        net.train(mode)
    return quality, picture
