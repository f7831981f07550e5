"""What it costs that no answer trusts a file's bounds of floats, which leave NaN out.

python benchmarks/float_bounds.py DATASET DATA_DIR [TRIES]: statements over the published table,
through ddb's views and through a view of plain DuckDB, in turns in one process, without a store.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from harness import record

import ddb_query

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES = {"2m": "metadata.parquet", "large": "metadata-large.parquet"}
VIEWS = {"2m": "metadata", "large": "metadata_large"}
STATEMENTS = {
    "images under a threshold": "select count(*) from metadata where image_nsfw < 0.5",
    "images under both thresholds": (
        "select count(*) from metadata where image_nsfw < 0.5 and prompt_nsfw < 0.1"
    ),
    "a condition that no row meets": "select count(*) from metadata where image_nsfw > 2.5",
    "highest cfg": "select max(cfg) from metadata where not isnan(cfg)",
    "mean score of each sampler": "select sampler, avg(image_nsfw) from metadata group by all",
    "histogram of a score": (
        "select floor(image_nsfw * 20) as bin, count(*) from metadata group by all order by bin"
    ),
}


def seconds(run: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def answered(connection: duckdb.DuckDBPyConnection, sql: str) -> object:
    """All rows of a statement."""
    return connection.execute(sql).fetchall()


def main() -> None:
    """Measure every statement and record the best of its tries."""
    dataset, folder, *tries = sys.argv[1:]
    table = Path(folder) / TABLES[dataset]
    with tempfile.TemporaryDirectory() as cache, duckdb.connect() as plain:
        os.environ["DDB_CACHE_DIR"] = cache
        plain.execute("set TimeZone = 'UTC'")
        plain.execute(f"create view metadata as from '{table}'")
        with ddb_query.open(dataset, data_dir=Path(folder)) as corpus:
            found = []
            for what, sql in STATEMENTS.items():
                ours, bare = [], []
                for _ in range(int(tries[0]) if tries else 7):
                    ours.append(seconds(corpus.sql(sql.replace("metadata", VIEWS[dataset])).rows))
                    bare.append(seconds(partial(answered, plain, sql)))
                found.append({
                    "what": what, "ddb_seconds": round(min(ours), 4),
                    "duckdb_seconds": round(min(bare), 4), "ratio": round(min(ours) / min(bare), 2),
                })  # fmt: skip
    record(f"float-bounds-{dataset}", found, data=table)


if __name__ == "__main__":
    main()
