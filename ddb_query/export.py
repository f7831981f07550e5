r"""Writers: a result as the bytes of a format. The only module that uses pyarrow's writers.

csv: RFC 4180, `\n`, NULL empty and the empty text `""`. json: one array; jsonl: one object a
line; NaN and infinities null, timestamps `2022-08-06T21:59:00Z`, binary base64. arrow: an IPC
file. All of them stream.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO, Literal, get_args

from ddb_query.engines.base import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import pyarrow as pa

    from ddb_query.engines.base import Answer, Result

DataFormat = Literal["csv", "tsv", "json", "jsonl", "parquet", "arrow"]
DATA_FORMATS: tuple[str, ...] = get_args(DataFormat)


def write(result: Result, form: str, sink: BinaryIO) -> None:
    """Write all rows of a result to an open binary stream, which need not be seekable.

    Args:
        result: Read once, by streaming.
        form: One of `DATA_FORMATS`.
        sink: Takes the bytes; the caller closes it.

    Raises:
        SqlError: The engine failed on the way.
        OSError: The sink could not be written.

    """
    if form in ("parquet", "arrow"):
        _write_arrow(result.reader(), form, sink)
        return
    with contextlib.closing(_text(result.answer, form)) as pieces:
        for piece in pieces:
            sink.write(piece)


def _text(answer: Answer | None, form: str) -> Generator[memoryview | bytes]:
    if answer is None:
        yield b"[]\n" if form == "json" else b""
    elif form == "json":
        yield from _array(answer)
    elif form == "tsv":
        yield from answer.lines("tsv")
    else:
        yield from answer.lines("jsonl" if form == "jsonl" else "csv")


def _array(answer: Answer) -> Iterator[bytes]:
    """One array of the lines of jsonl, which hold no newline of their own."""
    yield b"["
    opening = b"\n"
    for piece in answer.lines("jsonl"):
        if len(piece):
            yield opening + bytes(piece[:-1]).replace(b"\n", b",\n")
            opening = b",\n"
    yield b"\n]\n" if opening == b",\n" else b"]\n"


def _write_arrow(reader: pa.RecordBatchReader, form: str, sink: BinaryIO) -> None:
    import pyarrow as pa

    if form == "arrow":
        with pa.ipc.new_file(sink, reader.schema) as file:
            for batch in reader:
                file.write_batch(_without_garbage(batch))
        return
    import pyarrow.parquet as pq

    with pq.ParquetWriter(sink, reader.schema, compression="snappy") as writer:
        for batch in reader:
            writer.write_batch(batch, row_group_size=BATCH_ROWS)


def _without_garbage(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with zeros under NULL, where DuckDB leaves what was in memory.

    An IPC file holds these bytes too: they would differ from run to run, and give memory away.
    """
    import pyarrow as pa

    every = pa.arange(0, batch.num_rows)
    columns = [
        column.take(every) if column.null_count or column.type.num_fields else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
