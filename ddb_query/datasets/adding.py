"""Registers metadata tables and folders of images where they lie: what they are, how to name them.

A table gets a name of its own. Only the published files take the names 2m and large, and only while
these datasets are not there. A published file is one that is called as published, has only image
names that end as that dataset's do, and is no subset that ddb wrote.
"""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.datasets import manifest
from ddb_query.datasets.duplicates import repeated_rows
from ddb_query.datasets.metadata_table import check_table, suffix_of_names, table_facts
from ddb_query.datasets.names import check_name, name_of_file
from ddb_query.datasets.part_names import holds_parts, recognise_parts
from ddb_query.datasets.registry import AddedTable
from ddb_query.diffusiondb import DATASETS, PUBLISHED, added_dataset
from ddb_query.errors import (
    BadManifestError,
    BadTableError,
    NameTakenError,
    NoManifestError,
    UsageError,
)
from ddb_query.util.atomic_files import may_exist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddb_query.datasets.catalog import Catalog
    from ddb_query.datasets.registry import AddedParts
    from ddb_query.engines.duckdb.connection import DuckDBEngine


@dataclass(frozen=True)
class AddedNow:
    """A table that was added just now.

    Attributes:
        table: Its name, path and images.
        rows: How many it has.
        repeated: How many of them have the image name of an earlier row.
        extra_columns: Columns that no view shows.
        instead_of: The table that had the name before, which stays where it is.

    """

    table: AddedTable
    rows: int
    repeated: int
    extra_columns: tuple[str, ...]
    instead_of: Path | None


def add_table(
    catalog: Catalog,
    engine: DuckDBEngine,
    path: Path,
    *,
    name: str | None = None,
    images: str | None = None,
    replace: bool = False,
) -> AddedNow:
    """Register a metadata table where it lies.

    Args:
        catalog: Where it is registered.
        engine: Looks into it.
        path: The parquet file or folder, absolute.
        name: What it is to be called; None to take its file's name.
        images: The built-in dataset whose parts hold its images; None to tell by its manifest or
            its image names.
        replace: Whether it takes the place of another dataset of that name.

    Raises:
        BadTableError: It is not a metadata table, or a folder of several.
        UsageError: No dataset can have the name, or its images are not those of 2m or large, whose
            place it is to take.
        NameTakenError: Another dataset has the name, and is not to be replaced.

    """
    if name is not None and not (name in PUBLISHED and replace):
        check_name(name, path)
    _refuse_data_folder(path)
    checked = check_table(engine, path)
    suffix = suffix_of_names(engine, checked)
    made_from = _made_from(path)
    if name is None:
        name = _published(path, suffix, made_from) or name_of_file(path)
        if name not in PUBLISHED:
            check_name(name, path)
    if images is None:
        images = made_from or _images_of(suffix)
    table = AddedTable(name, path, images)
    if name in PUBLISHED:
        table = _in_place_of(name, path, suffix, images)
    instead_of = catalog.locate(name)
    if instead_of is not None and not _same(instead_of, path) and not replace:
        raise NameTakenError(name, instead_of, path)
    before = catalog.registry.add_table(table, replacing_other=replace)
    rows = table_facts(engine, path).rows
    ending = added_dataset(table.name, table.images, path).image_suffix
    repeated = repeated_rows(engine, checked, ending, catalog.settings.cache_dir)
    return AddedNow(
        table, rows, repeated, checked.extra_columns, before.path if before else instead_of
    )


def add_parts(catalog: Catalog, path: Path, images: str | None = None) -> AddedParts:
    """Register a folder of part zips or of extracted parts where it lies.

    Args:
        catalog: Where it is registered.
        path: The folder, or one part in it, absolute.
        images: The built-in dataset whose parts these are; None to tell by their image names.

    Raises:
        BadTableError: It is neither, or which dataset's parts these are cannot be told.

    """
    with _readable(path):
        parts = recognise_parts(path, images)
    catalog.registry.add_parts(parts)
    return parts


def is_parts(path: Path) -> bool:
    """Whether a path is a part, or a folder of parts, rather than a table.

    Raises:
        BadTableError: It is a folder that cannot be looked into.

    """
    with _readable(path):
        return path.suffix == ".zip" or holds_parts(path)


def _refuse_data_folder(path: Path) -> None:
    """Refuse to take several tables, as they lie in a data folder, for one."""
    names = [DATASETS[name].table for name in PUBLISHED if may_exist(path / DATASETS[name].table)]
    if path.is_dir() and names:
        quoted = shlex.quote(str(path))
        raise BadTableError(
            path, f"a data folder with {' and '.join(names)}, not one table",
            hint=f"--data-dir {quoted} uses it; `ddb data add {quoted}/{names[0]}` adds one table",
        )  # fmt: skip


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = error.strerror or str(error)
        raise BadTableError(path, problem, hint="may you read it?") from error


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        # What may not be looked at is what it is called.
        return one == other


def _made_from(path: Path) -> str | None:
    """The built-in dataset whose images a subset that ddb wrote has."""
    try:
        return manifest.read(path).images
    except (NoManifestError, BadManifestError):
        return None


def _published(path: Path, suffix: str | None, made_from: str | None) -> str | None:
    """The published dataset that a file is the table of, by its name and its image names."""
    for name in PUBLISHED:
        known = DATASETS[name]
        if path.name == known.table and suffix == known.suffix and made_from is None:
            return name
    return None


def _images_of(suffix: str | None) -> str | None:
    return next((name for name in PUBLISHED if DATASETS[name].suffix == suffix), None)


def _in_place_of(name: str, path: Path, suffix: str | None, images: str | None) -> AddedTable:
    """A table that takes the place of 2m or large: its images are those of that dataset."""
    if suffix != DATASETS[name].suffix or images != name:
        quoted = shlex.quote(str(path))
        raise UsageError(
            f"{path} cannot take the place of {name}: its images are not those of {name}, whose"
            f" names all end in {DATASETS[name].suffix}",
            hint=f"`ddb data add {quoted} --as my-{name}` gives it a name of its own",
        )
    return AddedTable(name, path, name)
