"""Build the evaluator of a sweep, check the weights of a chosen extractor, and warn of what an extractor cannot see."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from analysis.read.manifest import SweepManifest
from gensweep.errors import UserError
from gensweep.sweep import disk_estimate
from trainables.extractor_choice import ExtractorChoice, parse_choice

if TYPE_CHECKING:
    from trainables.data import Dataset
    from trainables.metrics import Evaluator

Say = Callable[[str], None]


def evaluator_of(manifest: SweepManifest, data: "Dataset", say: Say) -> "Evaluator":
    """Return the evaluator of a sweep. Train its extractor first if necessary, and say what it cannot see."""
    from trainables.metrics import build_evaluator

    choice = manifest.chosen_extractor
    if choice is not None and choice.path:
        say(f"the features of the real images by {choice.name} are computed once, and cached")

    def training(done: int, epochs: int, accuracy: float) -> None:
        if done in (1, epochs):
            say(f"training the extractor of {manifest.dataset}: epoch {done}/{epochs}, accuracy {accuracy:.3f}")

    schedule = evaluation_schedule(manifest)
    evaluator = build_evaluator(data, seed=manifest.seed, progress=training, choice=choice, **schedule)
    for line in describe_extractor(evaluator, data, choice, manifest.goal.keys):
        say(line)
    return evaluator


def describe_extractor(
    evaluator: "Evaluator", data: "Dataset", choice: ExtractorChoice | None, goal_keys: Iterable[str]
) -> list[str]:
    """Return what a user should know of the extractor: what it is for images without labels, what it cannot tell apart,
    and which objectives and constraints rest on it."""
    from trainables.metrics import rests_on_extractor
    from trainables.metrics.calibration import calibrated

    if not data.has_images:
        return ["no images: trials are judged by what train() logs"]
    lines = []
    if not data.classes:
        how = "the extractor has learned to tell images apart" if choice is None else f"{choice.name} judges samples"
        lines.append(f"no labels: {how}, and metrics of classes are absent")
    spots = calibrated(evaluator, data)
    lines += [f"the extractor cannot tell {spot}: do not trust the FID to see that" for spot in spots]
    resting = [key for key in goal_keys if rests_on_extractor(key)]
    if spots and resting:
        lines.append(
            f"{' and '.join(resting)} rest{'s' * (len(resting) == 1)} on this extractor: look at the samples before "
            "you trust the winner, or choose another --extractor or --objective"
        )
    return lines


def check_choice(choice: ExtractorChoice | None) -> None:
    """Raise UserError if the weights of a chosen extractor do not fit its net."""
    if choice is not None and choice.path:
        from trainables.metrics.pretrained import load_pretrained

        load_pretrained(choice)


def check_same_weights(name: str, manifest: SweepManifest) -> None:
    """Raise UserError if the file of weights that a sweep began with is gone, or has changed."""
    choice = manifest.chosen_extractor
    if choice is None or not choice.path:
        return
    now = parse_choice(choice.text)
    if now.sha256 != choice.sha256:
        raise UserError(
            f"{choice.path} is not the file of weights that {name} began with: its sha256 is {now.sha256[:12]}..., not "
            f"{choice.sha256[:12]}...; put the old one back, or start a new sweep with --name"
        )


def evaluation_schedule(manifest: SweepManifest) -> dict[str, Any]:
    """Return when trials are evaluated, and whether a collapsed trial is stopped.

    Besides the first and the last epoch these are the rungs of halving, and each `every` epochs, by default about ten
    times in the longest trial.
    """
    from gensweep.tune.schedulers import rung_epochs

    halving = manifest.scheduler == "asha"
    decisions = rung_epochs(manifest.grace, manifest.reduction_factor, manifest.epochs) if halving else ()
    return {
        "rungs": decisions,
        "every": disk_estimate.eval_every(manifest),
        "alarm": manifest.alarm,
        "also": tuple(manifest.also),
    }
