"""The only writer to standard output: results in any format, there or in a file."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ddb_query.errors import OutputError, TimedOutError, UsageError
from ddb_query.export import writers
from ddb_query.util.atomic_files import is_special, writing
from ddb_query.util.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddb_query.engines.base import Answer, Column, Result, Spans

PEOPLE_FORMATS = ("table", "markdown", "line")
FORMATS = ("table", "csv", "tsv", "json", "jsonl", "markdown", "parquet", "arrow")
SHOWN_ROWS = 100
# Cells in which words can be read.
_READABLE_COLUMN = 30

_ENDINGS = writers.ENDINGS | {".md": "markdown", ".txt": "table"}


def format_for(path: Path | None, asked: str | None) -> str:
    """The format to write: the one asked for, else the one of the file's ending, else a table.

    Raises:
        UsageError: The ending says nothing.

    """
    if asked is not None:
        return asked
    if path is None:
        return "table"
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(
            f"cannot tell a format from the ending of {path.name}",
            hint=f"say it with --format, or end the name in {', '.join(sorted(_ENDINGS))}",
        )
    return _ENDINGS[path.suffix.lower()]


@dataclass(frozen=True)
class Cut:
    """What of a result is on the screen, when that is not all of it.

    Attributes:
        rows: How many rows; None when these are all.
        total: Of how many; None when that cannot be known.
        columns: How many columns, and of how many; None when these are all.
    """

    rows: int | None = None
    total: int | None = None
    columns: tuple[int, int] | None = None

    def told(self, all_rows: str) -> str:
        """What is said of it.

        Args:
            all_rows: What has all rows shown.
        """
        words = []
        if self.rows is not None:
            of = "the first" if self.total is None else ""
            more = "rows of more" if self.total is None else f"of {self.total:,} rows"
            words.append(f"{of} {self.rows:,} {more}; {all_rows} shows all".strip())
        if self.columns is not None:
            shown, there = self.columns
            words.append(f"{shown} of {there} columns fit; name those you want, or write -o FILE")
        return ". ".join(words)


def shown_rows(
    result: Result, asked: int | None, *, on_screen: bool, most: int = SHOWN_ROWS
) -> int:
    """How many rows of a result are shown: the one place with a limit that nobody asked for.

    Only a screen has one. A file, a pipe and every format for programs get all rows.

    Args:
        result: It may say how many of its rows a screen shows.
        asked: The number that a person asked for, 0 for all; None when nobody said.
        on_screen: Whether a person reads it on a screen, in a form for people.
        most: How many rows a screen shows of a result that does not say.

    Returns:
        The number; 0 for all.
    """
    if asked is not None:
        return asked
    return (result.shown_rows or most) if on_screen else 0


def is_screen(form: str, path: Path | None) -> bool:
    """Whether a form for people goes to a terminal."""
    return path is None and form in PEOPLE_FORMATS and sys.stdout.isatty()


def rows_in_all(answer: Answer) -> int | None:
    """How many rows there are; None when that cannot be known, or takes too long."""
    try:
        return answer.count()
    except TimedOutError:
        return None


def streams_to_terminal(form: str) -> bool:
    """Whether rows of this format appear on a terminal while the statement still runs."""
    return form not in PEOPLE_FORMATS and sys.stdout.isatty()


def text(words: str, path: Path | None = None) -> None:
    """Write words that ddb itself wrote to standard output, or to a file."""
    with sink(path) as opened:
        opened.write(words.encode())


def listing(answer: Answer, path: Path | None = None) -> None:
    """Write rows that ddb itself made, without a box.

    Each row is one line that can be cut and searched. Only a terminal gets lines of its own width:
    there the last column is wrapped, and stands below the others where they leave it no room.
    """
    names = [column.name for column in answer.columns]
    lines = [names, *([printable(cell or "") for cell in row] for row in answer.cells())]
    width = terminal_width() if path is None else None
    text("".join(_list_lines(lines, [column.numeric for column in answer.columns], width)), path)


def _list_lines(lines: list[list[str]], numeric: list[bool], width: int | None) -> Iterator[str]:
    widths = [max(len(line[position]) for line in lines) for position in range(len(numeric))]
    begin = sum(widths[:-1]) + 2 * len(widths[:-1])
    for line in lines:
        parts = zip(line, widths, numeric, strict=True)
        aligned = [p.rjust(size) if right else p.ljust(size) for p, size, right in parts]
        if width is None or begin + widths[-1] <= width:
            yield "  ".join(aligned).rstrip() + "\n"
        elif width - begin >= _READABLE_COLUMN:
            yield from _hanging("  ".join(aligned[:-1]) + "  ", line[-1], begin, width)
        else:
            yield "  ".join(aligned[:-1]).rstrip() + "\n"
            if line[-1]:
                yield from _hanging(" " * 4, line[-1], 4, width)


def _hanging(before: str, words: str, indent: int, width: int) -> Iterator[str]:
    """Words behind what stands before them, wrapped at the width of the terminal."""
    import textwrap

    pieces = textwrap.wrap(words, max(width - indent, 1)) or [""]
    for piece in pieces:
        yield f"{before}{piece}".rstrip() + "\n"
        before = " " * indent


def results(
    found: Iterable[Result], form: str, path: Path | None = None, *, rows: int | None = None
) -> list[Cut]:
    """Write results to standard output, or to one file that appears whole or not at all.

    Args:
        found: What to write; several only in people's formats.
        form: One of `FORMATS`.
        path: The file; None for standard output.
        rows: For people's formats, how many rows to show, 0 for all; None when nobody said: then
            it is all of them, except on a screen.

    Returns:
        What was cut, for each result that was.

    Raises:
        OutputError: It cannot be written; an old file stays as it was.
        UsageError: The format is binary and standard output a terminal.

    """
    refuse_terminal(form, path)
    on_screen = is_screen(form, path)
    cuts = []
    with sink(path) as opened:
        for result in found:
            most = shown_rows(result, rows, on_screen=on_screen)
            cuts += _write(result, form, opened, most, terminal_width() if on_screen else None)
            opened.flush()
    return cuts


def refuse_terminal(form: str | None, path: Path | None) -> None:
    """Let no binary format go to a terminal.

    Raises:
        UsageError: It would.
    """
    if path is None and form in ("parquet", "arrow") and sys.stdout.isatty():
        raise UsageError(f"{form} is not for a terminal", hint=f"-o FILE.{form}, or redirect it")


@contextlib.contextmanager
def file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes many results, and appears whole or not at all.

    Raises:
        OutputError: It cannot be written.

    """
    with sink(path) as opened:
        yield opened


