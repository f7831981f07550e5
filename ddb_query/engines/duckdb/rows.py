"""The rows of one DuckDB statement, in every form in which they are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from ddb_query.engines.base import BATCH_ROWS, Column
from ddb_query.engines.duckdb import text_format
from ddb_query.engines.duckdb.content_hash import digests
from ddb_query.errors import OtherProcessError, SqlError
from ddb_query.util.forks import held_in_forks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    import duckdb
    import pyarrow as pa

    from ddb_query.engines.base import Relation, TextForm
    from ddb_query.engines.duckdb.content_hash import Tally

    # Watches over a statement, and turns DuckDB's errors into ours.
    Running = Callable[[], AbstractContextManager[None]]

T = TypeVar("T")

_FROM = "ddb_result"


class DuckDBRows:
    """The rows of one statement.

    Args:
        running: Watches over it.
        relation: The statement, not yet run.
        is_text: Whether the rows are the lines of a text, such as a plan.
        statement: The SELECT that gives the rows; None when another statement gave them.
        counter: Counts the rows without reading them.
        tally: Counts the rows as they are read.
        counted: SQL expressions over the columns c0, c1, …, that `tally` sums.
        hidden: How many columns at the end are there to be counted only.

    Attributes:
        held: What the statement reads and must not go before it.
    """

    held: object = None

    def __init__(
        self,
        running: Running,
        relation: duckdb.DuckDBPyRelation,
        *,
        is_text: bool = False,
        statement: Relation | None = None,
        counter: Callable[[DuckDBRows], int | None] | None = None,
        tally: Tally | None = None,
        counted: tuple[str, ...] = (),
        hidden: int = 0,
    ) -> None:
        self._running = running
        self._relation = relation
        self._process = os.getpid()
        self.is_text = is_text
        self.statement = statement
        self._counter = counter
        self._tally = tally
        self._counted = counted
        names = _unique(relation.columns[: len(relation.columns) - hidden])
        self.columns = tuple(
            Column(name, str(kind)) for name, kind in zip(names, relation.types, strict=False)
        )

    @property
    def relation(self) -> duckdb.DuckDBPyRelation:
        """The statement; raises an `OtherProcessError` in a forked process."""
        _check_process(self._process)
        return self._relation

    def tallied(
        self,
        tally: Tally,
        *,
        hashed: bool = True,
        finite_only: bool = False,
        beside: int = 0,
        hidden: int = 0,
    ) -> DuckDBRows:
        """The same rows, counted as they are read by `lines` or `reader`.

        Args:
            tally: Sums the digests of the content hash, if wanted, then the hidden columns.
            hashed: Whether the content hash is wanted.
            finite_only: Whether floats that are not finite are written as NULL.
            beside: How many columns before the hidden ones are no part of the content.
            hidden: How many columns at the end are whole numbers to be summed, not written.
        """
        shown = len(self.relation.columns) - hidden
        kinds = self.relation.types[: shown - beside]
        columns = [(f"c{i}", str(kind)) for i, kind in enumerate(kinds)]
        counted = digests(columns, finite_only=finite_only) if hashed else ()
        sums = (f"c{shown + i}" for i in range(hidden))
        # With nothing to sum the rows are still to be counted.
        every = (*counted, *sums) or ("0::bigint",)
        found = DuckDBRows(self._running, self.relation, tally=tally, counted=every, hidden=hidden)
        found.held = self.held
        return found

    def head(self, count: int) -> DuckDBRows:
        """The first `count` rows."""
        # It is bound again, and what it reads may be gone.
        with self._running():
            first = self.relation.limit(count)
        found = DuckDBRows(
            self._running, first, is_text=self.is_text,
            statement=self.statement, tally=self._tally, counted=self._counted,
            hidden=len(self.relation.columns) - len(self.columns),
        )  # fmt: skip
        found.held = self.held
        return found

    def count(self) -> int | None:
        """How many rows there are; None when that cannot be known.

        Raises:
            TimedOutError: It takes longer than somebody would wait for a number.
        """
        return self._counter(self) if self._counter else None

    def cells(self) -> Iterator[tuple[str | None, ...]]:
        """Rows as text, as DuckDB writes it; None for NULL."""
        places = [f"c{place}::varchar" for place in range(len(self.columns))]
        with self._running():
            rows = self._over(places).iter_rows(BATCH_ROWS // 10)
            yield from _in_one_process(held_in_forks(rows))

    def lines(self, form: TextForm) -> Iterator[memoryview]:
        """Rows as the bytes of a text form, a batch at a time, each row ended by a newline."""
        columns = [
            (f"c{place}", column.name, kind)
            for place, (column, kind) in enumerate(
                zip(self.columns, self.relation.types, strict=False)
            )
        ]
        header = text_format.header_line(form, [column.name for column in self.columns])
        yield memoryview(header.encode())
        with self._running():
            lines = self._over([text_format.line_expression(form, columns), *self._counted])
            for batch in self._taken(held_in_forks(lines.to_arrow_reader(BATCH_ROWS))):
                yield _text_bytes(batch.column(0))

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Rows as a stream of Arrow record batches."""
        import pyarrow as pa

        with self._running():
            relation = self.relation
            if self._counted or [column.name for column in self.columns] != relation.columns:
                names = [column.name.replace('"', '""') for column in self.columns]
                named = [f'c{i} as "{name}"' for i, name in enumerate(names)]
                relation = self._over([*named, *self._counted])
            reader = held_in_forks(relation.to_arrow_reader(batch_rows))
        schema = pa.schema(list(reader.schema)[: len(self.columns)])
        return pa.RecordBatchReader.from_batches(schema, self._watched(reader))

    def _watched(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        with self._running():
            yield from self._taken(reader)

    def _taken(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        """The batches without what is only counted, which is counted."""
        if self._tally is None:
            yield from _in_one_process(reader)
            return
        shown = len(reader.schema) - len(self._counted)
        for batch in _in_one_process(reader):
            self._tally.add(batch.select(range(shown, len(reader.schema))))
            yield batch.select(range(shown))

    def _over(self, expressions: list[str]) -> duckdb.DuckDBPyRelation:
        """Expressions over the rows, whose columns are called c0, c1 and so on."""
        places = ", ".join(f"c{place}" for place in range(len(self.relation.columns)))
        # The expressions are made of c0, c1 and literals of our own alone.
        sql = f"select {', '.join(expressions)} from {_FROM} as {_FROM}({places})"  # noqa: S608
        found = self.relation.query(_FROM, sql)
        if found is None:
            raise SqlError("the engine gave no rows for a SELECT")
        return found


def _in_one_process(rows: Iterable[T]) -> Iterator[T]:
    """Rows that are read on only by the process that has begun to read them."""
    process = os.getpid()
    for row in rows:
        yield row
        _check_process(process)


def _check_process(process: int) -> None:
    if os.getpid() != process:
        raise OtherProcessError(process)


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
