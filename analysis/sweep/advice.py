"""How far a sweep's result can be trusted, and what would tell more: each point a sentence, and the command for it."""

from __future__ import annotations

from typing import NamedTuple

from analysis.read.results import Sweep
from analysis.sweep import boundary, commands, final_results, random_search, ranking, seed_noise
from analysis.sweep.final_results import Final


class Point(NamedTuple):
    text: str
    command: list[str]  # empty where there is nothing to do


def verdict(sweep: Sweep, proof: Final | None) -> str:
    """The first sentences of the page: what is proven, or that nothing is."""
    if proof is not None:
        return final_results.verdict(sweep, proof)
    if len(ranking.scored(sweep)) == 1:
        return ranking.verdict(sweep)
    return f"{ranking.verdict(sweep)} That is the search's own score: one training each, and the luckiest is shown."


def points(sweep: Sweep, proof: Final | None) -> list[Point]:
    """Proof, noise, edges, budget."""
    name = sweep.place.name
    found = [_proof(name, sweep, proof)]
    measured = None if proof is None else seed_noise.of(sweep, proof)
    found.append(Point(f"{seed_noise.said(sweep, measured)}.", []))
    at = boundary.edges(sweep)
    found.append(Point(f"{boundary.said(sweep, at)}{':' if at else '.'}", boundary.command(sweep, at) if at else []))
    return [*found, _budget(sweep)]


def _proof(name: str, sweep: Sweep, proof: Final | None) -> Point:
    if proof is None:
        text = "Whether the winner beats the defaults, and those behind it, is proven by fresh seeds on the test split:"
        return Point(text, ["gensweep", "finalize", name])
    if few := final_results.few(proof):
        return Point(
            f"{final_results.shrinkage(sweep, proof)} {few}",
            ["gensweep", "finalize", name, "--add-seeds", str(final_results.more(proof))],
        )
    return Point(final_results.shrinkage(sweep, proof), [])


def _budget(sweep: Sweep) -> Point:
    ranked, n = ranking.ranked(sweep), len(sweep.trials)
    last = int(ranked["number"].iloc[0])
    why = random_search.dependent(sweep)
    text = f"The best score came with trial {last} of {n}"
    if why:
        text += ". What another search of this size would reach, a random one as a control tells"
        return Point(f"{text} ({why}):", commands.control(sweep))
    return Point(f"{text}; what other random searches reach is drawn below, with its band.", [])
