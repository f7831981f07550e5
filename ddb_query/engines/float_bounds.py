"""Columns of floats without the bounds that a parquet file gives for them, which leave NaN out.

pyarrow, polars and Spark leave NaN out of the least and the greatest value of a column. DuckDB
takes NaN for the greatest number and trusts the bounds: it decides conditions without looking, so
that `isnan(cfg)` finds nothing and `cfg < 100` lets NaN through. Its setting
`parquet_can_have_nan` errs the other way: `max(cfg)` is NaN then where there is none. What a CASE
gives has no such bounds.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa
    import pyarrow.parquet as pq

_FLOATS = ("FLOAT", "DOUBLE")


def without_bounds(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The same rows, of whose floats nothing is known before they are read."""
    named = [(f'"{name.replace(chr(34), chr(34) * 2)}"', str(kind)) for name, kind in zip(
        relation.columns, relation.types, strict=True
    )]  # fmt: skip
    return relation.project(", ".join(f"{unbounded(name, kind)} as {name}" for name, kind in named))


def parquet_writer(sink: Path | BinaryIO, schema: pa.Schema, **options: Any) -> pq.ParquetWriter:
    """A writer of parquet that gives no bounds for floats: whoever trusts bounds is right, too.

    As a context it lets an error of its block through, where pyarrow's would close what is half
    written and raise what goes wrong with that in its place (Ctrl-C as `ArrowInvalid`).

    Args:
        sink: Where it writes.
        schema: What it writes.
        options: Those of pyarrow's writer.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    class Writer(pq.ParquetWriter):  # type: ignore[misc]
        def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
            with contextlib.suppress(Exception) if error else contextlib.nullcontext():
                self.close()

    bounded = [
        field.name
        for field in schema
        if not pa.types.is_floating(field.type) and not pa.types.is_nested(field.type)
    ]
    return Writer(sink, schema, write_statistics=bounded, **options)


def unbounded(column: str, kind: str) -> str:
    """SQL for a column of a parquet file, of whose floats nothing is known before they are read.

    Args:
        column: The column as SQL.
        kind: Its type.
    """
    if kind in _FLOATS:
        return f"case when isnan({column}) then 'nan'::{kind} else {column} end"
    # Lists and structs: what TRY gives has no bounds either, and nothing here can fail.
    return f"try({column})" if any(one in kind for one in _FLOATS) else column
