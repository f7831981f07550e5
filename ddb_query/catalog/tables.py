"""Looks at a file and says whether it is a DiffusionDB metadata table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.dataset import COLUMNS
from ddb_query.engines.base import Relation
from ddb_query.errors import BadColumnError, BadTableError, SqlError

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.engines.duckdb import DuckDBEngine

PUBLISHED_TYPES = {column.name: column.type for column in COLUMNS}

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_WHOLE_NUMBERS = frozenset((*_WHOLE, *(f"U{name}" for name in _WHOLE)))
_REAL_NUMBERS = frozenset(("FLOAT", "DOUBLE"))
_MAGIC = b"PAR1"
_NOT_A_TABLE = "`ddb data pull 2m` or `ddb data pull large` gets the table as published"


@dataclass(frozen=True)
class MetadataTable:
    """A parquet file that has all published columns.

    Attributes:
        path: Where it lies.
        extra_columns: Columns that are not published, which no view shows.

    """

    path: Path
    extra_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableFacts:
    """What the footer of a parquet file says."""

    rows: int
    row_groups: int
    file_bytes: int


def check_table(engine: DuckDBEngine, path: Path) -> MetadataTable:
    """Check that a file has every published column, with its type or a wider one.

    Reads the footer only.

    Raises:
        BadTableError: It is not a parquet file that can be read.
        BadColumnError: A column is missing, or has a type that cannot hold the published one.

    """
    _check_file(path)
    try:
        found = engine.columns_of(path)
    except SqlError as error:
        raise BadTableError(
            path, f"a damaged parquet file: {error.message}", hint=_NOT_A_TABLE
        ) from error
    for name, published in PUBLISHED_TYPES.items():
        if name not in found:
            raise BadColumnError(path, name, published, "no such column")
        if not _fits(published, found[name]):
            raise BadColumnError(path, name, published, found[name])
    return MetadataTable(path, tuple(name for name in found if name not in PUBLISHED_TYPES))


def table_facts(engine: DuckDBEngine, path: Path) -> TableFacts:
    """Rows, row groups and bytes of a parquet file, from its footer."""
    answer = engine.answer(
        Relation(
            "select num_rows, num_row_groups from parquet_file_metadata($path)",
            {"path": engine.literal_path(path)},
        )
    )
    rows, groups = next(answer.cells()) if answer else ("0", "0")
    return TableFacts(int(rows or 0), int(groups or 0), path.stat().st_size)


def suffix_of_names(engine: DuckDBEngine, path: Path) -> str | None:
    """What all image names of a table end with: `.png`, `.webp`, or None where they differ."""
    answer = engine.answer(
        Relation(
            "select count(*) filter (image_name like '%.png'),"
            " count(*) filter (image_name like '%.webp'), count(*)"
            " from read_parquet($path, hive_partitioning = false)",
            {"path": engine.literal_path(path)},
        )
    )
    counts = next(answer.cells()) if answer else ()
    png, webp, rows = (int(count or 0) for count in counts)
    if rows and rows in (png, webp):
        return ".png" if png else ".webp"
    return None


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise BadTableError(path, "a folder, not a parquet file", hint=_NOT_A_TABLE)
        with path.open("rb") as file:
            head = file.read(4)
            size = file.seek(0, 2)
            file.seek(max(size - 4, 0))
            tail = file.read(4)
    except FileNotFoundError as error:
        raise BadTableError(path, "no such file", hint="`ddb data status` says where") from error
    except OSError as error:
        problem = error.strerror or str(error)
        raise BadTableError(path, problem, hint="may you read it?") from error
    if size == 0:
        raise BadTableError(path, "the file is empty", hint=_NOT_A_TABLE)
    if head != _MAGIC:
        raise BadTableError(path, "not a parquet file", hint=_NOT_A_TABLE)
    if tail != _MAGIC or size < 12:
        raise BadTableError(path, "a truncated parquet file", hint=_NOT_A_TABLE)


def _fits(published: str, found: str) -> bool:
    if published == "VARCHAR":
        return found == "VARCHAR" or found.startswith("ENUM")
    if published == "FLOAT":
        return found in _REAL_NUMBERS
    if published in _WHOLE_NUMBERS:
        return found in _WHOLE_NUMBERS
    return found.startswith("TIMESTAMP")
