"""Build comparison grids: real images, then a row per configuration, all from the same noise and the same labels.

A trial saves its images of the sweep's fixed noise batch at every evaluated epoch. So a column shows the same z under
every configuration (for autoencoders, the same input; for a user's own sampler, what it draws from the same seed). If a
picture is missing, the generator is rebuilt.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from PIL import UnidentifiedImageError

from analysis.base import image_sheets
from analysis.base.formatting import format_value, metric_label
from analysis.base.image_sheets import Pixels
from analysis.figures import style
from analysis.nets import rebuild
from analysis.read import dataset, results
from analysis.read.results import Sweep
from analysis.sweep import ranking
from trainables.engine.evaluate import GRID, grid_labels
from trainables.errors import UserError
from trainables.images import to_uint8

ACROSS = 10  # images in a row
REAL = "Real images"


class Strip(NamedTuple):
    """A row of a grid: `title` says what it is, `detail` names its parameters; images uint8 [<= ACROSS, C, H, W]."""

    title: str
    detail: str
    images: Pixels


def draws_pictures(sweep: Sweep) -> bool:
    """Return whether trials save pictures: a model of the user's may draw neither samples nor reconstructions."""
    facts = (sweep.manifest.user_model or {}).get("facts", {})
    return bool(facts.get("samples", True) or facts.get("shows_pairs", False))


def saved_sheet(sweep: Sweep, number: int, epoch: int) -> bytes:
    """Return the picture of a trial at an evaluated epoch, as PNG."""
    batch = saved_batch(sweep, number, epoch)
    return image_sheets.encode_png(image_sheets.make_sheet(batch, ACROSS, sheet_gap(batch)))


def compare_configurations(sweep: Sweep, k: int) -> list[Strip]:
    """Return a row of real images (if available), then k configurations at their best epochs.

    These are the best k, or with several objectives k of the Pareto front.
    """
    strips = _heading_strips(sweep)
    for entry in ranking.top_entries(sweep, k):
        scores = ", ".join(f"{metric_label(metric)} {format_value(value)}" for metric, value in entry["values"].items())
        title = f"Trial {entry['number']} · {scores} at epoch {entry['best_epoch']}"
        if entry["number"] == 0:
            title += " · the defaults"
        config = entry["config"]
        detail = ", ".join(f"{key} {format_value(config[key])}" for key in sweep.swept if key in config)
        strips.append(Strip(title, detail, _generated(sweep, saved_batch(sweep, entry["number"], entry["best_epoch"]))))
    return strips


def first_to_last(sweep: Sweep, number: int) -> list[Strip]:
    """Return a row each for the first, best and last evaluated epoch of a trial; equal epochs share a row."""
    trial = results.read_trial(sweep, number)
    rows = {row["epoch"]: row for row in trial.rows if row["eval_epoch"] == row["epoch"]}
    saved = [epoch for epoch in sorted(rows) if sweep.place.has(_sample_file(number, epoch))]
    best_epoch = trial.best["epoch"] if trial.best else None
    strips = []
    for epoch in sorted({*saved[:1], *saved[-1:], *({best_epoch} & set(saved))}):
        names = [
            name for name, marked in (("first", saved[0]), ("best", best_epoch), ("last", saved[-1])) if marked == epoch
        ]
        which = "only one" if len(names) == 3 else " and ".join(names)
        title = f"Epoch {epoch}, the {which} · {_score(sweep, rows[epoch][sweep.metric])}"
        strips.append(Strip(title, "", _generated(sweep, saved_batch(sweep, number, epoch))))
    return strips


def saved_batch(sweep: Sweep, number: int, epoch: int) -> Pixels:
    """Return a trial's images of the fixed batch at an evaluated epoch, [n, C, H, W].

    If the picture is missing, the images are generated again with the saved weights, those of the best epoch.
    """
    c, h, w = sweep.manifest.data.shape
    try:
        return image_sheets.split_sheet(sweep.place.read(_sample_file(number, epoch)), (c, h, w))
    except FileNotFoundError:
        if sweep.manifest.trainable.shows_pairs or sweep.manifest.user_model is not None:
            raise UserError(
                f"trial {number} of {sweep.place.name!r} has lost its picture {_sample_file(number, epoch)}"
            ) from None
    except (UnidentifiedImageError, ValueError) as error:
        raise UserError(
            f"the picture {_sample_file(number, epoch)} of {sweep.place.name!r} is damaged: {error}"
        ) from error
    z = rebuild.sample_noise(sweep, number, GRID, sweep.manifest.seed, "grid")
    return rebuild.generate_images(sweep, number, z, grid_labels(len(sweep.manifest.data.classes)))


