"""Load the Jinja templates of analysis/templates/."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def load_template(name: str, trim_blocks: bool = False) -> Template:
    """Return a template by its file name.

    Rendering it without one of its values is an error. Only HTML templates escape their values.
    """
    environment = Environment(
        loader=PackageLoader("analysis", "templates"),
        autoescape=name.endswith(".html"),
        trim_blocks=trim_blocks,
        keep_trailing_newline=not trim_blocks,
        undefined=StrictUndefined,
    )
    return environment.get_template(name)
