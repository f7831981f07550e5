"""How a result looks on a terminal: as wide as that is, paged when it is longer, counted below."""

from __future__ import annotations

import os
import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.console import stdout
from ddb_query.engines.base import Result
from ddb_query.util.escape import counted, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.shell.state import Last

# More than a screen, since a pager shows them; few enough to be there at once.
SHOWN_ROWS = 1000
# Lines of the screen that the prompt and the counts need.
_KEPT_FREE = 3


@dataclass(frozen=True)
class Shown:
    """A result as text, and how much of it that is.

    Attributes:
        text: What the terminal shows.
        rows: How many rows that is at most.
        whole: Whether these are all.
        hidden_columns: How many columns it leaves out.

    """

    text: str
    rows: int
    whole: bool = False
    hidden_columns: int = 0


def arranged(result: Result, mode: str, rows: int, width: int) -> Shown:
    """The first rows of a result as text for a terminal.

    Args:
        result: What is shown.
        mode: table, line or a format.
        rows: How many at most; 0 for all.
        width: Of the terminal, in cells.

    """
    from ddb_query.console import tables

    answer = result.answer
    if answer is None:
        return Shown("", 0, whole=True)
    found = list((answer.head(rows + 1) if rows else answer).cells())
    whole = not rows or len(found) <= rows
    found = found[:rows] if rows else found
    if mode not in stdout.PEOPLE_FORMATS:
        first = answer.head(rows) if rows else answer
        return Shown(stdout.rendered(Result(first), mode), len(found), whole)
    if answer.is_text:
        return Shown("".join(f"{printable(line or '')}\n" for (line,) in found), len(found), whole)
    if mode == "line":
        return Shown(tables.listed(answer.columns, found, width), len(found), whole)
    if mode == "markdown":
        return Shown(tables.markdown(answer.columns, found), len(found), whole)
    bold = stdout.emphasis(result, found) if os.environ.get("TERM") != "dumb" else {}
    text, hidden = tables.box(answer.columns, found, width, bold)
    return Shown(text, len(found), whole, hidden)


def show(text: str) -> None:
    """Print text, through the pager when it is longer than the screen."""
    height = shutil.get_terminal_size().lines
    long = text.count("\n") > height - _KEPT_FREE
    if long and os.environ.get("TERM") != "dumb":
        stdout.paged(text)
    else:
        stdout.text(text)


def counts(shown: Shown, last: Last, *, timer: bool) -> str:
    """The line under a result: its rows, its columns, its time."""
    columns = len(last.first.columns)
    rows = shown.rows if shown.whole else last.rows
    if rows is None and last.whole.answer is not None:
        rows = stdout.rows_in_all(last.whole.answer)
    words = [_rows(shown.rows, rows)]
    if shown.hidden_columns:
        words.append(f"{columns - shown.hidden_columns} of {columns} columns")
    else:
        words.append(counted(columns, "column"))
    return ", ".join([*words, *([f"{last.seconds:.2f} s"] if timer else [])])


def two_columns(rows: Sequence[tuple[str, str]], width: int) -> str:
    """Names and what they are; the second column wrapped, below the first where that is long."""
    longest = max((len(name) for name, _ in rows if len(name) <= width // 3), default=0)
    lines = []
    for name, what in rows:
        pieces = textwrap.wrap(printable(what), max(width - longest - 3, width // 3)) or [""]
        shown = printable(name)
        if len(shown) > longest:
            lines.append(shown)
            shown = ""
        for piece in pieces:
            lines.append(f"{shown:<{longest}}  {piece}".rstrip())
            shown = ""
    return "".join(f"{line}\n" for line in lines)


def width_of_terminal(asked: int) -> int:
    """The width to fill: the one asked for, else the terminal's."""
    return asked or shutil.get_terminal_size().columns


def _rows(shown: int, rows: int | None) -> str:
    if rows is None:
        return f"first {shown:,} rows of many"
    return counted(rows, "row") if shown == rows else f"first {shown:,} of {rows:,} rows"
