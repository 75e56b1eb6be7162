"""What running a user's `space` shows: choices that change, which neither Optuna nor a table can hold."""

from gensweep.check.line import Line, fault
from search_spaces.param import Param
from search_spaces.space import Space
from search_spaces.walk import walk


def check_space(space: Space, file_name: str) -> list[Line]:
    """Return a line if the choices of a key, or its kind, differ between calls or between branches."""
    known: dict[str, Param] = {}
    lines = []
    for _ in range(2):
        for trial, _config in walk(space.space):
            for key, param in trial.params.items():
                first = known.setdefault(key, param)
                if first != param and not (first.is_range and first.kind == param.kind):
                    lines.append(
                        f"{key} is one of {_text(first)} in one call and {_text(param)} in another: choices must not "
                        "depend on anything; give each branch a key of its own"
                    )
    return [fault(text, file_name) for text in dict.fromkeys(lines)][:1]


def _text(param: Param) -> str:
    return f"[{param.text()}]" if param.kind == "categorical" else param.text()
