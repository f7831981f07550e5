"""Tables for people: rows of text arranged as a box or as Markdown. Prints nothing itself.

Text from the data stays data: nothing in it is markup, and control and bidirectional characters
show as escapes, so that no prompt can change the terminal.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from ddb_query.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    cells = [[_shown(cell) for cell in row] for row in rows]
    needed = [_needed(printable(column.name), cells, i) for i, column in enumerate(columns)]
    return _drawn(columns, rows, _fitted(needed, width), emphasis)


def screen(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str | None]],
    width: int,
    emphasis: Mapping[int, Sequence[Spans]] | None = None,
) -> tuple[str, int]:
    """A box never wider than `width` terminal cells: where columns would shrink to nothing, those
    in the middle are left out, with a mark.

    Numbers and times are whole in it.

    Returns:
        The box, and how many columns it leaves out.
    """  # noqa: D205 - one sentence
    cells = [[_shown(cell) for cell in row] for row in rows]
    needed = [_needed(printable(column.name), cells, i) for i, column in enumerate(columns)]
    floors = [_floor(column, cells, i) for i, column in enumerate(columns)]
    places = _fitting(floors, width)
    hidden = len(columns) - len(places)
    if not hidden:
        return _drawn(columns, rows, _fitted(needed, width, floors), emphasis), 0
    middle = next(i for i, p in enumerate([*places, len(columns)]) if i != p)
    shown = [columns[place] for place in places]
    kept = [[row[place] for place in places] for row in rows]
    spans = {places.index(p): found for p, found in (emphasis or {}).items() if p in places}
    spans = {p + (p >= middle): found for p, found in spans.items()}
    for line in kept:
        line.insert(middle, ELLIPSIS)
    shown.insert(middle, replace(columns[0], name=ELLIPSIS, type="VARCHAR"))
    widths = _fitted([needed[p] for p in places], width - 4, [floors[p] for p in places])
    widths.insert(middle, 1)
    return _drawn(shown, kept, widths, spans), hidden


def whole_box(columns: Sequence[Column], rows: Iterable[Sequence[str | None]]) -> Iterator[str]:
    """Rows in a box as wide as they are, line by line; any number of them, read once."""
    from tempfile import SpooledTemporaryFile

    names = [printable(column.name) for column in columns]
    numeric = [column.numeric for column in columns]
    widths = [cell_len(name) for name in names]
    # The widths are known after the last row.
    with SpooledTemporaryFile(WAITING_BYTES, "w+", encoding="utf-8") as waiting:
        for row in rows:
            cells = [_shown(cell) for cell in row]
            widths = [max(pair) for pair in zip(widths, map(cell_len, cells), strict=True)]
            waiting.write(json.dumps(cells) + "\n")
        waiting.seek(0)
        yield _rule(("┌", "┬", "┐"), widths) + "\n"
        yield _whole_line(names, widths, numeric)
        yield _rule(("├", "┼", "┤"), widths) + "\n"
        for line in waiting:
            yield _whole_line(json.loads(line), widths, numeric)
        yield _rule(("└", "┴", "┘"), widths) + "\n"


def _whole_line(cells: Sequence[str], widths: list[int], numeric: list[bool]) -> str:
    return _line([_cell(*part) for part in zip(cells, widths, numeric, strict=True)]) + "\n"


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


def _drawn(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str | None]],
    widths: list[int],
    emphasis: Mapping[int, Sequence[Spans]] | None,
) -> str:
    names = [printable(column.name) for column in columns]
    numeric = [column.numeric for column in columns]
    lines = [
        _rule(("┌", "┬", "┐"), widths),
        _line([_cell(*part) for part in zip(names, widths, numeric, strict=True)]),
        _rule(("├", "┼", "┤"), widths),
    ]
    for place, row in enumerate(rows):
        cells = [_shown(cell) for cell in row]
        parts = [_cell(*part) for part in zip(cells, widths, numeric, strict=True)]
        for column, spans in (emphasis or {}).items():
            parts[column] = _emphasised(parts[column], row[column] or "", spans[place])
        lines.append(_line(parts))
    lines.append(_rule(("└", "┴", "┘"), widths))
    return "\n".join(lines) + "\n"


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


def _needed(name: str, cells: list[list[str]], place: int) -> int:
    return max([cell_len(name), *(cell_len(row[place]) for row in cells)])


def _floor(column: Column, cells: list[list[str]], place: int) -> int:
    """The least width at which a column still says something; a cut number would lie."""
    widest = max([NARROWEST, *(cell_len(row[place]) for row in cells)])
    whole = column.numeric or column.type.startswith(("TIME", "DATE"))
    return widest if whole else min(max(widest, cell_len(column.name)), READABLE)


def _fitting(floors: list[int], width: int) -> list[int]:
    """Places of the columns that fit at their floors; the middle ones go first."""
    places = list(range(len(floors)))
    mark = 0
    while len(places) > 1 and sum(floors[p] + 3 for p in places) + 1 + mark > width:
        del places[(len(places) + 1) // 2]
        mark = 4
    return places


def _fitted(widths: list[int], total: int | None, floors: list[int] | None = None) -> list[int]:
    """Cut the widest columns until the line fits, none below its floor or NARROWEST."""
    if total is None:
        return widths
    available = max(total - 3 * len(widths) - 1, NARROWEST * len(widths))
    if sum(widths) <= available:
        return widths
    fitted = list(widths)
    least = floors or [NARROWEST] * len(widths)
    open_places = set(range(len(widths)))
    while open_places:
        share = max(available // len(open_places), NARROWEST)
        settled = {p for p in open_places if widths[p] <= share}
        settled = settled or {p for p in open_places if least[p] > share}
        for place in settled or open_places:
            fitted[place] = min(widths[place], max(share, least[place]))
        if not settled:
            break
        available -= sum(fitted[place] for place in settled)
        open_places -= settled
    return fitted


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
