"""What a chart draws where there are no rows: empty bins of a histogram, hours without an image."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ddb_query.report.model import Chart

Row = dict[str, Any]


@dataclass(frozen=True)
class Bins:
    """Where bins begin, and how wide each is drawn, the last one too when it is open.

    Attributes:
        lows: The lower end of every bin from the first to the last, those without rows too.
        width: Of each.
        open_from: Where the last bin begins when it holds all from there on; else None.
    """

    lows: tuple[float, ...]
    width: float
    open_from: float | None

    @property
    def end(self) -> float:
        """Where the last bin ends on the axis."""
        return round(self.lows[-1] + self.width, 6)


def bins_of(chart: Chart) -> Bins:
    """The bins of a histogram, from all of its rows."""
    low, high = chart.fields["x"], chart.fields["x2"]
    lows = sorted({row[low] for row in chart.rows})
    closed = (row[high] - row[low] for row in chart.rows if row[high] is not None)
    width = round(next(closed, 1), 6)
    count = round((lows[-1] - lows[0]) / width) + 1
    return Bins(
        tuple(round(lows[0] + place * width, 6) for place in range(count)),
        width,
        next((row[low] for row in chart.rows if row[high] is None), None),
    )


def groups_of(chart: Chart) -> tuple[str, ...]:
    """The columns that tell the series of a chart apart: its colours, and two selections."""
    return tuple(name for name in (chart.fields.get("color", ""), chart.series) if name)


def series_of(chart: Chart) -> Iterator[tuple[tuple[Any, ...], list[Mapping[str, Any]]]]:
    """Each series of a chart: what tells it apart, and its rows."""
    groups = groups_of(chart)
    keys = dict.fromkeys(tuple(row[name] for name in groups) for row in chart.rows)
    for key in keys:
        yield key, [row for row in chart.rows if tuple(row[name] for name in groups) == key]


def places_of(chart: Chart) -> tuple[Any, ...]:
    """Every place on the axis of a chart that some row has."""
    return tuple(sorted({row[chart.fields["x"]] for row in chart.rows}))


def filled(rows: Sequence[Mapping[str, Any]], places: Sequence[Any], x: str, y: str) -> list[float]:
    """The amounts of one series at every place; 0 where it has no row."""
    amounts = {row[x]: row[y] or 0 for row in rows}
    return [amounts.get(place, 0) for place in places]


def grounded(chart: Chart) -> list[Row]:
    """The points of a line over time, which lies at 0 where nothing was made."""
    x, y = chart.fields["x"], chart.fields["y"]
    step = datetime.timedelta(**{f"{x}s": 1})
    found: list[Row] = []
    for key, rows in series_of(chart):
        amounts = {row[x]: row[y] for row in rows}
        first, last = min(amounts), max(amounts)
        beside = {
            time + way for time in amounts for way in (step, -step) if first < time + way < last
        }
        of = dict(zip(groups_of(chart), key, strict=True))
        found += [{x: t, y: amounts.get(t, 0), **of} for t in sorted({*amounts, *beside})]
    return found


def outlines(chart: Chart, floor: float = 0) -> list[Row]:
    """The outline of each series as points of a line that steps after each.

    Args:
        chart: A histogram.
        floor: Where the axis begins, which nothing is drawn below.
    """
    x, y, bins = chart.fields["x"], chart.fields["y"], bins_of(chart)
    found: list[Row] = []
    for key, rows in series_of(chart):
        tops = [max(amount, floor) for amount in filled(rows, bins.lows, x, y)]
        points = [(bins.lows[0], floor), *zip(bins.lows, tops, strict=True)]
        points += [(bins.end, tops[-1]), (bins.end, floor)]
        of = dict(zip(groups_of(chart), key, strict=True))
        found += [{x: at, y: amount, **of} for at, amount in points]
    return found