def append(found: Result, form: str, sink: BinaryIO) -> None:
    """Write all rows of a result to an open file."""
    _write(found, form, sink, 0, None)


def rendered(found: Result, form: str) -> str:
    """A result in a data format as text that a terminal may show: lines kept, controls escaped."""
    sink = io.BytesIO()
    _write(found, form, sink, 0, None)
    lines = sink.getvalue().decode().split("\n")
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in lines)


def paged(words: str) -> None:
    """Show words in the user's `$PAGER`, or `less`; print them where there is neither."""
    import shlex
    import subprocess

    environment = {"LESS": "-FRSX", "LESSCHARSET": "utf-8", **os.environ}
    try:
        # The user's own choice, without a shell.
        command = shlex.split(os.environ.get("PAGER", "less"))
        pager = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)  # noqa: S603
    except (OSError, IndexError, ValueError):
        text(words)
        return
    # Ctrl-C is the pager's while it has the screen.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # It may be left before it has read everything, and then takes no more.
        with contextlib.suppress(BrokenPipeError):
            pager.communicate(words.encode())
        pager.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def close_quietly() -> None:
    """Point standard output nowhere, after its reader has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def failed(error: OSError) -> OutputError:
    """The error for standard output that cannot be written."""
    # What is left in the buffer would fail once more when the interpreter ends.
    close_quietly()
    return OutputError(Path("standard output"), error.strerror or str(error))


def _write(found: Result, form: str, sink: BinaryIO, most: int, width: int | None) -> list[Cut]:
    """Write a result; `most` rows of it in a form for people, 0 for all."""
    if form not in PEOPLE_FORMATS:
        writers.write(found, form, sink, found.footer)
        return []
    answer = found.answer
    if answer is None:
        return []
    if answer.is_text and form == "table":
        sink.writelines(f"{printable(line or '')}\n".encode() for (line,) in answer.cells())
        return []
    if not most:
        pieces, hidden = _streamed(answer, form, width)
        sink.writelines(piece.encode() for piece in pieces)
        return _cut(answer, None, hidden)
    rows = list(answer.head(most + 1).cells())
    kept = rows[:most]
    bold = emphasis(found, kept) if width and os.environ.get("TERM") != "dumb" else {}
    arranged, hidden = _arranged(list(found.columns), kept, form, width, bold)
    sink.write(arranged.encode())
    # What there is stands on the screen before the rest of it is counted.
    sink.flush()
    return _cut(answer, most if len(rows) > most else None, hidden)


def _cut(answer: Answer, rows: int | None, hidden: int) -> list[Cut]:
    """What was left out: rows when there are more than these, and so many columns."""
    if rows is None and not hidden:
        return []
    there = len(answer.columns)
    total = None if rows is None else rows_in_all(answer)
    return [Cut(rows, total, (there - hidden, there) if hidden else None)]


def emphasis(found: Result, rows: list[tuple[str | None, ...]]) -> dict[int, list[Spans]]:
    """For columns by their place, the spans of each row that a terminal shows in bold."""
    return {
        place: found.emphasis[column.name]([row[place] or "" for row in rows])
        for place, column in enumerate(found.columns)
        if column.name in found.emphasis
    }


def _streamed(answer: Answer, form: str, width: int | None) -> tuple[Iterator[str], int]:
    """All rows in a form for people, and how many columns are left out, which a file never does."""
    from ddb_query.console import tables

    if form == "markdown":
        return tables.markdown_lines(answer.columns, answer.cells()), 0
    if form == "line":
        return tables.listed_lines(answer.columns, answer.cells(), width), 0
    return tables.streamed_box(answer.columns, answer.cells(), width)


def _arranged(
    columns: list[Column],
    rows: list[tuple[str | None, ...]],
    form: str,
    width: int | None,
    emphasis: dict[int, list[Spans]],
) -> tuple[str, int]:
    """Rows in a form for people, and how many columns are left out."""
    from ddb_query.console import tables

    if form == "markdown":
        return tables.markdown(columns, rows), 0
    if form == "line":
        return "".join(tables.listed_lines(columns, rows, width)), 0
    return tables.box(columns, rows, width, emphasis)


@contextlib.contextmanager
def sink(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that appears whole or not at all; a device or a pipe as it is."""
    if path is None:
        with _standard() as opened:
            yield opened
    elif is_special(path):
        with _special(path) as opened:
            yield opened
    else:
        with writing(path) as opened:
            yield opened


@contextlib.contextmanager
def _special(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("wb") as sink:
            yield sink
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(path, error.strerror or str(error)) from error


@contextlib.contextmanager
def _standard() -> Iterator[BinaryIO]:
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise failed(error) from error


def styled() -> bool:
    """Whether standard output is a terminal that shows bold and colour, and may."""
    plain = os.environ.get("TERM") == "dumb" or "NO_COLOR" in os.environ
    return sys.stdout.isatty() and not plain


def terminal_width() -> int | None:
    """Cells of a line of standard output; None when it is no terminal."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns
