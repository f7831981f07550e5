"""The rows of one DuckDB statement, in every form in which they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.engines import text_forms
from ddb_query.engines.base import BATCH_ROWS, Column
from ddb_query.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import duckdb
    import pyarrow as pa

    from ddb_query.engines.base import Relation, TextForm

    # Watches over a statement, and turns DuckDB's errors into ours.
    Running = Callable[[], AbstractContextManager[None]]

_FROM = "ddb_result"


class DuckDBAnswer:
    """The rows of one statement.

    Attributes:
        columns: Names (made unique with `_1`, `_2`) and types.
        relation: DuckDB's own side of it.
        statement: The SELECT that gives the rows; None when another statement gave them.

    """

    def __init__(
        self,
        running: Running,
        relation: duckdb.DuckDBPyRelation,
        statement: Relation | None = None,
    ) -> None:
        self._running = running
        self.relation = relation
        self.statement = statement
        names = _unique(relation.columns)
        self.columns = tuple(
            Column(name, str(kind)) for name, kind in zip(names, relation.types, strict=True)
        )

    def head(self, count: int) -> DuckDBAnswer:
        """The first `count` rows."""
        return DuckDBAnswer(self._running, self.relation.limit(count), self.statement)

    def cells(self) -> Iterator[tuple[str | None, ...]]:
        """Rows as text, as DuckDB writes it; None for NULL."""
        places = [f"c{place}::varchar" for place in range(len(self.columns))]
        with self._running():
            yield from self._over(places).iter_rows(BATCH_ROWS // 10)

    def lines(self, form: TextForm) -> Iterator[memoryview]:
        """Rows as the bytes of a text form, a batch at a time, each row ended by a newline."""
        columns = [
            (f"c{place}", column.name, kind)
            for place, (column, kind) in enumerate(
                zip(self.columns, self.relation.types, strict=True)
            )
        ]
        header = text_forms.header_line(form, [column.name for column in self.columns])
        yield memoryview(header.encode())
        with self._running():
            lines = self._over([text_forms.line_expression(form, columns)])
            for batch in lines.to_arrow_reader(BATCH_ROWS):
                yield _text_bytes(batch.column(0))

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Rows as a stream of Arrow record batches."""
        import pyarrow as pa

        with self._running():
            relation = self.relation
            if [column.name for column in self.columns] != relation.columns:
                names = [column.name.replace('"', '""') for column in self.columns]
                relation = self._over([f'c{i} as "{name}"' for i, name in enumerate(names)])
            reader = relation.to_arrow_reader(batch_rows)
        return pa.RecordBatchReader.from_batches(reader.schema, self._watched(reader))

    def _watched(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        with self._running():
            yield from reader

    def _over(self, expressions: list[str]) -> duckdb.DuckDBPyRelation:
        """Expressions over the rows, whose columns are called c0, c1 and so on."""
        places = ", ".join(f"c{place}" for place in range(len(self.columns)))
        # The expressions are made of c0, c1 and literals of our own alone.
        sql = f"select {', '.join(expressions)} from {_FROM} as {_FROM}({places})"  # noqa: S608
        found = self.relation.query(_FROM, sql)
        if found is None:
            raise SqlError("the engine gave no rows for a SELECT")
        return found


def _unique(names: list[str]) -> list[str]:
    """Column names told apart by `_1`, `_2`, whatever their case, as SQL ignores it."""
    taken: set[str] = set()
    given = {name.lower() for name in names}
    found = []
    for name in names:
        candidate, count = name, 0
        while candidate.lower() in taken or (count and candidate.lower() in given):
            count += 1
            candidate = f"{name}_{count}"
        taken.add(candidate.lower())
        found.append(candidate)
    return found


def _text_bytes(column: pa.StringArray) -> memoryview:
    """The bytes of a column of lines, one after the other, without copying them."""
    _, offsets, data = column.buffers()
    if data is None:
        return memoryview(b"")
    # https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-layout
    places = memoryview(offsets).cast("q" if str(column.type).startswith("large") else "i")
    first, last = places[column.offset], places[column.offset + len(column)]
    return memoryview(data)[first:last]
