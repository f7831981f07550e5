"""What every engine gives: relations in, results out. Loads no engine and no data library."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

from ddb_query.errors import MissingPackageError, NotPicklableError, NoTypeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Self

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    # Of so many rows, what a file of them says of itself.
    Footer = Callable[[int], Mapping[str, str]]

TextForm = Literal["csv", "tsv", "jsonl"]

# Offsets of characters, the end after the last.
Spans = list[tuple[int, int]]

NOTEBOOK_ROWS = 20
# The view over a file that an engine was told to look at.
LOOKED_AT = "ddb_looked_at"
BATCH_ROWS = 122_880
# What loaded this module; any other process of it is a fork.
_PROCESS = os.getpid()


@dataclass(frozen=True)
class Relation:
    """SQL text that stands for rows, and the values bound to its `$name` parameters."""

    sql: str
    values: Mapping[str, object] = field(default_factory=dict)

    def over(self, select: str) -> Relation:
        """A SELECT over its rows.

        Args:
            select: `select …`, without a FROM.
        """
        return Relation(f"{select}\nfrom (\n{self.sql}\n) as of_rows", self.values)


@dataclass(frozen=True)
class Column:
    """A column of a result: its name and its type as the engine spells it."""

    name: str
    type: str

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers, which tables align to the right."""
        kind = self.type.partition("(")[0]
        return not self.type.endswith("]") and (
            kind.lstrip("U") in {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
            or kind in {"FLOAT", "DOUBLE", "DECIMAL", "BIGNUM"}
        )


class Rows(Protocol):
    """Rows to be written, read once."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """Names (made unique with `_1`, `_2`) and types."""
        ...

    def lines(self, form: TextForm) -> Iterator[memoryview]:
        """Rows as the bytes of a text form, a batch at a time, each row ended by a newline."""
        ...

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Rows as a stream of Arrow record batches of about `batch_rows` rows."""
        ...


class Answer(Rows, Protocol):
    """The rows of one statement, in whatever form they are read; lazy for a SELECT."""

    @property
    def is_text(self) -> bool:
        """Whether the rows are the lines of a text, such as a plan, rather than a table."""
        ...

    @property
    def statement(self) -> Relation | None:
        """The SELECT that gives the rows; None when another statement gave them."""
        ...

    def head(self, count: int) -> Answer:
        """The first `count` rows; the engine appends the limit."""
        ...

    def count(self) -> int | None:
        """How many rows there are; None when another run might give another number.

        Raises:
            TimedOutError: It takes longer than somebody would wait for a number.
        """
        ...

    def cells(self) -> Iterator[tuple[str | None, ...]]:
        """Rows as text, None for NULL."""
        ...


class Engine(Protocol):
    """What runs SQL."""

    name: str

    def statements(self, sql: str) -> list[Relation]:
        """Split SQL into statements; `values` names the parameters of each, not yet bound."""
        ...

    def answer(self, relation: Relation) -> Answer | None:
        """Run a statement, or describe it when it is a SELECT; None when it gives no rows."""
        ...

    def kept(self, name: str, relation: Relation) -> AbstractContextManager[None]:
        """Work out rows once, and have them answer to a name while the block lasts."""
        ...

    def keep(self, answer: Answer) -> tuple[Answer, int | None]:
        """Run a statement and keep its rows as `_`; its first rows, and how many there are."""
        ...

    def cursor(self, *, silent: bool = False) -> Self:
        """The same data for another thread; a silent one tells no progress."""
        ...

    def interrupt(self) -> None:
        """Stop what runs now; may be called from another thread."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Result:
    """The rows of a statement: run once, when first read, and kept.

    A statement other than a SELECT has already run. `reader` streams instead of keeping, and can
    be read once.

    Attributes:
        emphasis: For text columns by name, what of their values a terminal shows in bold.
        shown_rows: How many rows of it a screen shows when nobody says how many; None for as many
            as of any result.
        footer: Of so many rows, what a parquet file of them says of itself.
    """

    footer: Footer | None = None
    shown_rows: int | None = None

    def __init__(
        self,
        answer: Answer | None,
        emphasis: Mapping[str, Callable[[Sequence[str]], list[Spans]]] | None = None,
    ) -> None:
        self._answer = answer
        self.emphasis = emphasis or {}
        self._table: pa.Table | None = None
        self._shown: list[tuple[str | None, ...]] | None = None
        self._streamed = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """Names and types; empty when the statement gives no rows."""
        return self._answer.columns if self._answer else ()

    @property
    def answer(self) -> Answer | None:
        """The engine's side of it, for writers."""
        return self._answer

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Stream the rows as a pyarrow.RecordBatchReader of batches of about `batch_rows` rows.

        Raises:
            UsageError: The result was streamed before.
            SqlError: The engine refused or failed.

        """
        if self._table is not None:
            return self._table.to_reader(batch_rows)
        if self._streamed:
            raise UsageError("this result was streamed already", hint="ask for it again")
        if self._answer is None:
            import pyarrow as pa

            return pa.table({}).to_reader()
        self._streamed = True
        return self._answer.reader(batch_rows)

    def lines(self, form: TextForm) -> Iterator[memoryview]:
        """Rows as the bytes of a text form, a batch at a time, each row ended by a newline."""
        if self._answer is not None:
            yield from self._answer.lines(form)

    def arrow(self) -> pa.Table:
        """All rows as a pyarrow.Table."""
        if self._table is None:
            self._table = self.reader().read_all()
        return self._table

    def pl(self) -> pl.DataFrame:
        """All rows as a polars.DataFrame.

        Raises:
            NoTypeError: Polars has no equal of a column's type, such as an interval.
        """
        import polars as pl

        series = {}
        for name, column in zip(self.arrow().column_names, self.arrow().columns, strict=True):
            try:
                series[name] = pl.Series(name, column)
            except pl.exceptions.PolarsError as error:
                raise NoTypeError(name, str(column.type), "a polars frame") from error
        return pl.DataFrame(series)

    def df(self) -> pd.DataFrame:
        """All rows as a pandas.DataFrame.

        Raises:
            MissingPackageError: pandas is not there; ddb-query does not install it.
            SqlError: The engine refused or failed.

        """
        try:
            import pandas as pd  # noqa: F401 - asked for before the rows are
        except ModuleNotFoundError as error:
            raise MissingPackageError(error.name or "pandas", "a pandas.DataFrame") from error
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows as tuples of Python values.

        Raises:
            NoTypeError: A time has nanoseconds, which a Python datetime cannot hold.
        """
        return _tuples(self.arrow())

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows())

    def _preview(self) -> list[tuple[str | None, ...]]:
        """The first rows as text, and one more: of what was read, else asked for once and kept."""
        count = NOTEBOOK_ROWS + 1
        if self._table is not None:
            rows = _tuples(self._table.slice(0, count))
            return [tuple(None if value is None else str(value) for value in row) for row in rows]
        if self._shown is None:
            self._shown = list(self._answer.head(count).cells()) if self._answer else []
        return self._shown

    def _rows_in_all(self) -> str:
        """How many rows there are, in words."""
        rows = None
        if self._table is not None:
            rows = self._table.num_rows
        elif self._answer is not None:
            rows = self._answer.count()
        return "more" if rows is None else f"{rows:,}"

    def __reduce__(self) -> NoReturn:
        raise NotPicklableError("Result", "send its rows: `.arrow()`, `.pl()` or `.rows()`")

    def __repr__(self) -> str:
        columns = ", ".join(f"{column.name} {column.type}" for column in self.columns)
        return f"<Result: {columns or 'no rows'}>"

    def _repr_html_(self) -> str:
        import html

        rows = self._preview()
        head = "".join(f"<th>{html.escape(column.name)}</th>" for column in self.columns)
        body = "".join(
            "<tr>"
            + "".join(
                # NULL is told from an empty text, and from the text NULL.
                f"<td>{'<i>NULL</i>' if cell is None else html.escape(cell)}</td>"
                for cell in row
            )
            + "</tr>"
            for row in rows[:NOTEBOOK_ROWS]
        )
        more = len(rows) > NOTEBOOK_ROWS
        note = f"<p>{NOTEBOOK_ROWS} of {self._rows_in_all()} rows</p>" if more else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def _tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    named = zip(table.column_names, table.columns, strict=True)
    return list(zip(*(_values(name, column) for name, column in named), strict=True))


def _values(name: str, column: pa.ChunkedArray) -> list[Any]:
    """The values of a column; the same whether pandas is installed or not."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        try:
            column = column.cast(pa.timestamp("us", column.type.tz))
        except pa.ArrowInvalid as error:
            raise NoTypeError(name, str(column.type), "a Python datetime") from error
    values: list[Any] = column.to_pylist()
    return values