def column_labels(sweep: Sweep) -> list[str]:
    """Return the class of each column for a conditional model; empty for other models."""
    if not sweep.manifest.trainable.conditional:
        return []
    return [str(sweep.manifest.data.classes[k]) for k in _column_classes(sweep)]


def column_start(sweep: Sweep) -> str:
    """Return what the images of a column have in common in every trial: "input", "noise vector" or "seed".

    A user's own sampler is seeded alike, but two configurations may draw numbers of other shapes or in another order.
    """
    facts = (sweep.manifest.user_model or {}).get("facts", {})
    if facts.get("interface") == "train":
        return "seed"
    return "input" if sweep.manifest.model in ("ae", "dae") else "noise vector"


def sheet_gap(images: Pixels) -> int:
    """Return the number of white pixels between images: enough to separate them, few enough to compare them."""
    return max(1, int(images.shape[-1]) // 14)


def render_strips(strips: list[Strip]) -> bytes:
    """Return the strips under each other with their titles, as PNG."""
    figure = style.new_figure(7.0, 0.95 * len(strips))
    for ax, strip in zip(np.atleast_1d(figure.subplots(len(strips))), strips, strict=True):
        ax.imshow(
            image_sheets.make_sheet(strip.images, ACROSS, sheet_gap(strip.images)).squeeze(),
            cmap="gray",
            vmin=0,
            vmax=255,
            interpolation="nearest",
        )
        ax.set_axis_off()
        ax.set_title(strip.title, fontsize=8, loc="left", color=style.TEXT, pad=3)
        if strip.detail:
            ax.text(0, -0.04, strip.detail, fontsize=6.5, va="top", color=style.MUTED, transform=ax.transAxes)
    return style.encode_png(figure)


def _sample_file(number: int, epoch: int) -> str:
    return f"{results.trial_folder(number)}/samples/epoch_{epoch:04d}.png"


def _score(sweep: Sweep, value: float) -> str:
    return f"{metric_label(sweep.metric)} {format_value(value)}"


def _column_classes(sweep: Sweep) -> list[int]:
    labels: list[int] = grid_labels(len(sweep.manifest.data.classes))[:ACROSS].tolist()
    return labels


def _generated(sweep: Sweep, batch: Pixels) -> Pixels:
    """Return what the model generated. The batches of autoencoders alternate input and output."""
    return (batch[1::2] if sweep.manifest.trainable.shows_pairs else batch)[:ACROSS]


def _heading_strips(sweep: Sweep) -> list[Strip]:
    """Return the first rows: real images, of the columns' classes if columns have one, and an autoencoder's inputs."""
    real = _real_strip(sweep)
    if not sweep.manifest.trainable.shows_pairs:
        return real
    lead = ranking.top_entries(sweep, 1)[0]
    inputs = saved_batch(sweep, lead["number"], lead["best_epoch"])[0::2][:ACROSS]
    spoilt = Strip("Input", "held-out images as the model saw them", inputs)
    return [spoilt] if not real or np.array_equal(real[0].images, inputs) else [*real, spoilt]


def _real_strip(sweep: Sweep) -> list[Strip]:
    images = dataset.sweep_dataset(sweep)
    if images is None:
        return []
    chosen = torch.arange(min(ACROSS, len(images.val)))
    if column_labels(sweep):
        held_out = np.asarray(images.val.labels)
        chosen = torch.tensor([int(np.flatnonzero(held_out == k)[0]) for k in _column_classes(sweep)])
    x, _ = images.val.to("cpu").gather(chosen, torch.device("cpu"))
    shown = image_sheets.describe_shown(images.shape[0])
    detail = f"held out, never trained on{shown and '; ' + shown}"
    return [Strip(REAL, detail, image_sheets.as_shown(to_uint8(x).numpy()))]
