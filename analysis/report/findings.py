"""The section of the report on faults: those of the winner with what helps, and how many trials show each."""

from __future__ import annotations

from typing import Any

from analysis.read.results import Sweep
from analysis.sweep import diagnoses


def findings_context(sweep: Sweep, number: int) -> dict[str, Any]:
    """Return what the page shows of the faults of the trial `number` and of all trials."""
    diagnosed = diagnoses.diagnose_trials(sweep)
    counts = diagnoses.count(diagnosed)
    return {
        "winner": [
            {**finding._asdict(), "sets": [" ".join(words) for words in finding.sets]} for finding in diagnosed[number]
        ],
        "counts": [
            {"title": about.title, "trials": counts.get(key, 0), "meaning": about.meaning}
            for key, about in diagnoses.DIAGNOSES.items()
            if key in counts
        ],
        "trials": len(diagnosed),
        "by_trial": {
            number: ", ".join(finding.title for finding in findings) for number, findings in diagnosed.items()
        },
    }
