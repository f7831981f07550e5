r"""Writers: a result as the bytes of a format.

csv: RFC 4180, `\n`, NULL empty and the empty text `""`. json: one array; jsonl: one object a
line; NaN and infinities null, timestamps `2022-08-06T21:59:00Z`, binary base64. arrow: an IPC
file. All of them stream.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO, Literal, get_args

from ddb_query.engines.base import BATCH_ROWS
from ddb_query.errors import NoTypeError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import pyarrow as pa

    from ddb_query.engines.base import Footer, Rows

DataFormat = Literal["csv", "tsv", "json", "jsonl", "parquet", "arrow"]
DATA_FORMATS: tuple[str, ...] = get_args(DataFormat)

# Values that hardly recur: trying a dictionary for them takes an eighth of the writer's time.
_OF_ONE_IMAGE = {"image_name", "seed", "image_nsfw", "prompt_nsfw"}

# What the ending of a file's name says of its format.
ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow",
}  # fmt: skip


def write(rows: Rows, form: str, sink: BinaryIO, footer: Footer | None = None) -> None:
    """Write rows to an open binary stream, which need not be seekable.

    Args:
        rows: Read once, by streaming.
        form: One of `DATA_FORMATS`.
        sink: Takes the bytes; the caller closes it.
        footer: Asked after the last row, with the number of rows, for what a parquet file says
            of itself.

    Raises:
        SqlError: The engine failed on the way.
        NoTypeError: Parquet has no equal of a column's type.
        OSError: The sink could not be written.

    """
    if form == "parquet":
        _write_parquet(rows.reader(), sink, footer)
    elif form == "arrow":
        _write_arrow(rows.reader(), sink)
    else:
        with contextlib.closing(_text(rows, form)) as pieces:
            for piece in pieces:
                sink.write(piece)


def _text(rows: Rows, form: str) -> Generator[memoryview | bytes]:
    if form == "json":
        yield from _array(rows)
    elif form == "tsv":
        yield from rows.lines("tsv")
    else:
        yield from rows.lines("jsonl" if form == "jsonl" else "csv")


def _array(rows: Rows) -> Iterator[bytes]:
    """One array of the lines of jsonl, which hold no newline of their own."""
    yield b"["
    opening = b"\n"
    for piece in rows.lines("jsonl"):
        if len(piece):
            yield opening + bytes(piece[:-1]).replace(b"\n", b",\n")
            opening = b",\n"
    yield b"\n]\n" if opening == b",\n" else b"]\n"


def _write_arrow(reader: pa.RecordBatchReader, sink: BinaryIO) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(sink, reader.schema) as file:
        for batch in reader:
            file.write_batch(_without_garbage(batch))


def _write_parquet(
    reader: pa.RecordBatchReader,
    sink: BinaryIO,
    footer: Footer | None,
) -> None:
    from ddb_query.engines.float_bounds import parquet_writer
    from ddb_query.util.background import behind

    schema = reader.schema
    _check_for_parquet(schema)
    with parquet_writer(
        sink, schema, compression="snappy", use_dictionary=_recurring(schema)
    ) as writer:

        def write_batch(batch: pa.RecordBatch) -> None:
            writer.write_batch(batch, row_group_size=BATCH_ROWS)

        count = 0
        with behind(write_batch) as put:
            for batch in reader:
                count += batch.num_rows
                put(batch)
        if footer:
            writer.add_key_value_metadata(dict(footer(count)))


def _check_for_parquet(schema: pa.Schema) -> None:
    """Refuse types that parquet has no equal of, such as intervals, by the name of the column."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for field in schema:
        try:
            pq.ParquetWriter(pa.BufferOutputStream(), pa.schema([field])).close()
        except pa.ArrowNotImplementedError as error:
            raise NoTypeError(field.name, str(field.type), "parquet") from error


def _recurring(schema: pa.Schema) -> bool | list[str]:
    """The columns for which the writer tries a dictionary first."""
    import pyarrow as pa

    if any(pa.types.is_nested(field.type) for field in schema):
        # Their leaves have names of their own.
        return True
    return [name for name in schema.names if name not in _OF_ONE_IMAGE]


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
