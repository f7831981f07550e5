"""Every canned query by `ddb run` beside the same SQL in a bare DuckDB process, on one table.

And four questions as polars and pandas put them, where they can be put.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from harness import ddb, measure, python, record

import ddb_query
from ddb_query.query_library import read_sql, sql_folder

VALUES = {"prompt-search": {"words": "castle"}, "user-profile": {"user": "deleted_account"}}

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
    pl.col("timestamp").max().alias("last"), pl.col("timestamp").dt.date().n_unique().alias("days")).sort("len", descending=True).head(20).collect())
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
        setup.write_text(_setup(table, asked.dataset), "utf-8")
        rows = [
            _compare(name, table, asked, setup)
            for name in sorted(path.stem for path in (sql_folder() / "queries").glob("*.sql"))
            if not asked.only or name in asked.only
        ]
    record(f"queries-{asked.dataset}", rows, table)


def _compare(name: str, table: Path, asked: argparse.Namespace, setup: Path) -> dict[str, object]:
    with ddb_query.open("demo") as corpus:
        query = corpus.query(name)
    given = VALUES.get(name, {})
    text = setup.with_name(f"{name}.sql")
    text.write_text(query.sql, "utf-8")
    options = [part for key, value in given.items() for part in (f"--{key}", value)]
    ours = ddb("--data-dir", str(asked.data_dir), "--dataset", asked.dataset, "run", name, *options)
    limit = (query.limit or 100) + 1
    bare = python(
        BARE.format(setup=str(setup), query=str(text), values=query.values(given), limit=limit)
    )
    peers = {
        peer: python(scripts[name].format(path=str(table)))
        for peer, scripts in (("polars", POLARS), ("pandas", PANDAS))
        if name in scripts
    }
    found = measure(ours, bare, *peers.values(), tries=asked.tries)
    mine, duck, *others = found
    row: dict[str, object] = {
        "query": name,
        "ddb_seconds": mine.seconds,
        "duckdb_seconds": duck.seconds,
        "more_seconds": round(mine.seconds - duck.seconds, 4),
        "ratio": round(mine.seconds / duck.seconds, 3),
        "peak_megabytes": mine.peak_megabytes,
    }
    for peer, other in zip(peers, others, strict=True):
        row[f"{peer}_seconds"] = other.seconds
        row[f"{peer}_ratio"] = round(other.seconds / mine.seconds, 2)
    print(row, flush=True)
    return row


def _setup(table: Path, dataset: str) -> str:
    parts = [
        "create schema source;",
        f"create view source.metadata as from '{table}';",
        "create macro hash60(x) as cast('0x' || substr(md5(x), 1, 15) as bigint);",
        f"create macro dataset_name() as '{dataset}';",
    ]
    for path in sorted((sql_folder() / "functions").glob("*.sql")):
        text = path.read_text("utf-8")
        parts.append(f"create macro {text[3 : text.index(':')]} as (\n{text}\n);")
    parts += [
        f"create view {view} as\n{read_sql(f'views/{view}.sql')};"
        for view in ("images", "prompts", "users")
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    main()
