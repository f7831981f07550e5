"""How a value is spelled for people, by the name of its column; all forms for people use it."""

from __future__ import annotations

import datetime
import math
from typing import Any

from ddb_query.util.escape import printable


class StandIn(str):
    """Words of the report's own in place of a value, which no form shows as if they were data."""

    __slots__ = ()


NOTHING = StandIn("\N{EN DASH}")
_PLAIN = {"rank", "low", "high", "hour_of_day", "max_score"}
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def spelled(column: str, value: Any) -> str:
    """A value as people read it.

    Args:
        column: Its column's name: `share` and `…_share` are percentages, `…_bytes` amounts.
        value: As the engine gave it.

    Returns:
        Its words; a `StandIn` where there is nothing to show.
    """
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return _text(column, value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(column, value or 0)  # not the negative zero of floats
    return str(value)


def difference(column: str, value: Any) -> str:
    """A difference with its sign; that of two percentages in points."""
    if value is None:
        return NOTHING
    words = f"{_points(value)} pp" if is_share(column) else spelled(column, value)
    return _signed(words) if value else words


def heading(column: str) -> str:
    """A column's name in words."""
    return column.replace("_", " ").replace("nsfw", "NSFW")


def meant(column: str, meaning: str) -> str:
    """A column's name in words with its meaning: `blurred, share of all images`."""
    if not is_share(column):
        return f"{heading(column)} {meaning}".strip()
    of = column.removesuffix("share").strip("_")
    return f"{heading(of)}, share {meaning}" if of else f"share {meaning}"


def is_number(value: Any) -> bool:
    """Whether a value stands to the right."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(column: str, value: str) -> str:
    if not value:
        return StandIn(f"(empty {heading(column)})")
    return StandIn("(white space alone)") if value.isspace() else printable(value)


def _number(column: str, value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if is_share(column):
        return f"{_points(value)} %"
    if column.endswith("_bytes"):
        return _bytes(value)
    if column in _PLAIN:
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else _decimals(value)


def is_share(column: str) -> bool:
    """Whether a column holds fractions of 1, by its name."""
    return column == "share" or column.endswith("_share")


def _points(share: float) -> str:
    """Hundredths, with two decimals; a share is known to the sixth."""
    points = round(share * 100, 4)
    if points == 0 or abs(points) >= 0.01:
        return f"{points:.2f}" if points else "0"
    return f"{points:.4f}".rstrip("0")


def _decimals(value: float) -> str:
    """Two decimals; more for what would be nothing, none for what is whole."""
    if value == 0 or abs(value) >= 0.01:
        shown = f"{value:,.2f}"
        return shown.removesuffix(".00")
    return f"{value:.2g}" if abs(value) >= 1e-4 else f"{value:.0e}"


def _signed(text: str) -> str:
    """U+2212 is the minus that is as wide as a digit."""
    return f"\N{MINUS SIGN}{text[1:]}" if text.startswith("-") else f"+{text}"


def _bytes(value: float) -> str:
    size = float(value)
    unit = 0
    while abs(size) >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:,.0f} {_UNITS[unit]}" if unit == 0 else f"{size:,.1f} {_UNITS[unit]}"
