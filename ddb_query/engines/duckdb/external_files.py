"""Files that ddb wrote and anyone may have changed: read without guessing or believing them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddb_query.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

_SIMPLE = (
    r"BOOLEAN|U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|VARCHAR|DATE|TIME|UUID"
    r"|TIMESTAMP(?:_S|_MS|_NS| WITH TIME ZONE)?|DECIMAL\(\d{1,2},\d{1,2}\)|INTERVAL"
)
_KNOWN_TYPE = re.compile(rf"(?:{_SIMPLE})(?:\[\])*")
# What parquet and Arrow make of types that they do not have.
_KEPT_AS = {
    "HUGEINT": ("DOUBLE", "DECIMAL(38,0)"), "UHUGEINT": ("DOUBLE", "DECIMAL(38,0)"),
    "UUID": ("VARCHAR",), "INTERVAL": ("INTERVAL",), "TIMESTAMP_S": ("TIMESTAMP_MS", "TIMESTAMP"),
    "TIMESTAMP_MS": ("TIMESTAMP",), "BIGNUM": ("VARCHAR", "BLOB"), "JSON": ("VARCHAR",),
}  # fmt: skip


def relation_of(
    connection: duckdb.DuckDBPyConnection, path: Path, place: str, form: str, names: Sequence[str]
) -> duckdb.DuckDBPyRelation:
    """The rows of a file that ddb wrote, text formats with every column as text.

    Args:
        connection: Reads it.
        path: The file.
        place: The same as DuckDB's readers take it.
        form: The format that it was written in, other than parquet.
        names: The columns that it should have.
    """
    if form == "arrow":
        import pyarrow as pa

        try:
            return connection.from_arrow(pa.ipc.open_file(path).read_all())
        except pa.ArrowException as error:
            raise SqlError(str(error)) from error
    if form in ("csv", "tsv"):
        return connection.read_csv(
            place, header=True, all_varchar=True, sep="," if form == "csv" else "\t",
            quotechar='"', escapechar='"', na_values=[""], allow_quoted_nulls=False,
        )  # fmt: skip
    return connection.read_json(
        place,
        columns=dict.fromkeys(names, "VARCHAR"),
        format="array" if form == "json" else "newline_delimited",
    )


def cast(name: str, kind: str, *, text: bool) -> str:
    """SQL for a column as the type that the manifest says, if that is one ddb knows.

    Args:
        name: The column's name, as the file says it.
        kind: The type, likewise.
        text: Whether the file has text, of which binary is base64.
    """
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == "BLOB" and text:
        return f"from_base64({quoted})"
    return f"cast({quoted} as {kind})" if _KNOWN_TYPE.fullmatch(kind) else quoted


def keeps(said: str, found: str) -> bool:
    """Whether a file's type is what became of the one that its manifest says."""
    return said == found or found in _KEPT_AS.get(said, ()) or said.startswith("ENUM")
