"""Parse and print durations and sizes."""

import re

from gensweep.errors import UserError

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"TB": 1e12, "GB": 1e9, "MB": 1e6, "kB": 1e3, "B": 1.0}


def parse_seconds(text: str | float) -> float:
    """A duration such as `90s`, `30m`, `2h` in seconds; a bare number is seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(text).strip())
    value = float(found[1]) * SECONDS[found[2] or "s"] if found else 0.0
    if not value > 0:
        raise UserError(f"{text!r} is no duration: write 90s, 30m or 2h")
    return value


def parse_size(text: str | int) -> int:
    """A size such as `500MB` or `10GB` in bytes; a bare number is bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?b)?", str(text).strip(), re.IGNORECASE)
    unit = next((unit for unit in BYTES if found and unit.upper() == (found[2] or "B").upper()), "B")
    value = int(float(found[1]) * BYTES[unit]) if found and not isinstance(text, bool) else 0
    if value < 1:
        raise UserError(f"{text!r} is no size: write 500MB, 10GB or a number of bytes")
    return value


def format_size(n_bytes: float) -> str:
    """Bytes as a person says them: `1.2 GB`."""
    unit = next((unit for unit, worth in BYTES.items() if n_bytes >= worth), "B")
    return f"{n_bytes / BYTES[unit]:.3g} {unit}"


def format_duration(seconds: float) -> str:
    """Return seconds as text: `42s`, `3m10s`, `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
