"""Write the generated parts of docs/: the options of every command, the metrics, the keys of a configuration.

    python scripts/generate_docs.py            # write them
    python scripts/generate_docs.py --check    # write nothing; exit code 1 if a page is out of date

A generated part stands between two marks, so that the rest of a page is written by hand.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from gensweep.cli.commands import COMMANDS
from gensweep.cli.parser import parser
from search_spaces import SPACES, Space
from search_spaces.override import default
from search_spaces.walk import describe
from trainables import MODELS
from trainables.config_schema import KEYS
from trainables.metrics import METRICS, MetricKey, When

DOCS = Path(__file__).parents[1] / "docs"
BETTER = {"min": "lower", "max": "higher", None: ""}
WHEN: dict[When, str] = {"each": "each evaluation", "last": "the last one", "on_request": "the last one, with `--also`"}


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
        yield f"| `{name}` | {values} | {key.doc} | {models} |"


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


PARTS: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "commands": ("command-line.md", commands),
    "metrics": ("metrics.md", metrics),
    "keys": ("models.md", keys),
    "spaces": ("models.md", spaces),
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
