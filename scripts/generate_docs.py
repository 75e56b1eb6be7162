"""Write the generated parts of docs/: the options of every command, the metrics, the keys of a configuration.

    python scripts/generate_docs.py            # write them
    python scripts/generate_docs.py --check    # write nothing; exit code 1 if a page is out of date

A generated part stands between two marks, so that the rest of a page is written by hand.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from analysis.study.trial_statistics import statistic_label
from gensweep.cli.commands import COMMANDS
from gensweep.cli.parser import parser
from search_spaces import SPACES, Space
from search_spaces.override import default
from search_spaces.studies import STUDIES, Claim
from search_spaces.walk import describe
from trainables import MODELS
from trainables.config_schema import KEYS
from trainables.metrics import METRICS, MetricKey, When

DOCS = Path(__file__).parents[1] / "docs"
BETTER = {"min": "lower", "max": "higher", None: ""}
WHEN: dict[When, str] = {"each": "each evaluation", "last": "the last one", "on_request": "the last one, with `--also`"}

EARLIER = {  # what the earlier studies made of the same sentence, by claim
    "half the rate of G makes no difference: FID within 15 %": "not supported; tested was: better samples",
    "half the rate of G gives fewer shoes": "not tested",
    "G's loss is low: below half of D's": "not tested",
    "half of both rates gives better samples": "not supported; the arm was too young, in another net",
    "G twice: samples are worse at the end than after one epoch": "not tested; lower FID than the baseline: supported",
    "G twice: gradients of G blow up, a norm above 100": "not supported, also of two arms of which it is not said",
    "G twice: gradients of G vanish, under a hundredth of the first epoch's": "not tested",
    "D twice gives better samples than lower rates": "undecided; tested was: better than the baseline",
    "another beta1 is the best of these": "not supported; the base had the report's better beta1 already",
    "the model with another beta1 draws hardly any shoes: under 3 %, a tenth of their share":
        "not supported and undecided, of two other arms",
    "labels bring the class shares nearer to the data's": "undecided, of another arm made conditional",
    "labels bring the shoes back": "undecided, of another arm made conditional",
    "ten epochs rebuild better than one": "supported, in a smaller net",
    "reconstructions are sharper after ten epochs than after one": "supported, of samples",
    "no other point is more than half a nat better than the report's":
        "not supported; judged by FID, in a smaller net after a twelfth of the updates",
    "ae: 0-1 lie further apart than 0-9": "undecided, after 624 updates",
    "ae: 1-9 lie further apart than 0-9": "not supported; tested was its reverse",
    "a search separates the classes better": "supported, after 624 updates",
    "codes from N(0, I): the VAE is the better sampler": "not supported; the codes were from a fitted Gaussian",
    "the CGAN's samples are blurrier than the VAE's reconstructions": "not supported; compared samples with samples",
    "the CGAN's edges are stronger than those of the VAE's reconstructions": "not tested",
    "the VAE's samples have the lower FID": "undecided, of other nets",
    "a search helps in the report's net": "supported, in another net at another length",
    "GANs should win: net and search together, the GAN comes before the VAE": "supported, in small nets",
}  # fmt: skip
NOT_TRAINED = "not trained yet"


def metrics() -> Iterator[str]:
    """Yield the lines of the table of METRICS, a row per key."""
    yield "| key | name | better | what | measured at |"
    yield "|---|---|---|---|---|"
    for metric in METRICS.values():
        for name, key in metric.keys.items():
            yield f"| `{name}` | {_titled(key)} | {BETTER[key.better]} | {key.doc} | {WHEN[metric.when]} |"


def _titled(key: MetricKey) -> str:
    return f"{key.name} ({key.unit})" if key.unit else key.name


def keys() -> Iterator[str]:
    """Yield the lines of the table of configuration keys: values, meaning, and the models that read the key."""
    yield "| key | values | meaning | models |"
    yield "|---|---|---|---|"
    for name, key in KEYS.items():
        values = ", ".join(f"`{choice}`" for choice in key.choices or ()) or f"{key.low:g} to {key.high:g}"
        models = ", ".join(f"`{model}`" for model in MODELS if name in MODELS[model].keys)
        yield f"| `{name}` | {values} | {key.doc} | {models or 'of your own'} |"


def spaces() -> Iterator[str]:
    """Yield a table per search space: each key, its value in trial 0, and where it is searched."""
    groups: dict[str, list[str]] = {}
    for model, space in SPACES.items():
        groups.setdefault("\n".join(_space(space)), []).append(f"`{model}`")
    for table, models in groups.items():
        yield from (f"### {', '.join(models)}", "", table, "")


def _space(space: Space) -> Iterator[str]:
    first, params = default(space)[0], describe(space)
    yield "| key | trial 0 | searched |"
    yield "|---|---|---|"
    for name in sorted(params, key=lambda name: not params[name].searched):
        value, searched = first.get(name, ""), params[name].text() if params[name].searched else ""
        yield f"| `{name}` | {f'{value:g}' if isinstance(value, float) else value} | {searched} |"


def commands() -> Iterator[str]:
    """Yield a section per command: what it does, its arguments and its options."""
    made = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name, text in COMMANDS.items():
        command: argparse.ArgumentParser = made.choices[name]
        yield from (f"## {name}", "", f"{text[0].upper()}{text[1:]}.", "", "```text", _usage(command), "```", "")
        if command.epilog:
            yield from (f"{command.epilog}.", "")
        rows = [action for action in command._actions if action.help and not isinstance(action, argparse._HelpAction)]
        if rows:
            yield from ("| argument | meaning |", "|---|---|", *map(_row, rows), "")


def _usage(command: argparse.ArgumentParser) -> str:
    """Return what may be typed, in one line: options are in the table."""
    if command.usage:
        return command.usage
    words = [_metavar(action) for action in command._actions if not action.option_strings]
    return " ".join([command.prog, *words, "[options]"])


def _metavar(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest)
    return {"?": f"[{name}]", "+": f"{name} ...", 2: f"{name} {name}"}.get(action.nargs or "", name)


def _row(action: argparse.Action) -> str:
    takes_value = action.nargs != 0 and action.option_strings
    value = f" {action.metavar or '/'.join(action.choices or ())}" if takes_value else ""
    names = ", ".join(f"`{name}{value}`" for name in action.option_strings) or f"`{_metavar(action)}`"
    text = str(action.help).replace("[", r"\[")  # not a link
    return f"| {names} | {text} |"


def report() -> Iterator[str]:
    """Yield the table of the sentences of the report that a study tests, each with the verdict of the study's page."""
    yield "| the report says | study: arm | statistic | pairs | means | difference, 95 % | verdict | before |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, study in STUDIES.items():
        verdicts = _verdicts(DOCS / "studies" / f"{name}.md")
        for claim in study.claims:
            if claim.reported:
                word, means, difference, pairs = verdicts.get(claim.says, (NOT_TRAINED, "", "", ""))
                cells = (claim.reported, f"{name}: {claim.arm}", _test(claim), pairs, means, difference, word)
                yield f"| {' | '.join(cells)} | {EARLIER.get(claim.says, '')} |"


