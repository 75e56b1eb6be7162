"""Whether a training depends on its seed alone, and is the same in two parts."""

from gensweep.check.compare import difference, is_equal
from gensweep.check.line import Line, fault, warning
from gensweep.check.source import seed_calls
from gensweep.check.subject import Subject, run_probe, run_start
from trainables.user_model.probe import Probe

REBUILD_S = 10.0


def check_seeds(subject: Subject, first: Probe) -> list[Line]:
    """Train again from the same seed in two parts, and from another seed."""
    parts = run_probe(subject, subject.defaults, epochs=2, resumes=True, draws=False)
    differing = difference(first.row, parts.row)
    if differing:  # because it was resumed, or whenever it is trained?
        again = run_probe(subject, subject.defaults, epochs=2, draws=False)
        if line := difference(first.row, again.row):
            cure = "a generator of its own, or the clock?"
            return [fault(f"two runs of seed 0 differ: {line} ({cure})")]
    lines = []
    other = run_start(subject, seed=1)
    before = min(first.seconds_before, parts.seconds_before, other.seconds)  # the first one may import libraries
    if before > REBUILD_S:
        lines.append(warning(f"{before:.0f} s pass before trial.epochs(): each sample and finalize call pays them"))
    if is_equal(first.before, other.states) and _same_rows_of_seed_1(subject, first):
        calls = seed_calls(subject.file)
        place = f"{subject.name}:{calls[0]}" if calls else subject.name
        how = "train() seeds a generator itself" if calls else "train() does not depend on it"
        lines.append(fault(f"seeds 0 and 1 give the same rows: {how}; leave seeding to gensweep", place))
    if differing:
        culprits = parts.not_kept or first.not_kept
        cure = f": {', '.join(culprits)}" if culprits else ": something that training changes is not in trial.keep()"
        lines.append(fault(f"a resumed training differs from a straight one, {differing}{cure}"))
    elif first.not_kept:
        lines.append(warning(f"training changes what a resumed trial would not have: {', '.join(first.not_kept)}"))
    return lines


def _same_rows_of_seed_1(subject: Subject, first: Probe) -> bool:
    other = run_probe(subject, subject.defaults, epochs=2, seed=1, stops=True, draws=False)
    return not difference(first.first_row, other.first_row)
