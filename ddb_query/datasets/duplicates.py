"""Rows of a table whose image is on another row already: counted once, and written down.

Image names of the published tables are unique; those of a table that somebody put together may
not be. The views then have each image once, and whoever opens the table is told.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ddb_query.engines.base import LOOKED_AT, Relation
from ddb_query.errors import DamagedDataError, OutputError
from ddb_query.store.paths import footer
from ddb_query.util.atomic_files import make_folder, replacing

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.datasets.metadata_table import MetadataTable
    from ddb_query.engines.duckdb.connection import DuckDBEngine

# Raised when names are compared in another way.
_VERSION = 1
# Two names that differ hardly ever have the same hash, and numbers are grouped faster than names.
_REPEATED = """
with named as (
    from {table}
    select {name} as image_name
),
shared as (
    select hash
    from (select hash(image_name) as hash from named where image_name is not null) as hashed
    group by hash
    having count(*) > 1
)
select count(*) - count(distinct image_name)
from named
where image_name is not null and hash(image_name) in (select hash from shared)
"""


def repeated_rows(engine: DuckDBEngine, table: MetadataTable, suffix: str, cache: Path) -> int:
    """How many rows of a table have the image name of an earlier one.

    Args:
        engine: Asks.
        table: The table.
        suffix: What the image names of its dataset end with.
        cache: Where the answer is kept.
    """
    sha256, size = footer(table.path)
    known = cache / "repeated" / f"{size}-{sha256[:20]}{suffix}-v{_VERSION}"
    with contextlib.suppress(OSError, ValueError):
        return int(known.read_text("ascii"))
    name = table.columns(suffix)["image_name"]
    try:
        with engine.looking_at(table.path):
            answer = engine.answer(Relation(_REPEATED.format(table=LOOKED_AT, name=name)))
            found = int(next(answer.cells())[0] or 0) if answer else 0
    except DamagedDataError:
        # Whoever reads the names is told; the other columns may be whole.
        return 0
    with contextlib.suppress(OutputError):
        make_folder(known.parent)
        with replacing(known) as temporary:
            temporary.write_text(str(found), "ascii")
    return found


def told(repeated: int) -> str:
    """What a person should know of a table with so many of these rows."""
    which = "1 row that has" if repeated == 1 else f"{repeated:,} rows that have"
    return f"left out {which} the image name of an earlier row: each image is taken once"
