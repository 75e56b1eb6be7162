"""Collect the texts of the model card of an exported net: what it is, its scores and their kind, how it was chosen."""

from __future__ import annotations

from typing import Any, NamedTuple

from analysis.base.formatting import BETTER, format_value
from analysis.read import results
from analysis.read.results import Sweep
from analysis.sweep import final_results, final_results_text, ranking
from trainables.metrics import keys
from trainables.user_model.model import UserModel


class Net(NamedTuple):
    """A training: trial `number` of `sweep`, with the configuration of trial `trial` of the search.

    `test` holds the scores on the test split, if they were measured.
    """

    sweep: Sweep
    number: int
    trial: int
    test: dict[str, Any] | None = None
    proof: final_results.Final | None = None


def draws_from_noise(search: Sweep, net: Net) -> bool:
    """Return whether the net generates images from noise. If not, it rebuilds images."""
    model = search.manifest.trainable
    return model.samples(results.read_trial(net.sweep, net.number).config)


def card_title(search: Sweep, net: Net) -> str:
    """Return the title of the card: model, data set, trial and sweep."""
    return f"{search.manifest.model} on {search.manifest.dataset}: trial {net.trial} of {search.manifest.name}"


def describe_net(search: Sweep, net: Net) -> str:
    """Return one sentence on what the exported file does."""
    c, h, w = search.manifest.data.shape
    kind = f"{h} x {w} {'grey' if c == 1 else 'colour' if c == 3 else f'{c}-channel'} images"
    if isinstance(search.manifest.trainable, UserModel):
        kind = f"{kind} like those of {search.manifest.dataset}"
        return f"It draws {kind}." if draws_from_noise(search, net) else f"It was trained on {kind}, and draws none."
    if not draws_from_noise(search, net):
        return f"It rebuilds {kind} of {search.manifest.dataset}."
    condition = " of a class that you choose" if search.manifest.trainable.conditional else ""
    return f"It draws {kind} like those of {search.manifest.dataset}{condition}, from normal noise."


def card_context(search: Sweep, net: Net, about: dict[str, Any]) -> dict[str, Any]:
    """Return what the card says in addition to `about`."""
    manifest = search.manifest
    data = manifest.data
    counts = ", ".join(f"{getattr(data, f'n_{split}'):,} {split}" for split in ("train", "val", "test"))
    noise = draws_from_noise(search, net)
    return {
        "title": card_title(search, net),
        "doc": manifest.trainable.doc.strip().partition("\n\n")[0].replace("\n", " "),
        "what": describe_net(search, net),
        "pictured": "Samples, from noise that was the same for every trial."
        if noise
        else "In pairs: input and output.",
        "kind": _kind(search, net),
        "chosen": _chosen(search, net),
        "heads": ["val"] if net.test is None else ["val", "test"],
        "scores": _scores(about),
        "stamps": _stamps(about),
        "parameters": [_parameter(search, key, value) for key, value in about["config"].items()],
        "data": {
            "name": manifest.dataset,
            "text": f"{manifest.dataset}: {counts} images of {len(data.classes)} classes "
            f"({', '.join(map(str, data.classes[:20]))}); fingerprint `{data.fingerprint[:16]}`.",
        },
    }


def _kind(search: Sweep, net: Net) -> str:
    if net.proof is not None:
        n = len(net.proof.pick.val)
        return (
            f"This net is one of {n} fresh trainings of the configuration, the one with the best score on `val`. Its "
            "`val` score is therefore optimistic. **`test` was used for no choice, and is the score to quote for this "
            f"net.** For the configuration, quote the mean of all {n}: {final_results_text.headline(search, net.proof)}"
        )
    return (
        f"**Scores of the search**, on `val`: the best of {len(search.trials)} trials, trained once, so they are "
        "optimistic. After `gensweep finalize`, `gensweep export` gives a training from a fresh seed, with a `test` "
        "score to quote."
    )


def _chosen(search: Sweep, net: Net) -> str:
    manifest = search.manifest
    goal = " and ".join(
        f"{'lowest' if objective.mode == 'min' else 'highest'} {objective.metric}"
        for objective in search.goal.objectives
    )
    stops = (
        "no early stopping" if manifest.scheduler == "none" else f"{manifest.scheduler} from epoch {manifest.grace} on"
    )
    text = f"By {len(search.trials)} trials of {manifest.sampler} with {stops}, for the {goal} on `val`. "
    shrunk = "" if net.proof is None else f" {final_results_text.describe_shrinkage(search, net.proof)}"
    return text + ranking.headline(search) + shrunk


def _scores(about: dict[str, Any]) -> list[dict[str, Any]]:
    columns = [about["val"], *([about["test"]] if about["test"] is not None else [])]
    return [
        {
            "name": f"{metric.name}{f' ({metric.unit})' if metric.unit else ''}",
            "cells": [format_value(column.get(key)) for column in columns],
            "better": BETTER[metric.better],
            "doc": metric.doc,
        }
        for key, metric in keys().items()
        if any(key in column for column in columns)
    ]


def _stamps(about: dict[str, Any]) -> str:
    named = [("val", about["stamp"]), *([("test", about["test_stamp"])] if about["test_stamp"] else [])]
    parts = [f"{name}: " + ", ".join(f"{key} {value}" for key, value in stamp.items()) for name, stamp in named]
    return "Stamp of " + "; of ".join(parts)


def _parameter(search: Sweep, key: str, value: Any) -> dict[str, str]:
    param = search.space.get(key)
    spread = param.text() if param is not None and param.searched else ""
    return {
        "key": key,
        "value": format_value(value),
        "default": format_value(search.manifest.defaults.get(key)),
        "range": spread,
    }
