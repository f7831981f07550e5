"""What mends a table that cannot be taken as it is: commands to run, and why none will help."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

_PULL = "`ddb data pull 2m` or `ddb data pull large` gets the table as published"
# https://github.com/poloclub/diffusiondb: those of the first release, in October 2022.
_FIRST_COLUMNS = {"image_name", "prompt", "part_id", "seed", "step", "cfg", "sampler"}
# Values stay text, so that none is guessed: text that says what was published is taken.
_CSV = "read_csv(sys.argv[1], all_varchar=True)"
_JSON = "read_json(sys.argv[1])"
_READERS = {
    ".csv": _CSV, ".gz": _CSV, ".tsv": _CSV, ".jsonl": _JSON, ".ndjson": _JSON, ".json": _JSON,
}  # fmt: skip
_ARROW = {".arrow", ".feather", ".ipc"}


def why_missing(found: Collection[str], missing: Sequence[str]) -> str:
    """What a table with missing columns has instead, where that is a known form."""
    published = {column.name for column in COLUMNS}
    if missing == ["image_name", "part_id"]:
        return (
            "no such column, nor part_id: the table has what the dataset's loading script gives,"
            " which does not say which image a row is of"
        )
    if published.intersection(found) == _FIRST_COLUMNS:
        return (
            "no such column: the table has the seven columns of October 2022, before size, user,"
            " time and scores were published"
        )
    others = f", nor {', '.join(missing[1:])}" if missing[1:] else ""
    return f"no such column{others}"


def no_parquet_hint(path: Path) -> str:
    """What makes a table of a file or folder that is no parquet."""
    if path.suffix in _ARROW:
        script = "import polars, sys; polars.read_ipc(sys.argv[1]).write_parquet(sys.argv[2])"
        return f"this makes a table of it: {_command(script, path)}"
    if reader := _READERS.get(path.suffix):
        script = f"import duckdb, sys; duckdb.{reader}.write_parquet(sys.argv[2])"
        return f"this makes a table of it: {_command(script, path)}"
    return _PULL


def _command(script: str, path: Path) -> str:
    return shlex.join(["python", "-c", script, str(path), "table.parquet"])
