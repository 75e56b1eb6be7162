"""Parse and print durations and sizes."""

import re

from gensweep.errors import UserError

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"TB": 1e12, "GB": 1e9, "MB": 1e6, "kB": 1e3, "B": 1.0}


def parse_seconds(text: str | float) -> float:
    """Return the seconds of a duration such as `90s`, `30m` or `2h`; a number without a unit is in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(text).strip())
    value = float(match[1]) * SECONDS[match[2] or "s"] if match else 0.0
    if not value > 0:
        raise UserError(f"{text!r} is not a duration: write 90s, 30m or 2h")
    return value


def parse_size(text: str | int) -> int:
    """Return the bytes of a size such as `500MB` or `10GB`; a number without a unit is in bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?b)?", str(text).strip(), re.IGNORECASE)
    unit = next((unit for unit in BYTES if match and unit.upper() == (match[2] or "B").upper()), "B")
    value = int(float(match[1]) * BYTES[unit]) if match and not isinstance(text, bool) else 0
    if value < 1:
        raise UserError(f"{text!r} is not a size: write 500MB, 10GB or a number of bytes")
    return value


def format_size(n_bytes: float) -> str:
    """Return bytes as text: `1.2 GB`."""
    unit = next((unit for unit, unit_bytes in BYTES.items() if n_bytes >= unit_bytes), "B")
    return f"{n_bytes / BYTES[unit]:.3g} {unit}"


def format_duration(seconds: float) -> str:
    """Return seconds as text: `42s`, `3m10s`, `2h05m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
