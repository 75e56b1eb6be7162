"""How far a sweep's result can be trusted, and what would tell more: each point a sentence, and the command for it."""

from __future__ import annotations

from typing import NamedTuple

from analysis import again, best, budget, edges, final, noise
from analysis.final import Final
from analysis.read.results import Sweep


class Point(NamedTuple):
    text: str
    command: list[str]  # empty where there is nothing to do


def verdict(sweep: Sweep, proof: Final | None) -> str:
    """The first sentences of the page: what is proven, or that nothing is."""
    if proof is not None:
        return final.verdict(sweep, proof)
    if len(best.scored(sweep)) == 1:
        return best.verdict(sweep)
    return f"{best.verdict(sweep)} That is the search's own score: one training each, and the luckiest is shown."


def points(sweep: Sweep, proof: Final | None) -> list[Point]:
    """Proof, noise, edges, budget."""
    name = sweep.place.name
    found = [_proof(name, sweep, proof)]
    measured = None if proof is None else noise.of(sweep, proof)
    found.append(Point(f"{noise.said(sweep, measured)}.", []))
    at = edges.edges(sweep)
    found.append(Point(f"{edges.said(sweep, at)}{':' if at else '.'}", edges.command(sweep, at) if at else []))
    return [*found, _budget(sweep)]


def _proof(name: str, sweep: Sweep, proof: Final | None) -> Point:
    if proof is None:
        text = "Whether the winner beats the defaults, and those behind it, is proven by fresh seeds on the test split:"
        return Point(text, ["gensweep", "finalize", name])
    if few := final.few(proof):
        return Point(
            f"{final.shrinkage(sweep, proof)} {few}",
            ["gensweep", "finalize", name, "--add-seeds", str(final.more(proof))],
        )
    return Point(final.shrinkage(sweep, proof), [])


def _budget(sweep: Sweep) -> Point:
    ranked, n = best.ranked(sweep), len(sweep.trials)
    last = int(ranked["number"].iloc[0])
    why = budget.dependent(sweep)
    text = f"The best score came with trial {last} of {n}"
    if why:
        text += ". What another search of this size would reach, a random one as a control tells"
        return Point(f"{text} ({why}):", again.control(sweep))
    return Point(f"{text}; what other random searches reach is drawn below, with its band.", [])
