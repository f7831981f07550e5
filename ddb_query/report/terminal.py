"""A report as text for a terminal: tables with bars, and sparklines for what is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from ddb_query.printable import printable
from ddb_query.report import cells
from ddb_query.report.manifest_lines import lines as manifest_lines
from ddb_query.report.spelling import spelled

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
        yield from (self._as(DIM, line) for line in self._wrapped(table.help))
        if table.sentence:
            yield from self._wrapped(table.sentence)
        if not table.rows:
            yield "Nothing to show."
        elif table.chart and (table.chart.kind in _SPARKED or len(table.rows) > _LONG_ROWS):
            yield from self._sparks(table, table.chart)
        else:
            yield from self._grid(table)

    def _grid(self, table: Table) -> Iterator[str]:
        right = cells.numeric(table)
        lines = [cells.headings(table), *cells.rows(table)]
        bars = _bars(table)
        widths = _fitted(lines, self._width - (_BAR_CELLS + 2 if bars else 0))
        for place, line in enumerate(lines):
            parts = [_cell(*one) for one in zip(line, widths, right, strict=True)]
            bar = self._as(COLOR, bars[place - 1]) if bars and place else ""
            shown = "  ".join([*parts, bar] if bar else parts).rstrip()
            if place or any(line):
                yield shown if place else self._as(DIM, shown)

    def _sparks(self, table: Table, chart: Chart) -> Iterator[str]:
        """A line of blocks for each series of a chart, and its lowest and highest value."""
        x, y = chart.fields["x"], chart.fields["y"].split(",")[0]
        y = "share" if chart.series and "share" in table.shared else y
        group = chart.fields.get("color") or chart.series
        for name in dict.fromkeys(row.get(group) for row in chart.rows):
            rows = [row for row in chart.rows if row.get(group) == name and row[y] is not None]
            amounts = _thinned([row[y] for row in rows], self._width - 20)
            label = f"{printable(str(name))[:18]:18}  " if group else ""
            yield label + self._as(COLOR, sparkline(amounts))
            if rows:
                low, high = min(row[y] for row in rows), max(row[y] for row in rows)
                about = f"{spelled(x, rows[0][x])} to {spelled(x, rows[-1][x])}"
                yield self._as(DIM, f"{about}; {spelled(y, low)} to {spelled(y, high)}")

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


def _fitted(lines: Sequence[Sequence[str]], available: int) -> list[int]:
    """Widths of the columns: the widest gives way until the line fits."""
    widths = [max(cell_len(cell) for cell in column) for column in zip(*lines, strict=True)]
    while sum(widths) + 2 * (len(widths) - 1) > available and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def _cell(words: str, width: int, right: bool) -> str:  # noqa: FBT001 - one cell of a table
    from rich.cells import set_cell_size

    length = cell_len(words)
    if length > width:
        return set_cell_size(words, max(width - 1, 0)) + "…"
    return " " * (width - length) + words if right else words + " " * (width - length)
