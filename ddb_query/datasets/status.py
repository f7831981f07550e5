"""What there is: the table of every dataset, and the folders of images that were added."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ddb_query.datasets.metadata_table import TableFacts, check_table, table_facts
from ddb_query.errors import BadTableError
from ddb_query.hub.provenance import read_source
from ddb_query.util.atomic_files import may_exist

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.datasets.catalog import Catalog
    from ddb_query.engines.duckdb.connection import DuckDBEngine

Origin = Literal["pulled", "found", "added", "generated"]


@dataclass(frozen=True)
class Status:
    """What there is of the table of one dataset, or one folder of images.

    Attributes:
        name: Of the dataset; for a folder of images also what these are.
        images: The built-in dataset whose parts hold the images; None where that is not known.
        path: Where it lies, or lay; None when there is none.
        origin: How it got there: pulled from the Hub, found in the data folder, added where it
            lies, or generated; None when there is none.
        facts: What the table's footer says; None when it is missing or damaged, and of folders.
        problem: What is wrong with it, and the command that mends it.

    """

    name: str
    images: str | None
    path: Path | None = None
    origin: Origin | None = None
    facts: TableFacts | None = None
    problem: str | None = None


def tables(catalog: Catalog, engine: DuckDBEngine) -> list[Status]:
    """The table of every dataset, whether or not it is there."""
    return [_table(catalog, engine, name) for name in catalog.names()]


def parts(catalog: Catalog) -> list[Status]:
    """The folders of part zips and of extracted parts that were added."""
    return [
        Status(
            f"{one.images} {one.kind}", one.images, one.path, "added",
            problem=None if may_exist(one.path) else _gone(str(one.path)),
        )
        for one in catalog.registry.read().parts
    ]  # fmt: skip


def _table(catalog: Catalog, engine: DuckDBEngine, name: str) -> Status:
    dataset, added, path = catalog.dataset(name), catalog.added(name), catalog.locate(name)
    if path is None:
        if added is not None:
            return Status(name, dataset.images, added.path, "added", problem=_gone(name))
        missing = f"missing; get it with `{dataset.command}`"
        return Status(name, dataset.images, problem=missing)
    origin = "added" if added is not None else _origin(name, path)
    try:
        check_table(engine, path)
    except BadTableError as error:
        return Status(name, dataset.images, path, origin, problem=error.problem)
    return Status(name, dataset.images, path, origin, table_facts(engine, path))


def _origin(name: str, path: Path) -> Origin:
    if name == "demo":
        return "generated"
    return "pulled" if read_source(path) is not None else "found"


def _gone(what: str) -> str:
    return f"it is gone; `ddb data remove {shlex.quote(what)}` forgets it"
