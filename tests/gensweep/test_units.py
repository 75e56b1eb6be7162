"""Parse and print durations and sizes."""

from gensweep.units import format_size, parse_seconds, parse_size


def test_units__sizes() -> None:
    asked = ("500MB", "10GB", "1.5 kB", "2tb", "7", 7)
    assert [parse_size(text) for text in asked] == [500_000_000, 10_000_000_000, 1500, 2_000_000_000_000, 7, 7]
    assert [format_size(n) for n in (7, 1234, 12_345_678, 3e9)] == ["7 B", "1.23 kB", "12.3 MB", "3 GB"]


def test_units__durations() -> None:
    assert [parse_seconds(text) for text in ("90s", "30m", "2h", "1.5h", 10)] == [90, 1800, 7200, 5400, 10]
