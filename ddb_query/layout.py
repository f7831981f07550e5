"""Tables for people: rows of text arranged as a box or as Markdown. Prints nothing itself.

Text from the data stays data: nothing in it is markup, and control and bidirectional characters
show as escapes, so that no prompt can change the terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ddb_query.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ddb_query.engines.base import Column, Spans

ELLIPSIS = "…"
BOLD, NOT_BOLD = "\x1b[1m", "\x1b[22m"
NARROWEST = 4
WIDEST_WITHOUT_TERMINAL = 10_000


def box(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str | None]],
    width: int | None,
    emphasis: Mapping[int, Sequence[Spans]] | None = None,
) -> str:
    """Rows in a box, at most `width` terminal cells wide; None for as wide as it takes.

    Numbers stand to the right. Text that does not fit is cut, with a mark.

    Args:
        columns: Their names and types.
        rows: Text, or None for NULL.
        width: Of the terminal, in cells.
        emphasis: For columns by their place, the spans of each row that are shown in bold.
    """
    names = [printable(column.name) for column in columns]
    cells = [[_shown(cell) for cell in row] for row in rows]
    widths = _fitted([_needed(n, cells, i) for i, n in enumerate(names)], width)
    numeric = [column.numeric for column in columns]
    lines = [
        _rule(("┌", "┬", "┐"), widths),
        _line([_cell(*part) for part in zip(names, widths, numeric, strict=True)]),
        _rule(("├", "┼", "┤"), widths),
    ]
    for place, row in enumerate(cells):
        parts = [_cell(*part) for part in zip(row, widths, numeric, strict=True)]
        for column, spans in (emphasis or {}).items():
            parts[column] = _emphasised(parts[column], rows[place][column] or "", spans[place])
        lines.append(_line(parts))
    lines += [
        _rule(("└", "┴", "┘"), widths),
    ]
    return "\n".join(lines) + "\n"


def markdown(columns: Sequence[Column], rows: Sequence[Sequence[str | None]]) -> str:
    """Rows as a Markdown table; what Markdown would read as its own is escaped."""
    names = [markdown_text(column.name) for column in columns]
    rules = ["--:" if column.numeric else "---" for column in columns]
    body = [["" if cell is None else markdown_text(cell) for cell in row] for row in rows]
    lines = (f"| {' | '.join(line)} |" for line in [names, rules, *body])
    return "\n".join(lines) + "\n"


def _shown(cell: str | None) -> str:
    return "NULL" if cell is None else printable(cell)


def _needed(name: str, cells: list[list[str]], place: int) -> int:
    return max([cell_len(name), *(cell_len(row[place]) for row in cells)])


def _fitted(widths: list[int], total: int | None) -> list[int]:
    """Cut the widest columns until the line fits, none below NARROWEST."""
    limit = WIDEST_WITHOUT_TERMINAL if total is None else total
    available = max(limit - 3 * len(widths) - 1, NARROWEST * len(widths))
    if sum(widths) <= available:
        return widths
    fitted = list(widths)
    open_places = set(range(len(widths)))
    while open_places:
        share = available // len(open_places)
        small = {place for place in open_places if widths[place] <= share}
        if not small:
            for place in open_places:
                fitted[place] = share
            break
        available -= sum(widths[place] for place in small)
        open_places -= small
    return fitted


def _line(cells: Sequence[str]) -> str:
    return f"│ {' │ '.join(cells)} │"


def _emphasised(shown: str, text: str, spans: Spans) -> str:
    """A cell with spans of its text in bold, as far as they are shown; text stands to the left."""
    parts = []
    end = 0
    for first, last in spans:
        start = len(printable(text[:first]))
        if start >= len(shown) - 1:
            break
        stop = len(printable(text[:last]))
        parts += [shown[end:start], BOLD, shown[start:stop], NOT_BOLD]
        end = stop
    return "".join([*parts, shown[end:]])


def _cell(text: str, width: int, numeric: bool) -> str:  # noqa: FBT001 - one row of a table
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ELLIPSIS
    padding = " " * (width - length)
    return padding + text if numeric else text + padding


def _rule(marks: tuple[str, str, str], widths: list[int]) -> str:
    left, middle, right = marks
    return left + middle.join("─" * (width + 2) for width in widths) + right


def markdown_text(text: str) -> str:
    """Text with every mark escaped that Markdown would read as its own."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&$])", r"\\\1", printable(text))
