"""Every canned query by `ddb run` beside the same SQL in a bare DuckDB process, on one table.

And four questions as polars and pandas put them, where they can be put.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import bare
from harness import ddb, measure, python, record, recorded

from ddb_query.queries.library import QueryLibrary

VALUES = {"user-profile": {"user": "deleted_account"}}

# The same views and functions, and the same SQL, without ddb.
BARE = """
import duckdb, sys
con = duckdb.connect()
con.execute("set TimeZone = 'UTC'")
con.execute(open({setup!r}).read())
found = con.sql(open({query!r}).read(), params={values!r} or None)
rows = found.limit({limit}).fetchall()
"""

POLARS = {
    "user-stats": """
import polars as pl
print(pl.scan_parquet({path!r}).group_by("user_name").agg(
    pl.len(), pl.col("prompt").n_unique(), pl.col("timestamp").min().alias("first"),
    pl.col("timestamp").max().alias("last"), pl.col("timestamp").dt.date().n_unique().alias("days")
).sort("len", descending=True).head(20).collect())
""",
    "prompt-top": """
import polars as pl
print(pl.scan_parquet({path!r}).group_by("prompt").agg(
    pl.len(), pl.col("user_name").n_unique()).sort("len", descending=True).head(20).collect())
""",
    "sampler-stats": """
import polars as pl
print(pl.scan_parquet({path!r}).group_by("sampler").agg(
    pl.len(), pl.col("user_name").n_unique(), pl.col("prompt").n_unique(),
    pl.col("step").median()).collect())
""",
}
PANDAS = {
    "user-stats": """
import pandas as pd
d = pd.read_parquet({path!r}, columns=["user_name", "prompt", "timestamp"])
print(d.groupby("user_name").agg(images=("prompt", "size"), prompts=("prompt", "nunique"),
    first=("timestamp", "min"), last=("timestamp", "max")).nlargest(20, "images"))
""",
    "sampler-stats": """
import pandas as pd
d = pd.read_parquet({path!r}, columns=["sampler", "user_name", "prompt", "step"])
print(d.groupby("sampler").agg(images=("prompt", "size"), users=("user_name", "nunique"),
    prompts=("prompt", "nunique"), step=("step", "median")))
""",
}


def main() -> None:
    """Run all; the target is 0.35 s more than bare DuckDB, for every query."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--dataset", choices=["2m", "large"], default="2m")
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    asked = parser.parse_args()
    table = asked.data_dir / (
        "metadata.parquet" if asked.dataset == "2m" else "metadata-large.parquet"
    )
    with tempfile.TemporaryDirectory() as folder:
        setup = Path(folder) / "setup.sql"
        setup.write_text(bare.setup(table, asked.dataset), "utf-8")
        rows = [
            _compare(name, table, asked, setup)
            for name in QueryLibrary().names()
            # A bare DuckDB has no search index; benchmarks/search.py is about searching.
            if name != "prompt-search" and (not asked.only or name in asked.only)
        ]
    name = f"queries-{asked.dataset}"
    measured = {row["query"] for row in rows}
    # Rows of another run stay where not all is asked for; each says how many tries it had.
    kept = [row for row in recorded(name) if row["query"] not in measured] if asked.only else []
    record(name, sorted(rows + kept, key=lambda row: str(row["query"])), table)


def _compare(name: str, table: Path, asked: argparse.Namespace, setup: Path) -> dict[str, object]:
    query = QueryLibrary().find(name)
    given = VALUES.get(name, {})
    text = setup.with_name(f"{name}.sql")
    text.write_text(query.sql, "utf-8")
    options = [part for key, value in given.items() for part in (f"--{key}", value)]
    ours = ddb("--data-dir", str(asked.data_dir), "--dataset", asked.dataset, "run", name, *options)
    limit = (query.limit or 100) + 1
    duckdb = python(
        BARE.format(setup=str(setup), query=str(text), values=query.values(given), limit=limit)
    )
    peers = {
        peer: python(scripts[name].format(path=str(table)))
        for peer, scripts in (("polars", POLARS), ("pandas", PANDAS))
        if name in scripts
    }
    found = measure(ours, duckdb, *peers.values(), tries=asked.tries)
    mine, duck, *others = found
    row: dict[str, object] = {
        "query": name,
        "ddb_seconds": mine.seconds,
        "duckdb_seconds": duck.seconds,
        "more_seconds": round(mine.seconds - duck.seconds, 4),
        "ratio": round(mine.seconds / duck.seconds, 3),
        "ddb_cpu_seconds": mine.cpu_seconds,
        "duckdb_cpu_seconds": duck.cpu_seconds,
        "peak_megabytes": mine.peak_megabytes,
        "tries": asked.tries,
    }
    for peer, other in zip(peers, others, strict=True):
        row[f"{peer}_seconds"] = other.seconds
        row[f"{peer}_ratio"] = round(other.seconds / mine.seconds, 2)
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
