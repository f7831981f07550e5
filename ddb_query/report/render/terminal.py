"""A report as text for a terminal: tables with bars, and sparklines for what is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from ddb_query.report.bins import bins_of, filled, places_of, series_of
from ddb_query.report.compare import DIFFERENCE, RANK
from ddb_query.report.formatting import StandIn, spelled
from ddb_query.report.render import cells
from ddb_query.report.render.manifest_lines import lines as manifest_lines
from ddb_query.util.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ddb_query.report.model import Chart, Report, Table

WIDTH = 100
BOLD, DIM, COLOR, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
_BAR_CELLS = 24
_SPARKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SPARKED = ("line", "lorenz")
# Rows of a table whose shape a sparkline shows better.
_LONG_ROWS = 30
# Cells in which the beginning of a text can be told from another.
_READABLE_CELLS = 16


def text(report: Report, width: int | None = None, *, styled: bool = False) -> str:
    """A report as lines of text.

    Args:
        report: What to show.
        width: Cells of a line; None for 100.
        styled: Whether a terminal's bold, dim and colour are used.
    """
    return "\n".join(_Writer(width or WIDTH, styled).lines(report)) + "\n"


class _Writer:
    def __init__(self, width: int, styled: bool) -> None:  # noqa: FBT001 - private
        self._width = width
        self._styled = styled

    def lines(self, report: Report) -> Iterator[str]:
        yield self._as(BOLD, printable(report.title))
        for line in report.summary():
            yield from self._wrapped(line)
        for section in report.sections:
            yield ""
            yield self._as(BOLD, f"── {section.title} ".ljust(self._width, "─"))
            for table in section.tables:
                yield from self._table(table)
        yield ""
        yield self._as(BOLD, "── How this was made ".ljust(self._width, "─"))
        for name, value in manifest_lines(report):
            yield from self._wrapped(f"{name}: {value}")

    def _table(self, table: Table) -> Iterator[str]:
        yield ""
        yield self._as(BOLD, table.title)
        yield from (self._as(DIM, line) for line in self._wrapped(cells.about(table)))
        if table.sentence:
            yield from self._wrapped(table.sentence)
        if not table.rows:
            yield "Nothing to show."
        elif table.chart and (table.chart.kind in _SPARKED or len(table.rows) > _LONG_ROWS):
            yield from self._sparks(table.chart)
        else:
            yield from self._grid(table)

    def _grid(self, table: Table) -> Iterator[str]:
        lines = [cells.headings(table), *cells.rows(table)]
        right = cells.numeric(table)
        bars = _bars(table)
        blocks = list(_blocks(table, lines, right, self._width - (_BAR_CELLS + 2 if bars else 0)))
        if bars and len(blocks) > 1:
            # All columns beside each other say more than a bar beside some.
            bars, blocks = [], list(_blocks(table, lines, right, self._width))
        for number, (places, widths) in enumerate(blocks):
            if number:
                yield ""
            for place, line in enumerate(lines):
                parts = [
                    self._cell(line[column], width, right=right[column])
                    for column, width in zip(places, widths, strict=True)
                ]
                bar = self._as(COLOR, bars[place - 1]) if bars and place else ""
                shown = "  ".join([*parts, bar] if bar else parts).rstrip()
                if place or any(line):
                    yield shown if place else self._as(DIM, shown)

    def _cell(self, words: str, width: int, *, right: bool) -> str:
        shown = _sized(words, width, right=right)
        return self._as(DIM, shown) if isinstance(words, StandIn) else shown

    def _sparks(self, chart: Chart) -> Iterator[str]:
        """A line of blocks for each series of a chart, and its lowest and highest value."""
        x, y = chart.fields["x"], chart.fields["y"].split(",")[0]
        places = bins_of(chart).lows if chart.kind == "histogram" else places_of(chart)
        for names, rows in series_of(chart):
            amounts = filled(rows, places, x, y)
            label = " ".join(printable(str(name)) for name in names)[:18]
            sparks = sparkline(_thinned(amounts, self._width - 20))
            yield (f"{label:18}  " if names else "") + self._as(COLOR, sparks)
            about = f"{spelled(x, places[0])} to {spelled(x, places[-1])}"
            least, most = spelled(y, min(amounts)), spelled(y, max(amounts))
            yield self._as(DIM, f"{about}; {least} to {most}")

    def _wrapped(self, words: str) -> list[str]:
        import textwrap

        return textwrap.wrap(printable(words), self._width) or [""]

    def _as(self, style: str, words: str) -> str:
        return f"{style}{words}{PLAIN}" if self._styled and words else words


def sparkline(amounts: Sequence[float]) -> str:
    """Amounts as blocks, from 0 to the highest."""
    top = max(amounts, default=0)
    if top <= 0:
        return _SPARKS[0] * len(amounts)
    return "".join(_SPARKS[min(int(amount / top * 8), 7)] for amount in amounts)


def _thinned(amounts: list[float], most: int) -> list[float]:
    """At most so many amounts: the highest of each run of neighbours."""
    step = -(-len(amounts) // most)
    return [max(amounts[place : place + step]) for place in range(0, len(amounts), max(step, 1))]


def _bars(table: Table) -> list[str]:
    """A bar for each row of a table that has a chart of bars."""
    chart = table.chart
    if chart is None or chart.series or chart.kind not in ("bar", "ranking", "histogram"):
        return []
    column = chart.fields["x" if chart.kind == "ranking" else "y"]
    amounts = [row[column] or 0 for row in chart.rows]
    top = max(amounts, default=0)
    return [_bar(amount / top if top else 0) for amount in amounts]


def _bar(part: float) -> str:
    eighths = round(part * _BAR_CELLS * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _blocks(
    table: Table, lines: Sequence[Sequence[str]], right: Sequence[bool], available: int
) -> Iterator[tuple[list[int], list[int]]]:
    """The columns that stand beside each other, and their widths: several blocks if need be.

    Numbers and headings are never cut. Text gives way, but not below what can be told apart; then
    the columns are parted into blocks, each of which begins with the table's key.
    """
    widths = [max(cell_len(cell) for cell in column) for column in zip(*lines, strict=True)]
    floors = [w if right[i] else min(w, _READABLE_CELLS) for i, w in enumerate(widths)]
    keys = list(range(len(table.key)))
    blocks = [list(keys)]
    for things in _things(table):
        if _total([floors[i] for i in (*blocks[-1], *things)]) > available and blocks[-1] != keys:
            blocks.append(list(keys))
        blocks[-1] += things
    for places in blocks:
        yield places, _fitted([widths[i] for i in places], [floors[i] for i in places], available)


def _things(table: Table) -> list[list[int]]:
    """The columns behind the key that belong together: of one measure, or of one selection."""
    found: dict[str, list[int]] = {}
    # Two lists by rank differ in nothing that could be subtracted: each stands whole.
    ranked = RANK in table.key and not any(c.startswith(DIFFERENCE) for c in table.columns)
    for place, column in list(enumerate(table.columns))[len(table.key) :]:
        side, name = cells.parted(column)
        found.setdefault(side if ranked and side else name, []).append(place)
    return list(found.values())


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _fitted(widths: list[int], floors: list[int], available: int) -> list[int]:
    """Widths of the columns: the widest that may give way does so until the line fits."""
    while _total(widths) > available:
        slack = [width if width > floor else 0 for width, floor in zip(widths, floors, strict=True)]
        # A line of nothing but its least widths gives way where it is widest.
        place = slack.index(max(slack)) if any(slack) else widths.index(max(widths))
        if widths[place] <= 1:
            break
        widths[place] -= 1
    return widths


def _sized(words: str, width: int, *, right: bool) -> str:
    from rich.cells import set_cell_size

    length = cell_len(words)
    if length > width:
        return set_cell_size(words, max(width - 1, 0)) + "…"
    return " " * (width - length) + words if right else words + " " * (width - length)
