"""The files of a table: one parquet file, or all of a folder that a program wrote as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def table_files(path: Path) -> list[Path]:
    """The parquet files of a table, in the order of their names.

    Of a folder these are all that end in `.parquet`, at any depth, but for names that begin with
    `.` or `_`, which Spark and others give to what is no data.

    Args:
        path: A file, or a folder.
    """
    if not path.is_dir():
        return [path]
    return sorted(
        file
        for file in path.rglob("*.parquet")
        if file.is_file() and not any(name[0] in "._" for name in file.relative_to(path).parts)
    )


def arrow_files(path: Path) -> list[Path]:
    """The Arrow files of a folder that `save_to_disk` of the library datasets wrote, in order."""
    if not path.is_dir() or table_files(path):
        return []
    return sorted(file for file in path.glob("*.arrow") if file.is_file())


def is_partitioned(path: Path) -> bool:
    """Whether folders of a table say values of columns, as `part_id=7`."""
    if not path.is_dir():
        return False
    folders = (file.parent.relative_to(path) for file in table_files(path))
    return any("=" in name for folder in folders for name in folder.parts)
