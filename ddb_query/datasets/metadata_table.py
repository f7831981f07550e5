"""Looks at a file or folder and says whether it is a DiffusionDB metadata table."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.datasets.column_forms import form_of, with_suffix
from ddb_query.datasets.repair_hints import no_parquet_hint, why_missing
from ddb_query.diffusiondb import COLUMNS
from ddb_query.engines.base import LOOKED_AT, Relation
from ddb_query.engines.table_files import arrow_files, table_files
from ddb_query.errors import (
    BadColumnError,
    BadTableError,
    BadValueError,
    DamagedDataError,
    SqlError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ddb_query.datasets.column_forms import Form
    from ddb_query.engines.duckdb.connection import DuckDBEngine

PUBLISHED_TYPES = {column.name: column.type for column in COLUMNS}

_MAGIC = b"PAR1"
_NOT_A_TABLE = "`ddb data pull 2m` or `ddb data pull large` gets the table as published"
_LONGEST_VALUE = 60


@dataclass(frozen=True)
class MetadataTable:
    """A parquet file, or a folder of them, that has all published columns.

    Attributes:
        path: Where it lies.
        forms: How each published column is read.
        extra_columns: Columns that are not published, which no view shows.
        bare_names: Whether image names have lost their endings.

    """

    path: Path
    forms: Mapping[str, Form]
    extra_columns: tuple[str, ...] = ()
    bare_names: bool = False

    def columns(self, suffix: str) -> dict[str, str]:
        """The published columns, each as SQL over those of the table.

        Args:
            suffix: What the image names of its dataset end with.
        """
        found = {name: form.sql for name, form in self.forms.items()}
        if self.bare_names:
            found["image_name"] = with_suffix(found["image_name"], suffix)
        return found


def check_table(engine: DuckDBEngine, path: Path) -> MetadataTable:
    """Check that a table has every published column, in a form that loses no value.

    Reads the footers, and the columns whose type is another than the published one.

    Raises:
        BadTableError: It is not parquet that can be read.
        BadColumnError: A column is missing.
        BadValueError: A column holds a value that is lost in the published type.

    """
    forms, extra = forms_of_table(engine, path)
    with _naming_damage(path), engine.looking_at(path):
        for name, count in lost_values(engine, forms).items():
            form = forms[name]
            first = _row(engine, f'select cast("{name}" as varchar)', f"where {form.lost} limit 1")
            value = (first[0] or "")[:_LONGEST_VALUE]
            raise BadValueError(path, name, PUBLISHED_TYPES[name], form.found, value, count)
        bare = _bare_names(engine, forms["image_name"])
    return MetadataTable(path, forms, extra, bare)


def forms_of_table(engine: DuckDBEngine, path: Path) -> tuple[dict[str, Form], tuple[str, ...]]:
    """How each published column of a table is read, and the columns that are not published.

    Raises:
        BadTableError: It is not parquet that can be read.
        BadColumnError: A column is missing.

    """
    _check_files(path)
    with _naming_damage(path):
        found = engine.columns_of(path)
        _check_columns(engine, path, found)
    forms = {name: form_of(name, kind, found[name]) for name, kind in PUBLISHED_TYPES.items()}
    return forms, tuple(name for name in found if name not in PUBLISHED_TYPES)


def lost_values(engine: DuckDBEngine, forms: Mapping[str, Form]) -> dict[str, int]:
    """How many values of each column of what is looked at do not fit; none of those that all do."""
    odd = {name: form for name, form in forms.items() if form.fits is not None}
    if not odd:
        return {}
    counted = ", ".join(f"count(*) filter ({form.lost})" for form in odd.values())
    counts = zip(odd, _row(engine, f"select {counted}"), strict=True)
    return {name: int(count) for name, count in counts if count and int(count)}


@contextlib.contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except SqlError as error:
        what = "Arrow file" if arrow_files(path) else "parquet file"
        raise BadTableError(
            path, f"a damaged {what}: {error.message}", hint=_NOT_A_TABLE
        ) from error


def _check_columns(engine: DuckDBEngine, path: Path, found: Mapping[str, str]) -> None:
    missing = [name for name in PUBLISHED_TYPES if name not in found]
    if missing:
        raise BadColumnError(
            path, missing[0], PUBLISHED_TYPES[missing[0]], why_missing(found, missing)
        )
    files = table_files(path)
    # Read as one table, a file without a column would have NULL for it.
    for file in files if len(files) > 1 else ():
        for name in PUBLISHED_TYPES:
            in_folders = any(part.startswith(f"{name}=") for part in file.parts)
            if not in_folders and name not in engine.columns_of(file):
                raise BadColumnError(file, name, PUBLISHED_TYPES[name], "no such column")


def _bare_names(engine: DuckDBEngine, form: Form) -> bool:
    """Whether the first image name has no ending; those of a table are alike."""
    try:
        first = _row(engine, f"select {form.sql}", "limit 1")
    except DamagedDataError:
        # Whoever reads the names is told; the other columns may be whole.
        return False
    return bool(first) and first[0] is not None and "." not in first[0]


def _row(engine: DuckDBEngine, select: str, end: str = "") -> tuple[str | None, ...]:
    """The first row of a SELECT over what is looked at."""
    answer = engine.answer(Relation(f"from {LOOKED_AT} {select} {end}"))
    return next(answer.cells(), ()) if answer else ()


@dataclass(frozen=True)
class TableFacts:
    """What the footers of a table say; for row groups, Arrow has its number of files."""

    rows: int
    row_groups: int
    file_bytes: int


def table_facts(engine: DuckDBEngine, path: Path) -> TableFacts:
    """Rows, row groups and bytes of a table, from its footers."""
    if arrow := arrow_files(path):
        with engine.looking_at(path):
            rows = int(_row(engine, "select count(*)")[0] or 0)
        return TableFacts(rows, len(arrow), sum(file.stat().st_size for file in arrow))
    files = table_files(path)
    answer = engine.answer(
        Relation(
            "select sum(num_rows), sum(num_row_groups) from parquet_file_metadata($paths)",
            {"paths": [engine.literal_path(file) for file in files]},
        )
    )
    counted, groups = next(answer.cells()) if answer else ("0", "0")
    size = sum(file.stat().st_size for file in files)
    return TableFacts(int(counted or 0), int(groups or 0), size)


def suffix_of_names(engine: DuckDBEngine, table: MetadataTable) -> str | None:
    """What all image names of a table end with: `.png`, `.webp`, or None where they differ."""
    name = table.forms["image_name"].sql
    select = f"select count(*) filter ({name} like '%.png'), count(*) filter ({name} like '%.webp')"
    with engine.looking_at(table.path):
        png, webp, rows = (int(count or 0) for count in _row(engine, f"{select}, count(*)"))
    if rows and rows in (png, webp):
        return ".png" if png else ".webp"
    return None


def _check_files(path: Path) -> None:
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise BadTableError(path, error.strerror or str(error)) from error
    if not is_folder:
        _check_file(path)
        return
    if (path / "_delta_log").is_dir():
        raise BadTableError(
            path, "a Delta table, some of whose files may be deleted rows",
            hint="save its rows as parquet: spark.table(…).write.parquet(FOLDER)",
        )  # fmt: skip
    files = table_files(path)
    if not files and not arrow_files(path):
        raise BadTableError(path, "a folder without a parquet file", hint=no_parquet_hint(path))
    for file in files:
        _check_file(file)


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
        raise BadTableError(path, "not a parquet file", hint=no_parquet_hint(path))
    if tail != _MAGIC or size < 12:
        raise BadTableError(path, "a truncated parquet file", hint=_NOT_A_TABLE)
