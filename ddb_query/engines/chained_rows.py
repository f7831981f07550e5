"""Several answers read one after the other, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.engines.base import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from ddb_query.engines.base import Answer, Column, TextForm


class ChainedRows:
    """Answers of the same columns, each asked for when the one before it has been read.

    A large result in order is sorted in slices, which takes a fraction of the memory.
    """

    def __init__(self, asked: Sequence[Callable[[], Answer]]) -> None:
        self._asked = asked
        self._first = asked[0]()
        self.columns: tuple[Column, ...] = self._first.columns

    def lines(self, form: TextForm) -> Iterator[memoryview]:
        """Rows as the bytes of a text form, headed once."""
        for place, answer in enumerate(self._answers()):
            lines = answer.lines(form)
            if place:
                # The header comes first.
                next(lines)
            yield from lines

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """Rows as a stream of Arrow record batches."""
        import pyarrow as pa

        answers = self._answers()
        first = next(answers).reader(batch_rows)

        def batches() -> Iterator[pa.RecordBatch]:
            yield from first
            for answer in answers:
                yield from answer.reader(batch_rows)

        return pa.RecordBatchReader.from_batches(first.schema, batches())

    def _answers(self) -> Iterator[Answer]:
        yield self._first
        for ask in self._asked[1:]:
            yield ask()
