"""Subset files: the images that a list of anyone's names, to select from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.datasets import manifest
from ddb_query.engines.base import Relation
from ddb_query.engines.duckdb.content_hash import content_hash, digests
from ddb_query.errors import (
    BadListError,
    BadManifestError,
    DamagedDataError,
    NoManifestError,
    PartlyDoneError,
    SqlError,
    UnknownNamesError,
    UsageError,
)
from ddb_query.selection.lists.reading import FORMS, written_names
from ddb_query.util.atomic_files import is_special

if TYPE_CHECKING:
    from ddb_query.workspace.workspace import Workspace

_SHOWN_NAMES = 3
_SHOWN_CHARACTERS = 60

# An image's id is what it is known by: capitals, a folder and the file's ending are let pass.
_UNDERSTOOD = r"""
select name, min(written) as written
from (
    select
        written,
        case when id = '' then written else id || image_suffix() end as name
    from (
        select
            written,
            regexp_extract(
                lower(regexp_extract(written, '[^/\\]*$')),
                '^([0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}})(?:\.\w+)*$', 1
            ) as id
        from {written}
        where written <> ''
    ) as parsed
) as understood
group by name"""

# A table of somebody's may have names of another form: what is written finds them too.
_FOUND = """
select distinct published_image_key as image_key, name
from source.images
inner join (
    select name, name as image_name from {listed}
    union
    select name, written from {listed}
) as candidates using (image_name)"""

_COUNTS = """
select count(*), count(*) filter (where name not in (select name from {found})), {sums}
from {listed}"""

_MISSING = """
select left(written, {most} + 1) from {listed}
where name not in (select name from {found})
order by written
limit {count}"""


@dataclass(frozen=True)
class Subset:
    """The images that a file names, in a temporary table.

    Attributes:
        table: One row an image, in `image_key`.
        path: The file.
        names: How many different images the file names.
        missing: How many of these are not in the dataset.
        examples: Some of these, as they are written.
        names_hash: The content hash of the names: which subset it is, wherever the file lies.
    """

    table: str
    path: Path
    names: int
    missing: int
    examples: tuple[str, ...]
    names_hash: str

    def shortfall(self, dataset: str) -> PartlyDoneError:
        """What is told of names that are not in the dataset."""
        shown = ", ".join(self.examples) + (", …" if self.missing > len(self.examples) else "")
        are = "is" if self.missing == 1 else "are"
        return PartlyDoneError(
            f"{self.missing:,} of the {self.names:,} images in {self.path} {are} not in dataset"
            f" {dataset}: {shown}",
            hint=f"the other {self.names - self.missing:,} were taken",
        )


def read(workspace: Workspace, file: Path | str) -> Subset:
    """Read a list of images; docs/subsets.md has the forms.

    Raises:
        UsageError: It cannot be read, or has no column of names.
        UnknownNamesError: The dataset has none of the images.
        BadManifestError: Its manifest says that its images are from another dataset than these.
    """
    # An empty text is the path of the current folder.
    if not isinstance(file, str | Path) or Path(file) == Path():
        raise UsageError("no subset file was named", hint=FORMS)
    path = Path(file)
    _check_dataset(workspace, path)
    listed = _listed(workspace, path)
    found = workspace.keep(Relation(_FOUND.format(listed=listed)), "found")
    sums = ", ".join(f"sum({digest})" for digest in digests([("name", "VARCHAR")]))
    tables = {"listed": listed, "found": found}
    names, missing, *hashed = workspace.first(Relation(_COUNTS.format(sums=sums, **tables)))
    if not names:
        raise BadListError(path, "it names no image", hint=FORMS)
    examples: tuple[str, ...] = ()
    if missing:
        sql = _MISSING.format(most=_SHOWN_CHARACTERS, count=_SHOWN_NAMES, **tables)
        examples = tuple(_short(name) for name in _texts(workspace, sql))
    if missing == names:
        raise _unknown(workspace, path, names, examples)
    return Subset(found, path, names, missing, examples, content_hash(names, *hashed))


def _listed(workspace: Workspace, path: Path) -> str:
    """The names of a file once each, as the dataset spells them and as they are written."""
    try:
        written = written_names(workspace, path)
        return workspace.keep(Relation(_UNDERSTOOD.format(written=written)), "listed")
    except (SqlError, DamagedDataError) as error:
        raise BadListError(path, error.message.splitlines()[0], hint=FORMS) from error


def _unknown(
    workspace: Workspace, path: Path, names: int, examples: tuple[str, ...]
) -> UnknownNamesError:
    dataset = workspace.source.dataset
    known = _texts(workspace, "select min(image_name) from source.images")
    there = f", and the dataset, for example, {known[0]}" if known else ""
    return UnknownNamesError(
        f"none of the {names:,} images in {path} is in dataset {dataset}: the list has, for"
        f" example, {examples[0]}{there}",
        hint="an image is named by its id, with or without a folder and .png or .webp; each dataset"
        " has ids of its own (--dataset 2m, large)",
    )


def _texts(workspace: Workspace, sql: str) -> list[str]:
    answer = workspace.engine.answer(Relation(sql))
    return [str(row[0]) for row in answer.cells()] if answer else []


def _short(name: str) -> str:
    return f"{name[:_SHOWN_CHARACTERS]}…" if len(name) > _SHOWN_CHARACTERS else name


def _check_dataset(workspace: Workspace, path: Path) -> None:
    if not path.exists():
        raise UsageError(f"no subset file {path}", hint=FORMS)
    if is_special(path):
        raise BadListError(path, "it is no file", hint="write the list to a file first")
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
