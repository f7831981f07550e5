"""Recognises folders of part zips and of extracted parts, by looking at names only."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

from ddb_query.catalog.registry import Added
from ddb_query.dataset import is_image_name
from ddb_query.engines.table_files import arrow_files, table_files
from ddb_query.errors import BadTableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ZIP = re.compile(r"part-\d{6}\.zip")
_FOLDER = re.compile(r"part-\d{6}")
_PART = re.compile(r"part-\d{6}(\.zip)?")


def holds_parts(path: Path) -> bool:
    """Whether a folder is one of parts: it has parts in it, is a part, or has no table either."""
    if not path.is_dir():
        return False
    names = [entry.name for entry in path.iterdir()]
    if any(map(_PART.fullmatch, (path.name, *names))):
        return True
    return not table_files(path) and not arrow_files(path)


def recognise_parts(path: Path, dataset: str | None = None) -> Added:
    """Say what a folder holds: `part-000001.zip` …, or extracted parts `part-000001/` ….

    Args:
        path: The folder, or one part in it, which stands for its folder.
        dataset: Overrules what the endings of the image names say.

    Raises:
        BadTableError: It holds neither, or a zip that cannot be read.

    """
    if path.suffix == ".zip":
        return _of_zip(path, dataset)
    zips = sorted(p for p in path.iterdir() if _ZIP.fullmatch(p.name))
    if zips:
        return _of_zip(zips[0], dataset)
    folders = sorted(p for p in path.iterdir() if p.is_dir() and _FOLDER.fullmatch(p.name))
    if folders:
        names = (p.name for p in folders[0].iterdir())
        return Added("folders", dataset or _dataset_of(path, names), path)
    if _FOLDER.fullmatch(path.name):
        return recognise_parts(path.parent, dataset)
    raise BadTableError(
        path, "a folder without part-NNNNNN.zip files or part-NNNNNN folders",
        hint="`ddb data add` takes a metadata table, a folder of part zips or of extracted parts",
    )  # fmt: skip


def _of_zip(path: Path, dataset: str | None) -> Added:
    names = _zip_names(path)
    if not _ZIP.fullmatch(path.name):
        raise BadTableError(
            path, "a zip that is not named like a part",
            hint="a part is called part-NNNNNN.zip, as on the Hub: its number is in its name",
        )  # fmt: skip
    return Added("zips", dataset or _dataset_of(path, names), path.parent)


def _zip_names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise BadTableError(path, "not a zip file that can be read") from error


def _dataset_of(path: Path, names: Iterable[str]) -> str:
    for name in names:
        if is_image_name(name):
            return "2m" if name.endswith(".png") else "large"
    raise BadTableError(
        path, "its first part holds no `<uuid>.png` or `<uuid>.webp`",
        hint="say which dataset it is with --as 2m or --as large",
    )  # fmt: skip
