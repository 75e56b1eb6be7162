"""The argparse parser: the commands and their options. It imports neither torch nor Ray, so `--help` is fast."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from gensweep.cli.cluster_parser import cluster_options
from gensweep.cli.commands import COMMANDS
from gensweep.config.options import PRECISIONS, SCHEDULERS, Options
from gensweep.config.samplers import SAMPLERS
from gensweep.errors import UserError
from gensweep.new_file.new_file import KINDS
from gensweep.version import __version__
from search_spaces.studies import STUDIES
from trainables import MODELS
from trainables.data import DATASETS
from trainables.data.source_name import forms
from trainables.extractor_choice import FORMS


class Parser(argparse.ArgumentParser):
    """Report what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        raise UserError(message)


def parser() -> Parser:
    """Return the parser of the whole command line."""
    top = Parser(
        prog="gensweep",
        allow_abbrev=False,
        description="Find the best configuration of a small generative image model.",
    )
    top.add_argument("--version", action="version", version=f"gensweep {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", dest="command", required=True, parser_class=Parser)
    made = {
        name: commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        for name, text in COMMANDS.items()
    }
    for name in ("run", "plan"):
        made[name].add_argument("model", metavar="MODEL", help=f"{', '.join(MODELS)}, or your own: my_model.py")
        made[name].add_argument(
            "file", metavar="FILE.yaml", nargs="?", help="options as a mapping, or a W&B sweep file; typed ones win"
        )
        _run_options(made[name])
    made["new"].add_argument("file", metavar="FILE.py", help="the file to write")
    made["new"].add_argument("--kind", choices=KINDS, default="blank", help="what it begins with (default: blank)")
    made["new"].add_argument("--from-wandb", metavar="SWEEP.yaml", help="take its parameters and metric")
    made["check"].add_argument("file", metavar="FILE.py", help="your model file")
    made["check"].add_argument("--dataset", metavar="D", default="digits", help="images to try it on (default: digits)")
    made["check"].add_argument("--data-dir", metavar="DIR", help="folder of the data")
    made["run"].add_argument("--dry-run", action="store_true", help="print the resolved sweep and stop")
    made["run"].add_argument("--save-file", metavar="FILE.yaml", help="write the resolved sweep as a file, and stop")
    made["plan"].add_argument("--price-per-hour", metavar="P", type=_number, help="of a GPU, or of the machine")
    made["study"].add_argument("study", metavar="NAME", help=", ".join(STUDIES))
    made["report"].add_argument("dirs", metavar="DIR", nargs="+")
    made["compare"].add_argument("dirs", metavar="DIR", nargs=2, help="two sweeps that are scored alike")
    for name in ("resume", "extend", "stop", "cancel", "status", "best", "finalize", "sample", "export", "ui"):
        made[name].add_argument("dir", metavar="DIR", help="a sweep, such as results/vae-digits")
    for name in ("status", "best", "compare"):
        made[name].add_argument("--json", action="store_true", help="as JSON")
    made["best"].add_argument(
        "--format",
        choices=("csv", "json", "markdown", "latex"),
        help="a table for a paper: of the finalists, if the sweep was finalized",
    )
    made["best"].add_argument("--top", metavar="K", type=_whole, help="how many (default: 5, or the Pareto front)")
    made["report"].add_argument(
        "-o", "--out", metavar="DIR", help="where to (default: report/ in the sweep); of studies: Markdown pages"
    )
    for name in ("resume", "extend", "finalize", "sample", "export"):
        made[name].add_argument("--model", metavar="FILE.py", help="the file of your own model, which the sweep trains")
    for name in ("run", "plan", "check", "resume", "extend", "finalize", "sample", "export"):
        made[name].add_argument("--code", metavar="DIR", help="the folder of modules that your model file imports")
    _launch_options(made["resume"])
    _study_options(made["study"])
    _launch_options(made["extend"])
    made["extend"].add_argument("--trials", metavar="N", type=_whole, required=True, help="how many more")
    made["extend"].add_argument(
        "--set", metavar="KEY=V", action="append", help="widen: k=lo:hi[:log][:step] or k=a,b,c"
    )
    _sample_options(made["sample"])
    made["ui"].add_argument("--port", metavar="P", type=_whole, default=8080, help="0 for a free one (default: 8080)")
    made["export"].add_argument("-o", "--out", metavar="DIR", help="where to (default: export/ in the sweep)")
    made["export"].add_argument("--trial", metavar="NUMBER", type=_whole, help="another trial than the winner")
    _final_options(made["finalize"])
    cluster_options(made)
    return top


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Parse what was typed. For `cluster` and `submit`, `words` holds what follows `--`, unparsed."""
    end = words.index("--") if words[:1] and words[0] in ("cluster", "submit") and "--" in words else len(words)
    args = parser().parse_args(words[:end])
    args.words = list(words[end + 1 :])
    return args


def _final_options(to: argparse.ArgumentParser) -> None:
    numbers = {
        "top": "how many of the best to retrain, besides the defaults (default: 5)",
        "seeds": "fresh seeds for each (default: 10)",
        "add-seeds": "more seeds for each than the last finalize had",
    }
    for name, text in numbers.items():
        to.add_argument(f"--{name}", metavar="N", type=_whole, help=text)
    _share_options(to)


def _study_options(to: argparse.ArgumentParser) -> None:
    usual = Options._field_defaults
    numbers = {
        "seeds": "trainings of each arm (default: the study's, at least 8)",
        "trials": "of every search in it (default: the study's)",
        "epochs": "of the longest arm, the others in proportion (default: the study's)",
        "train-images": "how many training images are used (default: the study's)",
        "seed": f"of every random draw (default: {usual['seed']})",
    }
    for name, text in numbers.items():
        to.add_argument(f"--{name}", metavar="N", type=_whole, help=text)
    to.add_argument("--dataset", metavar="D", help="another data set for every arm")
    to.add_argument("--data-dir", metavar="DIR", help="folder of the data (default: $GENSWEEP_DATA, then the cache)")
    to.add_argument("--results", metavar="DIR", help=f"folder of studies (default: {usual['results']})")
    to.add_argument("--set", metavar="KEY=V", action="append", help="pins a key in every arm")
    to.add_argument(
        "--rows", metavar="FILE", help="rows.csv.gz of the study: begin with its trainings, and add each that ends"
    )
    _share_options(to)


def _sample_options(to: argparse.ArgumentParser) -> None:
    to.add_argument("-n", metavar="N", type=_whole, default=64, help="how many images (default: 64)")
    to.add_argument("--label", metavar="CLASS", help="a class, by name or index, for a conditional model")
    to.add_argument("--trial", metavar="NUMBER", type=_whole, help="another trial than the winner")
    to.add_argument("--seed", metavar="S", type=_whole, default=0, help="of the noise (default: 0)")
    to.add_argument("-o", "--out", metavar="PNG", default="grid.png", help="the picture (default: grid.png)")


def _run_options(to: argparse.ArgumentParser) -> None:
    usual = Options._field_defaults
    texts = {
        "dataset": ("D", f"{', '.join((*DATASETS, *forms()))} (default: {usual['dataset']})"),
        "data-dir": ("DIR", "folder of the data (default: $GENSWEEP_DATA, then the user's cache)"),
        "sampler": ("NAME", f"{', '.join(SAMPLERS)} (default: {usual['sampler']})"),
        "scheduler": ("NAME", f"{', '.join(SCHEDULERS)} (default: {usual['scheduler']})"),
        "precision": ("P", f"{', '.join(PRECISIONS)} (default: what the space says)"),
        "extractor": (
            "E",
            f"whose features judge samples: {', '.join(FORMS)} (default: a net trained on the images)",
        ),
        "name": ("NAME", "of the sweep (default: MODEL-DATASET)"),
        "results": ("DIR", f"folder of sweeps, also s3://... (default: {usual['results']})"),
        "storage": (
            "URL",
            "journal, or an Optuna server (default: SQLite in the sweep's folder)",
        ),
    }
    for name, (metavar, text) in texts.items():
        to.add_argument(f"--{name}", metavar=metavar, help=text)
    numbers = {
        "trials": f"configurations to try (default: {usual['trials']})",
        "epochs": "the longest trial, and the upper bound of a searched `epochs` (default: the space's)",
        "seed": f"of every random draw (default: {usual['seed']})",
        "grace": f"epochs before a trial may be stopped (default: {usual['grace']})",
        "reduction-factor": f"of asha: one trial in so many continues (default: {usual['reduction_factor']})",
        "every": "epochs between evaluations, besides the first and the last (default: about ten in the longest trial)",
        "train-images": "how many of the training images are used (default: all)",
        "max-failures": f"times a trial is tried again after its worker was lost (default: {usual['max_failures']})",
    }
    for name, text in numbers.items():
        to.add_argument(f"--{name}", metavar="N", type=_whole, help=text)
    to.add_argument(
        "--no-alarm",
        dest="alarm",
        action="store_false",
        default=None,
        help="train a collapsed trial to its end (it never wins)",
    )
    to.add_argument(
        "--also",
        metavar="METRIC",
        action="append",
        help="a metric to measure at the last evaluation of each trial though it is slow: cas; repeatable",
    )
    _goal_options(to)
    to.add_argument(
        "--set", metavar="KEY=V", action="append", help="k=v pins; k=lo:hi[:log][:step] or k=a,b,c reshapes"
    )
    to.add_argument(
        "--point", dest="points", metavar="K=V,K=V", action="append", help="try this right after the defaults"
    )
    to.add_argument("--warm-from", metavar="DIR", help="try the best of another sweep right after the defaults")
    _launch_options(to)


def _goal_options(to: argparse.ArgumentParser) -> None:
    to.add_argument(
        "--objective",
        metavar="M:MODE,...",
        action="append",
        help="metric:min or metric:max; several are searched for their trade-offs (default: the space's)",
    )
    to.add_argument(
        "--primary",
        metavar="METRIC",
        help="of several objectives, the one that early stopping and the choice of an epoch use (default: the first)",
    )
    to.add_argument(
        "--constraint",
        dest="constraints",
        metavar="LIMIT",
        action="append",
        help='a limit that the winner must keep: "modes>=7", "duplicates<=0.5"; may be repeated',
    )


def _launch_options(to: argparse.ArgumentParser) -> None:
    _share_options(to)
    to.add_argument("--trial-timeout", metavar="T", help="end a trial that takes longer, or hangs: 90s, 30m, 2h")
    to.add_argument(
        "--keep-checkpoints",
        metavar="SIZE",
        help="of all trials together, as 500MB or 10GB: those of the worst ended trials are deleted first, and these "
        "cannot be trained further (default: the newest two of every trial are kept)",
    )
    to.add_argument("--time-budget", metavar="T", help="stop after 90s, 30m, 2h; resume continues")


def _share_options(to: argparse.ArgumentParser) -> None:
    to.add_argument("--concurrent", metavar="K", type=_whole, help="trials at once (default: what fits)")
    to.add_argument("--cpus-per-trial", metavar="C", type=_number, help="cores for each trial (default: 1)")
    to.add_argument("--gpus-per-trial", metavar="G", type=_number, help="GPUs for each trial (default: a fraction)")
    to.add_argument("--address", metavar="A", help="join this Ray cluster (default: one of its own)")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
