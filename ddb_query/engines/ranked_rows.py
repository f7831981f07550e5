"""The rows of a search, the best first: no more are ranked than are read."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from ddb_query.engines.base import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from ddb_query.engines.base import Column, Relation, TextForm
    from ddb_query.engines.duckdb.rows import DuckDBRows


class RankedRows:
    """An `Answer` that asks for its first rows, or for all of them, when they are read.

    Args:
        ask: Gives the first so many rows; all for None.
        count: Gives the number of all.
    """

    is_text: ClassVar[bool] = False

    def __init__(self, ask: Callable[[int | None], DuckDBRows], count: Callable[[], int]) -> None:
        self._ask = ask
        self._count = count

    @cached_property
    def all(self) -> DuckDBRows:
        """All rows."""
        return self._ask(None)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Names and types."""
        return self._ask(1).columns

    @property
    def statement(self) -> Relation | None:
        """The SELECT that gives all rows."""
        return self.all.statement

    def head(self, count: int) -> DuckDBRows:
        """The first `count` rows."""
        return self._ask(count)

    def count(self) -> int:
        """How many rows there are."""
        return self._count()

    def cells(self) -> Iterator[tuple[str | None, ...]]:
        """Rows as text, None for NULL."""
        return self.all.cells()

    def lines(self, form: TextForm) -> Iterator[memoryview]:
        """Rows as the bytes of a text form."""
        return self.all.lines(form)

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Rows as a stream of Arrow record batches."""
        return self.all.reader(batch_rows)
