"""Recognises folders of part zips and of extracted parts, by looking at names only."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from ddb_query.datasets.part_folders import PartFolder
from ddb_query.datasets.registry import AddedParts
from ddb_query.diffusiondb import is_image_name, part_number, published_name
from ddb_query.engines.table_files import arrow_files, table_files
from ddb_query.errors import BadTableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def holds_parts(path: Path) -> bool:
    """Whether a folder is one of parts: it has parts in it, is a part, or has no table either."""
    if not path.is_dir():
        return False
    names = [path.name, *(entry.name for entry in path.iterdir())]
    if any(part_number(name) is not None for name in names):
        return True
    return not table_files(path) and not arrow_files(path)


def recognise_parts(path: Path, images: str | None = None) -> AddedParts:
    """Say what a folder holds: zips of parts, or images as files.

    Args:
        path: The folder, or one part in it, which stands for its folder.
        images: The built-in dataset whose parts these are, whatever the image names end with.

    Raises:
        BadTableError: It holds neither, or a zip that cannot be read.

    """
    if path.suffix.lower() == ".zip" and part_number(path.name) is None:
        raise BadTableError(
            path, "a zip that is not named like a part",
            hint="a part is called part-NNNNNN.zip, as on the Hub: its number is in its name",
        )  # fmt: skip
    found = PartFolder(path)
    if found.is_empty:
        raise BadTableError(
            path, "a folder without part zips and without images",
            hint="`ddb data add` takes a metadata table, a folder of zips named part-NNNNNN.zip,"
            " or one of extracted images",
        )  # fmt: skip
    # One part stands for the folder in which the others are.
    folder = path if path.is_dir() and part_number(path.name) is None else path.parent
    first = next(
        (zipped for part in sorted(found.parts())[:1] for zipped in found.zips(part)), None
    )
    if first is not None:
        return AddedParts("zips", folder, images or _images_of(first, _zip_names(first)))
    return AddedParts("folders", folder, images or _images_of(path, found.names()))


def _zip_names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise BadTableError(path, "not a zip file that can be read") from error


def _images_of(path: Path, names: Iterable[str]) -> str:
    for name in map(published_name, names):
        if name and is_image_name(name):
            return "2m" if name.endswith(".png") else "large"
    raise BadTableError(
        path, "its first part holds no `<uuid>.png` or `<uuid>.webp`",
        hint="--images-from 2m or --images-from large says whose parts these are",
    )  # fmt: skip
