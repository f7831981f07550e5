"""Facts of DiffusionDB: its subsets, columns, samplers, and where its parts lie.

Source: the dataset card of `poloclub/diffusiondb` on the Hugging Face Hub, arXiv 2210.14896.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    """One subset of DiffusionDB.

    Attributes:
        name: What the command line calls it.
        table: File name of its metadata table, in the repository and in the data folder.
        view: The SQL view over that table as published.
        image_suffix: Ending of its image names.
        rows: Published number of images; None for the generated dataset.
        table_bytes: Published size of the table, roughly; None for the generated dataset.
        image_bytes: Mean size of an image's file: a thousandth of a part.

    """

    name: str
    table: str
    view: str
    image_suffix: str
    rows: int | None
    table_bytes: int | None
    image_bytes: int

    @property
    def command(self) -> str:
        """The command that gets its table."""
        return "ddb data demo" if self.rows is None else f"ddb data pull {self.name}"


DATASETS = {
    "2m": Dataset("2m", "metadata.parquet", "metadata", ".png", 2_000_000, 190_000_000, 800_000),
    "large": Dataset(
        "large",
        "metadata-large.parquet",
        "metadata_large",
        ".webp",
        14_000_000,
        1_300_000_000,
        460_000,
    ),
    "demo": Dataset("demo", "metadata-demo.parquet", "metadata", ".png", None, None, 14_000),
}


def part_path(dataset: str, part_id: int) -> str:
    """Path of a part's zip in the repository, as the `images` view gives it too."""
    folder = "images"
    if dataset == "large":
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
