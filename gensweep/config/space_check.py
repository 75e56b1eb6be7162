"""Check that a space can be searched: something varies, and every score means the same in all trials."""

from collections.abc import Iterable
from typing import Any

from gensweep.config.options import Options
from gensweep.errors import UserError


def check_searchable(metrics: Iterable[str], boxes: dict[str, dict[str, Any]], options: Options) -> None:
    """Whether the search has something to choose from, and every score means the same in all of its trials.

    Raises:
        UserError: a space of one point, or an objective whose meaning a searched key changes.
    """
    searched = {key for key, box in boxes.items() if box["kind"] != "fixed" and len(box.get("choices", "..")) > 1}
    seeds_only = options.sampler == "random" and options.scheduler == "none"
    if not searched and options.trials > 1 and not seeds_only:
        raise UserError(
            f"nothing is left to search, every key is fixed, and {options.trials} trials would differ by their seeds "
            "only: free a key, or say --trials 1, or --sampler random --scheduler none to try seeds"
        )
    from trainables.metrics import keys

    for metric in metrics:
        about = keys().get(metric)
        moved = [key for key in (about.moved_by if about else ()) if key in searched]
        if moved:
            pins = " ".join(f"--set {key}={_any(boxes[key])}" for key in moved)
            raise UserError(
                f"{metric} of trials that differ in {', '.join(moved)} do not compare: fix it, as by {pins}"
            )


def _any(box: dict[str, Any]) -> Any:
    return box["choices"][0] if "choices" in box else box["low"]
