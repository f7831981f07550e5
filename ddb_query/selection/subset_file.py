"""Subset files: the images that a file of anyone's names, to select from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query import manifest
from ddb_query.engines.base import Relation
from ddb_query.engines.content_hash import content_hash, digests
from ddb_query.errors import (
    BadManifestError,
    DamagedDataError,
    NoManifestError,
    SqlError,
    UsageError,
)
from ddb_query.files import is_special

if TYPE_CHECKING:
    from ddb_query.workspace import Workspace


_WHAT = "a subset file is parquet, csv or jsonl with a column image_name"


@dataclass(frozen=True)
class Subset:
    """The names that a file holds, in a temporary table.

    Attributes:
        table: One row a name, in `image_name`.
        missing: How many of them are not in the dataset.
        names_hash: The content hash of the names: which subset it is, wherever the file lies.
    """

    table: str
    missing: int
    names_hash: str


def names(workspace: Workspace, file: Path | str) -> Subset:
    """Read the names of a parquet, csv or jsonl file, or of a folder of parquet files.

    Raises:
        UsageError: It cannot be read, or has no column `image_name`.
        BadManifestError: Its manifest says that its images are from another dataset than these.
    """
    # An empty text is the path of the current folder.
    if not isinstance(file, str | Path) or Path(file) == Path():
        raise UsageError("no subset file was named", hint=_WHAT)
    path = Path(file)
    _check_dataset(workspace, path)
    table = _kept(workspace, path)
    first, second = digests([("image_name", "VARCHAR")])
    sums = workspace.first(Relation(f"select count(*), sum({first}), sum({second}) from {table}"))
    there = workspace.first(
        Relation(
            "select count(*) from source.images"
            f" where image_name in (select image_name from {table})"
        )
    )[0]
    return Subset(table, sums[0] - there, content_hash(*sums))


def _kept(workspace: Workspace, path: Path) -> str:
    try:
        return workspace.keep(workspace.engine.names_in(path), "names")
    except (SqlError, DamagedDataError) as error:
        why = error.message.splitlines()[0]
        raise UsageError(f"cannot read image names from {path}: {why}", hint=_WHAT) from error


def _check_dataset(workspace: Workspace, path: Path) -> None:
    if not path.exists() or is_special(path):
        raise UsageError(f"no subset file {path}", hint="--from FILE takes what ddb export wrote")
    try:
        said = manifest.read(path)
    except NoManifestError:
        return
    images = workspace.source.dataset.images
    if said.images is not None and images is not None and said.images != images:
        raise BadManifestError(
            path,
            f"names images of {said.images}, and dataset {workspace.source.dataset} has images of"
            f" {images}; their names differ",
            hint=f"--dataset {said.images}",
        )
