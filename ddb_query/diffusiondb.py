"""Facts of DiffusionDB: its subsets, columns, samplers, and where its parts lie.

Source: the dataset card of `poloclub/diffusiondb` on the Hugging Face Hub, arXiv 2210.14896.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "poloclub/diffusiondb"
REVISION = "main"
IMAGES_PER_PART = 1000

SAMPLERS = {
    1: "ddim",
    2: "plms",
    3: "k_euler",
    4: "k_euler_ancestral",
    5: "k_heun",
    6: "k_dpm_2",
    7: "k_dpm_2_ancestral",
    8: "k_lms",
    9: "others",
}

_IMAGE_NAME = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.(png|webp)"
)
_JSON_NAME = re.compile(r"part-\d{6}\.json")
_PART_NUMBER = re.compile(r"part-(\d{6})(?!\d)", re.IGNORECASE)
_SEPARATOR = re.compile(r"[/\\]")
# What the archive tool of macOS adds to a zip: a resource fork for each file.
MACOS_FORKS = "__MACOSX"


LONGEST_NAME = 50
_DATASET_NAME = re.compile(rf"2m|[a-z][a-z0-9-]{{0,{LONGEST_NAME - 1}}}")


@dataclass(frozen=True)
class Column:
    """A published column: its name and its DuckDB type."""

    name: str
    type: str


COLUMNS = (
    Column("image_name", "VARCHAR"),
    Column("prompt", "VARCHAR"),
    Column("part_id", "USMALLINT"),
    Column("seed", "UINTEGER"),
    Column("step", "USMALLINT"),
    Column("cfg", "FLOAT"),
    Column("sampler", "UTINYINT"),
    Column("width", "USMALLINT"),
    Column("height", "USMALLINT"),
    Column("user_name", "VARCHAR"),
    Column("timestamp", "TIMESTAMP WITH TIME ZONE"),
    Column("image_nsfw", "FLOAT"),
    Column("prompt_nsfw", "FLOAT"),
)


@dataclass(frozen=True)
class Dataset:
    """A metadata table under a name: a built-in one, or one that a user has added.

    Attributes:
        name: What `--dataset` calls it.
        images: The built-in dataset whose parts hold its images (2m, large or demo); None where
            that is not known.
        view: The SQL view over its table as it was saved.
        title: What a heading calls it.
        command: The command that gets its table when it is missing or damaged.

    """

    name: str
    images: str | None
    view: str
    title: str
    command: str

    def __str__(self) -> str:
        return self.name

    @property
    def image_suffix(self) -> str:
        """What its image names end with; empty where it is not known whose images they are."""
        return DATASETS[self.images].suffix if self.images else ""


@dataclass(frozen=True)
class BuiltIn(Dataset):
    """A subset of DiffusionDB as published, or the generated dataset.

    Attributes:
        table: File name of its metadata table, in the repository and in the data folder.
        suffix: What its image names end with.
        rows: Published number of images; None for the generated dataset.
        image_bytes: Mean size of an image's file: a thousandth of a part.

    """

    table: str
    suffix: str
    rows: int | None
    image_bytes: int


DATASETS = {
    "2m": BuiltIn(
        "2m", "2m", "metadata", "DiffusionDB 2M", "ddb data pull 2m",
        "metadata.parquet", ".png", 2_000_000, 800_000,
    ),
    "large": BuiltIn(
        "large", "large", "metadata_large", "DiffusionDB Large", "ddb data pull large",
        "metadata-large.parquet", ".webp", 14_000_000, 460_000,
    ),
    "demo": BuiltIn(
        "demo", "demo", "metadata", "DiffusionDB demo", "ddb data demo",
        "metadata-demo.parquet", ".png", None, 14_000,
    ),
}  # fmt: skip
# The datasets that the Hub has, in the order in which one is chosen when none is named.
PUBLISHED = ("2m", "large")


def added_dataset(name: str, images: str | None, path: Path) -> Dataset:
    """The dataset that a table is which somebody has added under a name of its own."""
    again = shlex.join(["ddb", "data", "add", str(path), "--as", name])
    return Dataset(name, images, view_of(name), name, again)


def view_of(name: str) -> str:
    """The SQL view over the table of an added dataset."""
    return name.replace("-", "_")


def part_path(images: str, part_id: int) -> str:
    """Path of a part's zip in the repository, as the `images` view gives it too.

    Args:
        images: The built-in dataset whose part it is.
        part_id: Its number.
    """
    folder = "images"
    if images == "large":
        folder = f"diffusiondb-large-part-{1 if part_id <= 10_000 else 2}"
    return f"{folder}/part-{part_id:06d}.zip"


def is_image_name(name: str) -> bool:
    """Whether a name is `<uuid>.png` or `<uuid>.webp`, the only names that may become paths."""
    return _IMAGE_NAME.fullmatch(name) is not None


def published_name(path: str) -> str | None:
    """The image name or name of a part's JSON that a path ends in; None for any other file.

    Folders before it and capitals make no difference: people pack and extract parts in many ways.
    Resource forks of macOS (`__MACOSX/…`, `._NAME`) are other files.
    """
    *folders, name = _SEPARATOR.split(path)
    name = name.lower()
    if MACOS_FORKS in folders or not (is_image_name(name) or _JSON_NAME.fullmatch(name)):
        return None
    return name


def part_number(name: str) -> int | None:
    """The number of the part that a file or folder is named after: `part-000001 (1).zip` is 1."""
    match = None if name.startswith(".") else _PART_NUMBER.search(name)
    return int(match[1]) if match else None


def is_dataset_name(name: str) -> bool:
    """Whether a dataset, built-in or added, may have this name."""
    return _DATASET_NAME.fullmatch(name) is not None
