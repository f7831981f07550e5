"""Rows that ddb itself made, such as a list of queries, in every form of a result.

Needs no engine, so that light commands stay light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from ddb_query.engines.base import BATCH_ROWS, Column
from ddb_query.engines.duckdb import text_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from ddb_query.engines.base import Relation, TextForm

Value = str | int | float | None


@dataclass(frozen=True)
class LiteralRows:
    """An `Answer` of Python values.

    Attributes:
        columns: Names and types: VARCHAR, BIGINT or DOUBLE.
        rows: Values of these types, or None.

    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    is_text: ClassVar[bool] = False
    statement: ClassVar[Relation | None] = None

    def head(self, count: int) -> LiteralRows:
        """The first `count` rows."""
        return replace(self, rows=self.rows[:count])

    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def cells(self) -> Iterator[tuple[str | None, ...]]:
        """Rows as text, None for NULL."""
        for row in self.rows:
            yield tuple(None if value is None else str(value) for value in row)

    def lines(self, form: TextForm) -> Iterator[memoryview]:
        """Rows as the bytes of a text form."""
        names = [column.name for column in self.columns]
        lines = [text_format.line(form, names, row) for row in self.rows]
        # A path may hold bytes that are no text.
        text = text_format.header_line(form, names) + "".join(lines)
        yield memoryview(text.encode("utf-8", "backslashreplace"))

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Rows as a stream of Arrow record batches."""
        import pyarrow as pa

        types = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64()}
        arrays = [
            pa.array([row[place] for row in self.rows], types[column.type])
            for place, column in enumerate(self.columns)
        ]
        names = [column.name for column in self.columns]
        return pa.table(arrays, names=names).to_reader(batch_rows)
