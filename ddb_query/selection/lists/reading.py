"""Reads the names of images out of a file that anyone may have written.

Its first bytes say what it is, whatever its name: parquet, Arrow, JSON or CSV text, compressed or
not. A folder is its parquet files.
"""

from __future__ import annotations

import lzma
import zlib
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation
from ddb_query.errors import BadListError
from ddb_query.selection.lists.columns import COLUMN_HINT, name_column
from ddb_query.selection.lists.csv_names import column_at, csv_names
from ddb_query.selection.lists.json_names import json_names
from ddb_query.selection.lists.text import (
    MalformedTextError,
    encoding_of,
    opened,
    refuse_nul,
    start_of,
    undecodable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.workspace.workspace import Workspace

FORMS = (
    "a list of images is CSV or plain text, JSON, JSON lines, parquet or Arrow;"
    " docs/subsets.md has the rules"
)
_PARQUET, _ARROW, _ARROW_STREAM, _FEATHER_1 = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
_ZIP = b"PK\x03\x04"
_TABLES = (".parquet", ".arrow", ".feather")
_SHOWN = "ddb_list"
_BATCH = 100_000


def written_names(workspace: Workspace, path: Path) -> str:
    """Keep the names of a file as they are written; gives the table, whose column is `written`.

    Raises:
        BadListError: It cannot be read, or has no column of names.
        SqlError: DuckDB cannot read it as parquet.
        DamagedDataError: Likewise.
    """
    try:
        start = _PARQUET if path.is_dir() else start_of(path)
        if start.startswith(_PARQUET):
            return workspace.keep(_parquet(workspace, path), "written")
        if start.startswith((_ARROW, _ARROW_STREAM, _FEATHER_1)):
            table = _arrow(path, start)
        else:
            table = _text(path, start)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise BadListError(path, why, hint=FORMS) from error
    with workspace.engine.shown(_SHOWN, table):
        return workspace.keep(Relation(_select("written", _SHOWN)), "written")


def _select(column: str, source: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    text = rf"trim(cast({quoted} as varchar), e' \t\r\n')"
    # The column is quoted, and the source one of ddb's own.
    return f"select {text} as written from {source}"


def _parquet(workspace: Workspace, path: Path) -> Relation:
    place = workspace.engine.literal_path(path) + ("/**/*.parquet" if path.is_dir() else "")
    source, values = "read_parquet($path, hive_partitioning = false)", {"path": place}
    columns = workspace.answer(Relation(f"from {source}", values)).columns
    column = _column(path, [column.name for column in columns])
    return Relation(_select(column, source), values)


def _column(path: Path, columns: Sequence[str]) -> str:
    try:
        place = name_column(columns)
    except ValueError as error:
        raise BadListError(path, str(error), hint="leave one of them") from error
    if place is None:
        problem = f"no column of image names among {', '.join(columns)}"
        raise BadListError(path, problem, hint=COLUMN_HINT)
    return columns[place]


def _arrow(path: Path, start: bytes) -> pa.Table:
    """The column of names of an Arrow file, a stream, or Feather of either version."""
    import pyarrow as pa
    from pyarrow import feather

    try:
        if start.startswith(_FEATHER_1):
            table = feather.read_table(path, memory_map=False)
            column = _column(path, table.column_names)
        else:
            read = pa.ipc.open_file if start.startswith(_ARROW) else pa.ipc.open_stream
            column, table = _ipc_column(path, read)
        return pa.table({"written": table[column]})
    except pa.ArrowException as error:
        problem = f"damaged, or not whole: {str(error).splitlines()[0]}"
        raise BadListError(path, problem, hint=FORMS) from error


def _ipc_column(
    path: Path, read: Callable[..., pa.RecordBatchStreamReader]
) -> tuple[str, pa.Table]:
    """The column of names; the others are not read into memory."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        schema = read(file).schema
    column = _column(path, schema.names)
    options = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(column)])
    with pa.memory_map(str(path)) as file:
        return column, read(file, options=options).read_all()


def _text(path: Path, start: bytes) -> pa.Table:
    if start.startswith(_ZIP):
        problem = "it is a zip archive, or a spreadsheet program's own file"
        raise BadListError(path, problem, hint="save the list as CSV")
    if path.suffix.lower() in _TABLES:
        raise BadListError(path, f"it does not begin as {path.suffix} files do", hint=FORMS)
    try:
        return _of_text(path)
    except MalformedTextError as error:
        raise BadListError(path, error.problem, hint=error.hint) from error
    except UnicodeDecodeError as error:
        raise _undecodable(path) from error
    except UnicodeEncodeError as error:
        raise BadListError(path, "a name that is half a character of UTF-16") from error


def _of_text(path: Path) -> pa.Table:
    refuse_nul(path)
    with opened(path) as text:
        first = next((line for line in text if not line.isspace()), "")
    if first.lstrip().startswith(("[", "{")):
        with opened(path) as text:
            return _table(json_names(text))
    try:
        return _table(csv_names(lambda: opened(path)))
    except MalformedTextError as error:
        try:
            return _table(csv_names(lambda: opened(path), escape="\\"))
        except MalformedTextError:
            raise error from None


def _table(names: Iterable[str]) -> pa.Table:
    """Names as a table; as Python's own objects all at once they would take twice the memory."""
    import pyarrow as pa

    chunks: list[pa.Array] = []
    batch: list[str] = []
    for name in names:
        batch.append(name)
        if len(batch) == _BATCH:
            chunks.append(pa.array(batch, pa.string()))
            batch = []
    chunks.append(pa.array(batch, pa.string()))
    return pa.table({"written": pa.chunked_array(chunks)})


def _undecodable(path: Path) -> BadListError:
    """The error that says where a text is not of its encoding."""
    if not encoding_of(path).startswith("utf-8"):
        return BadListError(path, "it is not UTF-16 text from its start to its end", hint=FORMS)
    found = undecodable(path)
    if found is None:
        return BadListError(path, "it changed while it was read")
    first, line, before, byte = found
    problem = f"line {line}, {column_at(first, before)}: byte 0x{byte:02X} is not UTF-8 text"
    other = f"`iconv -f WINDOWS-1252 -t UTF-8 {path.name}` makes it of Western European text"
    return BadListError(path, problem, hint=f"save the list as UTF-8; {other}")