def _test(claim: Claim) -> str:
    rival = ", ".join(claim.against) if isinstance(claim.against, tuple) else f"{claim.against}"
    if claim.against_statistic:
        rival = f"{statistic_label(claim.against_statistic)} of {rival}"
    return f"{statistic_label(claim.statistic)} {claim.way} {'to' if claim.way == 'equal' else 'than'} {rival}"


def _verdicts(page: Path) -> dict[str, tuple[str, str, str, str]]:
    """Return verdict, means, difference and pairs of each claim on a study's page."""
    if not page.exists():
        return {}
    rows = [line.strip("| ").split(" | ") for line in page.read_text(encoding="utf-8").splitlines() if "| **" in line]
    return {row[0]: (row[1].strip("*"), row[3], row[4], row[7]) for row in rows if len(row) == 8}


PARTS: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "commands": ("command-line.md", commands),
    "metrics": ("metrics.md", metrics),
    "keys": ("models.md", keys),
    "spaces": ("models.md", spaces),
    "report": ("studies/report.md", report),
}


def renewed(text: str, part: str, lines: Iterator[str]) -> str:
    """Return the page with these lines between the marks of the part."""
    begin, end = f"<!-- {part}: written by scripts/generate_docs.py -->", f"<!-- end of {part} -->"
    head, _, rest = text.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"the marks of {part!r} are missing: {begin} ... {end}")
    body = "\n".join(lines).strip()
    return f"{head}{begin}\n\n{body}\n\n{end}{tail}"


def pages() -> dict[Path, str]:
    """Return every page that has a generated part, as it should be."""
    made: dict[Path, str] = {}
    for part, (name, lines) in PARTS.items():
        path = DOCS / name
        made[path] = renewed(made.get(path) or path.read_text(encoding="utf-8"), part, lines())
    return made


def main(check: bool) -> int:
    """Write the pages, or check them; return the exit code."""
    stale = [path for path, text in pages().items() if path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"docs/{path.name} is out of date: run `make format`", file=sys.stderr)
        else:
            path.write_text(pages()[path], encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a page is out of date")
    sys.exit(main(options.parse_args().check))
