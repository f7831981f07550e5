"""Which column of a list holds the names of images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What people and programs call the column; the first of these that a list has is taken.
NAME_COLUMNS = (
    "image_name", "file_name", "filename", "image_file", "image_path", "image", "file", "path",
    "image_id", "id", "uuid", "name", "key", "__key__",
)  # fmt: skip
COLUMN_HINT = f"call the column of names image_name; {', '.join(NAME_COLUMNS[1:])} do as well"

# As `selection.subset_file` reads it in SQL: capitals, a folder and file endings are let pass.
_IMAGE_ID = re.compile(
    r"(?:.*[/\\])?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?:\.\w+)*", re.IGNORECASE
)


def is_image_id(text: object) -> bool:
    """Whether a text is the id of an image, perhaps with a folder before it and an ending."""
    return isinstance(text, str) and _IMAGE_ID.fullmatch(text.strip()) is not None


def name_column(columns: Sequence[str]) -> int | None:
    """The place of the column of names; None when no column is called so.

    Raises:
        ValueError: Several columns have that name.
    """
    plain = [re.sub(r"[\s-]", "_", column.strip().lower()) for column in columns]
    for name in NAME_COLUMNS:
        if plain.count(name) > 1:
            raise ValueError(f"it has {plain.count(name)} columns called {name}")
        if name in plain:
            return plain.index(name)
    return None
