"""Check that a space can be searched: something varies, and every score means the same in all trials."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gensweep.config.options import Options
from gensweep.errors import UserError

if TYPE_CHECKING:
    from search_spaces.param import Param


def check_searchable(metrics: Iterable[str], params: "dict[str, Param]", options: Options) -> None:
    """Raise UserError if the space has only one point, or if a searched key changes the meaning of an objective."""
    searched = {key for key, param in params.items() if param.is_range or len(param.choices) > 1}
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
            pins = " ".join(f"--set {key}={params[key].ends()[0]}" for key in moved)
            raise UserError(
                f"{metric} of trials that differ in {', '.join(moved)} do not compare: fix it, as by {pins}"
            )
