"""Writes a table in the published types, with NULL for the values that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.datasets.metadata_table import PUBLISHED_TYPES, forms_of_table, lost_values
from ddb_query.engines.base import LOOKED_AT, Relation
from ddb_query.util.atomic_files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.engines.duckdb.connection import DuckDBEngine


def mend(engine: DuckDBEngine, path: Path, target: Path) -> dict[str, int]:
    """Write the published columns of a table to a parquet file.

    Args:
        engine: Reads and writes.
        path: The table, in any form.
        target: The file, which takes the place of what is there.

    Returns:
        How many values did not fit, of each column that had some.

    Raises:
        BadTableError: It is not a table that can be read, or a column is missing.
        OutputError: The file cannot be written.

    """
    forms, _ = forms_of_table(engine, path)
    columns = ", ".join(
        f'{form.mended(PUBLISHED_TYPES[name])} as "{name}"' for name, form in forms.items()
    )
    with engine.looking_at(path):
        lost = lost_values(engine, forms)
        with replacing(target) as temporary:
            engine.write_parquet(Relation(f"from {LOOKED_AT} select {columns}"), temporary)
    return lost
