"""Assess how far a sweep's result can be trusted, and name the commands that would show more."""

from __future__ import annotations

from typing import NamedTuple

from analysis.read.results import Sweep
from analysis.sweep import boundary, commands, final_results, final_results_text, random_search, ranking, seed_noise
from analysis.sweep.final_results import Final


class Advice(NamedTuple):
    text: str
    command: list[str]  # empty if there is nothing to do


def headline(sweep: Sweep, proof: Final | None) -> str:
    """Return the first sentences of the page: what is proven, or that nothing is proven."""
    if proof is not None:
        return final_results_text.headline(sweep, proof)
    if len(ranking.scored_trials(sweep)) == 1:
        return ranking.headline(sweep)
    return (
        f"{ranking.headline(sweep)} This is the search's own score: each configuration was trained once, and the "
        "luckiest is shown."
    )


def list_advice(sweep: Sweep, proof: Final | None) -> list[Advice]:
    """Return the advice on the proof, the noise between seeds, the edges of the ranges, the updates, and the budget."""
    name = sweep.place.name
    noise = None if proof is None else seed_noise.measure_noise(sweep, proof)
    edges, unequal = boundary.winner_edges(sweep), sweep.manifest.describe_unequal_updates()
    return [
        _seeds_advice(name, sweep, proof),
        Advice(f"{seed_noise.describe_noise(sweep, noise)}.", []),
        Advice(
            f"{boundary.describe_edges(sweep, edges)}{':' if edges else '.'}",
            boundary.extend_command(sweep, edges) if edges else [],
        ),
        *([Advice(unequal, [])] if unequal else []),
        _budget_advice(sweep),
    ]


def _seeds_advice(name: str, sweep: Sweep, proof: Final | None) -> Advice:
    if proof is None:
        text = (
            "To test whether the winner really beats the defaults and the runners-up, retrain them on fresh seeds and "
            "score them on the test split:"
        )
        return Advice(text, ["gensweep", "finalize", name, *sweep.manifest.file_words])
    if few := final_results_text.warn_few_seeds(proof):
        return Advice(
            f"{final_results_text.describe_shrinkage(sweep, proof)} {few}",
            [
                *("gensweep", "finalize", name, *sweep.manifest.file_words),
                *("--add-seeds", str(final_results.seeds_to_add(proof))),
            ],
        )
    return Advice(final_results_text.describe_shrinkage(sweep, proof), [])


def _budget_advice(sweep: Sweep) -> Advice:
    ranked, n = ranking.ranked_trials(sweep), len(sweep.trials)
    last = int(ranked["number"].iloc[0])
    why = random_search.why_no_band(sweep)
    text = f"Trial {last} of {n} has the best score"
    if why:
        text += f". This sweep cannot tell what another search of its size would reach, because {why}."
        return Advice(f"{text} A random search of the same size can:", commands.control_command(sweep))
    return Advice(f"{text}; a figure below shows what other random searches reach, with a band.", [])
