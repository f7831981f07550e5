"""Image names in CSV text. docs/subsets.md states the dialect, which the first line alone decides.

Python's `csv` module reads it, in its strict mode: it takes any mixture of line endings, says at
which line a row stands, and never changes its mind about the dialect. DuckDB's reader must be told
one line ending, and says of a row that it does not like only its line.
"""

from __future__ import annotations

import csv
import re
from itertools import chain, islice
from typing import TYPE_CHECKING, TextIO

from ddb_query.selection.lists.columns import COLUMN_HINT, is_image_id, name_column
from ddb_query.selection.lists.text import MalformedTextError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Stands for the delimiter of a list that has one column.
_NONE = "\x1f"
_MARKS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a |", _NONE: "a quote"}
# The line by which spreadsheet programs are told the delimiter; they do not show it.
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?\s*', re.IGNORECASE)
_DOUBLED = 'a quote inside a quoted value is written twice: "say ""hi"""'


def csv_names(opened: Callable[[], TextIO], escape: str | None = None) -> Iterator[str]:
    """The names in a CSV text, whose values are quoted as in RFC 4180.

    Args:
        opened: Opens the text from its start, with its line endings as they are.
        escape: What takes the meaning from the character after it; RFC 4180 has no such mark.

    Raises:
        MalformedTextError: It is of another form, or has no column of names.
    """
    with opened() as text:
        first = next(text, "")
        separator = _SEPARATOR_LINE.fullmatch(first)
        delimiter = separator[1] if separator else _delimiter(first)
        lines = text if separator else chain([first], text)
        reader = csv.reader(lines, delimiter=delimiter, strict=True, escapechar=escape)
        rows = _Rows(opened, delimiter, skipped=1 if separator else 0)
        line = 0
        try:
            header = next((row for row in reader if not _blank(row)), None)
            if header is None:
                return
            place = rows.begin(header)
            if rows.header is None:
                yield header[place]
            width, line = len(header), reader.line_num
            for row in reader:
                if len(row) == width:
                    yield row[place]
                elif not _blank(row):
                    raise rows.ragged(row, width, line + 1)
                line = reader.line_num
        except csv.Error as error:
            raise rows.malformed(line + 1, reader.line_num) from error


def column_at(first_line: str, before: str) -> str:
    """The column of a place in a line, in words.

    Args:
        first_line: Of the text.
        before: What stands before that place in its line.
    """
    delimiter = _delimiter(first_line)
    cells = next(csv.reader([first_line], delimiter=delimiter), [])
    return _called(cells, len(next(csv.reader([before + "."], delimiter=delimiter))) - 1)


def _delimiter(first_line: str) -> str:
    """The first comma, semicolon or tab of a line outside quotes."""
    if is_image_id(first_line):
        return _NONE
    found = re.search("[,;\t]", re.sub('"[^"]*"', "", first_line))
    return found[0] if found else _NONE


def _blank(row: list[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip())


class _Rows:
    """What the errors of a text need to know of it.

    Attributes:
        header: The names of the columns; None while they are not known, and where there are none.
    """

    def __init__(self, opened: Callable[[], TextIO], delimiter: str, skipped: int) -> None:
        self.header: list[str] | None = None
        self._opened = opened
        self._delimiter = delimiter
        self._skipped = skipped

    def begin(self, first: list[str]) -> int:
        """Look at the first row; gives the place of the column of names."""
        try:
            place = name_column(first)
        except ValueError as error:
            raise MalformedTextError(f"line 1: {error}", "leave one of them") from error
        if place is not None:
            self.header = first
            return place
        for place, cell in enumerate(first):
            if is_image_id(cell):
                return place
        if len(first) == 1:
            return 0
        shown = ", ".join(cell.strip() or '""' for cell in first)
        raise MalformedTextError(f"no column of image names among {shown}", COLUMN_HINT)

    def ragged(self, row: list[str], width: int, line: int) -> MalformedTextError:
        """The error of a row that has more or fewer values than there are columns."""
        there = f"the {'header' if self.header else 'first row'} has {width} column"
        there += "" if width == 1 else "s"
        if len(row) < width:
            problem = f"no value for {_called(self.header, len(row))}; {there}"
        else:
            problem = f"column {width + 1}: a value too many, {_short(row[width])}; {there}"
        return MalformedTextError(
            f"line {line + self._skipped}, {problem}",
            f"a value that holds {_MARKS[self._delimiter]} or a line break stands in quotes",
        )

    def malformed(self, line: int, last: int) -> MalformedTextError:
        """The error of a row whose quotes are wrong, which goes from one line to another."""
        with self._opened() as text:
            raw = "".join(islice(text, line - 1 + self._skipped, last + self._skipped))
        # One value after the other, up to the one whose quotes are wrong.
        mark = re.escape(self._delimiter)
        value = re.compile(rf'"(?:[^"]|"")*"(?=[{mark}\r\n]|\Z)|(?!")[^{mark}\r\n]*')
        place = at = 0
        while (found := value.match(raw, at)) and found.end() < len(raw):
            place, at = place + 1, found.end() + 1
        closed = re.compile('"(?:[^"]|"")*"').match(raw, at)
        what = "text after the quote that closes the value" if closed else "a quote is not closed"
        where = f"line {line + self._skipped}, {_called(self.header, place)}"
        return MalformedTextError(f"{where}: {what}", _DOUBLED)


def _called(header: list[str] | None, place: int) -> str:
    name = header[place].strip() if header and place < len(header) else ""
    return f"column {name or place + 1}"


def _short(text: str) -> str:
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"
