"""The README's table of METRICS: `python -m trainables.metrics.table README.md` writes it between its two marks."""

from __future__ import annotations

import sys
from pathlib import Path

from trainables.metrics import METRICS, Key, When

BEGIN, END = "<!-- metrics: made by `make format` -->", "<!-- /metrics -->"
BETTER = {"min": "lower", "max": "higher", None: ""}
WHEN: dict[When, str] = {"each": "each evaluation", "last": "the last one", "asked": "on request"}


def table() -> str:
    """A row a key, in the order of METRICS."""
    rows = ["| key | name | better | what | measured at |", "|---|---|---|---|---|"]
    for metric in METRICS.values():
        rows += [_row(name, key, metric.when) for name, key in metric.keys.items()]
    return "\n".join(rows)


def _row(name: str, key: Key, when: When) -> str:
    unit = f" ({key.unit})" if key.unit else ""
    return f"| `{name}` | {key.name}{unit} | {BETTER[key.better]} | {key.doc} | {WHEN[when]} |"


def renewed(text: str) -> str:
    """`text` with the table of today between its marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def main(path: Path) -> None:
    """Renews the table in a file that has the marks."""
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
