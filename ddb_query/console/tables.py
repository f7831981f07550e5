"""Tables for people: rows of text arranged as a box or as Markdown. Prints nothing itself.

Text from the data stays data: nothing in it is markup, and control and bidirectional characters
show as escapes, so that no prompt can change the terminal.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ddb_query.util.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from tempfile import SpooledTemporaryFile

    from ddb_query.engines.base import Column, Spans

ELLIPSIS = "…"
BOLD, NOT_BOLD = "\x1b[1m", "\x1b[22m"
NARROWEST = 4
# Width at which the beginning of a text can be told from another.
READABLE = 12
RULE = 80
# Rows of a table for a file wait in memory up to so many bytes, then in a file without a name.
WAITING_BYTES = 64_000_000


def box(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str | None]],
    width: int | None = None,
    emphasis: Mapping[int, Sequence[Spans]] | None = None,
) -> tuple[str, int]:
    """Rows in a box that is never wider than `width` terminal cells; None for as wide as it takes.

    Numbers stand to the right, and are whole, as times are. Text that does not fit is cut, with a
    mark. Where columns could not be read any more, those in the middle are left out, with a mark.

    Args:
        columns: Their names and types.
        rows: Text, or None for NULL.
        width: Of the terminal, in cells.
        emphasis: For columns by their position, the spans of each row that are shown in bold.

    Returns:
        The box, and how many columns it leaves out.
    """
    cells = [[_shown(cell) for cell in row] for row in rows]
    widest = _widest(columns, cells)
    fit = _fit(columns, widest, width)
    drawn = []
    for number, (shown, row) in enumerate(zip(cells, rows, strict=True)):
        parts = _aligned(columns, shown, fit)
        for position, spans in (emphasis or {}).items():
            if position in fit.widths:
                text = row[position] or ""
                parts[position] = _emphasised(parts[position], text, spans[number])
        drawn.append(_line(parts, fit))
    return "".join(_framed(columns, drawn, fit)), fit.hidden


def streamed_box(
    columns: Sequence[Column], rows: Iterable[Sequence[str | None]], width: int | None = None
) -> tuple[Iterator[str], int]:
    """The same line by line, for any number of rows, which are read once."""
    from tempfile import SpooledTemporaryFile

    # The widths are known after the last row; the file goes when the lines have been read.
    waiting = SpooledTemporaryFile(WAITING_BYTES, "w+", encoding="utf-8")  # noqa: SIM115
    widest = _widest(columns, _noted(rows, waiting))
    fit = _fit(columns, widest, width)
    return _framed(columns, _read_back(columns, waiting, fit), fit), fit.hidden


@dataclass(frozen=True)
class _Fit:
    """Which columns are shown, and how wide.

    Attributes:
        widths: By the position of each column that is shown.
        middle: Before which of them columns are left out; None when none are.
        hidden: How many are left out.
    """

    widths: dict[int, int]
    middle: int | None = None
    hidden: int = 0


def _widest(columns: Sequence[Column], cells: Iterable[Sequence[str]]) -> list[int]:
    """The width of the widest cell of each column, without its name."""
    widest = [0] * len(columns)
    for row in cells:
        widest = [max(pair) for pair in zip(widest, map(cell_len, row), strict=True)]
    return widest


def _noted(
    rows: Iterable[Sequence[str | None]], waiting: SpooledTemporaryFile[str]
) -> Iterator[list[str]]:
    for row in rows:
        cells = [_shown(cell) for cell in row]
        waiting.write(json.dumps(cells) + "\n")
        yield cells


def _read_back(
    columns: Sequence[Column], waiting: SpooledTemporaryFile[str], fit: _Fit
) -> Iterator[str]:
    with waiting:
        waiting.seek(0)
        for line in waiting:
            yield _line(_aligned(columns, json.loads(line), fit), fit)


def _fit(columns: Sequence[Column], widest: list[int], width: int | None) -> _Fit:
    """Choose columns and widths so that a line takes at most `width` cells."""
    names = [cell_len(printable(column.name)) for column in columns]
    needed = [max(pair) for pair in zip(names, widest, strict=True)]
    if width is None:
        return _Fit(dict(enumerate(needed)))
    floors = [_floor(*parts) for parts in zip(columns, names, widest, strict=True)]
    positions = list(range(len(columns)))
    mark = 0
    while len(positions) > 1 and _line_width(floors[p] for p in positions) + mark > width:
        # The middle ones go first: what a table begins and ends with says most.
        del positions[len(positions) // 2]
        mark = 4
    available = width - _line_width(0 for _ in positions) - mark
    widths = _shared([needed[p] for p in positions], [floors[p] for p in positions], available)
    hidden = len(columns) - len(positions)
    middle = next((p for i, p in enumerate(positions) if i != p), len(columns)) if hidden else None
    return _Fit(dict(zip(positions, widths, strict=True)), middle, hidden)


def _floor(column: Column, name: int, widest: int) -> int:
    """The least width at which a column still says something; a cut number would lie."""
    if column.numeric or column.type.startswith(("TIME", "DATE")):
        return max(widest, min(name, READABLE))
    return min(max(widest, name), READABLE)


def _line_width(widths: Iterable[int]) -> int:
    return sum(width + 3 for width in widths) + 1


def _shared(needed: list[int], floors: list[int], available: int) -> list[int]:
    """Widths up to what is needed, none below its floor, all others equal, that fill the line."""

    def at(level: int) -> list[int]:
        return [min(n, max(f, level)) for n, f in zip(needed, floors, strict=True)]

    if sum(needed) <= available:
        return needed
    levels = range(max(needed) + 1)
    level = max(bisect_right(levels, available, key=lambda one: sum(at(one))) - 1, 0)
    widths = at(level)
    left = available - sum(widths)
    for position, width in enumerate(widths):
        if left > 0 and width == level < needed[position]:
            widths[position] += 1
            left -= 1
    if sum(widths) > available:
        # One column alone is wider than the screen.
        widths = [max(available, 1)]
    return widths


def _framed(columns: Sequence[Column], body: Iterable[str], fit: _Fit) -> Iterator[str]:
    names = [printable(column.name) for column in columns]
    yield _rule(("┌", "┬", "┐"), fit)
    yield _line(_aligned(columns, names, fit), fit)
    yield _rule(("├", "┼", "┤"), fit)
    yield from body
    yield _rule(("└", "┴", "┘"), fit)


def _aligned(columns: Sequence[Column], cells: Sequence[str], fit: _Fit) -> dict[int, str]:
    """The cells that are shown, by the position of their column, as wide as that is."""
    return {p: _cell(cells[p], width, columns[p].numeric) for p, width in fit.widths.items()}


def _line(cells: Mapping[int, str], fit: _Fit) -> str:
    return f"│ {' │ '.join(_with_mark(cells, fit, ELLIPSIS))} │\n"


def _rule(marks: tuple[str, str, str], fit: _Fit) -> str:
    left, middle, right = marks
    pieces = {position: "─" * width for position, width in fit.widths.items()}
    return f"{left}─{f'─{middle}─'.join(_with_mark(pieces, fit, '─'))}─{right}\n"


def _with_mark(pieces: Mapping[int, str], fit: _Fit, mark: str) -> list[str]:
    """The pieces of a line in order, with a mark where columns are left out."""
    found = [
        piece for position, piece in pieces.items() if fit.middle is None or position < fit.middle
    ]
    if fit.middle is not None:
        found += [mark, *(piece for position, piece in pieces.items() if position >= fit.middle)]
    return found


def listed(columns: Sequence[Column], rows: Sequence[Sequence[str | None]], width: int) -> str:
    """Every row whole: a line for each column, its text wrapped at `width` terminal cells."""
    return "".join(listed_lines(columns, rows, width))


def listed_lines(
    columns: Sequence[Column], rows: Iterable[Sequence[str | None]], width: int | None = None
) -> Iterator[str]:
    """The same line by line; None for a width that has no end."""
    names = [printable(column.name) for column in columns]
    longest = max((cell_len(name) for name in names), default=0)
    if width is not None:
        longest = min(longest, max(width // 2 - 3, NARROWEST))
    for number, row in enumerate(rows, 1):
        yield f"─[ row {number} ]".ljust(min(width or RULE, RULE), "─") + "\n"
        for name, cell in zip(names, row, strict=True):
            label = _cell(name, longest, numeric=False)
            shown = _shown(cell)
            room = cell_len(shown) if width is None else width - longest - 3
            for piece in _wrapped(shown, max(room, NARROWEST)):
                yield f"{label} │ {piece}".rstrip() + "\n"
                label = " " * longest


def markdown(columns: Sequence[Column], rows: Sequence[Sequence[str | None]]) -> str:
    """Rows as a Markdown table; what Markdown would read as its own is escaped."""
    return "".join(markdown_lines(columns, rows))


def markdown_lines(
    columns: Sequence[Column], rows: Iterable[Sequence[str | None]]
) -> Iterator[str]:
    """The same line by line."""
    names = [markdown_text(column.name) for column in columns]
    rules = ["--:" if column.numeric else "---" for column in columns]
    body = (["" if cell is None else markdown_text(cell) for cell in row] for row in rows)
    for line in chain([names, rules], body):
        yield f"| {' | '.join(line)} |\n"


def _shown(cell: str | None) -> str:
    return "NULL" if cell is None else printable(cell)


def _wrapped(text: str, width: int) -> list[str]:
    """Text cut into lines of `width` cells, none of them in the middle of a wide character."""
    if cell_len(text) <= width:
        return [text]
    lines, line, used = [], "", 0
    for mark in text:
        size = cell_len(mark)
        if used + size > width:
            lines.append(line)
            line, used = "", 0
        line, used = line + mark, used + size
    return [*lines, line]


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


def markdown_text(text: str) -> str:
    """Text with every mark escaped that Markdown would read as its own."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&$])", r"\\\1", printable(text))
